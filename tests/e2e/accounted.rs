//! Every published record is accounted for, record by record, also when the sidecar is killed again and again.

use crate::support::{PATIENCE, Process, Python, World, eventually};
use mesh_kafka::OutgoingRecord;
use mesh_kafka::producer::Producer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

const FIRST: usize = 9_000;
const BAD: usize = 200;
const KILLS: usize = 3;
/// Records before each kill.
const FURTHER: usize = 4_000;
const GOOD: usize = FIRST + KILLS * FURTHER;
pub(super) const INPUT: &str = "crm.customers.v1.in";
const QUARANTINE: &str = "crm.customers.v1.quarantine";
pub(super) const VIEWS: [(&str, &str); 3] = [
    ("masked", "crm.customers.v1"),
    ("support", "crm.customers.v1.support"),
    ("stewards", "crm.customers.v1.stewards"),
];

#[test]
fn every_record_is_in_each_view_once_or_in_quarantine_through_kill_9() {
    let world = World::applied();
    publish_good(&world, 0..FIRST);
    publish_bad(&world);
    for kill in 0..KILLS {
        let from = FIRST + kill * FURTHER;
        kill_one_at_work(&world, from..from + FURTHER, || sidecar(&world));
    }
    let _sidecar = sidecar(&world);
    eventually("the sidecar reaches the end of the input port", PATIENCE, || caught_up(&world).then_some(()));

    let input = read(&world, INPUT);
    assert_eq!(input.len(), GOOD + BAD);
    let refused = assert_quarantine_is_complete(&world);
    for (view, topic) in VIEWS {
        assert_view_is_the_input_masked(&world, &input, &refused, view, topic);
    }
}

/// A sidecar that is killed once it has moved on, most likely with a transaction open; it has records of its own to begin with, however
/// quick the one before it was.
pub(super) fn kill_one_at_work(world: &World, numbers: Range<usize>, start: impl FnOnce() -> Process) {
    publish_good(world, numbers);
    let before = world.extent(VIEWS[0].1);
    let mut sidecar = start();
    eventually("the sidecar writes", PATIENCE, || (world.extent(VIEWS[0].1) > before).then_some(()));
    sidecar.kill();
}

fn sidecar(world: &World) -> Process {
    // Small transactions, so that each kill hits the middle of the work.
    Process::start(&mut world.mesh(["run", "masking", "--domain", "crm", "--batch-records", "500"]))
}

/// Every view and the quarantine together hold what the input holds.
fn caught_up(world: &World) -> bool {
    let quarantined = count(world, QUARANTINE);
    quarantined >= BAD && VIEWS.iter().all(|(_, topic)| count(world, topic) + quarantined >= GOOD + BAD)
}

fn count(world: &World, topic: &str) -> usize {
    // Transaction markers make the extent larger than the count: it only says when counting is worth it.
    if world.extent(topic) == 0 { 0 } else { read(world, topic).len() }
}

pub(super) fn publish_good(world: &World, numbers: Range<usize>) {
    let file = world.scratch("customers.jsonl");
    let mut lines = String::new();
    for number in numbers {
        writeln!(lines, "{}", customer(number)).expect("a String takes what it is given");
    }
    std::fs::write(&file, lines).expect("the folder is ours");
    let file = file.to_str().expect("temporary folders are UTF-8");
    world.run(["publish", "crm.customers", file]).expect(0);
}

fn customer(number: usize) -> Value {
    json!({
        "customer_id": format!("C{:06}", number % 5_000), "full_name": "Ada Lovelace", "email": format!("ada{number}@example.org"),
        "phone": format!("+1 555 {number:06}"), "birth_date": "1815-12-10",
        "address": { "street": "12 St James's Square", "city": "London", "postcode": "SW1Y 4JH", "country": "GB" },
        "contacts": [{ "kind": "billing", "email": "babbage@example.org" }],
        "segment": "LOYAL", "marketing_consent": number.is_multiple_of(2),
        "registered_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"
    })
}

/// Records that a plain client gets wrong, in turn: not framed, an unknown schema id, framed but truncated.
fn publish_bad(world: &World) {
    let producer = Producer::new(&world.settings()).expect("the settings are right");
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let bodies: [&[u8]; 3] = [b"plain text", &[0, 0, 15, 66, 63, 2, 65], &[0, 0, 0, 0, 1, 14, 67]];
    for number in 0..BAD {
        let record = OutgoingRecord::to(INPUT)
            .key(format!("bad-{number}").into_bytes())
            .value(bodies[number % bodies.len()].to_vec());
        let stored = async { producer.send(record).await?.await };
        runtime.block_on(stored).expect("Kafka takes it");
    }
}

/// What a read-committed Python consumer sees of a topic, in order per partition.
pub(super) fn read(world: &World, topic: &str) -> Vec<Value> {
    Python::environment().run("committed.py", &[world.bootstrap(), topic], "").json_lines()
}

type Place = (i64, i64);

fn place(record: &Value) -> Place {
    (record["partition"].as_i64().expect("a number"), record["offset"].as_i64().expect("a number"))
}

/// One record in quarantine for each bad one, none twice; returns where they came from.
fn assert_quarantine_is_complete(world: &World) -> BTreeMap<Place, String> {
    let mut refused = BTreeMap::new();
    for record in read(world, QUARANTINE) {
        let header =
            |name: &str| record["headers"][name].as_str().unwrap_or_else(|| panic!("{name}: {record}")).to_owned();
        assert_eq!((header("mesh-source-topic").as_str(), record["key"].is_null()), (INPUT, true));
        let number = |name: &str| header(name).parse::<i64>().expect("a number");
        let from = (number("mesh-source-partition"), number("mesh-source-offset"));
        assert_eq!(refused.insert(from, header("mesh-reason")), None, "{from:?} was quarantined twice");
    }
    assert_eq!(refused.len(), BAD);
    refused
}

/// The view holds exactly the input's good records, in order per partition, each masked as `mesh mask` masks it.
pub(super) fn assert_view_is_the_input_masked(
    world: &World,
    input: &[Value],
    refused: &BTreeMap<Place, String>,
    view: &str,
    topic: &str,
) {
    let good: Vec<&Value> = input.iter().filter(|record| !refused.contains_key(&place(record))).collect();
    let expected =
        by_partition(good.iter().zip(masked(world, &good, view)).map(|(record, payload)| (*record, payload)));
    let seen = read(world, topic);
    let seen = by_partition(seen.iter().map(|record| (record, datum(record).to_owned())));
    assert_eq!(seen.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (partition, expected) in &expected {
        let seen = &seen[partition];
        assert_eq!(seen.len(), expected.len(), "{topic} partition {partition}");
        for (at, (seen, expected)) in seen.iter().zip(expected).enumerate() {
            assert_eq!(seen, expected, "{topic} partition {partition}, record {at}");
        }
    }
}

/// (key, timestamp, Avro datum) of each record, in order, by partition.
fn by_partition<'a>(records: impl Iterator<Item = (&'a Value, String)>) -> BTreeMap<i64, Vec<(String, i64, String)>> {
    let mut partitions: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (record, payload) in records {
        let key = record["key"].as_str().expect("customers are keyed").to_owned();
        let timestamp = record["timestamp"].as_i64().expect("a number");
        partitions.entry(place(record).0).or_default().push((key, timestamp, payload));
    }
    partitions
}

/// The Avro datum, in hex, behind the wire format's five bytes.
fn datum(record: &Value) -> &str {
    &record["value"].as_str().expect("no tombstones here")[10..]
}

/// What `mesh mask`, with the same keys, makes of the records.
fn masked(world: &World, records: &[&Value], view: &str) -> Vec<String> {
    let schema: Value =
        serde_json::from_str(&world.tree.read("schemas/crm/customer.avsc")).expect("the schema is JSON");
    let lines = records
        .iter()
        .enumerate()
        .map(|(id, record)| format!("{}\n", json!({ "id": id, "schema": schema, "payload_hex": datum(record) })));
    let file = world.scratch(view);
    std::fs::write(&file, lines.collect::<String>()).expect("the folder is ours");
    let contract = world.tree.root().join("topics/crm/customers.yaml");
    let mut command = world.mesh(["mask", "--encoding", "hex", "--view", view]);
    let preview = crate::support::Finished::of(command.arg("--contract").arg(contract).arg("--in").arg(file)).expect(0);
    let payload = |line: Value| line["payload_hex"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
    preview.json_lines().into_iter().map(payload).collect()
}
