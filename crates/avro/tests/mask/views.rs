//! The schemas of views.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::support::{program, program_of_columns, seen};

fn view(lines: &str, schema: &str, name: &str) -> Value {
    let program = program(lines, schema);
    program.views().iter().find(|view| view.name == name).unwrap().schema.clone()
}

#[test]
fn masked_fields_say_so_and_leak_neither_default_nor_doc() {
    let schema = r#"{"type":"record","name":"R","namespace":"crm","doc":"A customer.","fields":[
        {"name":"id","type":"string","doc":"Stays.","example":"c-1"},
        {"name":"mail","type":"string","default":"jane@example.org","doc":"e.g. jane@example.org","example":"jane@example.org","mesh.class":"pii.contact","aliases":["email"]},
        {"name":"born","type":["null",{"type":"int","logicalType":"date","example":4711}],"default":null,"doc":"secret"},
        {"name":"ident","type":{"type":"string","logicalType":"uuid"}},
        {"name":"ref","type":{"type":"string","logicalType":"uuid","avro.java.string":"String"}},
        {"name":"paid","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},"default":"\u0001"},
        {"name":"sealed","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
        {"name":"labels","type":{"type":"map","values":"int"},"default":{"jane":1}}]}"#;
    let lines = r#"
sensitive_columns:
  - { column: mail, class: pii.contact, mask: { keep_first: 1 } }
  - { column: born }
  - { column: ident }
  - { column: ref, mask: redact }
  - { column: paid }
  - { column: sealed, mask: encrypt }
  - { column: labels }
views: { stewards: { clear: all } }
access_group: [ { group: a }, { group: b, view: stewards } ]
"#;
    insta::assert_snapshot!(pretty(&view(lines, schema, "masked")), @r#"
{"name":"id","type":"string","doc":"Stays.","example":"c-1"}
{"name":"mail","type":"string","default":"***","aliases":["email"],"doc":"Masked in this view.","mesh.class":"pii.contact","mesh.masked":"keep_first: 1"}
{"name":"born","type":["null",{"type":"int","logicalType":"date"}],"default":null,"doc":"Masked in this view.","mesh.masked":"zero"}
{"name":"ident","type":{"type":"string","logicalType":"uuid"},"mesh.masked":"hash"}
{"name":"ref","type":{"type":"string","avro.java.string":"String"},"mesh.masked":"redact"}
{"name":"paid","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},"default":"\u0000","mesh.masked":"zero"}
{"name":"sealed","type":"bytes","mesh.masked":"encrypt"}
{"name":"labels","type":{"type":"map","values":"int"},"default":{},"mesh.masked":"hash, zero"}
"#);
    let clear = view(lines, schema, "stewards");
    let given: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(clear, given, "a view that shows everything is the writer's schema");
}

/// One line a field: what reviews of a schema look like.
fn pretty(schema: &Value) -> String {
    let fields = schema["fields"].as_array().unwrap();
    fields.iter().map(|field| format!("{field}\n")).collect()
}

#[test]
fn named_types_are_defined_at_their_first_use_that_is_left() {
    let schema = r#"{"type":"record","name":"R","namespace":"a","fields":[
        {"name":"home","type":{"type":"record","name":"Address","namespace":"b","fields":[{"name":"city","type":"string"}]}},
        {"name":"work","type":["null","b.Address"]},
        {"name":"again","type":"b.Address"}]}"#;
    let lines = "sensitive_columns: [ { column: home, mask: drop } ]";
    let masked = view(lines, schema, "masked");
    assert_eq!(
        masked["fields"],
        json!([
            {"name": "work", "type": ["null", {"type": "record", "name": "Address", "namespace": "b",
                "fields": [{"name": "city", "type": "string"}]}]},
            {"name": "again", "type": "b.Address"}
        ])
    );
    let program = program(lines, schema);
    let record = json!({"home": {"city": "x"}, "work": {"city": "y"}, "again": {"city": "z"}});
    assert_eq!(seen(&program, "masked", schema, record), json!({"work": {"city": "y"}, "again": {"city": "z"}}));
}

#[test]
fn a_default_is_neutral_only_where_something_in_it_is_masked() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"address","type":{"type":"record","name":"A","fields":[
            {"name":"street","type":"string"},{"name":"city","type":"string","default":"Köln"},
            {"name":"geo","type":["null","double"],"default":null},{"name":"note","type":["string","null"]}]},
         "default":{"street":"Main St 1","city":"Bonn","geo":null,"note":"n"}},
        {"name":"other","type":{"type":"array","items":"string"},"default":["kept"]}]}"#;
    let lines = r#"
sensitive_columns:
  - { column: address.street }
  - { column: address.geo, mask: drop }
  - { column: address.note, mask: "null" }
"#;
    let masked = view(lines, schema, "masked");
    assert_eq!(masked["fields"][0]["default"], json!({"street": "***", "city": "Bonn", "note": "***"}));
    assert_eq!(masked["fields"][1]["default"], json!(["kept"]));
    assert!(masked["fields"][0].get("mesh.masked").is_none(), "the address itself is not masked");
    assert_eq!(masked["fields"][0]["type"]["fields"][0]["mesh.masked"], "hash");
}

#[test]
fn what_is_masked_below_a_field_is_named_at_the_field() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"tags","type":{"type":"array","items":["null","string","int"]}},
        {"name":"props","type":{"type":"map","values":{"type":"enum","name":"E","symbols":["X"]}}},
        {"name":"maybe","type":["null","string"]}]}"#;
    let columns = r#"[{"column":"tags[]","class":"c"},{"column":"props","class":"c","mask":"redact"},
        {"column":"maybe","class":"c","mask":"null"}]"#;
    let program = program_of_columns(columns, schema);
    let fields = &program.views()[0].schema["fields"];
    assert_eq!(fields[0]["mesh.masked"], "hash, zero");
    assert_eq!(fields[1]["mesh.masked"], "hash, redact");
    assert_eq!(fields[2]["mesh.masked"], "null");
}

#[test]
fn a_schemas_own_classes_mask_as_well_and_the_contract_wins() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"mail","type":"string","mesh.class":"pii.contact"},
        {"name":"flag","type":"string","mesh.sensitive":true},
        {"name":"hashed","type":"string","mesh.class":"pii.contact","mesh.sensitive":false},
        {"name":"both","type":"string","mesh.class":"pii.contact"}]}"#;
    let lines = r#"
sensitive_columns: [ { column: both, class: pii.name, mask: redact } ]
views: { named: { clear: [pii.name] } }
access_group: [ { group: a }, { group: b, view: named } ]
"#;
    let program = program(lines, schema);
    let record = json!({"mail": "m", "flag": "f", "hashed": "h", "both": "b"});
    let masked = seen(&program, "masked", schema, record.clone());
    assert_eq!((masked["mail"].as_str().unwrap().len(), masked["flag"].as_str().unwrap().len()), (64, 64));
    assert_eq!((&masked["hashed"], &masked["both"]), (&json!("h"), &json!("***")));
    assert_eq!(seen(&program, "named", schema, record)["both"], "b");
}

#[test]
fn how_a_field_is_compared_stays() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"a","type":"string","order":"ignore"},{"name":"b","type":"int","order":"descending"},
        {"name":"c","type":"int"}]}"#;
    let program = program_of_columns(r#"[{"column":"a","class":"pii"}]"#, schema);
    let fields = &program.views()[0].schema["fields"];
    assert_eq!((&fields[0]["order"], &fields[1]["order"]), (&json!("ignore"), &json!("descending")));
    assert_eq!(fields[2].get("order"), None);
}
