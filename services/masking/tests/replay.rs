//! Quarantined records let through after all, on a real Kafka: each once, masked as of now, never backwards.
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, dead_code)]
mod bed;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use bed::{Bed, HASH, PARTITIONS, Product, REDACT, email, framed, keys, read_buyer, schema};
use mesh_contract::{AppliedProduct, topic::AUDIT_TOPIC};
use mesh_kafka::{
    Record,
    admin::{Admin, TopicSpec},
};
use mesh_masking::{
    quarantine::{Marker, Outcome},
    replay::{self, Config, ReplayError, Report, Selection},
};
use serde_json::{Value, json};

/// One Kafka for all of these; each has products of its own.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let bed = Bed::start().await;
    Admin::new(&bed.settings).unwrap().create_topics(&[TopicSpec::new(AUDIT_TOPIC).partitions(1)]).await.unwrap();
    mended_records_are_let_through_once(&bed).await;
    a_newer_record_is_never_undone(&bed).await;
    two_replays_at_a_time_double_nothing(&bed).await;
    what_the_input_has_lost_is_not_brought_back(&bed).await;
    bed.stop().await;
}

/// A writer whose schema is registered elsewhere: its records are refused until somebody mends that.
struct Stray {
    product: Product,
    schema: Value,
    id: u32,
}

impl Stray {
    async fn of(bed: &Bed, product: &Product) -> Self {
        let mut schema = schema();
        schema["fields"].as_array_mut().unwrap().push(json!({"name": product.name, "type": "long", "default": 0}));
        let id = bed.register(&format!("shop.{}.elsewhere-value", product.name), &schema).await;
        Stray { product: product.clone(), schema, id }
    }

    /// Sends buyers whose ids are of so many, as records that are refused.
    async fn send(&self, bed: &Bed, numbers: std::ops::Range<i64>, ids: i64) {
        for number in numbers {
            drop(bed.producer.send(buyer(&self.product, self.id, number, ids, &[0])).await.unwrap());
        }
        bed.producer.flush(bed::DEADLINE).await.unwrap();
    }

    async fn mend(&self, bed: &Bed) {
        assert_eq!(bed.register(&self.product.subject(), &self.schema).await, self.id);
    }
}

/// A buyer whose id is one of so many: the number tells its versions apart.
fn buyer(product: &Product, id: u32, number: i64, ids: i64, tail: &[u8]) -> mesh_kafka::OutgoingRecord {
    let own = number % ids;
    let mut value = Vec::new();
    bed::string(&mut value, &format!("b{own}"));
    bed::string(&mut value, &email(own));
    bed::long(&mut value, number);
    bed::long(&mut value, 1_700_000_000_000 + number);
    value.extend_from_slice(tail);
    mesh_kafka::OutgoingRecord::to(product.input())
        .key(format!("b{own}"))
        .partition(i32::try_from(own).unwrap() % PARTITIONS)
        .header("x-email", email(own))
        .value(framed(id, &value))
}

fn config(bed: &Bed, product: &Product, mask: &str, revision: u64) -> Config {
    let product = AppliedProduct { revision, applied_at_ms: 0, contract: product.contract(mask), schema: schema() };
    let (kafka, registry) = (bed.settings.clone(), bed.registry_url.as_str().into());
    Config { kafka, registry, keys: keys(), product: Arc::new(product) }
}

async fn replay(config: &Config, selection: &Selection) -> Result<Report, ReplayError> {
    replay::run(config, selection, |_| ()).await
}

/// The numbers in a topic, by partition and in order.
fn numbers(records: &[Record]) -> Vec<i64> {
    records.iter().map(|record| read_buyer(record.value.as_deref().unwrap()).2).collect()
}

fn is_replayed(record: &&Record) -> bool {
    record.header("mesh-replayed-offset").is_some()
}

async fn mended_records_are_let_through_once(bed: &Bed) {
    let product = bed.product("mended").await;
    let stray = Stray::of(bed, &product).await;
    let sidecar = bed.sidecar(bed.config());
    bed.buyers(&product, 0..3).await;
    stray.send(bed, 0..1_200, 1_200).await;
    // newer versions of the first thirty, which the schema of all others lets through
    for number in 1_200..1_230 {
        bed.send(buyer(&product, product.id, number, 1_200, &[])).await;
    }
    bed.wait_for(&product.quarantine(), 1_200).await;
    bed.wait_for(&product.masked(), 33).await;
    let now = config(bed, &product, HASH, 1);

    let all = Selection::default();
    let refused = Report { overtaken: 30, refused: [("foreign-schema", 1_170)].into(), ..Report::default() };
    assert_eq!(replay(&now, &Selection { dry_run: true, ..all.clone() }).await.unwrap(), refused);
    assert_eq!(bed.read(&product.quarantine()).await.len(), 1_200);
    assert_eq!(replay(&now, &all).await.unwrap(), refused);
    assert_eq!(bed.read(&product.masked()).await.len(), 33);

    stray.mend(bed).await;
    let through = Report { replayed: 1_170, overtaken: 30, ..Report::default() };
    assert_eq!(replay(&now, &Selection { dry_run: true, ..all.clone() }).await.unwrap(), through);
    assert_eq!(replay(&now, &all).await.unwrap(), through);
    assert_replayed(bed, &product, 30..1_200, 64).await;
    let again = Report { overtaken: 30, already: 1_170, ..Report::default() };
    assert_eq!(replay(&now, &all).await.unwrap(), again);
    assert_replayed(bed, &product, 30..1_200, 64).await;

    // under another contract, and for readers who want every event
    let stale = now;
    bed.apply(&product, REDACT, 2).await;
    assert!(matches!(replay(&stale, &all).await.unwrap_err(), ReplayError::Changed));
    let append = Selection { append: true, reason: Some("foreign-schema".to_owned()), ..all.clone() };
    let nothing = Selection { reason: Some("truncated".to_owned()), ..append.clone() };
    let now = config(bed, &product, REDACT, 2);
    assert_eq!(replay(&now, &nothing).await.unwrap(), Report::default());
    let appended = Report { replayed: 30, already: 1_170, ..Report::default() };
    assert_eq!(replay(&now, &append).await.unwrap(), appended);
    sidecar.stop().await;
    let masked = bed.read(&product.masked()).await;
    let redacted = masked.iter().filter(|record| read_buyer(record.value.as_deref().unwrap()).1.len() != 64);
    assert_eq!(redacted.filter(is_replayed).count(), 30);
    assert_marked(bed, &product).await;
    assert_audited(bed).await;
}

/// Every view has each of these numbers once among what was replayed, masked as a good record would be.
async fn assert_replayed(bed: &Bed, product: &Product, expected: std::ops::Range<i64>, email_chars: usize) {
    let (masked, clear) = (bed.read(&product.masked()).await, bed.read(&product.stewards()).await);
    for (records, is_clear) in [(masked, false), (clear, true)] {
        let replayed: Vec<Record> = records.iter().filter(is_replayed).cloned().collect();
        let mut found = numbers(&replayed);
        found.sort_unstable();
        assert_eq!(found, expected.clone().collect::<Vec<_>>());
        for record in &replayed {
            let (id, shown, number) = read_buyer(record.value.as_deref().unwrap());
            assert_eq!(record.key.as_deref(), Some(id.as_bytes()));
            assert_eq!(record.partition, i32::try_from(number).unwrap() % PARTITIONS);
            assert_eq!(shown == email(number), is_clear);
            assert!(is_clear || shown.len() == email_chars, "{shown}");
            assert!(record.header("x-email").is_none());
            let event_time = (1_700_000_000_000 + number).to_string();
            assert_eq!(record.header("mesh-event-time").map(|value| &value[..]), Some(event_time.as_bytes()));
        }
    }
}

/// Each quarantined record has one word of being replayed, and its own stays readable.
async fn assert_marked(bed: &Bed, product: &Product) {
    let records = bed.read(&product.quarantine()).await;
    let markers: Vec<(i32, Marker)> =
        records.iter().filter_map(|record| Some((record.partition, Marker::of(record)?))).collect();
    let of = |outcome| markers.iter().filter(move |(_, marker)| marker.outcome == outcome);
    let replayed: BTreeSet<(i32, i64)> =
        of(Outcome::Replayed).map(|(partition, marker)| (*partition, marker.of_offset)).collect();
    assert_eq!((replayed.len(), of(Outcome::Replayed).count(), of(Outcome::Overtaken).count()), (1_200, 1_200, 30));
    for record in records.iter().filter(|record| Marker::of(record).is_some()) {
        assert!(record.key.is_none() && record.value.is_none());
    }
}

async fn assert_audited(bed: &Bed) {
    let events = bed.read(AUDIT_TOPIC).await;
    let events: Vec<Value> =
        events.iter().map(|record| serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()).collect();
    let replays = events.iter().filter(|event| event["event"] == "quarantine-replayed");
    let sum = |field: &str| replays.clone().map(|event| event[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("replayed"), sum("overtaken")), (1_200, 30));
    assert!(replays.clone().all(|event| event["product"] == "shop.mended"));
    assert!(!format!("{events:?}").contains('@'));
}

/// While a replay runs, newer versions come in and are masked: the last of each key is the newest, in every view.
async fn a_newer_record_is_never_undone(bed: &Bed) {
    let product = bed.product("racing").await;
    let stray = Stray::of(bed, &product).await;
    let sidecar = bed.sidecar(bed.config());
    const IDS: i64 = 600;
    stray.send(bed, 0..3 * IDS, IDS).await;
    bed.wait_for(&product.quarantine(), 3 * IDS as usize).await;
    stray.mend(bed).await;
    let now = config(bed, &product, HASH, 1);
    let sending = async {
        for number in 3 * IDS..4 * IDS {
            bed.send(buyer(&product, product.id, number, IDS, &[])).await;
        }
    };
    let all = Selection::default();
    let (report, ()) = tokio::join!(replay(&now, &all), sending);
    let report = report.unwrap();
    assert_eq!(report.replayed + report.overtaken, 3 * IDS as u64);
    let through = IDS as usize + usize::try_from(report.replayed).unwrap();
    for topic in [product.masked(), product.stewards()] {
        let records = bed.wait_for(&topic, through).await;
        assert_eq!(records.len(), through);
        assert_newest_last(&records, 3 * IDS..4 * IDS);
    }
    sidecar.stop().await;
}

fn assert_newest_last(records: &[Record], newest: std::ops::Range<i64>) {
    let mut last: HashMap<String, i64> = HashMap::new();
    let mut order: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for record in records {
        let (id, _, number) = read_buyer(record.value.as_deref().unwrap());
        last.insert(id.clone(), number);
        order.entry(id).or_default().push(number);
    }
    let found: BTreeSet<i64> = last.into_values().collect();
    assert_eq!(found, newest.collect());
    assert!(order.values().all(|numbers| numbers.is_sorted()), "a version stands behind a newer one");
}

async fn two_replays_at_a_time_double_nothing(bed: &Bed) {
    let product = bed.product("twice").await;
    let stray = Stray::of(bed, &product).await;
    let sidecar = bed.sidecar(bed.config());
    stray.send(bed, 0..2_400, 2_400).await;
    bed.wait_for(&product.quarantine(), 2_400).await;
    stray.mend(bed).await;
    let (now, all) = (config(bed, &product, HASH, 1), Selection::default());
    let outcomes = tokio::join!(replay(&now, &all), replay(&now, &all), replay(&now, &all));
    // who took over comes to the end; the others are fenced, or came before or after
    let ended = [&outcomes.0, &outcomes.1, &outcomes.2].iter().filter(|outcome| outcome.is_ok()).count();
    assert!(ended >= 1, "{outcomes:?}");
    let last = replay(&now, &all).await.unwrap();
    assert_eq!((last.replayed + last.already, last.overtaken), (2_400, 0));
    assert_replayed(bed, &product, 0..2_400, 64).await;
    sidecar.stop().await;
}

/// The record's own place in the input is gone, and with it the knowledge of what came later, such as a delete.
async fn what_the_input_has_lost_is_not_brought_back(bed: &Bed) {
    let product = bed.product("lost").await;
    let stray = Stray::of(bed, &product).await;
    let sidecar = bed.sidecar(bed.config());
    stray.send(bed, 0..9, 9).await;
    bed.wait_for(&product.quarantine(), 9).await;
    stray.mend(bed).await;
    let admin = Admin::new(&bed.settings).unwrap();
    let ends = admin.end_offsets(&[&product.input()]).await.unwrap();
    admin.delete_records(&ends).await.unwrap();
    let now = config(bed, &product, HASH, 1);
    let report = replay(&now, &Selection::default()).await.unwrap();
    assert_eq!(report, Report { overtaken: 9, ..Report::default() });
    let append = Selection { append: true, partition: Some(1), offset: Some(0), ..Selection::default() };
    assert_eq!(replay(&now, &append).await.unwrap(), Report { replayed: 1, ..Report::default() });
    let masked = bed.read(&product.masked()).await;
    assert_eq!(numbers(&masked), [1]);
    sidecar.stop().await;
}
