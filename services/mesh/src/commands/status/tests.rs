#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::json;

const NOW: i64 = 1_800_000_000_000;

/// As the service writes it; what it leaves out has its default.
fn report(product: &str, age_seconds: Option<u64>, state: State) -> ProductReport {
    let view = |view: &str| {
        json!({
            "view": view, "topic": format!("{product}.v1"), "state": state, "age_seconds": age_seconds,
            "newest_ms": age_seconds.map(|age| NOW - age as i64 * 1_000),
        })
    };
    let report = json!({
        "product": product, "version": 1, "owner": product.split('.').next(), "promise": "1 hour", "promise_seconds": 3_600,
        "state": state, "since_ms": NOW, "evaluated_at_ms": NOW, "views": [view("masked"), view("support")],
    });
    serde_json::from_value(report).unwrap()
}

fn reports() -> Vec<ProductReport> {
    vec![
        report("crm.customers", Some(97), State::Fresh),
        report("upselling.offers", None, State::Unknown),
        report("web.page_views", Some(180_000), State::Stale),
    ]
}

#[test]
fn people_read_a_table() {
    let rows: Vec<Row> = reports().iter().flat_map(rows).collect();
    insta::assert_snapshot!(table::render(&rows));
}

#[test]
fn machines_read_an_array() {
    let rows: Vec<Row> = rows(&reports()[2]).take(1).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&rows).unwrap());
}

#[test]
fn spans_are_told_in_their_largest_units() {
    let told = [0, 59, 60, 3_599, 3_600, 3_660, 86_400, 180_000].map(table::span);
    assert_eq!(told, ["0 s", "59 s", "1 min", "59 min 59 s", "1 h", "1 h 1 min", "1 d", "2 d 2 h"]);
}

#[test]
fn a_product_is_asked_for_by_name_and_version() {
    let asked = |text: &str| is_asked(&Args { product: Some(text.parse().unwrap()) }, &reports()[0]);
    assert!(asked("crm.customers") && asked("crm.customers@1"));
    assert!(!asked("crm.customers@2") && !asked("crm.orders"));
}
