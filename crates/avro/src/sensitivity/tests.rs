#![allow(clippy::unwrap_used)]
use super::*;

fn found(schema: &str, columns: &[&str]) -> Vec<String> {
    let schema = Schema::parse(schema).unwrap();
    let column =
        |column: &&str| SensitiveColumn { column: column.parse().unwrap(), class: "pii".to_owned(), mask: None };
    let columns: Vec<SensitiveColumn> = columns.iter().map(column).collect();
    suspects(&schema, &columns, &SensitiveNames::default()).into_iter().map(|suspect| suspect.column).collect()
}

const PERSON: &str = r#"{"type": "record", "name": "Person", "fields": [
  {"name": "id", "type": "string"},
  {"name": "email", "type": ["null", "string"], "default": null},
  {"name": "email_verified", "type": "boolean"},
  {"name": "phone_kind", "type": {"type": "enum", "name": "Phone", "symbols": ["A"]}},
  {"name": "contacts", "type": {"type": "array", "items": {"type": "record", "name": "Contact", "fields": [
    {"name": "kind", "type": "string"}, {"name": "email", "type": "string"}]}}},
  {"name": "billing", "type": "Contact"},
  {"name": "phones", "type": {"type": "map", "values": "string"}},
  {"name": "address", "type": {"type": "record", "name": "Address", "fields": [
    {"name": "lines", "type": {"type": "array", "items": "string"}},
    {"name": "country", "type": "string", "mesh.sensitive": false},
    {"name": "verified", "type": "boolean"}]}},
  {"name": "reachable", "type": {"type": "string", "logicalType": "email"}},
  {"name": "born", "type": {"type": "int", "logicalType": "date"}, "mesh.class": "pii.birth"}
]}"#;

#[test]
fn what_looks_sensitive_has_to_be_explained() {
    assert_eq!(found(PERSON, &[]), ["email", "phones", "reachable", "contacts[].email", "address.lines"]);
}

#[test]
fn what_the_contract_lists_is_explained() {
    let rest = ["reachable"];
    assert_eq!(found(PERSON, &["email", "contacts[].email", "phones{}", "address"]), rest);
    assert_eq!(
        found(PERSON, &["email", "billing", "phones", "address.lines[]"]),
        rest,
        "all uses of a type share its fields"
    );
    assert_eq!(
        found(PERSON, &["email", "contacts", "phones", "address.lines", "reachable", "nowhere.at[].all"]),
        [""; 0]
    );
}

#[test]
fn schemas_that_contain_themselves_come_to_an_end() {
    let tree = r#"{"type": "record", "name": "Node", "fields": [
      {"name": "email", "type": "string"}, {"name": "address", "type": ["null", "Node"]}]}"#;
    assert_eq!(found(tree, &[]), ["email"]);
    assert_eq!(found("\"string\"", &["a"]), [""; 0]);
}

#[test]
fn a_suspect_says_what_to_do() {
    let schema =
        Schema::parse(r#"{"type": "record", "name": "R", "fields": [{"name": "ssn", "type": "long"}]}"#).unwrap();
    let suspect = suspects(&schema, &[], &SensitiveNames::default()).remove(0);
    assert_eq!(suspect.pointer, "/fields/0");
    assert!(suspect.message().contains("`ssn` looks sensitive"));
    assert!(suspect.hint().contains("`ssn`") && suspect.hint().contains("\"mesh.sensitive\": false"));
}

#[test]
fn fields_of_references_are_told_apart_though_they_stand_alike() {
    let person = r#"{"type": "record", "name": "c.Person", "fields": [{"name": "email", "type": "string"}]}"#;
    let text = r#"{"type": "record", "name": "c.Order", "fields": [
        {"name": "phone", "type": "string"}, {"name": "buyer", "type": "c.Person"}]}"#;
    let schema = Schema::parse_with(text, &[person]).unwrap();
    let found = suspects(&schema, &[], &SensitiveNames::default());
    let told: Vec<_> = found.iter().map(|it| (it.column.as_str(), it.document, it.pointer.as_str())).collect();
    assert_eq!(told, [("phone", 0, "/fields/0"), ("buyer.email", 1, "/fields/0")]);
}
