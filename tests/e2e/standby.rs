//! Replicas of freshness: one evaluates, another takes over from one that is frozen or dead, and nobody is told anything
//! that is not so. Maintenance that is planned by hand reaches whoever evaluates.

use crate::support::{PATIENCE, Process, World, eventually};
use rustix::process::Signal;
use serde_json::Value;

const PRODUCT: &str = "web.page_views";

/// A replica and where its metrics are.
struct Replica {
    process: Process,
    url: String,
}

#[test]
fn a_replica_takes_over_from_one_that_is_frozen_or_dead() {
    let world = World::applied();
    let first = replica(&world);
    leads(&first, true);
    let second = replica(&world);
    world.run(["heartbeat", PRODUCT]).expect(0);
    let before = status(&world, |row| row["state"] == "fresh");
    leads(&second, false);
    assert!(!metrics(&second).contains(PRODUCT), "who stands by tells nothing of products");

    first.process.signal(Signal::STOP);
    leads(&second, true);
    goes_on(&world, &before);
    first.process.signal(Signal::CONT);
    leads(&first, false);
    leads(&second, true);
    assert!(!metrics(&first).contains(PRODUCT), "who was deposed tells nothing any more");

    drop(second);
    leads(&first, true);
    goes_on(&world, &before);
    maintenance_excuses(&world, &first);
}

/// It is looked at again, and is in the state that it was in, since when it was.
fn goes_on(world: &World, before: &Value) {
    let last = status(world, |_| true);
    let at = |row: &Value| row["evaluated_at"].as_str().expect("a time").to_owned();
    let next = status(world, |row| at(row) > at(&last));
    assert_eq!((&next["state"], &next["since"]), (&before["state"], &before["since"]));
}

fn maintenance_excuses(world: &World, leader: &Replica) {
    let excused = |is: u8| {
        let gauge = format!("mesh_freshness_maintenance{{product=\"{PRODUCT}\",version=\"1\"}} {is}");
        eventually(&gauge, PATIENCE, || metrics(leader).contains(&gauge).then_some(()));
    };
    excused(0);
    let add = ["freshness", "maintenance", "add", "web", "--for", "1 hour", "--reason", "disks", "--format", "json"];
    let planned = world.run(add).expect(0).json_lines().remove(0);
    excused(1);
    let list = world.run(["freshness", "maintenance", "list", "--format", "json"]).expect(0).json_lines().remove(0);
    assert_eq!(list, Value::Array(vec![planned.clone()]));
    let id = planned["id"].as_str().expect("an id");
    world.run(["freshness", "maintenance", "remove", id]).expect(0);
    excused(0);
    let add = ["freshness", "maintenance", "add", "wbe", "--for", "1 hour", "--reason", "disks"];
    let refused = world.run(add).expect(2);
    assert!(refused.stderr.contains("did you mean web?"), "{}", refused.stderr);
}

fn replica(world: &World) -> Replica {
    let mut command = world.mesh(["run", "freshness", "--freshness-interval", "1", "--format", "json"]);
    let mut process = Process::start(&mut command);
    let line = process.line("it says where it listens", |line| line.contains("http_url"));
    let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
    Replica { process, url: said["http_url"].as_str().expect("an address").to_owned() }
}

/// Waits until the replica is the one that evaluates, or is not.
fn leads(replica: &Replica, is_it: bool) {
    let gauge = format!("mesh_freshness_leader {}", u8::from(is_it));
    eventually(&gauge, PATIENCE, || metrics(replica).contains(&gauge).then_some(()));
}

fn metrics(replica: &Replica) -> String {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let asked = async { reqwest::get(format!("{}/metrics", replica.url)).await?.text().await };
    runtime.block_on(asked).unwrap_or_default()
}

/// The product's default view, once it is as wanted.
fn status(world: &World, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually("the status is as wanted", PATIENCE, || {
        let told = world.run(["status", PRODUCT, "--format", "json"]);
        let rows: Value = serde_json::from_str(told.stdout.lines().next()?).ok()?;
        rows.as_array()?.first().filter(|row| wanted(row)).cloned()
    })
}
