#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::sight::{Asked, Found};

const HOUR: i64 = 3_600_000;
const NOW: i64 = 1_800_000_000_000;

fn product(views: &serde_json::Value) -> AppliedProduct {
    let contract = serde_json::from_value(json!({
        "unique_id": uuid(), "owner": "crm", "name": "customers", "version": 1, "description": "d", "schema": "s.avsc",
        "compatibility": "backward", "refresh_rate": {"every": "1 hour", "objective": 0.995, "over": "30 days"},
        "history": "latest", "storage": ["stream"], "sensitive_columns": [], "views": views, "access_group": [],
        "dependencies": [],
    }));
    AppliedProduct { revision: 1, applied_at_ms: 0, contract: contract.unwrap(), schema: json!("string") }
}

fn uuid() -> &'static str {
    "5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a01"
}

fn watched() -> Watched {
    Watched::new(product(&json!({})), None)
}

fn asked(at_ms: i64) -> Asked {
    Asked { at_ms, answered_ms: at_ms }
}

/// Everything new up to these ends, whose newest fact was at `newest_ms`.
fn see(watched: &mut Watched, partition: i32, end: i64, newest_ms: i64) {
    let Sight { views, input, .. } = &mut watched.sight;
    if let Some(unseen) = views[0].see_end(partition, end, asked(newest_ms)) {
        views[0].observe(unseen, Found { newest_ms: Some(newest_ms), ..Found::default() }, input, newest_ms);
    }
}

fn state(watched: &Watched, now_ms: i64) -> State {
    watched.evaluate(now_ms).state
}

#[test]
fn it_is_unknown_then_fresh_then_stale_then_fresh_again() {
    let mut watched = watched();
    assert_eq!(state(&watched, NOW), State::Unknown);
    see(&mut watched, 0, 10, NOW);
    assert_eq!(state(&watched, NOW + HOUR), State::Fresh);
    assert_eq!(state(&watched, NOW + HOUR + 1), State::Stale);
    see(&mut watched, 1, 4, NOW + HOUR);
    assert_eq!(state(&watched, NOW + HOUR + 1), State::Fresh);
}

#[test]
fn history_that_is_replayed_makes_nothing_older_or_younger() {
    let mut watched = watched();
    see(&mut watched, 0, 10, NOW);
    see(&mut watched, 0, 9_000, NOW - 1_000 * HOUR);
    assert_eq!(watched.evaluate(NOW).views[0].newest_ms, Some(NOW));
    assert_eq!(state(&watched, NOW + HOUR + 1), State::Stale, "a flood of old facts is no news");
}

#[test]
fn a_restart_goes_on_where_the_last_process_was() {
    let mut before = watched();
    see(&mut before, 0, 10, NOW);
    let report = before.evaluate(NOW + HOUR + 1);
    let stored = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    let mut after = Watched::new(product(&json!({})), Some(stored));
    assert_eq!(after.sight.views[0].see_end(0, 10, asked(NOW)), None, "what was read is not read again");
    let later = after.evaluate(NOW + 2 * HOUR);
    assert_eq!(
        (later.state, later.since_ms),
        (State::Stale, NOW + HOUR + 1),
        "stale since then, not since the restart"
    );
    assert_eq!(after.change_to(&later), None, "so nobody is told again");
}

#[test]
fn every_view_must_be_fresh() {
    let mut watched = Watched::new(product(&json!({"support": {"clear": ["phone"]}})), None);
    see(&mut watched, 0, 10, NOW);
    let report = watched.evaluate(NOW);
    let states: Vec<_> = report.views.iter().map(|view| (view.view.as_str(), view.state)).collect();
    assert_eq!(states, [("masked", State::Fresh), ("support", State::Unknown)]);
    assert_eq!(report.state, State::Unknown);
}

#[test]
fn a_new_revision_keeps_what_was_seen() {
    let mut watched = watched();
    see(&mut watched, 0, 10, NOW);
    watched.renew(product(&json!({"support": {"clear": ["phone"]}})));
    let report = watched.evaluate(NOW);
    assert_eq!((report.views.len(), report.views[0].newest_ms), (2, Some(NOW)));
}

#[test]
fn changes_are_told_once() {
    let mut watched = watched();
    let first = watched.evaluate(NOW);
    assert_eq!(watched.change_to(&first), Some(None));
    watched.last = Some(first);
    see(&mut watched, 0, 1, NOW);
    let second = watched.evaluate(NOW + 1);
    assert_eq!(watched.change_to(&second), Some(Some(State::Unknown)));
    assert_eq!(second.since_ms, NOW + 1);
    watched.last = Some(second);
    assert_eq!(watched.change_to(&watched.evaluate(NOW + 2)), None);
}
