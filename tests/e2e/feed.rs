//! Version 1 of a product goes on while its domain publishes version 2 alone.

use crate::accounted::read;
use crate::support::{PATIENCE, Process, Tree, World, eventually};
use mesh_kafka::OutgoingRecord;
use mesh_kafka::producer::Producer;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use tokio::runtime::Runtime;

const OLD: &str = "shop.buyers.v1.in";
const NEW: &str = "shop.buyers.v2.in";
const QUARANTINE: &str = "shop.buyers.v1.quarantine";
const KILLS: usize = 2;
/// Records before each kill, and after the last.
const FURTHER: usize = 1_500;
const DELETED: usize = 20;
const FINDINGS: i32 = 1;

#[test]
fn version_2_feeds_version_1_once_and_in_order_through_kill_9() {
    let world = World::start();
    declare(&world.tree);
    is_checked(&world);
    world.run(["apply"]).expect(0);
    for kill in 0..KILLS {
        publish(&world, kill * FURTHER..(kill + 1) * FURTHER);
        let before = world.extent(OLD);
        let mut feed = start(&world, "feed");
        eventually("the feed writes", PATIENCE, || (world.extent(OLD) > before).then_some(()));
        feed.kill();
    }
    publish(&world, KILLS * FURTHER..(KILLS + 1) * FURTHER);
    delete(&world);
    let others = publish_others(&world);
    let mut feed = start(&world, "feed");
    let _sidecar = start(&world, "masking");
    let published = (KILLS + 1) * FURTHER + DELETED + others.good;
    eventually("all of it is fed", PATIENCE, || {
        let seen = (count(&world, OLD), count(&world, QUARANTINE));
        if seen == (published, others.refused.len()) { Ok(()) } else { Err(seen) }
    });

    is_the_other_version_converted(&world, &others);
    is_quarantined(&world, &others);
    is_counted(&mut feed, published, &others);
    is_seen_masked(&world);
    feed.signal(Signal::TERM);
    assert_eq!(feed.wait(), 0, "{}", feed.stderr());
    is_in_lineage(&world);
    let refused = world.run(["retire", "shop.buyers@2", "--early", "--yes"]).expect(FINDINGS);
    assert!(refused.stderr.contains("shop.buyers@1 is fed by it"), "{}", refused.stderr);
}

/// Two versions, the second with other fields, in another order, of other types.
pub(super) fn declare(tree: &Tree) {
    std::fs::create_dir_all(tree.root().join("topics/shop")).expect("the folder is ours");
    std::fs::create_dir_all(tree.root().join("schemas/shop")).expect("the folder is ours");
    let domain = "domain: shop\ndescription: Who buys.\nteam: { name: Shop, contact: shop@example.org }\n\
                  producers: [User:shop-service]\n";
    tree.write("topics/shop/domain.yaml", domain);
    let contract = |version: u32, column: &str, more: &str| {
        format!(
            "unique_id: 0c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: {version}\n\
             description: Who buys.\nschema: schemas/shop/buyer{version}.avsc\nkey: id\nrefresh_rate: hour\nhistory: 2 days\n\
             sensitive_columns: [{{ column: {column}, class: pii.contact }}]\naccess_group: analysts\npartitions: 3\n{more}"
        )
    };
    tree.write("topics/shop/buyers.yaml", &contract(1, "email", "fed_by: 2\n"));
    tree.write("topics/shop/buyers@2.yaml", &contract(2, "mail", ""));
    tree.write("schemas/shop/buyer1.avsc", &old_schema("long").to_string());
    tree.write("schemas/shop/buyer2.avsc", &new_schema(&json!("int")).to_string());
}

/// What version 1 could not read is found before anything is applied.
fn is_checked(world: &World) {
    world.tree.write("schemas/shop/buyer1.avsc", &old_schema("boolean").to_string());
    let refused = world.run(["check"]).expect(FINDINGS);
    assert!(refused.stdout.contains("feed-incompatible: `shop.buyers@2` cannot feed"), "{}", refused.stdout);
    world.tree.write("schemas/shop/buyer1.avsc", &old_schema("long").to_string());
    world.run(["check"]).expect(0);
}

fn old_schema(points: &str) -> Value {
    let plan = json!({"type": "enum", "name": "Plan", "symbols": ["PAID", "FREE"], "default": "FREE"});
    record(json!([
        {"name": "id", "type": "string"},
        {"name": "plan", "type": plan},
        {"name": "points", "type": points},
        {"name": "email", "aliases": ["mail"], "type": ["null", "string"], "default": null},
        {"name": "note", "type": "string", "default": "none"},
    ]))
}

fn record(fields: Value) -> Value {
    json!({"type": "record", "name": "Buyer", "namespace": "shop", "fields": fields})
}

fn new_schema(points: &Value) -> Value {
    record(json!([
        {"name": "mail", "type": ["null", "string"], "default": null},
        {"name": "id", "type": "string"},
        {"name": "points", "type": points},
        {"name": "plan", "type": {"type": "enum", "name": "Plan", "symbols": ["FREE", "PAID", "VIP"]}},
    ]))
}

fn start(world: &World, service: &str) -> Process {
    let args = ["run", service, "--domain", "shop", "--batch-records", "200", "--lineage-interval", "1"];
    Process::start(world.mesh(args).args(["--format", "json"]))
}

fn id(number: usize) -> String {
    format!("B{number:05}")
}

fn mail(number: usize) -> Option<String> {
    (!number.is_multiple_of(3)).then(|| format!("b{number}@example.org"))
}

fn publish(world: &World, numbers: Range<usize>) {
    let line = |number| {
        let plan = ["FREE", "PAID", "VIP"][number % 3];
        json!({"mail": mail(number), "id": id(number), "points": number, "plan": plan}).to_string()
    };
    publish_lines(world, numbers.map(line));
}

fn delete(world: &World) {
    publish_lines(world, (0..DELETED).map(|number| json!({"key": id(number), "value": null}).to_string()));
}

fn publish_lines(world: &World, lines: impl Iterator<Item = String>) {
    let file = world.scratch("buyers.jsonl");
    let text = lines.fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").expect("a String takes what it is given");
        text
    });
    std::fs::write(&file, text).expect("the folder is ours");
    world.run(["publish", "shop.buyers@2", file.to_str().expect("temporary folders are UTF-8")]).expect(0);
}

/// What a client writes with a schema that is newer than the contract's: some of it version 1 has no place for.
struct Others {
    good: usize,
    /// The reasons, with how many records each is of.
    refused: BTreeMap<&'static str, usize>,
}

fn publish_others(world: &World) -> Others {
    let runtime = Runtime::new().expect("threads can be started");
    let producer = Producer::new(&world.settings()).expect("the settings are right");
    let newer = runtime.block_on(register(world, &new_schema(&json!(["int", "string"]))));
    let datum = |number: usize, points: &[u8]| [&[0][..], &text(&id(number)), points, &[0]].concat();
    let framed = |datum: Vec<u8>| [&[0][..], &newer.to_be_bytes(), &datum].concat();
    let send = |number: usize, value: Vec<u8>| {
        let record = OutgoingRecord::to(NEW).key(id(number).into_bytes()).value(value).header("x-origin", "a till");
        runtime.block_on(async { producer.send(record).await?.await }).expect("Kafka takes it");
    };
    send(90_000, framed(datum(90_000, &[&[0][..], &long(90_000)].concat())));
    send(90_001, framed(datum(90_001, &[&[2][..], &text("many")].concat())));
    send(90_002, b"plain text".to_vec());
    Others { good: 1, refused: BTreeMap::from([("not-convertible", 1), ("wire-magic", 1)]) }
}

async fn register(world: &World, schema: &Value) -> u32 {
    let url = format!("{}/subjects/{NEW}-value/versions", world.registry_url);
    let asked = reqwest::Client::new().post(url).json(&json!({"schema": schema.to_string()})).send().await;
    let answer: Value = asked.expect("the registry answers").json().await.expect("JSON");
    u32::try_from(answer["id"].as_u64().unwrap_or_else(|| panic!("{answer}"))).expect("an id")
}

fn long(number: usize) -> Vec<u8> {
    let mut rest = number << 1;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [long(text.len()), text.as_bytes().to_vec()].concat()
}

/// Version 1's datum of a number, by hand: the default for a plan that it does not know, and for a note that nobody writes.
fn expected(number: usize) -> Vec<u8> {
    let plan = if number < 90_000 && number % 3 == 1 { 0 } else { 1 };
    let mail = mail(number).filter(|_| number < 90_000);
    let mail = mail.map_or(vec![0], |mail| [vec![2], text(&mail)].concat());
    [text(&id(number)), long(plan), long(number), mail, text("none")].concat()
}

fn count(world: &World, topic: &str) -> usize {
    // transaction markers make the extent larger than the count: it only says when counting is worth it
    if world.extent(topic) == 0 { 0 } else { read(world, topic).len() }
}

type ByPartition = BTreeMap<i64, Vec<Value>>;

/// What stays as it is: key, timestamp, headers and whether it is a delete, in order by partition.
fn kept(records: &[Value], refused: &[String]) -> ByPartition {
    let mut kept = ByPartition::new();
    for record in records.iter().filter(|record| !refused.iter().any(|key| record["key"] == key.as_str())) {
        let partition = record["partition"].as_i64().expect("a number");
        let what = json!([record["key"], record["timestamp"], record["headers"], record["value"].is_null()]);
        kept.entry(partition).or_default().push(what);
    }
    kept
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_the_other_version_converted(world: &World, others: &Others) {
    let (old, new) = (read(world, OLD), read(world, NEW));
    let refused: Vec<String> = [90_001, 90_002].map(|number| hex(id(number).as_bytes())).into();
    assert_eq!(new.len(), old.len() + others.refused.len());
    assert_eq!(kept(&old, &[]), kept(&new, &refused));
    assert_eq!(kept(&old, &[]).len(), 3, "all partitions are used");
    let numbers = (0..(KILLS + 1) * FURTHER).chain([90_000]);
    let expected: BTreeMap<String, String> =
        numbers.map(|number| (hex(id(number).as_bytes()), hex(&expected(number)))).collect();
    for record in old.iter().filter(|record| !record["value"].is_null()) {
        let (key, value) = (record["key"].as_str().expect("a key"), record["value"].as_str().expect("hex"));
        // after the magic byte and the id of the contract's own schema
        assert_eq!(value[10..], expected[key], "{record}");
    }
}

fn is_quarantined(world: &World, others: &Others) {
    let mut reasons = BTreeMap::new();
    for record in read(world, QUARANTINE) {
        let header =
            |name: &str| record["headers"][name].as_str().unwrap_or_else(|| panic!("{name}: {record}")).to_owned();
        assert_eq!((header("mesh-source-topic").as_str(), header("mesh-major").as_str()), (NEW, "1"), "{record}");
        *reasons.entry(header("mesh-reason")).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, usize> =
        others.refused.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect();
    assert_eq!(reasons, expected);
}

fn is_counted(feed: &mut Process, published: usize, others: &Others) {
    let line = feed.line("the feed says where it listens", |line| line.contains("http_url"));
    let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
    let url = format!("{}/metrics", said["http_url"].as_str().expect("an address"));
    let page =
        Runtime::new().expect("threads can be started").block_on(async { reqwest::get(&url).await?.text().await });
    let page = page.expect("it serves metrics");
    let of = |metric: &str| page.lines().find_map(|line| line.strip_prefix(metric)?.trim().parse::<usize>().ok());
    let quarantined = of(r#"mesh_feed_quarantined_total{product="shop.buyers",reason="not-convertible"}"#);
    assert_eq!(quarantined, Some(others.refused["not-convertible"]), "{page}");
    let out = of(r#"mesh_feed_records_out_total{product="shop.buyers"}"#);
    assert!(out.is_some_and(|out| out > 0 && out <= published), "{page}");
}

/// Version 1's readers see version 1, masked by its own contract.
fn is_seen_masked(world: &World) {
    let good = (KILLS + 1) * FURTHER + 1;
    let events = eventually("the view has all of it", PATIENCE, || {
        let rows = world.run(["subscribe", "shop.buyers@1", "--until-end"]).expect(0).json_lines();
        let upserts: Vec<Value> = rows.into_iter().filter(|row| !row["value"].is_null()).collect();
        if upserts.len() == good { Ok(upserts) } else { Err(upserts.len()) }
    });
    let shown = events.iter().find(|event| event["value"]["id"] == "B00004").expect("it is there");
    let email = shown["value"]["email"].as_str().expect("a hash");
    assert!(!email.contains('@') && shown["value"]["note"] == "none" && shown["value"]["plan"] == "PAID", "{shown}");
}

fn is_in_lineage(world: &World) {
    let events: Vec<Value> = read(world, "mesh.lineage")
        .iter()
        .filter_map(|record| {
            let value = record["value"].as_str()?;
            let bytes: Option<Vec<u8>> =
                (0..value.len()).step_by(2).map(|at| u8::from_str_radix(value.get(at..at + 2)?, 16).ok()).collect();
            serde_json::from_slice(&bytes?).ok()
        })
        .filter(|event: &Value| event["job"]["name"] == "feed.shop.buyers.v1")
        .collect();
    assert!(events.iter().any(|event| event["eventType"] == "COMPLETE"), "{events:?}");
    let moves = |event: &&Value| event["inputs"][0]["name"] == NEW;
    let event = events.iter().find(moves).unwrap_or_else(|| panic!("{events:?}"));
    let outputs = event["outputs"].as_array().expect("a list");
    let fed = outputs.iter().find(|output| output["name"] == OLD).unwrap_or_else(|| panic!("{event}"));
    let origin = &fed["facets"]["columnLineage"]["fields"]["email"]["inputFields"][0];
    assert_eq!((&origin["name"], &origin["field"]), (&NEW.into(), &"mail".into()), "{fed}");
}
