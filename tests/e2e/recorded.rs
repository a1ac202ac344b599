//! What is on record: every change of an apply, schemas that the registry refused; and how damage to the audit shows, of every kind.

use crate::support::{Finished, PATIENCE, Process, World, eventually, mesh};
use mesh_audit::{Event, HASH_HEADER, LINK_HEADER, Who};
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::log::{LogReader, LogWriter};
use mesh_kafka::{OutgoingRecord, Record};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

const FINDINGS: i32 = 1;
/// The entry that is damaged: one in the middle of the first apply's chain.
const VICTIM: usize = 5;

#[test]
fn who_changed_and_was_refused_what_is_on_record_and_damage_to_it_shows() {
    let world = World::start();
    an_apply_is_on_record_though_it_has_no_keys(&world);
    a_schema_that_is_refused_is_on_record(&world);
    whoever_masks_by_hand_with_the_keys_is_on_record(&world);
    a_notary_vouches_for_those_without_keys(&world);
    damage_of_every_kind_shows(&world);
}

fn query<const N: usize>(world: &World, more: [&str; N]) -> Vec<Value> {
    let mut command = world.mesh(["audit", "query", "--format", "json"]);
    Finished::of(command.args(more)).expect(0).json_lines()
}

/// A command of somebody who has no keys.
fn keyless<const N: usize>(world: &World, args: [&str; N]) -> Finished {
    let mut command = mesh(args);
    command.args(["--bootstrap-servers", world.bootstrap(), "--registry-url", &world.registry_url]);
    Finished::of(command.arg("--root").arg(world.tree.root()))
}

/// Every change, with who made it and why, and then that this is all.
fn an_apply_is_on_record_though_it_has_no_keys(world: &World) {
    let reason = "ticket 17: the first domains";
    let applied = keyless(world, ["apply", "--format", "json", "--reason", reason]).expect(0);
    let report: Value = serde_json::from_str(&applied.stdout).expect("one JSON object");
    let changes = report["changes"].as_array().expect("a list");
    let told = query(world, []);
    assert_eq!(told.len(), changes.len() + 1, "{told:?}");
    let of_it = |row: &Value| row["who"]["with"] == "mesh apply" && row["plan"] == told[0]["plan"];
    assert!(told.iter().all(of_it), "{told:?}");
    let (last, each) = told.split_last().expect("there are some");
    assert_eq!(last["event"], "apply-finished");
    assert!(each.iter().all(|row| row["why"] == reason), "{each:?}");
    let kinds: BTreeSet<&str> = each.iter().filter_map(|row| row["event"].as_str()).collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        [
            "cluster-changed",
            "compatibility-changed",
            "contract-applied",
            "domain-applied",
            "schema-registered",
            "topic-created"
        ]
    );
    let named: BTreeSet<&str> = each
        .iter()
        .filter_map(|row| ["topic", "subject", "domain", "cluster"].iter().find_map(|name| row[*name].as_str()))
        .collect();
    for change in changes.iter().filter(|change| change["kind"] != "product") {
        assert!(named.contains(change["name"].as_str().expect("a name")), "{change}");
    }
    let verified = world.run(["audit", "verify"]).expect(0).stdout;
    assert!(verified.ends_with("the audit is intact\n"), "{verified}");
    let unsealed = world.run(["audit", "verify", "--sealed"]).expect(FINDINGS).stdout;
    assert!(unsealed.contains("offset 0: no holder of the keys has sealed it"), "{unsealed}");
}

fn a_schema_that_is_refused_is_on_record(world: &World) {
    let url = format!("{}/subjects/crm.orders.v1.in-value/versions", world.registry_url);
    let runtime = Runtime::new().expect("threads can be started");
    let body = json!({ "schema": "\"long\"" }).to_string();
    let answer = runtime.block_on(reqwest::Client::new().post(url).body(body).send()).expect("the registry answers");
    assert_eq!(answer.status().as_u16(), 409);
    let refused = eventually("the refusal is on record", PATIENCE, || {
        query(world, ["--what", "schema-refused", "--product", "crm.orders@1"]).pop()
    });
    assert_eq!(
        (&refused["subject"], &refused["count"], &refused["code"], &refused["who"]["host"]),
        (&json!("crm.orders.v1.in-value"), &json!(1), &json!(409), &json!("127.0.0.1")),
        "{refused}"
    );
    assert!(refused["rules"].as_array().is_some_and(|rules| !rules.is_empty()), "{refused}");
    assert!(refused["why"].as_str().is_some_and(|why| why.contains("compatibility level")), "{refused}");
}

fn whoever_masks_by_hand_with_the_keys_is_on_record(world: &World) {
    let guess = format!("{}\n", json!({ "id": 1, "schema": "string", "payload_hex": "0261" }));
    let mut mask = world.mesh(["mask", "--encoding", "hex"]);
    Finished::given(mask.env("USER", "mallory"), &guess).expect(0);
    let told = query(world, ["--what", "masked-by-hand", "--principal", "mallory"]);
    assert_eq!((told.len(), &told[0]["view"]), (1, &json!("masked")), "{told:?}");
    // whoever names no cluster, is with a key that is thrown away none the wiser
    let keyless = Finished::given(&mut mesh(["mask", "--encoding", "hex"]), &guess).expect(0);
    assert!(!keyless.stderr.contains("on record"), "{}", keyless.stderr);
}

/// What neither the apply nor the registry could seal is sealed by the word of a notary that has keys.
fn a_notary_vouches_for_those_without_keys(world: &World) {
    world.tree.replace("topics/crm/orders.yaml", "One record per purchase", "A record per purchase");
    world.run(["apply"]).expect(0);
    let mut notary = Process::start(&mut world.mesh(["run", "audit", "--audit-interval", "1"]));
    let sealed = eventually("the notary vouches for all", PATIENCE, || {
        let sealed = world.run(["audit", "verify", "--sealed"]);
        (sealed.code == 0).then_some(sealed)
    });
    assert!(sealed.stdout.contains("entries have no seal of their own, and a notary's seal vouches for"), "{sealed:?}");
    notary.signal(Signal::TERM);
    assert_eq!(notary.wait(), 0, "{}", notary.stderr());
}

/// Copies of the audit, each damaged in its own way.
fn damage_of_every_kind_shows(world: &World) {
    let runtime = Runtime::new().expect("threads can be started");
    let whole = runtime.block_on(read(world));
    let head = world.run(["audit", "verify", "--format", "json"]).expect(0).json_lines().remove(0);
    let head = head["head"].as_str().expect("nothing is gone").to_owned();
    let copied = |kind: &str, records: &[Record], more: &[&str]| {
        let topic = format!("copy.{kind}");
        runtime.block_on(copy(world, &topic, records));
        Finished::of(world.mesh(["audit", "verify", "--topic", &topic]).args(more))
    };
    let intact = copied("whole", &whole, &["--sealed", "--head", &head]).expect(0).stdout;
    assert!(intact.ends_with("the audit is intact\n"), "{intact}");

    let value = |n: usize| String::from_utf8(whole[n].value.clone().expect("a value").to_vec()).expect("JSON");
    let with = |n: usize, change: &dyn Fn(&mut Record)| {
        let mut records = whole.clone();
        change(&mut records[n]);
        records
    };
    let changed = value(VICTIM).replace("mesh apply", "mesh alply").into_bytes();
    let rehashed = |record: &mut Record| {
        let link = record.header(LINK_HEADER).expect("it is in a chain").to_vec();
        let hash = mesh_audit::Digest::of_entry(&link, &changed).to_string();
        record.value = Some(changed.clone().into());
        let own = record.headers.iter_mut().find(|header| header.name == HASH_HEADER).expect("it has a hash");
        own.value = Some(hash.into());
    };
    let put_in = |record: Record| [&whole[..VICTIM], &[record], &whole[VICTIM..]].concat();
    let forged = Event::new("access-granted", &Who::acting_with("mesh apply")).with("rule", "User:mallory may Read it");
    let mut unchained = whole[VICTIM].clone();
    (unchained.value, unchained.headers) = (Some(forged.to_string().into()), Vec::new());
    let mut swapped = whole.clone();
    swapped.swap(VICTIM, VICTIM + 1);
    let moved =
        [&whole[..VICTIM], &whole[VICTIM + 1..VICTIM + 3], &whole[VICTIM..=VICTIM], &whole[VICTIM + 3..]].concat();
    let damaged: [(&str, Vec<Record>, &[&str]); 9] = [
        ("left-out", [&whole[..VICTIM], &whole[VICTIM + 1..]].concat(), &[]),
        ("changed", with(VICTIM, &|record| record.value = Some(changed.clone().into())), &[]),
        ("changed-with-its-hash", with(VICTIM, &rehashed), &[]),
        ("doubled", put_in(whole[VICTIM].clone()), &[]),
        ("swapped", swapped, &[]),
        ("moved", moved, &[]),
        ("put-in", put_in(unchained), &[]),
        ("put-in-as-a-chain", put_in(runtime.block_on(chain_of_ones_own(&whole, &forged))), &[]),
        ("cut-off", whole[..whole.len() - 1].to_vec(), &["--head", &head]),
    ];
    let told: Vec<String> = damaged
        .iter()
        .map(|(kind, records, more)| format!("{kind}\n{}", said(&copied(kind, records, more).expect(FINDINGS).stdout)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// An entry in a chain of its own, that names the newest entry there, as anybody may write one.
async fn chain_of_ones_own(whole: &[Record], event: &Event) -> Record {
    let seen = whole[VICTIM - 1].header(HASH_HEADER).expect("it has a hash");
    let seen = std::str::from_utf8(seen).expect("digits").parse().expect("a digest");
    let (entry, _) = mesh_audit::Chain::begin(None, Some(seen)).entry(event, true).expect("no key is needed");
    Record { value: entry.value, headers: entry.headers, ..whole[VICTIM].clone() }
}

async fn read(world: &World) -> Vec<Record> {
    let mut records = Vec::new();
    let mut log = LogReader::open(&world.settings(), AUDIT_TOPIC).await.expect("Kafka answers");
    log.read_to_end(|record| records.push(record)).await.expect("Kafka answers");
    records
}

async fn copy(world: &World, topic: &str, records: &[Record]) {
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    admin.create_topics(&[TopicSpec::new(topic).partitions(1)]).await.expect("Kafka answers");
    let copied = records.iter().map(|record| OutgoingRecord {
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record.headers.clone(),
        ..OutgoingRecord::to(topic).partition(0)
    });
    LogWriter::new(&world.settings()).expect("the settings are right").append_all(copied).await.expect("Kafka answers");
}

/// What is wrong, without what another run has otherwise: names of chains, hashes, and where the notary's words stand.
fn said(stdout: &str) -> String {
    let is_said = |line: &&str| ["offset", "the end", "the audit"].iter().any(|begin| line.starts_with(begin));
    let plain = |word: &str| {
        let (bare, end) = word.split_at(word.trim_end_matches(':').len());
        let is_hex = bare.len() >= 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_far = bare.parse::<usize>().is_ok_and(|number| number > VICTIM + 10);
        match (bare.len(), is_hex, is_far) {
            (32, true, _) => format!("CHAIN{end}"),
            (_, true, _) => format!("HASH{end}"),
            (_, _, true) => format!("LATER{end}"),
            _ => word.to_owned(),
        }
    };
    let lines = stdout.lines().filter(is_said);
    lines.map(|line| format!("  {}\n", line.split(' ').map(plain).collect::<Vec<_>>().join(" "))).collect()
}
