#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use mesh_kafka::TopicPartition;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000_000;

fn contract(views: &serde_json::Value) -> Contract {
    let contract = json!({
        "unique_id": "5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a01", "owner": "crm", "name": "customers", "version": 1,
        "description": "d", "schema": "s.avsc", "compatibility": "backward",
        "refresh_rate": {"every": "1 hour", "objective": 0.995, "over": "30 days"}, "history": "latest",
        "storage": ["stream"], "sensitive_columns": [], "views": views, "access_group": [], "dependencies": [],
    });
    serde_json::from_value(contract).unwrap()
}

fn now() -> Asked {
    Asked { at_ms: NOW, answered_ms: NOW }
}

fn sight() -> Sight {
    Sight::new(&contract(&json!({})), &Seen::default())
}

fn unseen(partition: i32, from: i64, end: i64) -> Unseen {
    Unseen { partition, from, end }
}

fn observe(sight: &mut Sight, unseen: Unseen, newest_ms: Option<i64>) {
    let Sight { views, input, .. } = sight;
    views[0].observe(unseen, Found { newest_ms, ..Found::default() }, input, NOW);
}

fn heartbeat(at_ms: i64, end: i64) -> Heartbeat {
    let (product, producer) = ("crm.customers".to_owned(), "p".to_owned());
    Heartbeat { product, version: 1, producer, at_ms, offsets: BTreeMap::from([(0, end)]) }
}

fn committed(offset: i64) -> Offsets {
    Offsets::from([(TopicPartition::new("crm.customers.v1.in", 0), offset)])
}

#[test]
fn only_what_moved_is_looked_at() {
    let mut sight = sight();
    assert_eq!(sight.views[0].see_end(0, 10, now()), Some(unseen(0, 0, 10)));
    assert_eq!(sight.views[0].see_end(1, 0, now()), None);
    observe(&mut sight, unseen(0, 0, 10), None);
    assert_eq!(sight.views[0].see_end(0, 10, now()), None);
    assert_eq!(sight.views[0].see_end(0, 12, now()), Some(unseen(0, 10, 12)));
    assert_eq!(sight.views[0].see_end(0, 12, now()), Some(unseen(0, 10, 12)), "until it was read");
}

#[test]
fn a_topic_that_was_made_anew_is_forgotten() {
    let mut sight = sight();
    observe(&mut sight, unseen(0, 0, 100), Some(NOW));
    assert_eq!(sight.newest_ms().collect::<Vec<_>>(), [Some(NOW)]);
    assert_eq!(sight.views[0].see_end(0, 3, now()), Some(unseen(0, 0, 3)));
    assert_eq!(sight.newest_ms().collect::<Vec<_>>(), [None]);
}

#[test]
fn a_heartbeat_counts_once_the_sidecar_has_caught_up() {
    let mut sight = sight();
    assert!(!sight.wants_committed());
    sight.hear(heartbeat(NOW, 50));
    sight.see_committed(&committed(49), NOW + 1);
    assert_eq!((sight.heartbeat_ms, sight.wants_committed()), (None, true), "the path is not proven");
    sight.see_committed(&committed(50), NOW + 1);
    assert_eq!((sight.heartbeat_ms, sight.wants_committed()), (Some(NOW), false));
}

#[test]
fn a_heartbeat_from_the_future_counts_as_now() {
    let mut sight = sight();
    sight.hear(heartbeat(i64::MAX, 0));
    sight.see_committed(&Offsets::new(), NOW);
    assert_eq!(sight.heartbeat_ms, Some(NOW));
}

#[test]
fn heartbeats_that_wait_are_bounded_and_the_oldest_stay() {
    let mut sight = sight();
    (0..100).for_each(|n| sight.hear(heartbeat(NOW + n, 10 + n)));
    assert_eq!(sight.heartbeats.len(), HEARTBEATS_WAITING_MAX);
    sight.see_committed(&committed(10), NOW);
    assert_eq!(sight.heartbeat_ms, Some(NOW));
}

#[test]
fn what_waits_in_the_input_port_makes_committed_offsets_wanted() {
    let mut sight = sight();
    sight.input.see_end(0, 5, now());
    assert!(sight.wants_committed());
    sight.see_committed(&committed(2), NOW);
    assert_eq!((sight.wants_committed(), sight.waiting_since_ms()), (true, Some(NOW)));
    sight.see_committed(&committed(5), NOW);
    assert_eq!((sight.wants_committed(), sight.waiting_since_ms()), (false, None));
}

#[test]
fn a_restart_and_a_new_revision_keep_what_was_seen() {
    let mut before = sight();
    observe(&mut before, unseen(0, 0, 10), Some(NOW));
    before.input.see_end(0, 5, now());
    before.hear(heartbeat(NOW, 0));
    before.see_committed(&committed(5), NOW);
    let seen: Seen = serde_json::from_str(&serde_json::to_string(&before.seen()).unwrap()).unwrap();
    let mut after = Sight::new(&contract(&json!({})), &seen);
    assert_eq!(after.seen(), seen);
    assert_eq!(after.views[0].see_end(0, 10, now()), None, "what was read is not read again");
    after.renew(&contract(&json!({"support": {"clear": ["phone"]}})));
    assert_eq!(after.newest_ms().collect::<Vec<_>>(), [Some(NOW), Some(NOW)], "the heartbeat counts for both");
    assert_eq!(after.views[0].seen().newest_ms(), Some(NOW));
}
