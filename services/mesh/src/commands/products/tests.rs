#![allow(clippy::unwrap_used)]

use super::{entry, text};
use mesh_contract::{AppliedProduct, Deprecation, Domain, parse_contract, parse_domain};
use std::fs;
use std::path::Path;

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap()
}

fn product(file: &str, revision: u64) -> AppliedProduct {
    let contract = parse_contract(file, &read(file)).unwrap().value;
    let schema = serde_json::from_str(&read(&contract.schema)).unwrap();
    AppliedProduct { revision, applied_at_ms: 1_767_225_600_000, contract, schema }
}

fn domain(name: &str) -> Domain {
    let file = format!("topics/{name}/domain.yaml");
    parse_domain(&file, &read(&file)).unwrap().value
}

/// The example products; the orders have a second major version.
fn entries() -> Vec<entry::Entry> {
    let mut products = vec![
        product("topics/web/page_views.yaml", 1),
        product("topics/upselling/offers.yaml", 1),
        product("topics/crm/orders.yaml", 2),
        product("topics/crm/customers.yaml", 3),
    ];
    let mut next = products[2].clone();
    next.contract.version = 2;
    products[2].contract.deprecated = Some(Deprecation {
        until: "2027-06-30".parse().unwrap(),
        reason: "amounts have a currency".to_owned(),
        successor: Some("crm.orders@2".parse().unwrap()),
        since: Some("2026-11-01".parse().unwrap()),
    });
    products.push(next);
    entry::entries(&products, &[domain("crm"), domain("web")])
}

#[test]
fn the_catalogue_is_one_line_a_product() {
    insta::assert_snapshot!(text::table(&entries()));
}

#[test]
fn a_page_says_what_is_promised_who_sees_what_and_how_to_get_it() {
    let entries = entries();
    insta::assert_snapshot!(text::page(entry::find(&entries, &"crm.customers".parse().unwrap()).unwrap()));
}

#[test]
fn a_deprecated_version_says_so_first() {
    let entries = entries();
    let page = text::page(entry::find(&entries, &"crm.orders@1".parse().unwrap()).unwrap());
    let line = page.lines().find(|line| line.contains("Deprecated")).unwrap();
    assert!(
        line.ends_with(" since 2026-11-01, there until 2027-06-30; read crm.orders@2 instead: amounts have a currency"),
        "{line}"
    );
}

#[test]
fn machines_get_all_of_it() {
    let entries = entries();
    insta::assert_json_snapshot!(entry::find(&entries, &"crm.orders@1".parse().unwrap()).unwrap());
}

#[test]
fn a_reference_without_a_version_means_the_newest() {
    let entries = entries();
    let found = |reference: &str| entry::find(&entries, &reference.parse().unwrap()).map(|entry| entry.major);
    assert_eq!(found("crm.orders"), Some(2));
    assert_eq!(found("crm.orders@1"), Some(1));
    assert_eq!(found("crm.orders@3"), None);
    assert_eq!(found("crm.nothing"), None);
}

#[test]
fn the_newest_version_is_the_one_that_others_are_derived_from() {
    let entries = entries();
    let used_by = |reference: &str| entry::find(&entries, &reference.parse().unwrap()).unwrap().dependents.clone();
    assert_eq!(used_by("crm.orders@2"), ["upselling.offers@1".parse().unwrap()]);
    assert_eq!(used_by("crm.orders@1"), []);
}
