//! Who is paged: the real Prometheus and Alertmanager, a receiver of webhooks, and products that stop, idle and replay.

mod stage;

use crate::support::{PATIENCE, eventually};
use serde_json::Value;
use stage::Stage;
use std::collections::BTreeSet;

#[test]
fn a_product_that_stops_is_paged_once_while_those_that_idle_or_replay_are_not() {
    let mut stage = Stage::set();
    let _alive = stage.beat("crm.customers");
    stage.publish_customer();
    stage.publish_page_view();
    eventually("both are fresh", PATIENCE, || stage.are_fresh(&["crm.customers", "web.page_views"]));
    // on a busy machine it may be stale before anybody has looked
    stage.publish_order();
    orders_stop_and_their_owner_is_paged(&stage);
    assert_the_service_tells_what_rules_and_dashboards_ask_for(&stage);
    stage.replay_page_views();
    stage.kill_freshness();
    stage.restart_kafka();
    stage.start_freshness();
    orders_go_on_and_the_page_ends(&stage);
    assert_nobody_else_was_paged(&stage);
    assert_webhooks_heard_each_change_once(&stage);
}

fn orders_stop_and_their_owner_is_paged(stage: &Stage) {
    let page = eventually("the owner of crm.orders is paged", PATIENCE, || stage.pages("firing").pop());
    let wanted = [("severity", "page"), ("domain", "crm"), ("product", "crm.orders"), ("version", "1")];
    for (label, value) in [("alertname", "MeshProductStale")].into_iter().chain(wanted) {
        assert_eq!(page["labels"][label], value, "{page:#}");
    }
    assert_eq!(page["annotations"]["owner"], "CRM");
    assert_eq!(page["annotations"]["contact"], "crm-oncall@example.org");
    assert_eq!(page["annotations"]["runbook_url"], "https://example.org/runbooks/crm");
    let status = stage.world.run(["status", "crm.orders"]).expect(1);
    assert!(status.stdout.contains("stale"), "{}", status.stdout);
}

/// Restarts and silence later, nothing was resolved or paged anew before this.
fn orders_go_on_and_the_page_ends(stage: &Stage) {
    assert_eq!((stage.pages("firing").len(), stage.pages("resolved").len()), (1, 0), "{:#?}", stage.said());
    eventually("the page of crm.orders ends", PATIENCE, || {
        stage.publish_order();
        stage.pages("resolved").pop()
    });
}

fn assert_nobody_else_was_paged(stage: &Stage) {
    let paged = |line: &Value| line["receiver"].as_str().is_some_and(|receiver| receiver.ends_with("-page"));
    let told: Vec<(String, String)> = stage
        .said()
        .iter()
        .filter(|line| paged(line))
        .flat_map(|line| line["alerts"].as_array().cloned().unwrap_or_default())
        .map(|alert| (alert["labels"]["product"].to_string(), alert["status"].to_string()))
        .collect();
    let own = |status: &str| ("\"crm.orders\"".to_owned(), format!("\"{status}\""));
    assert_eq!(told, [own("firing"), own("resolved")], "{:#?}", stage.said());
}

fn assert_webhooks_heard_each_change_once(stage: &Stage) {
    let said = stage.said();
    assert!(said.iter().all(|line| line["refused"].is_null()), "{said:#?}");
    let events: Vec<&Value> = said.iter().filter(|line| line["subject"] == "crm.orders@1").collect();
    let mut ids = BTreeSet::new();
    let states: Vec<&str> = events
        .iter()
        .filter(|event| ids.insert(event["id"].to_string()))
        .map(|event| event["data"]["state"].as_str().expect("a state"))
        .collect();
    assert_eq!((states.first(), states.last()), (Some(&"stale"), Some(&"fresh")), "{events:#?}");
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "each is a change: {states:?}");
    assert_eq!(events[0]["data"]["team"]["contact"], "crm-oncall@example.org");
}

/// The names that are asked for, of what a product without causes upstream and without subscribers has.
fn assert_the_service_tells_what_rules_and_dashboards_ask_for(stage: &Stage) {
    let elsewhere = ["mesh_freshness_blamed", "mesh_freshness_subscriber_lag_seconds"];
    let told = stage.metrics();
    for file in ["prometheus/freshness.yml", "grafana/dashboards/freshness.json"] {
        let text =
            std::fs::read_to_string(crate::support::repository().join("deploy").join(file)).expect("it is there");
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for name in words.filter(|word| word.starts_with("mesh_freshness_") && !elsewhere.contains(word)) {
            assert!(told.lines().any(|line| line.starts_with(name)), "{file} asks for {name}:\n{told}");
        }
    }
}
