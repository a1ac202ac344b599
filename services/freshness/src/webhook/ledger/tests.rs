#![allow(clippy::unwrap_used)]

use mesh_contract::topic::FRESHNESS_TOPIC;
use mesh_kafka::OutgoingRecord;
use serde_json::json;

use super::*;
use State::{Fresh, Stale, Unknown};

const KEY: &str = "0d4a/1";

fn target(name: &str, domains: &[&str]) -> Target {
    Target::named(name, domains)
}

fn record(key: &str, value: Option<Value>) -> Record {
    Record {
        topic: FRESHNESS_TOPIC.into(),
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        key: Some(key.to_owned().into()),
        value: value.map(|value| value.to_string().into()),
        headers: Vec::new(),
    }
}

fn report(state: State, since_ms: i64) -> Record {
    let report = json!({
        "product": "crm.orders", "version": 1, "owner": "crm", "promise": "1 hour", "promise_seconds": 3600,
        "state": state, "since_ms": since_ms, "evaluated_at_ms": since_ms, "views": [],
    });
    record(KEY, Some(report))
}

fn told(ledger: &mut Ledger, target: &str, change: &Change) {
    let OutgoingRecord { key, value, .. } = progress::record(target, &change.key, change.told().as_ref());
    let value = value.map(|value| serde_json::from_slice(&value).unwrap());
    assert_eq!(ledger.take(&record(std::str::from_utf8(&key.unwrap()).unwrap(), value)), None);
}

fn states(changes: &[Change]) -> Vec<(Option<State>, i64)> {
    changes.iter().map(|change| (change.state, change.since_ms)).collect()
}

/// A ledger of these states, with what changed.
fn ledger(all: &[(State, i64)]) -> (Ledger, Vec<Change>) {
    let mut ledger = Ledger::default();
    let changes = all.iter().filter_map(|(state, since_ms)| ledger.take(&report(*state, *since_ms))).collect();
    (ledger, changes)
}

#[test]
fn what_is_written_again_is_no_change() {
    let (_, changes) = ledger(&[(Fresh, 1), (Fresh, 1), (Stale, 2), (Stale, 2), (Fresh, 3)]);
    assert_eq!(states(&changes), [(Some(Fresh), 1), (Some(Stale), 2), (Some(Fresh), 3)]);
    assert_eq!(changes[1].before, Some(Fresh));
}

#[test]
fn whoever_was_never_told_hears_only_what_is_stale() {
    let all = target("all", &[]);
    let (mut ledger_of_stale, changes) = ledger(&[(Fresh, 1), (Stale, 2)]);
    assert!(!ledger_of_stale.concerns(&all, &changes[0]) && ledger_of_stale.concerns(&all, &changes[1]));
    assert_eq!(states(&ledger_of_stale.untold(&all)), [(Some(Stale), 2)]);
    let (mut ledger_of_fresh, _) = ledger(&[(Stale, 1), (Fresh, 2), (Unknown, 3)]);
    assert_eq!(ledger_of_fresh.untold(&all), []);
}

#[test]
fn whoever_is_about_to_hear_that_it_is_stale_hears_also_that_it_is_fresh_again() {
    let all = target("all", &[]);
    let (mut ledger, changes) = ledger(&[(Stale, 1), (Fresh, 2)]);
    assert!(ledger.concerns(&all, &changes[0]), "the receiver does not answer yet");
    assert!(ledger.concerns(&all, &changes[1]));
}

#[test]
fn after_a_crash_each_change_since_is_told_once() {
    let all = target("all", &[]);
    let (mut ledger, changes) = ledger(&[(Fresh, 1), (Stale, 2), (Fresh, 3), (Stale, 4)]);
    told(&mut ledger, "all", &changes[1]);
    assert_eq!(states(&ledger.untold(&all)), [(Some(Fresh), 3), (Some(Stale), 4)]);
    told(&mut ledger, "all", &changes[3]);
    assert_eq!(ledger.untold(&all), []);
}

#[test]
fn what_was_compacted_away_is_told_by_how_it_ended() {
    let all = target("all", &[]);
    let (_, earlier) = ledger(&[(Stale, 2)]);
    let (mut ledger, _) = ledger(&[(Fresh, 7)]);
    told(&mut ledger, "all", &earlier[0]);
    assert_eq!(states(&ledger.untold(&all)), [(Some(Fresh), 7)]);
}

#[test]
fn targets_are_told_apart() {
    let (mut ledger, changes) = ledger(&[(Stale, 2)]);
    told(&mut ledger, "one", &changes[0]);
    assert_eq!(ledger.untold(&target("one", &[])), []);
    assert_eq!(ledger.untold(&target("two", &[])).len(), 1);
    assert_eq!(ledger.untold(&target("web", &["web"])), []);
    assert!(!ledger.concerns(&target("web", &["web"]), &changes[0]));
}

#[test]
fn whoever_heard_that_it_is_stale_hears_that_it_is_gone() {
    let all = target("all", &[]);
    let (mut ledger, changes) = ledger(&[(Stale, 2)]);
    told(&mut ledger, "all", &changes[0]);
    let gone = ledger.take(&record(KEY, None)).unwrap();
    assert_eq!((gone.state, gone.before), (None, Some(Stale)));
    assert!(ledger.concerns(&all, &gone));
    assert_eq!(ledger.untold(&all), [Change { details: Map::new(), ..gone.clone() }], "a crash does not forget it");
    told(&mut ledger, "all", &gone);
    assert_eq!(ledger.untold(&all), []);
}

#[test]
fn memory_is_bounded_however_often_a_product_changes() {
    let all: Vec<(State, i64)> = (0..100).map(|at| (if at % 2 == 0 { Stale } else { Fresh }, at)).collect();
    let (ledger, changes) = ledger(&all);
    assert_eq!((changes.len(), ledger.products[KEY].len()), (100, CHANGES_MAX));
}

#[test]
fn foreign_records_change_nothing() {
    let mut ledger = Ledger::default();
    for value in [json!(1), json!({}), json!("x")] {
        assert_eq!(ledger.take(&record(KEY, Some(value.clone()))), None);
        assert_eq!(ledger.take(&record("webhook/all/0d4a/1", Some(value))), None);
    }
    assert_eq!(ledger.take(&record("webhook/all", None)), None);
    assert!(ledger.untold(&target("all", &[])).is_empty());
}
