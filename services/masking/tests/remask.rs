//! Contracts at run time, on a real Kafka: a rule changes at one offset of each partition, whatever moves meanwhile, and the past
//! is rewritten when it is asked for.
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, dead_code)]
mod bed;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use bed::{Bed, DEADLINE, HASH, PARTITIONS, Product, REDACT, Sidecar, assert_all, keys, read_buyer, schema};
use mesh_contract::{AppliedProduct, topic::AUDIT_TOPIC};
use mesh_kafka::{
    OutgoingRecord, Record, TopicPartition,
    admin::{Admin, TopicSpec},
};
use mesh_masking::{
    quarantine::Entry,
    remask,
    replay::{self, ReplayError, Selection},
};
use serde_json::Value;

/// Rules that can be told from what they make of an e-mail address, in the order of their revisions.
const RULES: [&str; 5] = [HASH, REDACT, "{ keep_last: 4 }", "{ truncate: 3 }", "{ hash: 20 }"];

/// One Kafka for all of these; each has products of its own.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let bed = Bed::start().await;
    admin(&bed).create_topics(&[TopicSpec::new(AUDIT_TOPIC).partitions(1)]).await.unwrap();
    a_rule_changes_under_load_while_partitions_move(&bed).await;
    the_past_is_rewritten_under_load_while_partitions_move(&bed).await;
    outputs_that_cannot_be_emptied_are_left_as_they_are(&bed).await;
    bed.stop().await;
}

fn admin(bed: &Bed) -> Admin {
    Admin::new(&bed.settings).unwrap()
}

fn replica(bed: &Bed, name: &str) -> Sidecar {
    let mut config = bed.config();
    config.replica = name.to_owned();
    config.tasks = 2;
    // many transactions, so that whatever happens does so in the middle
    config.batch.records_max = 60;
    bed.sidecar(config)
}

/// The revision that a record was masked under.
fn revision_of(record: &Record) -> usize {
    let shown = read_buyer(record.value.as_deref().unwrap()).1;
    match (shown.as_str(), shown.len()) {
        ("***", _) => 2,
        ("buy", _) => 4,
        (_, 64) => 1,
        _ if shown.starts_with('*') => 3,
        (_, 20) => 5,
        (shown, _) => panic!("{shown} was masked by no rule of these"),
    }
}

async fn a_rule_changes_under_load_while_partitions_move(bed: &Bed) {
    let product = bed.product("ruled").await;
    let is_over = AtomicBool::new(false);
    let loading = async {
        let mut sent = 0;
        while !is_over.load(Ordering::Relaxed) {
            bed.buyers(&product, sent..sent + 60).await;
            sent += 60;
        }
        sent
    };
    let moving = async {
        let mut replicas = vec![replica(bed, "one"), replica(bed, "two")];
        until_in_force(bed, &product, 1).await;
        for (revision, name) in (2..).zip(["three", "one", "two", "three"]) {
            replicas.push(replica(bed, name));
            bed.apply(&product, RULES[revision - 1], revision as u64).await;
            replicas.remove(0).stop().await;
            until_in_force(bed, &product, revision).await;
        }
        is_over.store(true, Ordering::Relaxed);
        replicas
    };
    let (sent, replicas) = tokio::join!(loading, moving);
    let records = bed.wait_for(&product.masked(), usize::try_from(sent).unwrap()).await;
    assert_all(&records, 0..sent);
    assert_all(&bed.wait_for(&product.stewards(), usize::try_from(sent).unwrap()).await, 0..sent);
    for replica in replicas {
        replica.stop().await;
    }
    for partition in 0..PARTITIONS {
        let own: Vec<usize> = records.iter().filter(|record| record.partition == partition).map(revision_of).collect();
        let runs: Vec<(usize, usize)> =
            own.chunk_by(|one, other| one == other).map(|run| (run[0], run.len())).collect();
        let revisions: Vec<usize> = runs.iter().map(|(revision, _)| *revision).collect();
        assert_eq!(
            revisions,
            [1, 2, 3, 4, 5],
            "partition {partition} changes its rule at other than one offset: {runs:?}"
        );
    }
}

/// Waits until the newest record of each partition was masked under this revision.
async fn until_in_force(bed: &Bed, product: &Product, revision: usize) {
    let started = Instant::now();
    loop {
        let records = bed.read(&product.masked()).await;
        let newest = |own: i32| records.iter().rfind(|record| record.partition == own).map(revision_of);
        if (0..PARTITIONS).all(|own| newest(own) == Some(revision)) {
            return;
        }
        assert!(started.elapsed() < DEADLINE, "revision {revision} is not in force everywhere");
    }
}

async fn the_past_is_rewritten_under_load_while_partitions_move(bed: &Bed) {
    let product = bed.product("rewritten").await;
    let mut sidecar = replica(bed, "one");
    bed.buyers(&product, 0..9_000).await;
    bed.send(OutgoingRecord::to(product.input()).key("x").partition(0).value("not avro")).await;
    bed.wait_for(&product.masked(), 9_000).await;
    bed.apply(&product, REDACT, 2).await;
    let applied = applied(&product, REDACT, 2);
    assert_eq!(remask::request(&bed.settings, &admin(bed), &applied).await.unwrap(), 2);
    // owners change in the middle, and again
    for (round, name) in (0..).zip(["two", "three", "one"]) {
        let next = replica(bed, name);
        bed.buyers(&product, 9_000 + round * 1_000..10_000 + round * 1_000).await;
        sidecar.stop().await;
        sidecar = next;
    }
    until_remasked(bed, &applied, 2).await;
    for topic in [product.masked(), product.stewards()] {
        assert_all(&bed.wait_for(&topic, 12_000).await, 0..12_000);
    }
    let masked = bed.read(&product.masked()).await;
    assert!(masked.iter().all(|record| revision_of(record) == 2), "a record of the first generation is left");
    assert_told(bed, &product, &masked).await;

    // refused once in each generation; the later one stands for both
    let refused = bed.wait_for(&product.quarantine(), 2).await;
    let generations: Vec<(u64, i64)> =
        refused.iter().map(Entry::of).map(|entry| (entry.generation, entry.source_offset)).collect();
    assert_eq!(generations, [(1, 3_000), (2, 3_000)]);
    let config = replay::Config {
        kafka: bed.settings.clone(),
        registry: bed.registry_url.as_str().into(),
        keys: keys(),
        product: std::sync::Arc::new(applied.clone()),
    };
    let report = replay::run(&config, &Selection::default(), |_| ()).await.unwrap();
    assert_eq!((report.superseded, report.replayed, report.refused["wire-magic"]), (1, 0, 1));

    // asked for again while nobody works: nothing is replayed meanwhile, and the next owner does it
    sidecar.stop().await;
    assert_eq!(remask::request(&bed.settings, &admin(bed), &applied).await.unwrap(), 3);
    assert_eq!(remask::request(&bed.settings, &admin(bed), &applied).await.unwrap(), 4);
    let sidecar = replica(bed, "two");
    until_remasked(bed, &applied, 4).await;
    assert!(matches!(replay::run(&config, &Selection::default(), |_| ()).await, Ok(_) | Err(ReplayError::Remasking)));
    assert_all(&bed.wait_for(&product.masked(), 12_000).await, 0..12_000);
    sidecar.stop().await;
}

fn applied(product: &Product, mask: &str, revision: u64) -> AppliedProduct {
    AppliedProduct { revision, applied_at_ms: 0, contract: product.contract(mask), schema: schema() }
}

async fn until_remasked(bed: &Bed, product: &AppliedProduct, generation: u64) {
    let (admin, started) = (admin(bed), Instant::now());
    loop {
        let standings = remask::standings(&admin, product).await.unwrap();
        if standings.values().all(|found| found.generation == generation && !found.is_emptying) {
            return;
        }
        assert!(started.elapsed() < DEADLINE, "{standings:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One event for each partition says where its new generation begins, in every view.
async fn assert_told(bed: &Bed, product: &Product, masked: &[Record]) {
    let events = bed.read(AUDIT_TOPIC).await;
    let events = events.iter().map(|record| serde_json::from_slice::<Value>(record.value.as_deref().unwrap()).unwrap());
    let name = format!("shop.{}", product.name);
    let told: Vec<Value> =
        events.filter(|event| event["event"] == "outputs-remasked" && event["product"] == name.as_str()).collect();
    let partitions: BTreeSet<i64> = told.iter().map(|event| event["partition"].as_i64().unwrap()).collect();
    assert_eq!((told.len(), partitions), (3, (0..i64::from(PARTITIONS)).collect()));
    let starts = admin(bed).start_offsets(&[&product.masked()]).await.unwrap();
    for event in &told {
        assert_eq!(
            (&event["generation"], &event["revision"], &event["source_offset"]),
            (&2.into(), &2.into(), &0.into())
        );
        let partition = i32::try_from(event["partition"].as_i64().unwrap()).unwrap();
        let first = event["outputs"][0]["first_offset"].as_i64().unwrap();
        assert_eq!(first, starts[&TopicPartition::new(product.masked(), partition)]);
        assert!(first >= 3_000 && masked.iter().all(|record| record.partition != partition || record.offset >= first));
    }
}

/// Kafka deletes nothing of a topic that is only compacted: the partitions wait, and go on once that is mended.
async fn outputs_that_cannot_be_emptied_are_left_as_they_are(bed: &Bed) {
    let product = Product::new("kept");
    let compacted = [("cleanup.policy", "compact")];
    let topics = product.contract(HASH).topics();
    bed.create([topics.input.clone(), topics.quarantine.clone()], &[]).await;
    bed.create([product.masked(), product.stewards()], &compacted).await;
    bed.apply(&product, HASH, 1).await;
    let product = Product { id: bed.register(&product.subject(), &schema()).await, ..product };
    let sidecar = replica(bed, "one");
    bed.buyers(&product, 0..30).await;
    bed.wait_for(&product.masked(), 30).await;
    let applied = applied(&product, HASH, 1);
    remask::request(&bed.settings, &admin(bed), &applied).await.unwrap();
    sidecar.until_held_by("remask-refused").await;
    bed.buyers(&product, 30..60).await;
    assert_eq!(bed.read(&product.masked()).await.len(), 30, "held, and nothing is lost");
    let mended: BTreeMap<String, String> = [("cleanup.policy", "compact,delete"), ("retention.ms", "-1")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    for topic in [product.masked(), product.stewards()] {
        admin(bed).replace_config(&topic, &mended).await.unwrap();
    }
    until_remasked(bed, &applied, 2).await;
    assert_all(&bed.wait_for(&product.masked(), 60).await, 0..60);
    sidecar.until_nothing_is_held().await;
    sidecar.stop().await;
}
