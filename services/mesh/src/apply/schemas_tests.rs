#![allow(clippy::unwrap_used)]
use super::*;
use crate::tree::{Library, WorkingTree};
use mesh_avro::sensitivity::SensitiveNames;
use std::path::Path;

fn examples() -> Vec<WorkingProduct> {
    WorkingTree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &SensitiveNames::default())
        .unwrap()
        .products
}

#[test]
fn every_port_has_a_subject_and_each_view_its_own_schema() {
    let products = examples();
    let customers = products.iter().find(|product| product.contract.value.name == "customers").unwrap();
    let subjects = of_product(customers);
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    let expected = [
        "crm.customers.v1.in-value",
        "crm.customers.v1-value",
        "crm.customers.v1.stewards-value",
        "crm.customers.v1.support-value",
    ];
    assert_eq!(names, expected);
    assert_ne!(subjects[0].wanted(), subjects[1].wanted());
    assert!(subjects.iter().all(|subject| subject.level == Compatibility::BackwardTransitive));
    let finding = finding(&subjects[3], &Violation { text: "why".into(), place: None });
    assert!(finding.to_string().starts_with("topics/crm/customers.yaml:"), "{finding}");
    assert!(finding.to_string().contains("view-incompatible"), "{finding}");
}

#[test]
fn keys_that_are_not_text_have_a_subject() {
    let mut product = examples().remove(0);
    let text = r#"{"type": "record", "name": "crm.Entry", "fields": [
        {"name": "number", "type": {"type": "long"}}, {"name": "name", "type": "string"}]}"#;
    product.files = Library::of([("schemas/crm/entry.avsc", text)]).schema("schemas/crm/entry.avsc").unwrap();
    product.schema = product.files.whole().clone();
    let mut key = |column: &str| {
        product.contract.value.key = Some(column.parse().unwrap());
        of_product(&product).into_iter().filter(|subject| subject.name.ends_with("-key")).collect::<Vec<_>>()
    };
    assert!(key("name").is_empty());
    let keys = key("number");
    assert!(
        keys.len() >= 2 && keys.iter().all(|subject| subject.wanted().schema == serde_json::json!({"type": "long"})),
        "{keys:?}"
    );
}

#[test]
fn a_schema_is_held_against_its_history_by_the_contract_that_is_applied() {
    let products = examples();
    let orders = products.iter().find(|product| product.contract.value.name == "orders").unwrap();
    let input = of_product(orders).remove(0);
    let changed = |old: &str, new: &str| {
        let text = orders.schema.json().to_string();
        assert!(text.contains(old), "{text}");
        let schema = serde_json::from_str(&text.replacen(old, new, 1)).unwrap();
        Subject { schema: Wanted::Derived(schema), ..of_product(orders).remove(0) }
    };
    let history = [orders.schema.clone()];
    assert_eq!(violations(&input, &[]).unwrap(), []);
    assert_eq!(violations(&input, &history).unwrap(), []);
    let rescaled = changed("\"scale\":2", "\"scale\":3");
    assert!(violations(&rescaled, &history).unwrap()[0].text.starts_with("decimal-changed: amount: "));
    let returned = [history.as_slice(), &[Schema::parse_value(&rescaled.wanted().schema).unwrap()]].concat();
    assert_eq!(violations(&rescaled, &returned).unwrap(), [], "it is registered already");
    let view = Subject { kind: SubjectKind::View, ..rescaled };
    assert_eq!(violations(&view, &history).unwrap(), []);
    let broken = changed("\"quantity\",\"type\":\"int\"", "\"quantity\",\"type\":\"string\"");
    assert!(violations(&broken, &history).unwrap()[0].text.starts_with("type-mismatch: quantity: "));
    assert_eq!(violations(&Subject { level: Compatibility::None, ..broken }, &history).unwrap(), []);
}
