//! `mesh remask`: the past is masked as the contract says now, though the sidecar is killed again and again on the way.

use crate::accounted::{INPUT, VIEWS, publish_good};
use crate::support::{Finished, PATIENCE, Process, World, eventually};
use serde_json::Value;
use std::collections::BTreeSet;

const RECORDS: usize = 5_000;
const KILLS: usize = 3;
const USAGE: i32 = 2;

#[test]
fn the_past_is_rewritten_though_the_sidecar_is_killed() {
    let world = World::applied();
    publish_good(&world, 0..RECORDS);
    let sidecar = sidecar(&world);
    eventually("all is masked", PATIENCE, || (read(&world, "masked").len() == RECORDS).then_some(()));
    drop(sidecar);
    assert!(read(&world, "masked").iter().all(|event| event["value"]["phone"].as_str().is_some_and(ends_clear)));

    let unasked = world.run(["remask", "crm.customers"]).expect(USAGE);
    assert!(unasked.stderr.contains("ALL records") && unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    assert_eq!(read(&world, "masked").len(), RECORDS);

    world.tree.replace("topics/crm/customers.yaml", "mask: { keep_last: 4 }", "mask: redact");
    world.run(["apply"]).expect(0);
    let mut remask = Process::start(&mut world.mesh(["remask", "crm.customers", "--yes", "--format", "json"]));
    eventually("it is asked for", PATIENCE, || remask.stderr().contains("partitions emptied").then_some(()));
    for _ in 0..KILLS {
        let mut sidecar = self::sidecar(&world);
        let said = remask.stderr();
        eventually("a step is taken", PATIENCE, || (remask.stderr() != said || remask.ended().is_some()).then_some(()));
        sidecar.kill();
    }
    let _sidecar = self::sidecar(&world);
    assert_eq!(remask.wait(), 0, "{}", remask.stderr());
    let said: Value = serde_json::from_str(&remask.stdout()).expect("one JSON object");
    assert_eq!(
        (&said["product"], &said["generation"], &said["done"]),
        (&"crm.customers@1".into(), &2.into(), &true.into())
    );

    for (view, topic) in VIEWS {
        eventually("every record is there", PATIENCE, || (read(&world, view).len() >= RECORDS).then_some(()));
        let events = read(&world, view);
        let keys: BTreeSet<String> = events.iter().map(|event| event["key"].to_string()).collect();
        assert_eq!((events.len(), keys.len()), (RECORDS, RECORDS), "{topic}");
        let clear = events.iter().filter(|event| event["value"]["phone"].as_str().is_some_and(ends_clear)).count();
        assert_eq!(clear, if view == "masked" { 0 } else { RECORDS }, "{topic}");
    }
    assert!(world.extent(INPUT) >= i64::try_from(RECORDS).expect("few"), "the input port is left alone");
}

/// Whether a telephone number shows its last digits.
fn ends_clear(phone: &str) -> bool {
    phone.ends_with(|last: char| last.is_ascii_digit())
}

fn sidecar(world: &World) -> Process {
    Process::start(&mut world.mesh(["run", "masking", "--domain", "crm", "--batch-records", "200"]))
}

fn read(world: &World, view: &str) -> Vec<Value> {
    Finished::of(&mut world.mesh(["subscribe", "crm.customers", "--until-end", "--view", view])).expect(0).json_lines()
}
