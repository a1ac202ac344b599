//! Schemas that refer to types which other subjects define, on the reader's side and on the writer's.

use mesh_avro::compat::{Report, check};
use mesh_avro::schema::Schema;

const ADDRESS: &str = r#"{"type": "record", "name": "crm.Address", "fields": [
    {"name": "street", "type": "string"}, {"name": "country", "type": "crm.Country"}]}"#;
const COUNTRY: &str = r#"{"type": "enum", "name": "crm.Country", "symbols": ["DE", "FR"]}"#;
const WIDER_COUNTRY: &str = r#"{"type": "enum", "name": "crm.Country", "symbols": ["DE", "FR", "GB"]}"#;
const CUSTOMER: &str = r#"{"type": "record", "name": "crm.Customer", "fields": [
    {"name": "id", "type": "string"},
    {"name": "home", "type": "Address"},
    {"name": "others", "type": {"type": "array", "items": "crm.Address"}, "default": []}]}"#;
const INLINE: &str = r#"{"type": "record", "name": "crm.Customer", "fields": [
    {"name": "id", "type": "string"},
    {"name": "home", "type": {"type": "record", "name": "Address", "fields": [
        {"name": "street", "type": "string"},
        {"name": "country", "type": {"type": "enum", "name": "Country", "symbols": ["DE", "FR"]}}]}},
    {"name": "others", "type": {"type": "array", "items": "Address"}, "default": []}]}"#;

fn customer(references: &[&str]) -> Schema {
    Schema::parse_with(CUSTOMER, references).unwrap()
}

fn said(report: &Report) -> Vec<(&str, &str, &str, &str)> {
    let found = report.findings.iter();
    found.map(|it| (it.rule, it.path.as_str(), it.reader_pointer.as_str(), it.writer_pointer.as_str())).collect()
}

#[test]
fn a_type_by_reference_is_the_same_as_inline_on_either_side() {
    let (referring, inline) = (customer(&[COUNTRY, ADDRESS]), Schema::parse(INLINE).unwrap());
    assert_eq!(said(&check(&referring, &inline)), []);
    assert_eq!(said(&check(&inline, &referring)), []);
    assert_eq!(said(&check(&referring, &referring)), []);
    assert_eq!(referring.canonical_form(), inline.canonical_form());
}

#[test]
fn what_changes_in_a_reference_of_a_reference_is_found_on_either_side() {
    let (narrow, wide) = (customer(&[COUNTRY, ADDRESS]), customer(&[WIDER_COUNTRY, ADDRESS]));
    assert_eq!(said(&check(&wide, &narrow)), [], "a wider reader knows all symbols");
    // The pointers are into the document that defines the enum.
    let report = check(&narrow, &wide);
    assert_eq!(said(&report), [("enum-symbol-missing", "home.country", "/symbols", "/symbols/2")]);
    let found = &report.findings[0];
    assert_eq!((found.reader_document, found.writer_document), (1, 1), "the first reference");
    let witness = found.witness.as_ref().unwrap();
    assert_eq!(witness.to_string(), r#"{"id":"","home":{"street":"","country":"GB"},"others":[]}"#);
    let inline = Schema::parse(INLINE).unwrap();
    let pointer = "/fields/1/type/fields/1/type/symbols";
    let report = check(&inline, &wide);
    assert_eq!(said(&report), [("enum-symbol-missing", "home.country", pointer, "/symbols/2")]);
    assert_eq!((report.findings[0].reader_document, report.findings[0].writer_document), (0, 1));
}

#[test]
fn a_reference_takes_aliases_and_namespaces_with_it() {
    let renamed =
        ADDRESS.replace("\"name\": \"crm.Address\"", "\"name\": \"geo.Place\", \"aliases\": [\"crm.Address\"]");
    let moved = CUSTOMER.replace("\"Address\"", "\"geo.Place\"").replace("crm.Address", "geo.Place");
    let reader = Schema::parse_with(&moved, &[COUNTRY, &renamed]).unwrap();
    assert_eq!(said(&check(&reader, &customer(&[COUNTRY, ADDRESS]))), [], "the alias of a referenced type counts");
    let back = check(&customer(&[COUNTRY, ADDRESS]), &reader);
    assert_eq!(said(&back), [("name-mismatch", "home", "", "")], "one that the reader has not does not");
}

#[test]
fn an_unused_reference_says_nothing() {
    let unused = r#"{"type": "record", "name": "crm.Unused", "aliases": ["crm.Gone"], "fields": []}"#;
    let (with, without) = (customer(&[COUNTRY, ADDRESS, unused]), customer(&[COUNTRY, ADDRESS]));
    assert_eq!(said(&check(&with, &without)), []);
    assert_eq!(said(&check(&without, &with)), []);
}
