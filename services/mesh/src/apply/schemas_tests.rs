#![allow(clippy::unwrap_used)]
use super::*;
use crate::tree::WorkingTree;
use std::path::Path;

fn examples() -> Vec<WorkingProduct> {
    WorkingTree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap().products
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
    assert_ne!(subjects[0].schema, subjects[1].schema);
    assert!(subjects.iter().all(|subject| subject.level == Compatibility::BackwardTransitive));
    let finding = finding(&subjects[3], "why");
    assert!(finding.to_string().starts_with("topics/crm/customers.yaml:"), "{finding}");
    assert!(finding.to_string().contains("view-incompatible"), "{finding}");
}

#[test]
fn keys_that_are_not_text_have_a_subject() {
    let mut product = examples().remove(0);
    let text = r#"{"type": "record", "name": "crm.Entry", "fields": [
        {"name": "number", "type": {"type": "long"}}, {"name": "name", "type": "string"}]}"#;
    product.schema = Schema::parse(text).unwrap();
    let mut key = |column: &str| {
        product.contract.value.key = Some(column.parse().unwrap());
        of_product(&product).into_iter().filter(|subject| subject.name.ends_with("-key")).collect::<Vec<_>>()
    };
    assert!(key("name").is_empty());
    let keys = key("number");
    assert!(
        keys.len() >= 2 && keys.iter().all(|subject| subject.schema == serde_json::json!({"type": "long"})),
        "{keys:?}"
    );
}
