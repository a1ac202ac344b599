//! `mesh audit masked`: was a column masked in every record, asked of what the sidecar has told.

use crate::accounted::publish_good;
use crate::support::{Finished, PATIENCE, Process, World, eventually};
use mesh_contract::topic::AUDIT_TOPIC;
use serde_json::{Value, json};

const RECORDS: usize = 1_000;
const FINDINGS: i32 = 1;
const FROM: &str = "2026-01-01";

#[test]
fn whoever_asks_is_told_that_every_record_was_masked_and_where_it_was_not() {
    let world = World::applied();
    let applied = world.extent(AUDIT_TOPIC);
    publish_good(&world, 0..RECORDS);
    let _sidecar = Process::start(&mut world.mesh(["run", "masking", "--domain", "crm"]));
    // it tells about once a minute, after what the apply told: the cheap question first
    eventually("something is told", PATIENCE * 2, || (world.extent(AUDIT_TOPIC) > applied).then_some(()));
    let answer = eventually("all of it is told", PATIENCE, || {
        Some(ask(&world, "masked")).filter(|answer| answer.json_lines()[0]["records"] == json!(RECORDS))
    });

    let mut answer = answer.expect(0).json_lines().remove(0);
    assert!(answer["span"]["to_ms"].as_i64() > answer["span"]["from_ms"].as_i64(), "{answer}");
    answer["span"]["to_ms"] = json!("now");
    insta::assert_json_snapshot!(answer);

    let read = world.run(["audit", "masked", "crm.customers", "--column", "email", "--from", FROM]).expect(0);
    assert!(read.stdout.ends_with("masked in every record: yes\n"), "{}", read.stdout);
    let clear: Value = ask(&world, "stewards").expect(FINDINGS).json_lines().remove(0);
    assert_eq!((&clear["verdict"], &clear["columns"]["email"]), (&json!("no"), &json!("no")), "{clear}");
}

fn ask(world: &World, view: &str) -> Finished {
    world.run(["audit", "masked", "crm.customers", "--view", view, "--from", FROM, "--format", "json"])
}
