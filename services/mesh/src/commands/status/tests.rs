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
        "state": state, "since_ms": NOW - 180_000, "evaluated_at_ms": NOW, "views": [view("masked"), view("support")],
    });
    serde_json::from_value(report).unwrap()
}

/// One that fares well, one that never had data, one that is paged though another is to blame as well.
pub(super) fn reports() -> Vec<ProductReport> {
    let burn = |rate: f64| ["5m", "30m", "1h", "6h", "3d"].map(|window| json!({ "window": window, "rate": rate }));
    let slo = |budget: f64, rate: f64| {
        let slo = json!({
            "objective": 0.995, "over_seconds": 2_592_000, "compliance": 0.9987, "budget_remaining": budget, "burn": burn(rate),
        });
        Some(serde_json::from_value(slo).unwrap())
    };
    let mut fresh = report("crm.customers", Some(97), State::Fresh);
    fresh.slo = slo(0.74, 0.0);
    fresh.views[0].source_delay_ms = Some(250);
    fresh.views[0].delivery_delay_ms = Some(12_400);
    let mut stale = report("web.page_views", Some(180_000), State::Stale);
    stale.slo = slo(-0.2, 17.25);
    stale.alerts.page_since_ms = Some(NOW);
    stale.blamed = vec!["crm.orders@1".to_owned()];
    vec![fresh, report("upselling.offers", None, State::Unknown), stale]
}

#[test]
fn people_read_a_table() {
    let rows: Vec<Row> = reports().iter().flat_map(row::rows).collect();
    insta::assert_snapshot!(table::render(&rows));
}

#[test]
fn machines_read_an_array() {
    let rows: Vec<Row> = row::rows(&reports()[2]).take(1).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&rows).unwrap());
}

#[test]
fn a_breach_is_a_finding() {
    assert_eq!(exit(&reports()), Exit::Findings);
    assert_eq!(exit(&reports()[..2]), Exit::Fine);
}

#[test]
fn what_nobody_evaluated_lately_is_doubted() {
    let at = |seconds: i64| Timestamp::from_millisecond(NOW + seconds * 1_000).unwrap();
    assert_eq!(silent_seconds(&reports(), at(120)), None);
    assert_eq!(silent_seconds(&reports(), at(300)), Some(300));
}

#[test]
fn spans_are_told_in_their_largest_units() {
    let told = [0, 59, 60, 3_599, 3_600, 3_660, 86_400, 180_000].map(table::span);
    assert_eq!(told, ["0 s", "59 s", "1 min", "59 min 59 s", "1 h", "1 h 1 min", "1 d", "2 d 2 h"]);
}

#[test]
fn a_product_is_asked_for_by_name_and_version() {
    let asked = |text: &str| is_asked(&Args { product: Some(text.parse().unwrap()), watch: false }, &reports()[0]);
    assert!(asked("crm.customers") && asked("crm.customers@1"));
    assert!(!asked("crm.customers@2") && !asked("crm.orders"));
}
