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

/// A tree in which one type is of files of its own, used by two products, each with a level.
fn sharing(levels: [&str; 2]) -> (tempfile::TempDir, Vec<WorkingProduct>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: String, text: String| {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let types = [
        ("b", r#"{"type": "enum", "name": "common.Country", "symbols": ["DE"]}"#),
        (
            "a",
            "{\"type\": \"record\", \"name\": \"common.Address\", \"fields\": [\n{\"name\": \"in\", \"type\": \"Country\"}]}",
        ),
    ];
    types.iter().for_each(|(file, text)| write(format!("schemas/common/{file}.avsc"), (*text).to_owned()));
    write(
        "topics/shop/domain.yaml".into(),
        "domain: shop\ndescription: A shop.\nteam: { name: S, contact: s@example.org }\n".into(),
    );
    for (name, level) in ["carts", "sales"].into_iter().zip(levels) {
        let schema = format!(
            r#"{{"type": "record", "name": "shop.{name}", "fields": [{{"name": "id", "type": "string"}}, {{"name": "to", "type": "common.Address"}}]}}"#
        );
        write(format!("schemas/shop/{name}.avsc"), schema);
        let contract = format!(
            "unique_id: 7c9e6679-7425-40de-944b-{}\nowner: shop\nname: {name}\nversion: 1\ndescription: What is sold.\nschema: schemas/shop/{name}.avsc\n\
             key: id\ncompatibility: {level}\nrefresh_rate: hour\nhistory: latest\nstorage: stream\nsensitive_columns: []\naccess_group: all\ndependencies: []\n",
            if name == "carts" { "e07fc1f90ae7" } else { "e07fc1f90ae8" }
        );
        write(format!("topics/shop/{name}.yaml"), contract);
    }
    let tree = WorkingTree::read(folder.path(), &SensitiveNames::default()).unwrap();
    assert_eq!(tree.errors(), 0, "{:?}", tree.findings);
    (folder, tree.products)
}

#[test]
fn shared_types_come_first_each_held_to_all_that_its_users_ask_for() {
    let (_folder, products) = sharing(["backward", "forward_transitive"]);
    let subjects = subjects(&products);
    let shown: Vec<(&str, Compatibility, Vec<String>)> = subjects
        .iter()
        .map(|subject| (subject.name.as_str(), subject.level, subject.wanted().references))
        .filter(|(name, ..)| !name.ends_with(".v1-value"))
        .collect();
    let (address, country) = ("common.Address".to_owned(), "common.Country".to_owned());
    assert_eq!(
        shown,
        [
            ("common.Country", Compatibility::FullTransitive, vec![]),
            ("common.Address", Compatibility::FullTransitive, vec![country]),
            ("shop.carts.v1.in-value", Compatibility::Backward, vec![address.clone()]),
            ("shop.sales.v1.in-value", Compatibility::ForwardTransitive, vec![address]),
        ]
    );
    let view = subjects.iter().find(|subject| subject.name == "shop.carts.v1-value").unwrap().wanted();
    assert_eq!((view.references.len(), &view.schema["fields"][1]["type"]["name"]), (0, &"Address".into()));
}

#[test]
fn a_break_of_a_shared_type_is_told_at_the_type_and_at_its_users() {
    let (_folder, products) = sharing(["backward", "none"]);
    let earlier = Schema::parse(
        r#"{"type": "record", "name": "common.Address", "fields": [
            {"name": "in", "type": {"type": "enum", "name": "Country", "symbols": ["DE", "NL"]}}]}"#,
    )
    .unwrap();
    let product = |name: &str| {
        let text = format!(
            r#"{{"type": "record", "name": "shop.{name}", "fields": [{{"name": "id", "type": "string"}}, {{"name": "to", "type": {}}}]}}"#,
            earlier.json()
        );
        Schema::parse(&text).unwrap()
    };
    let subjects = subjects(&products);
    let told = |name: &str, history: Schema| -> Vec<String> {
        let subject = subjects.iter().find(|subject| subject.name == name).unwrap();
        violations(subject, &[history]).unwrap().iter().map(|it| refusal(subject, it).what).collect()
    };
    let of_type = told("common.Address", earlier.clone());
    assert!(of_type[0].starts_with("schemas/common/b.avsc:1:"), "{of_type:?}");
    assert!(of_type[0].contains("which shop.carts@1 and shop.sales@1 use, is not BACKWARD compatible"), "{of_type:?}");
    let of_carts = told("shop.carts.v1.in-value", product("carts"));
    assert!(of_carts[0].starts_with("topics/shop/carts.yaml:6:9: "), "{of_carts:?}");
    assert!(of_carts[0].contains("(schemas/common/b.avsc:1:"), "{of_carts:?}");
    assert!(told("shop.sales.v1.in-value", product("sales")).is_empty(), "its contract asks for nothing");
}

#[test]
fn what_an_applied_product_had_of_shared_types_is_known() {
    let (_folder, products) = sharing(["backward", "backward"]);
    let wanted: WantedSchemas =
        subjects(&products).iter().map(|subject| (subject.name.clone(), subject.wanted())).collect();
    let contract = products[0].contract.value.clone();
    let applied = AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: products[0].schema.json().clone() };
    let known = of_applied(&applied, &wanted);
    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["common.Address", "common.Country", "shop.carts.v1.in-value", "shop.carts.v1-value"]);
    for (used, (name, schema)) in products[0].files.used().zip([&known[1], &known[0]]) {
        assert_eq!(used.parsed().whole().unwrap(), *schema, "{name}");
    }
}
