//! `mesh quarantine replay`, killed in the middle: each record is let through once all the same.

use crate::support::{Finished, PATIENCE, Process, World, eventually};
use mesh_avro::wire;
use mesh_kafka::OutgoingRecord;
use mesh_kafka::producer::Producer;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

const INPUT: &str = "crm.orders.v1.in";
const RECORDS: usize = 6_000;
/// How often a replay is killed before one is let to its end.
const KILLS: usize = 3;

#[test]
fn a_replay_that_is_killed_doubles_and_loses_nothing() {
    let world = World::applied();
    let mut sidecar = Process::start(&mut world.mesh(["run", "masking", "--domain", "crm"]));
    // an order as its own schema has it, in the name of a schema that is not the product's (yet)
    let mut schema: Value = serde_json::from_str(&world.tree.read("schemas/crm/order.avsc")).expect("it is JSON");
    let note = json!({ "name": "note", "type": ["null", "string"], "default": null });
    schema["fields"].as_array_mut().expect("a record").push(note);
    let id = register(&world, "elsewhere-value", &schema);
    publish(&world, id);
    eventually("all are in quarantine", PATIENCE, || {
        let listed = world.run(["quarantine", "list", "crm.orders", "--format", "json"]).expect(0);
        listed.stderr.contains(&format!("{RECORDS} refused: {RECORDS} foreign-schema")).then_some(())
    });
    assert_eq!(register(&world, &format!("{INPUT}-value"), &schema), id);

    let replay = ["quarantine", "replay", "crm.orders", "--format", "json"];
    let mut through = Vec::new();
    // the last ones may be faster than we are
    while through.len() < KILLS && through.last() != Some(&RECORDS) {
        let mut process = Process::start(&mut world.mesh(replay));
        eventually("some were replayed", PATIENCE, || process.stderr().contains(" replayed").then_some(()));
        process.kill();
        through.push(seen(&world).len());
    }
    assert!((1..RECORDS).contains(&through[0]), "none was killed in the middle, but after {through:?} records");
    let finished = Finished::of(&mut world.mesh(replay)).expect(0).json_lines().remove(0);
    let report = &finished["report"];
    let count = |name: &str| report[name].as_u64().expect("a count");
    assert_eq!(count("replayed") + count("already"), RECORDS as u64, "{finished}");
    assert!(count("already") > 0 && count("overtaken") == 0, "{finished}");

    let orders = seen(&world);
    assert_eq!(orders.len(), RECORDS);
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), RECORDS, "an order was let through twice");
    let listed = world.run(["quarantine", "list", "crm.orders", "--limit", "1", "--format", "json"]).expect(0);
    assert!(listed.stderr.contains(&format!("{RECORDS} replayed since")), "{}", listed.stderr);
    assert!(listed.json_lines().iter().all(|row| row["state"] == "replayed"), "{}", listed.stdout);
    sidecar.kill();
}

/// The orders that a subscriber of the default view sees.
fn seen(world: &World) -> Vec<String> {
    let read = world.run(["subscribe", "crm.orders", "--until-end"]).expect(0);
    let order = |event: Value| event["value"]["order_id"].as_str().expect("orders have ids").to_owned();
    read.json_lines().into_iter().map(order).collect()
}

fn publish(world: &World, id: u32) {
    let producer = Producer::new(&world.settings()).expect("the settings are right");
    let runtime = Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        for number in 0..RECORDS {
            let record = OutgoingRecord::to(INPUT).key(order_id(number)).value(order(id, number));
            drop(producer.send(record).await.expect("Kafka takes it"));
        }
        producer.flush(PATIENCE).await.expect("Kafka takes them");
    });
}

fn order_id(number: usize) -> String {
    format!("O{number:06}")
}

/// An order in the wire format: order_id, customer_id, ordered_at, quantity, amount, updated_at, note.
fn order(id: u32, number: usize) -> Vec<u8> {
    let mut value = wire::header(id).to_vec();
    for text in [order_id(number), "C000001".to_owned()] {
        value.push(u8::try_from(text.len() * 2).expect("it is short"));
        value.extend_from_slice(text.as_bytes());
    }
    // two times in 1970, one item, 0.01 dollars, no note
    value.extend_from_slice(&[2, 2, 2, 1, 2, 0]);
    value
}

fn register(world: &World, subject: &str, schema: &Value) -> u32 {
    let url = format!("{}/subjects/{subject}/versions", world.registry_url);
    let answer = Runtime::new().expect("threads can be started").block_on(async {
        let request = reqwest::Client::new().post(url).json(&json!({ "schema": schema.to_string() }));
        request.send().await?.json::<Value>().await
    });
    let answer = answer.expect("the registry answers");
    let id = answer["id"].as_u64().unwrap_or_else(|| panic!("{subject}: {answer}"));
    u32::try_from(id).expect("ids are small")
}
