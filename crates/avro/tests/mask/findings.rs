//! What a contract is told when its rules do not fit its schema.
#![allow(clippy::unwrap_used)]

use mesh_avro::mask::Rules;

use crate::support::{contract, schema, shown};

const SCHEMA: &str = r#"{"type":"record","name":"Customer","namespace":"crm","fields":[
    {"name":"id","type":"string"},
    {"name":"email","type":"string","default":"jane@example.org"},
    {"name":"born","type":{"type":"int","logicalType":"date"}},
    {"name":"home","type":{"type":"record","name":"Address","fields":[{"name":"street","type":"string"},{"name":"lat","type":"double"}]}},
    {"name":"work","type":"Address"},
    {"name":"contacts","type":{"type":"array","items":{"type":"record","name":"Contact","fields":[{"name":"mail","type":"string"}]}}},
    {"name":"labels","type":{"type":"map","values":"string"}},
    {"name":"count","type":"long"},
    {"name":"updated_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}]}]}"#;

fn found(lines: &str) -> String {
    match Rules::check(&contract(lines), &schema(SCHEMA)) {
        Ok(rules) => shown(rules.warnings()),
        Err(findings) => shown(&findings),
    }
}

#[test]
fn columns_that_match_nothing() {
    insta::assert_snapshot!(found(r#"
sensitive_columns:
  - emial
  - { column: home.stret }
  - { column: contacts.mail }
  - { column: "labels[]" }
  - { column: "count{}" }
"#), @r#"
customers.yaml:11:5: column-unknown: the sensitive column `emial` is not in the schema: the record has no field `emial`
  hint: did you mean `email`?
customers.yaml:12:15: column-unknown: the sensitive column `home.stret` is not in the schema: `home` has no field `stret`
  hint: did you mean `street`?
customers.yaml:13:15: column-unknown: the sensitive column `contacts.mail` is not in the schema: `contacts` is of type array, which has no field `mail`
  hint: an array's items are `[]`: contacts[].mail
customers.yaml:14:15: column-unknown: the sensitive column `labels[]` is not in the schema: `labels` is of type map, not an array
customers.yaml:15:15: column-unknown: the sensitive column `count{}` is not in the schema: `count` is of type long, not a map
"#);
}

#[test]
fn rules_that_do_not_fit() {
    insta::assert_snapshot!(found(r#"
sensitive_columns:
  - { column: born, mask: hash }
  - { column: count, mask: { generalise: year } }
  - { column: home, mask: redact }
  - { column: email, mask: "null" }
  - { column: "labels{}", mask: drop }
"#), @r#"
customers.yaml:11:27: mask-type: the rule `hash` does not fit `born`, an int (date)
  hint: fitting: `zero`, `generalise: year`; without `mask` it is `zero`
customers.yaml:12:28: mask-type: the rule `generalise: year` does not fit `count`, a long
  hint: fitting: `zero`, `generalise: 10`; without `mask` it is `zero`
customers.yaml:13:27: mask-type: the rule `redact` does not fit `home.lat`, a double
  hint: name the leaves one by one, or leave `mask` out: each leaf is then masked by its type
customers.yaml:14:15: sensitive-default: the schema gives the sensitive column `email` a default, which every reader of the schema can see
  hint: views get a neutral default; if the schema's own says anything about anyone, take it out
customers.yaml:14:28: mask-type: `null` wants a union with null; `email` is a string
  hint: fitting: `redact`, `hash`, `keep_last: 4`, `encrypt`; without `mask` it is `hash`
customers.yaml:15:33: mask-type: `drop` removes a record's field, which `labels{}` is not
  hint: fitting: `redact`, `hash`, `keep_last: 4`, `encrypt`; without `mask` it is `hash`
"#);
}

#[test]
fn one_type_two_rules() {
    insta::assert_snapshot!(found(r#"
sensitive_columns:
  - { column: home.street, mask: redact }
  - { column: work.street, mask: hash }
"#), @r#"
customers.yaml:12:15: mask-conflict: the columns `home.street` and `work.street` are the same field of a type that is used more than once, but differ in rule, class or views
  hint: give both the same rule, class and views, or make them two types
"#);
}

#[test]
fn more_is_masked_than_was_listed() {
    insta::assert_snapshot!(found("sensitive_columns: [ home.street, email ]"), @r#"
customers.yaml:9:22: mask-shared: `home.street` is a field of crm.Address, which the schema uses 2 times: it is masked in all of them
  hint: list the other uses as well, or make it a type of its own
customers.yaml:9:35: sensitive-default: the schema gives the sensitive column `email` a default, which every reader of the schema can see
  hint: views get a neutral default; if the schema's own says anything about anyone, take it out
"#);
    assert_eq!(found("sensitive_columns: [ home.street, work.street ]"), "");
}

#[test]
fn keys_and_event_times() {
    insta::assert_snapshot!(found("key: idd\nrefresh_rate: { every: hour, event_time: updated }"), @r#"
customers.yaml:9:6: key-unknown: the key `idd` is not in the schema: the record has no field `idd`
  hint: did you mean `id`?
customers.yaml:10:42: event-time-unknown: the event time `updated` is not in the schema: the record has no field `updated`
"#);
    insta::assert_snapshot!(found("key: home\nrefresh_rate: { every: hour, event_time: count }"), @r#"
customers.yaml:9:6: key-type: the key `home` is a record, which cannot key records
  hint: key by a string, bytes, fixed, int, long or enum
customers.yaml:10:42: event-time-type: the event time `count` is a long
  hint: name a date, a timestamp-millis, -micros or -nanos
"#);
    insta::assert_snapshot!(found("key: count\nsensitive_columns: [ count, updated_at ]\nrefresh_rate: { every: hour, event_time: updated_at }"), @r#"
customers.yaml:9:6: key-mask: the key `count`, a long, is sensitive and masked by `zero`: entities would merge or be lost
  hint: mask a key by `hash` (32 digits or more) or `tokenise`
customers.yaml:11:42: event-time-sensitive: the event time `updated_at` is sensitive, but travels in the header mesh-event-time
  hint: name another column, or none: the record's own timestamp is taken then
"#);
}

#[test]
fn whom_a_record_is_about() {
    let encrypted = r#"sensitive_columns: [ { column: "contacts[].mail", mask: encrypt } ]"#;
    insta::assert_snapshot!(found(&format!("subject: idd\n{encrypted}")), @r#"
customers.yaml:9:10: subject-unknown: the subject `idd` is not in the schema: the record has no field `idd`
  hint: did you mean `id`?
"#);
    insta::assert_snapshot!(found(&format!("subject: home\n{encrypted}")), @r#"
customers.yaml:9:10: subject-type: the subject `home` is a record, which cannot name a subject
  hint: name a string, UUID, int, long, bytes or fixed
"#);
    insta::assert_snapshot!(found(&format!("subject: updated_at\n{encrypted}")), @r#"
customers.yaml:9:10: subject-type: the subject `updated_at` is a long (timestamp-millis), which cannot name a subject
  hint: name a string, UUID, int, long, bytes or fixed
"#);
    insta::assert_snapshot!(found(encrypted), @r#"
customers.yaml:9:57: encrypt-unerasable: `contacts[].mail` is encrypted under one key for everybody: nobody's values can be forgotten alone
  hint: name the column that says whom a record is about: `subject: customer_id`
"#);
    for fine in ["id", "count", "home.street"] {
        assert!(!found(&format!("subject: {fine}\n{encrypted}")).contains("subject"), "{fine}");
    }
}

#[test]
fn a_contract_whose_schema_is_no_record() {
    let findings = Rules::check(&contract(""), &schema(r#""string""#)).unwrap_err();
    insta::assert_snapshot!(shown(&findings), @"customers.yaml:6:9: schema-root: the schema's root is of type string; change events are records");
}

#[test]
fn each_rule_has_its_page() {
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
    for (rule, description) in mesh_avro::mask::RULES {
        let page = std::fs::read_to_string(pages.join(format!("{rule}.md"))).expect(rule);
        // Two of them are the contract's own as well, found there without the schema; those pages are the contract's.
        let is_shared = matches!(*rule, "key-mask" | "class-invalid");
        assert!(page.starts_with(&format!("# {rule}\n")), "{rule}");
        assert!(is_shared || page.contains(description), "{rule}: {description}");
    }
}
