//! Idle is not stale: `mesh heartbeat`, and a heartbeat that a producer in Python writes, count once the sidecar has come as
//! far as they say.

use crate::support::{Finished, PATIENCE, Process, Python, World, eventually};
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

#[test]
fn heartbeats_count_once_the_sidecar_has_caught_up() {
    let world = World::applied();
    let _freshness = Process::start(&mut world.mesh(["run", "freshness", "--freshness-interval", "1"]));
    let customers = publish(&world, "crm.customers");
    let heartbeat =
        world.run(["heartbeat", "crm.customers", "--producer", "crm-service", "--format", "json"]).expect(0);
    let heartbeat = &heartbeat.json_lines()[0];
    assert_eq!(total(heartbeat), customers, "where the input port ends: {heartbeat}");
    let idle = python(&world);
    assert_eq!(total(&idle.json_lines()[0]), 0);

    // nothing was ever written to this product: its heartbeat has nothing to wait for
    status(&world, "web.page_views", |row| row["heartbeat"].is_string() && row["state"] == "fresh");
    let waiting = status(&world, "crm.customers", |_| true);
    assert!(waiting["heartbeat"].is_null(), "no sidecar runs: {waiting}");

    let _sidecar = Process::start(&mut world.mesh(["run", "masking"]));
    status(&world, "crm.customers", |row| row["heartbeat"].is_string() && row["state"] == "fresh");

    a_heartbeat_counts_behind_what_was_aborted(&world);
    a_terminal_is_redrawn(&world);

    let mut beating = Process::start(&mut world.mesh(["heartbeat", "crm.orders", "--every", "1s"]));
    for _ in 0..2 {
        beating.line("a heartbeat", |line| line.contains("crm.orders@1 mesh-heartbeat is alive"));
    }
    beating.signal(Signal::TERM);
    assert_eq!(beating.wait(), 0, "it was told to go on until interrupted");
    status(&world, "crm.orders", |row| row["heartbeat"].is_string());
}

/// More offsets than are looked through at once; no sidecar ever commits past them.
fn a_heartbeat_counts_behind_what_was_aborted(world: &World) {
    const ABORTED: i64 = 5_000;
    let args = [world.bootstrap(), "crm.customers.v1.in", &ABORTED.to_string()];
    Python::environment().run("aborted.py", &args, "");
    let heartbeat =
        world.run(["heartbeat", "crm.customers", "--producer", "crm-service", "--format", "json"]).expect(0);
    let heartbeat = &heartbeat.json_lines()[0];
    assert!(total(heartbeat) > ABORTED, "where the input port ends: {heartbeat}");
    let at = Timestamp::from_millisecond(heartbeat["at_ms"].as_i64().expect("milliseconds")).expect("a time");
    let counts = |row: &Value| row["heartbeat"].as_str().and_then(|text| text.parse().ok()) == Some(at);
    status(world, "crm.customers", |row| counts(row) && row["state"] == "fresh");
}

/// `mesh status --watch` on a terminal, until Ctrl-C.
fn a_terminal_is_redrawn(world: &World) {
    let command = world.mesh(["status", "crm.customers", "--watch"]);
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<&str> = words.map(|word| word.to_str().expect("temporary folders are UTF-8")).collect();
    let told = Python::environment().run("terminal.py", &[&["fresh"], &words[..]].concat(), "");
    let told = &told.json_lines()[0];
    assert_eq!(told["exit"], 0, "{told:#}");
    let screens = told["screens"].as_array().expect("what was drawn");
    assert!(screens.len() >= 2, "{told:#}");
    for screen in screens {
        let lines: Vec<&str> = screen.as_str().expect("a text").lines().map(str::trim_end).collect();
        assert!(lines[0].ends_with(" UTC") && lines[1].is_empty() && lines[2].starts_with("product"), "{told:#}");
        assert!(lines[3..].iter().any(|line| line.starts_with("crm.customers@1  ")), "{told:#}");
    }
}

#[test]
fn a_heartbeat_of_nothing_is_refused() {
    let world = World::start();
    let refused = world.run(["heartbeat", "crm.customers"]).expect(2);
    assert!(refused.stderr.contains("hint: apply contracts first"), "{}", refused.stderr);
    let refused = world.run(["heartbeat", "crm.customers", "--every", "1ms"]).expect(2);
    assert!(refused.stderr.contains("at least 1s"), "{}", refused.stderr);
}

/// Publishes a customer; returns how many there are.
fn publish(world: &World, product: &str) -> i64 {
    let customer = serde_json::json!({
        "customer_id": "C1", "full_name": "Ada", "email": "ada@example.org", "phone": "+1 555 0100",
        "birth_date": "1979-12-30", "address": { "street": "1 Row", "city": "Salem", "postcode": "97301", "country": "US" },
        "contacts": [], "segment": "LOYAL", "marketing_consent": true,
        "registered_at": "2023-11-14T22:13:20Z", "updated_at": "2023-11-14T22:13:20Z"
    });
    let file = world.scratch("customers.jsonl");
    std::fs::write(&file, format!("{customer}\n")).expect("it is ours");
    world.run(["publish", product, file.to_str().expect("temporary folders are UTF-8")]).expect(0);
    1
}

/// A producer in Python says that page views are idle.
fn python(world: &World) -> Finished {
    let contract = world.tree.read("topics/web/page_views.yaml");
    let id = contract.lines().find_map(|line| line.strip_prefix("unique_id:")).expect("a contract has one");
    let id = id.split('#').next().expect("a split has a first part").trim();
    let args = [world.bootstrap(), "web.page_views", id, "1", "web-service"];
    Python::environment().run("heartbeat.py", &args, "").expect(0)
}

/// The sum of the ends that a heartbeat names.
fn total(heartbeat: &Value) -> i64 {
    let offsets = heartbeat["offsets"].as_object().expect("ends by partition");
    offsets.values().map(|end| end.as_i64().expect("an offset")).sum()
}

/// The first view's row of a product's status, once it is as wanted.
fn status(world: &World, product: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("the status of {product}"), PATIENCE, || {
        let status = world.run(["status", product, "--format", "json"]);
        let rows: Value = serde_json::from_str(&status.stdout).ok()?;
        let row = rows.get(0)?.clone();
        wanted(&row).then_some(row)
    })
}
