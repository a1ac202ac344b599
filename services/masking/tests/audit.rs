//! What was masked is told on `mesh.audit`: each record in one range of offsets, whoever has processed it.
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, dead_code)]
mod bed;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bed::{Bed, DEADLINE, HASH, PARTITIONS, Product, REDACT, schema};
use mesh_contract::{AppliedProduct, topic::AUDIT_TOPIC};
use mesh_kafka::{
    OutgoingRecord,
    admin::{Admin, TopicSpec},
    consumer::{Consumer, Start},
};
use mesh_masking::audit::{Outcome, Question, Span, Verdict, ask};
use serde_json::{Value, json};

const ROUND: i64 = 3_000;
/// Of each round.
const BAD: i64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_told_once_through_takeovers_and_a_new_revision() {
    let bed = Bed::start().await;
    Admin::new(&bed.settings).unwrap().create_topics(&[TopicSpec::new(AUDIT_TOPIC).partitions(1)]).await.unwrap();
    let product = bed.product("audited").await;
    let replica = |name: &str, interval: Duration| {
        let mut config = bed.config();
        config.replica = name.to_owned();
        config.batch.records_max = 200;
        config.audit_interval = interval;
        bed.sidecar(config)
    };
    // the first never tells: what it has counted rides on with the offsets
    let first = replica("first", Duration::from_secs(3_600));
    round(&bed, &product, 0).await;
    bed.wait_for(&product.masked(), usize::try_from(ROUND).unwrap()).await;
    assert_eq!(bed.read(AUDIT_TOPIC).await.len(), 0);
    first.stop().await;
    let second = replica("second", Duration::from_millis(100));
    // nothing moves any more, and yet it is told
    assert_eq!(told(&bed, &product, ROUND + BAD).await, BTreeMap::from([(1, ROUND + BAD)]));

    bed.apply(&product, REDACT, 2).await;
    round(&bed, &product, ROUND).await;
    let by_revision = told(&bed, &product, 2 * (ROUND + BAD)).await;
    second.stop().await;
    assert_eq!(by_revision.values().sum::<i64>(), 2 * (ROUND + BAD));
    assert!(by_revision[&1] >= ROUND + BAD && by_revision[&2] > 0, "{by_revision:?}");
    let events = events(&bed, &product).await;
    assert_gapless(&events);
    assert_rules(&events);
    assert_answers(&bed, &product).await;
    bed.stop().await;
}

/// What `mesh audit masked` says of it all.
async fn assert_answers(bed: &Bed, product: &Product) {
    let applied =
        AppliedProduct { revision: 2, applied_at_ms: 0, contract: product.contract(REDACT), schema: schema() };
    let question = |view: &str, from_ms: i64| Question {
        product: Arc::new(applied.clone()),
        view: view.to_owned(),
        column: Some("email".to_owned()),
        span: Span { from_ms, to_ms: i64::MAX },
    };
    let masked = ask(&bed.settings, &question("masked", 0)).await.unwrap();
    assert_eq!((masked.verdict, masked.gaps), (Verdict::Yes, Vec::new()), "{:?}", masked.lines);
    assert_eq!(masked.records, u64::try_from(2 * (ROUND + BAD)).unwrap());
    assert_eq!(masked.quarantined.values().sum::<u64>(), u64::try_from(2 * BAD).unwrap());
    let rules: BTreeSet<Outcome> = masked.lines.iter().map(|line| line.outcome.clone()).collect();
    assert_eq!(rules, [HASH, REDACT].map(|rule| Outcome::Masked(rule.to_owned())).into());
    assert!(masked.lines.iter().all(|line| line.key_versions == BTreeSet::from([1])), "{:?}", masked.lines);
    assert_eq!(ask(&bed.settings, &question("stewards", 0)).await.unwrap().verdict, Verdict::No);
    let later = ask(&bed.settings, &question("masked", i64::MAX - 1)).await.unwrap();
    assert_eq!((later.verdict, later.records), (Verdict::NoRecords, 0));
    // what nobody tells of: records that were skipped by hand
    bed.buyers(product, 0..i64::from(PARTITIONS)).await;
    skip_to_the_end(bed, product).await;
    let skipped = ask(&bed.settings, &question("masked", 0)).await.unwrap();
    assert_eq!((skipped.verdict, skipped.gaps.len()), (Verdict::NotKnown, PARTITIONS as usize), "{:?}", skipped.gaps);
}

/// Commits the input's end for the sidecars' group, as somebody does who resets offsets.
async fn skip_to_the_end(bed: &Bed, product: &Product) {
    let ends = Admin::new(&bed.settings).unwrap().end_offsets(&[&product.input()]).await.unwrap();
    let mut consumer = Consumer::join(&bed.settings, "mesh.masking.shop", &product.input(), Start::End).unwrap();
    // it has joined once it sees the end
    assert!(consumer.next_until_end().await.unwrap().is_none_or(|record| record.offset >= 0));
    consumer.commit(&ends).await.unwrap();
    consumer.close().await;
}

async fn round(bed: &Bed, product: &Product, from: i64) {
    bed.buyers(product, from..from + ROUND).await;
    for number in 0..BAD {
        let partition = i32::try_from(number).unwrap() % PARTITIONS;
        bed.send(OutgoingRecord::to(product.input()).key("b").partition(partition).value("not avro")).await;
    }
}

async fn events(bed: &Bed, product: &Product) -> Vec<Value> {
    let records = bed.read(AUDIT_TOPIC).await;
    let events =
        records.iter().map(|record| serde_json::from_slice::<Value>(record.value.as_deref().unwrap()).unwrap());
    events.filter(|event| event["product"] == format!("shop.{}", product.name)).collect()
}

/// How many records were told of, by revision, once there are so many in all.
async fn told(bed: &Bed, product: &Product, count: i64) -> BTreeMap<i64, i64> {
    let started = Instant::now();
    loop {
        let mut by_revision = BTreeMap::new();
        for event in events(bed, product).await {
            *by_revision.entry(event["revision"].as_i64().unwrap()).or_default() += event["records"].as_i64().unwrap();
        }
        if by_revision.values().sum::<i64>() >= count {
            return by_revision;
        }
        assert!(started.elapsed() < DEADLINE, "told of {by_revision:?}, not of {count}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One range after the other, and as many records as the range is long: the input has no markers and no holes.
fn assert_gapless(events: &[Value]) {
    for partition in 0..PARTITIONS {
        let mut next = 0;
        for event in events.iter().filter(|event| event["partition"] == partition) {
            let at = |end: &str| event["source_offsets"][end].as_i64().unwrap();
            assert_eq!(at("first"), next, "{event}");
            next = at("last") + 1;
            assert_eq!(event["records"], next - at("first"), "{event}");
        }
        assert!(next > 0, "nothing of partition {partition}");
    }
}

fn assert_rules(events: &[Value]) {
    let quarantined: i64 = events.iter().filter_map(|event| event["quarantined"]["wire-magic"].as_i64()).sum();
    assert_eq!(quarantined, 2 * BAD);
    for event in events {
        let rule = if event["revision"] == 1 { HASH } else { REDACT };
        let refused = event["quarantined"]["wire-magic"].as_i64().unwrap_or(0);
        let records = event["records"].as_i64().unwrap() - refused;
        let expected = json!([
            {"view": "masked", "records": records, "masked": {"email": rule}},
            {"view": "stewards", "records": records, "masked": {}},
        ]);
        // an old revision's rules may not be known any more to whoever tells
        assert!(event["views"] == expected || (event["revision"] == 1 && event["views"].is_null()), "{event}");
        assert_eq!(event["keys"], json!({"1": event["records"]}));
        let by_schema: i64 = event["schemas"].as_object().unwrap().values().map(|count| count.as_i64().unwrap()).sum();
        assert_eq!(by_schema, records);
    }
}
