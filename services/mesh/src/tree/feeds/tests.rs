#![allow(clippy::unwrap_used)]

use crate::tree::WorkingTree;
use mesh_avro::sensitivity::SensitiveNames;
use serde_json::{Value, json};
use std::fs;

/// What is found in a tree of two versions of `shop.buyers`, the first of which is fed by the second.
fn findings(old: (Value, &str), new: (Value, &str)) -> String {
    let tree = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = tree.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "topics/shop/domain.yaml",
        "domain: shop\ndescription: Who buys.\nteam: { name: Shop, contact: shop@example.org }\n",
    );
    for (version, (fields, more)) in [(1, old), (2, new)] {
        let schema = json!({"type": "record", "name": "Buyer", "fields": fields});
        write(&format!("schemas/shop/buyer{version}.avsc"), &schema.to_string());
        let contract = format!(
            "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: {version}\n\
             description: Who buys.\nschema: schemas/shop/buyer{version}.avsc\nrefresh_rate: hour\nhistory: 2 days\n\
             access_group: readers\n{more}"
        );
        write(&format!("topics/shop/buyers@{version}.yaml"), &contract);
    }
    let tree = WorkingTree::read(tree.path(), &SensitiveNames::default()).unwrap();
    tree.findings.iter().map(|finding| format!("{finding}\n")).collect()
}

fn field(name: &str, kind: Value) -> Value {
    json!({"name": name, "type": kind})
}

#[test]
fn a_version_that_reads_all_of_the_other_can_be_fed_by_it() {
    let old = json!([field("id", json!("string")), field("years", json!("long"))]);
    let new = json!([field("years", json!("int")), field("id", json!("string")), field("since", json!("string"))]);
    let plain = "key: id\nsensitive_columns: []\n";
    assert_eq!(findings((old, &format!("{plain}fed_by: 2\n")), (new, plain)), "");
}

#[test]
fn what_cannot_be_read_or_means_something_else_is_told() {
    let unit = |unit: &str| json!({"type": "long", "logicalType": unit});
    let old =
        json!([field("id", json!("string")), field("years", json!("int")), field("at", unit("timestamp-millis"))]);
    let new =
        json!([field("id", json!("string")), field("years", json!("string")), field("at", unit("timestamp-micros"))]);
    let plain = "sensitive_columns: []\n";
    let told = findings((old, &format!("{plain}fed_by: 2\n")), (new, plain));
    insta::assert_snapshot!(told, @r"
    topics/shop/buyers@1.yaml:11:9: feed-incompatible: `shop.buyers@2` cannot feed this version: time-unit-changed: at: what the writer means as timestamp-micros is read as timestamp-millis, digit by digit
      hint: give that version fields that this one can read, or retire this one without a feed
    topics/shop/buyers@1.yaml:11:9: feed-incompatible: `shop.buyers@2` cannot feed this version: type-mismatch: years: the writer writes string, which cannot be read as int
      hint: give that version fields that this one can read, or retire this one without a feed
    ");
}

#[test]
fn the_key_is_the_same_column_of_the_same_type() {
    let fields = |kind: &str| json!([field("id", json!(kind)), field("other", json!("string"))]);
    let keyed = |key: &str, more: &str| format!("{key}sensitive_columns: []\n{more}");
    let told = |old: (&str, &str), new: (&str, &str)| {
        findings((fields(old.0), &keyed(old.1, "fed_by: 2\n")), (fields(new.0), &keyed(new.1, "")))
    };
    assert!(told(("long", "key: id\n"), ("int", "key: id\n")).contains("the key `id` has another type"));
    let another = told(("string", "key: id\n"), ("string", "key: other\n"));
    assert!(another.contains("this version's key `id` is not that one's key `other`"), "{another}");
    let none = told(("string", "key: id\n"), ("string", ""));
    assert!(none.contains("this version has the key `id`, that one no key"), "{none}");
    assert_eq!(told(("string", "key: id\n"), ("string", "key: id\n")), "");
}

#[test]
fn what_is_sensitive_in_the_one_is_sensitive_in_the_other() {
    let address = json!({"type": "record", "name": "Address", "fields": [
        field("road", json!("string")), field("city", json!("string")),
    ]});
    let tags = json!({"type": "map", "values": "string"});
    let fields = json!([field("id", json!("string")), field("place", address), field("tags", tags)]);
    let told = |old: &str, new: &str| {
        let columns = |columns: &str, more: &str| format!("sensitive_columns: [{columns}]\n{more}");
        findings((fields.clone(), &columns(old, "fed_by: 2\n")), (fields.clone(), &columns(new, "")))
    };
    assert_eq!(told("place, tags", "place.road, \"tags{}\""), "");
    assert_eq!(told("place.road, place.city", "place"), "");
    insta::assert_snapshot!(told("\"tags{}\"", "place.road, tags"), @r"
    topics/shop/buyers@1.yaml:11:9: feed-unmasked: `place.road` is sensitive in `shop.buyers@2`, which feeds this version, and in clear here
      hint: list it under `sensitive_columns` here, too
    topics/shop/buyers@1.yaml:11:9: feed-unmasked: `tags` is sensitive in `shop.buyers@2`, which feeds this version, and in clear here
      hint: list it under `sensitive_columns` here, too
    ");
    assert!(told("place.city", "place").contains("`place` is sensitive in `shop.buyers@2`"));
}
