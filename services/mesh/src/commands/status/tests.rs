#![allow(clippy::unwrap_used)]

use super::*;
use mesh_freshness::ViewReport;

const NOW: i64 = 1_800_000_000_000;

fn report(product: &str, age_seconds: Option<u64>, state: State) -> ProductReport {
    let view = |view: &str| ViewReport {
        view: view.to_owned(),
        topic: format!("{product}.v1"),
        state,
        newest_ms: age_seconds.map(|age| NOW - age as i64 * 1_000),
        age_seconds,
        partitions: Vec::new(),
    };
    ProductReport {
        product: product.to_owned(),
        version: 1,
        owner: product.split('.').next().unwrap().to_owned(),
        promise: "1 hour".to_owned(),
        promise_seconds: 3_600,
        state,
        since_ms: NOW,
        evaluated_at_ms: NOW,
        heartbeat_ms: None,
        views: vec![view("masked"), view("support")],
        slo: None,
        alerts: mesh_freshness::slo::Alerts::default(),
        blamed: Vec::new(),
        maintenance: None,
        course: mesh_freshness::slo::Course::default(),
    }
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
