#![allow(clippy::unwrap_used)]

use super::finding::RULES;
use super::*;
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

/// A copy of the example domains, to be damaged.
struct Copy(TempDir);

impl Copy {
    fn of_the_examples() -> Copy {
        let copy = tempfile::tempdir().unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for folder in [TOPICS, SCHEMAS] {
            for file in files::below(&repository, folder).unwrap() {
                let path = copy.path().join(&file.name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, file.text().unwrap()).unwrap();
            }
        }
        Copy(copy)
    }

    fn replace(&self, file: &str, old: &str, new: &str) {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no {old:?}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn tree(&self) -> WorkingTree {
        WorkingTree::read(self.0.path(), &SensitiveNames::default()).unwrap()
    }

    fn findings(&self) -> String {
        self.tree().findings.iter().map(|finding| format!("{finding}\n")).collect()
    }
}

#[test]
fn the_examples_are_sound() {
    let copy = Copy::of_the_examples();
    assert_eq!(copy.findings(), "");
    let tree = copy.tree().sound().unwrap();
    assert_eq!(tree.counts, Counts { contracts: 4, domains: 3, schemas: 4 });
    assert_eq!(tree.products.len(), 4);
    let customers = tree.products.iter().find(|product| product.contract.value.name == "customers").unwrap();
    let views: Vec<&str> = customers.views.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(views, ["masked", "stewards", "support"]);
}

#[test]
fn what_is_wrong_with_form_schema_and_neighbours_is_found_at_once() {
    let copy = Copy::of_the_examples();
    copy.replace("topics/crm/customers.yaml", "history: latest ", "histroy: latest ");
    copy.replace("topics/crm/customers.yaml", "column: phone,  ", "column: phones, ");
    copy.replace("topics/crm/customers.yaml", "clear: [phone]", "clear: [pii.contacts]");
    copy.replace("topics/crm/orders.yaml", "history: 2 years", "history: 2 fortnights");
    copy.replace("topics/web/page_views.yaml", "page_view.avsc", "pageview.avsc");
    copy.replace("topics/upselling/offers.yaml", "crm.orders", "crm.ordres");
    insta::assert_snapshot!(copy.findings());
}

#[test]
fn files_that_are_no_text_or_out_of_place_are_findings() {
    let copy = Copy::of_the_examples();
    copy.write("topics/readme.md", b"not looked at");
    copy.write("topics/crm/.draft.yaml", b"not looked at");
    copy.write("topics/stray.yaml", b"owner: crm");
    copy.write("topics/crm/old/customers.yaml", b"owner: crm");
    copy.write("topics/crm/returns.yml", b"owner: crm");
    copy.write("topics/crm/latin.yaml", b"owner: crm\nname: caf\xe9\n");
    copy.write("schemas/crm/latin.avsc", b"\xff\xfe");
    copy.write(
        "schemas/crm/cut.avsc",
        b"{\"type\": \"record\",\n \"name\": \"crm.Cut\", \"fields\": [{\"name\": \"a\", \"type\": \"strng\"}]}",
    );
    insta::assert_snapshot!(copy.findings());
}

#[test]
fn a_schemas_terms_lead_somewhere() {
    let copy = Copy::of_the_examples();
    copy.write(
        "schemas/crm/terms.avsc",
        br#"{"type": "record", "name": "crm.Terms", "term": "crm.customer", "fields": [
  {"name": "a", "type": "string", "term": "crm.custmer"},
  {"name": "b", "type": "string", "term": 5}
]}"#,
    );
    insta::assert_snapshot!(copy.findings());
}

#[test]
fn a_field_that_looks_sensitive_is_explained_by_contract_or_schema() {
    let copy = Copy::of_the_examples();
    copy.replace(
        "schemas/crm/order.avsc",
        "{ \"name\": \"quantity\"",
        "{ \"name\": \"recipientEmail\", \"type\": \"string\" },\n    { \"name\": \"quantity\"",
    );
    let found = copy.findings();
    assert!(
        found.starts_with("schemas/crm/order.avsc:11:5: sensitive-unmarked: the field `recipientEmail`"),
        "{found}"
    );
    assert_eq!(copy.tree().errors(), 1);
    copy.replace("topics/crm/orders.yaml", "sensitive_columns: []", "sensitive_columns: [recipientEmail]");
    assert_eq!(copy.findings(), "");
}

#[test]
fn a_tree_with_errors_is_refused_and_one_with_warnings_is_not() {
    let copy = Copy::of_the_examples();
    copy.replace("topics/crm/orders.yaml", "storage: stream", "storage: [stream, sql]");
    let tree = copy.tree();
    assert_eq!((tree.findings.len(), tree.errors()), (1, 0));
    assert_eq!(tree.sound().unwrap().products.len(), 4);
    copy.replace("topics/crm/orders.yaml", "history: 2 years", "history: never");
    assert_eq!(copy.tree().sound().unwrap_err().exit as u8, 1);
}

#[test]
fn no_two_crates_call_different_rules_alike() {
    let contract: BTreeSet<&str> = mesh_contract::rules::RULES.iter().map(|rule| rule.id).collect();
    let avro: BTreeSet<&str> = mesh_avro::mask::RULES.iter().map(|(id, _)| *id).collect();
    // The key's mask and the form of a class are held against the contract in one crate, against the schema in the other.
    assert_eq!(contract.intersection(&avro).copied().collect::<Vec<_>>(), ["class-invalid", "key-mask"]);
    assert!(RULES.iter().all(|(id, _)| !contract.contains(id) && !avro.contains(id)));
}

#[test]
fn text_is_read_to_the_byte_that_is_none() {
    let file = files::File::of("topics/crm/x.yaml", b"a: b\nc\xc3\xa4\xff");
    let found = file.text().unwrap_err();
    assert_eq!(found[0].place.to_string(), "topics/crm/x.yaml:2:3");
}

const ADDRESS: &str = "schemas/common/address.avsc";
const ORDER: &str = "schemas/crm/order.avsc";
const PAGE_VIEW: &str = "schemas/web/page_view.avsc";

/// The examples, with an address in orders and page views that both have from one file.
fn sharing() -> Copy {
    let copy = Copy::of_the_examples();
    copy.write(
        ADDRESS,
        br#"{"type": "record", "name": "common.Address", "fields": [
  { "name": "street", "type": "string" },
  { "name": "country", "type": "common.Country" }
]}"#,
    );
    copy.write(
        "schemas/common/country.avsc",
        br#"{"type": "enum", "name": "common.Country", "symbols": ["DE", "NL"]}"#,
    );
    for file in [ORDER, PAGE_VIEW] {
        copy.replace(
            file,
            "\"fields\": [",
            "\"fields\": [\n    { \"name\": \"address\", \"type\": \"common.Address\" },",
        );
    }
    copy.replace("topics/crm/orders.yaml", "sensitive_columns: []", "sensitive_columns: [address.street]");
    copy.replace("topics/web/page_views.yaml", "sensitive_columns:\n", "sensitive_columns:\n  - address.street\n");
    copy
}

#[test]
fn a_type_of_another_file_is_used_by_its_full_name() {
    let copy = sharing();
    assert_eq!(copy.findings(), "");
    let tree = copy.tree();
    let orders = tree.products.iter().find(|product| product.contract.value.name == "orders").unwrap();
    let files: Vec<&str> = orders.files.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, [ORDER, "schemas/common/country.avsc", ADDRESS]);
    assert_eq!(orders.files.references(), ["common.Address"]);
    let used: Vec<(Vec<String>, String)> = orders
        .files
        .used()
        .map(|used| (used.references(), used.files()[0].defines.as_ref().unwrap().to_string()))
        .collect();
    assert_eq!(
        used,
        [(vec![], "common.Country".to_owned()), (vec!["common.Country".to_owned()], "common.Address".to_owned())]
    );
    let own = |schema: &serde_json::Value| schema["fields"][0]["type"].clone();
    assert_eq!(own(orders.files.parsed().json()), "common.Address");
    assert_eq!(own(orders.schema.json())["fields"][1]["type"]["symbols"][0], "DE");
    let masked = orders.views.iter().find(|view| view.name == "masked").unwrap();
    assert_eq!(own(&masked.schema)["fields"][0]["mesh.masked"], "hash");
}

#[test]
fn what_a_shared_type_lacks_is_told_where_it_stands() {
    let copy = sharing();
    copy.replace("topics/web/page_views.yaml", "  - address.street\n", "");
    let found = copy.findings();
    assert!(
        found.starts_with("schemas/common/address.avsc:2:3: sensitive-unmarked: the field `address.street`"),
        "{found}"
    );
    copy.write(
        ADDRESS,
        br#"{"type": "record", "name": "common.Address", "fields": [ { "name": "street", "type": "strng" } ]}"#,
    );
    let found = copy.findings();
    assert_eq!(found.lines().filter(|line| line.contains(": schema-invalid: ")).count(), 1, "it is told once: {found}");
}

#[test]
fn what_schemas_use_of_each_other_is_there_once_and_in_no_circle() {
    let copy = sharing();
    copy.write("schemas/crm/address.avsc", br#"{"type": "fixed", "name": "common.Address", "size": 2}"#);
    copy.replace(PAGE_VIEW, "\"common.Address\"", "\"common.Adress\"");
    copy.write(
        "schemas/crm/a.avsc",
        br#"{"type": "record", "name": "crm.A", "fields": [{"name": "b", "type": "crm.B"}]}"#,
    );
    copy.write(
        "schemas/crm/b.avsc",
        br#"{"type": "record", "name": "crm.B", "fields": [{"name": "c", "type": "crm.C"}]}"#,
    );
    copy.write(
        "schemas/crm/c.avsc",
        br#"{"type": "record", "name": "crm.C", "fields": [{"name": "a", "type": ["null", "A"]}]}"#,
    );
    copy.write(
        "schemas/crm/d.avsc",
        br#"{"type": "record", "name": "crm.D", "fields": [{"name": "e", "type": "crm.E"}, {"name": "f", "type": "crm.F"}]}"#,
    );
    copy.write(
        "schemas/crm/e.avsc",
        br#"{"type": "record", "name": "crm.E", "fields": [{"name": "f", "type": {"type": "fixed", "name": "F", "size": 1}}]}"#,
    );
    insta::assert_snapshot!(copy.findings());
}

#[test]
fn a_type_of_another_domain_takes_a_dependency_on_who_has_it() {
    let copy = sharing();
    copy.write(
        "schemas/crm/line.avsc",
        br#"{"type": "record", "name": "crm.Line", "fields": [{"name": "n", "type": "int"}]}"#,
    );
    copy.replace(PAGE_VIEW, "\"fields\": [", "\"fields\": [\n    { \"name\": \"line\", \"type\": \"crm.Line\" },");
    insta::assert_snapshot!(copy.findings());
    copy.replace("topics/web/page_views.yaml", "dependencies: []", "dependencies: [crm.orders]");
    assert!(copy.findings().contains("schema-foreign"), "orders has no such type");
    copy.replace(ORDER, "\"fields\": [", "\"fields\": [\n    { \"name\": \"line\", \"type\": \"crm.Line\" },");
    assert!(!copy.findings().contains("schema-foreign"), "{}", copy.findings());
}

#[test]
fn a_text_beside_the_tree_may_use_its_types() {
    let copy = sharing();
    let parse = |text: &str| parse_schema(copy.0.path(), text);
    let schema = parse(r#"{"type": "array", "items": "common.Address"}"#).unwrap();
    assert_eq!(schema.json()["items"]["name"], "Address");
    assert_eq!(parse("\"string\"").unwrap().json(), "string");
    let nowhere = parse(r#"{"type": "array", "items": "common.Nowhere"}"#).unwrap_err();
    assert!(nowhere.fault.to_string().contains("common.Nowhere"), "{nowhere}");
}
