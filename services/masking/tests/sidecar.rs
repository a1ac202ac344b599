//! The sidecar on a real Kafka with a real registry: everything is accounted for, nothing twice, nothing in clear.
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, dead_code)]
mod bed;

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use bed::{
    Bed, HASH, PARTITIONS, Product, REDACT, assert_all, datum, email, framed, keys, numbers, read_buyer, schema,
};
use mesh_avro::{
    keys::{Key, KeyError, KeyName, KeyRing},
    wire,
};
use mesh_kafka::{OutgoingRecord, Record, admin::Admin};
use mesh_masking::quarantine::{self, Entry};
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// One Kafka for all of these; each has products of its own.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let bed = Bed::start().await;
    good_records_reach_every_view(&bed).await;
    bad_records_are_quarantined(&bed).await;
    an_older_writer_comes_after_a_newer_one(&bed).await;
    a_contract_changes_at_one_offset(&bed).await;
    replicas_come_and_go(&bed).await;
    a_registry_that_is_down_is_waited_for(&bed).await;
    keys_that_cannot_be_had_are_waited_for(&bed).await;
    a_missing_output_holds_its_product_alone(&bed).await;
    an_output_too_large_is_quarantined(&bed, "large", "none").await;
    // compressed, only the attempt tells whether a topic takes a record
    an_output_too_large_is_quarantined(&bed, "larger", "lz4").await;
    bed.stop().await;
}

async fn good_records_reach_every_view(bed: &Bed) {
    let product = bed.product("good").await;
    let sidecar = bed.sidecar(bed.config());
    bed.buyers(&product, 0..3_000).await;
    bed.send(OutgoingRecord::to(product.input()).key("b7").partition(1).timestamp_ms(recent_ms(1))).await;
    let dressed = product.buyer(3_000).partition(0).timestamp_ms(recent_ms(2));
    let dressed = dressed.header("traceparent", "00-1").header("ce_subject", "b3000").header("x-email", email(3_000));
    bed.send(dressed).await;

    let masked = bed.wait_for(&product.masked(), 3_002).await;
    let clear = bed.wait_for(&product.stewards(), 3_002).await;
    sidecar.stop().await;
    assert_eq!((masked.len(), clear.len()), (3_002, 3_002));
    assert_eq!(bed.read(&product.quarantine()).await.len(), 0);

    for (masked, clear) in masked.iter().zip(&clear) {
        assert_eq!(
            (masked.partition, &masked.key, masked.timestamp_ms),
            (clear.partition, &clear.key, clear.timestamp_ms)
        );
        let (Some(masked), Some(clear)) = (&masked.value, &clear.value) else { continue };
        let (id, hidden, number) = read_buyer(masked);
        assert_eq!((id, email(number), number), read_buyer(clear));
        assert!(hidden.len() == 64 && !hidden.contains('@'), "{hidden}");
        assert_eq!(wire::parse(clear).unwrap().datum, datum(number), "bytes outside masked columns are the input's");
    }
    let tombstone = masked.iter().find(|record| record.value.is_none()).unwrap();
    assert_eq!((tombstone.key.as_deref(), tombstone.timestamp_ms), (Some(&b"b7"[..]), Some(recent_ms(1))));
    let dressed = masked.iter().find(|record| record.key.as_deref() == Some(b"b3000")).unwrap();
    let names: Vec<&str> = dressed.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, ["traceparent", "mesh-event-time"]);
    assert_eq!(dressed.header("mesh-event-time").unwrap(), "1700000003000");
    lineage_is_told(bed, &product).await;
}

/// A timestamp of today: Kafka soon deletes what is older than the topic's retention.
fn recent_ms(number: i64) -> i64 {
    static START: LazyLock<i64> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap() - 3_600_000
    });
    *START + number
}

async fn lineage_is_told(bed: &Bed, product: &Product) {
    let events = bed.read("mesh.lineage").await;
    let told: Vec<serde_json::Value> =
        events.iter().map(|record| serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()).collect();
    let own: Vec<&serde_json::Value> =
        told.iter().filter(|event| event["job"]["name"].as_str().unwrap().contains(&product.name)).collect();
    assert_eq!(own.first().unwrap()["eventType"], "START");
    let last = own.last().unwrap();
    assert_eq!(last["eventType"], "COMPLETE");
    assert_eq!(last["inputs"][0]["name"], product.input());
    assert_eq!(last["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"], 3_002);
    assert_eq!(last["outputs"].as_array().unwrap().len(), 2);
}

/// A reason, and the key and value of a record that is refused for it.
type Bad = (&'static str, Option<&'static str>, Option<Vec<u8>>);

async fn bad_records_are_quarantined(bed: &Bed) {
    let product = bed.product("bad").await;
    let foreign = bed.register("shop.else.v1.in-value", &json!({"type": "record", "name": "Else", "fields": []})).await;
    let good = datum(1);
    let mut negative = good.clone();
    negative[0] = 1;
    let value = |bytes: &[u8]| Some(framed(product.id, bytes));
    let bad: Vec<Bad> = vec![
        ("wire-magic", Some("b1"), Some(b"{\"id\": \"b1\"}".to_vec())),
        ("wire-truncated", Some("b1"), Some(vec![0, 0])),
        ("wire-truncated", Some("b1"), Some(Vec::new())),
        ("truncated", Some("b1"), value(&good[..good.len() - 1])),
        ("trailing-bytes", Some("b1"), value(&[&good[..], &[0]].concat())),
        ("negative-length", Some("b1"), value(&negative)),
        ("unknown-schema-id", Some("b1"), Some(framed(987_654, &good))),
        ("foreign-schema", Some("b1"), Some(framed(foreign, &[]))),
        ("key-mismatch", Some("b2"), value(&good)),
        ("null-key", None, None),
    ];
    let sidecar = bed.sidecar(bed.config());
    for (_, key, value) in &bad {
        let mut record =
            OutgoingRecord::to(product.input()).partition(2).timestamp_ms(recent_ms(77)).header("x-email", email(1));
        record.key = key.map(|key| key.to_owned().into());
        record.value = value.clone().map(Into::into);
        bed.send(record).await;
        bed.send(product.buyer(2).partition(2)).await;
    }
    let quarantined = bed.wait_for(&product.quarantine(), bad.len()).await;
    let through = bed.wait_for(&product.masked(), bad.len()).await;
    sidecar.stop().await;
    assert_eq!((quarantined.len(), through.len()), (bad.len(), bad.len()));
    assert!(through.iter().all(|record| record.partition == 2));
    for (index, (record, (reason, key, value))) in quarantined.iter().zip(&bad).enumerate() {
        let entry = Entry::of(record);
        assert_eq!(&entry.reason, reason);
        let place = (entry.source_topic.as_str(), entry.source_partition, entry.source_offset);
        assert_eq!(place, (product.input().as_str(), 2, i64::try_from(index).unwrap() * 2));
        assert_eq!((entry.major, entry.revision, entry.key_version), (1, 1, 1));
        assert_eq!((record.partition, &record.key, entry.source_timestamp_ms), (2, &None, Some(recent_ms(77))));
        assert!(record.timestamp_ms.unwrap() > recent_ms(77), "an old record would not stay in quarantine for long");
        assert_opens(record, &entry, key.map(str::as_bytes), value.as_deref());
        assert_hides(record);
    }
}

fn assert_opens(record: &Record, entry: &Entry, key: Option<&[u8]>, value: Option<&[u8]>) {
    let place = quarantine::associated_data(&entry.source_topic, entry.source_partition, entry.source_offset);
    let sealed = record.value.as_deref().unwrap();
    let opened = quarantine::open(&*keys(), &KeyName::quarantine("shop"), &place, sealed).unwrap();
    assert_eq!((opened.key.as_deref(), opened.value.as_deref()), (key, value));
    assert_eq!(opened.headers[0].name, b"x-email");
}

fn assert_hides(record: &Record) {
    let headers: Vec<u8> = record.headers.iter().flat_map(|header| header.value.clone().unwrap_or_default()).collect();
    for bytes in [record.value.as_deref().unwrap(), &headers] {
        assert!(!bytes.windows(7).any(|window| window == b"example"), "a quarantined record shows itself");
    }
}

/// The newer schema has lost a field without a default: what the older one's views look like is no evolution of it.
async fn an_older_writer_comes_after_a_newer_one(bed: &Bed) {
    let older = bed.product("older").await;
    let mut shorter = schema();
    shorter["fields"].as_array_mut().unwrap().pop();
    let newer = Product { id: bed.register(&older.subject(), &shorter).await, ..older.clone() };
    let sidecar = bed.sidecar(bed.config());
    let mut datum = datum(0);
    datum.truncate(datum.len() - 6);
    bed.send(OutgoingRecord::to(newer.input()).key("b0").partition(0).value(framed(newer.id, &datum))).await;
    bed.wait_for(&older.masked(), 1).await;
    bed.send(older.buyer(3).partition(0)).await;
    let records = bed.wait_for(&older.masked(), 2).await;
    sidecar.stop().await;
    assert_eq!(numbers(&records)[&0], [0, 3]);
    assert_eq!(bed.read(&older.quarantine()).await.len(), 0);
}

async fn a_contract_changes_at_one_offset(bed: &Bed) {
    let product = bed.product("changing").await;
    let mut config = bed.config();
    config.batch.records_max = 200;
    let sidecar = bed.sidecar(config);
    bed.buyers(&product, 0..3_000).await;
    bed.wait_for(&product.masked(), 1).await;
    let sending = bed.buyers(&product, 3_000..12_000);
    let applying = bed.apply(&product, REDACT, 2);
    tokio::join!(sending, applying);
    // the newer revision is in force from some batch on; this one is in a later one
    bed.wait_for(&product.masked(), 12_000).await;
    for _ in 0..1_000 {
        bed.buyers(&product, 12_000..12_003).await;
        if is_redacted(bed.read(&product.masked()).await.last().unwrap()) {
            break;
        }
    }
    sidecar.stop().await;
    let records = bed.read(&product.masked()).await;
    for partition in 0..PARTITIONS {
        let own: Vec<bool> = records.iter().filter(|record| record.partition == partition).map(is_redacted).collect();
        assert_eq!(own.iter().filter(|redacted| !**redacted).count(), own.partition_point(|redacted| !redacted));
        assert!(*own.last().unwrap(), "partition {partition} never saw revision 2");
    }
}

fn is_redacted(record: &Record) -> bool {
    read_buyer(record.value.as_deref().unwrap()).1.len() != 64
}

async fn replicas_come_and_go(bed: &Bed) {
    let product = bed.product("moving").await;
    let replica = |name: &str| {
        let mut config = bed.config();
        config.replica = name.to_owned();
        config.tasks = 2;
        config.batch.records_max = 300;
        bed.sidecar(config)
    };
    let first = replica("first");
    bed.buyers(&product, 0..10_000).await;
    let second = replica("second");
    bed.buyers(&product, 10_000..30_000).await;
    bed.wait_for(&product.masked(), 20_000).await;
    first.stop().await;
    bed.buyers(&product, 30_000..40_000).await;
    let third = replica("first");
    second.stop().await;
    bed.wait_for(&product.stewards(), 40_000).await;
    third.stop().await;
    for topic in [product.masked(), product.stewards()] {
        let records = bed.read(&topic).await;
        assert_eq!(records.len(), 40_000);
        assert_all(&records, 0..40_000);
    }
    assert_eq!(bed.read(&product.quarantine()).await.len(), 0);
}

/// A road to the registry that can be closed.
struct Road {
    url: String,
    open: Arc<AtomicBool>,
}

impl Road {
    async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = url.trim_start_matches("http://").to_owned();
        let open = Arc::new(AtomicBool::new(true));
        tokio::spawn(Self::serve(listener, target, open.clone()));
        Road { url: format!("http://{address}"), open }
    }

    async fn serve(listener: TcpListener, target: String, open: Arc<AtomicBool>) {
        let mut journeys = JoinSet::new();
        loop {
            let accepted = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
            if !open.load(Ordering::Relaxed) {
                journeys.shutdown().await;
                continue;
            }
            let Ok(Ok((mut near, _))) = accepted else { continue };
            let mut far = TcpStream::connect(&target).await.unwrap();
            journeys.spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    }
}

async fn a_registry_that_is_down_is_waited_for(bed: &Bed) {
    let (waiting, going) = (bed.product("waiting").await, bed.product("going").await);
    let road = Road::to(&bed.registry_url).await;
    let mut config = bed.config();
    config.registry = road.url.as_str().into();
    let sidecar = bed.sidecar(config);
    for product in [&waiting, &going] {
        bed.buyers(product, 0..30).await;
        bed.wait_for(&product.masked(), 30).await;
    }
    road.open.store(false, Ordering::Relaxed);
    let mut newer = schema();
    newer["fields"].as_array_mut().unwrap().push(json!({"name": "more", "type": "long", "default": 0}));
    let newer = Product { id: bed.register(&waiting.subject(), &newer).await, ..waiting.clone() };
    for number in 30..60 {
        let value = framed(newer.id, &[&datum(number)[..], &[0]].concat());
        let partition = i32::try_from(number).unwrap() % PARTITIONS;
        bed.send(OutgoingRecord::to(newer.input()).key(format!("b{number}")).partition(partition).value(value)).await;
    }
    // an id that nobody can vouch for or against either
    bed.send(OutgoingRecord::to(newer.input()).partition(0).key("x").value(framed(987_655, b"x"))).await;
    sidecar.until_held_by("registry-unreachable").await;
    bed.buyers(&going, 30..300).await;
    bed.wait_for(&going.masked(), 300).await;
    assert_eq!(bed.read(&waiting.masked()).await.len(), 30);
    assert_eq!(bed.read(&waiting.quarantine()).await.len(), 0);
    road.open.store(true, Ordering::Relaxed);
    let records = bed.wait_for(&waiting.masked(), 60).await;
    assert_eq!(bed.wait_for(&waiting.quarantine(), 1).await.len(), 1);
    sidecar.until_nothing_is_held().await;
    sidecar.stop().await;
    assert_all(&records, 0..60);
}

/// Keys that can be withheld.
struct Vault {
    keys: Arc<dyn KeyRing>,
    open: Arc<AtomicBool>,
}

impl KeyRing for Vault {
    fn key(&self, name: &KeyName) -> Result<Key, KeyError> {
        if self.open.load(Ordering::Relaxed) {
            return self.keys.key(name);
        }
        Err(KeyError::Unavailable { name: name.clone(), reason: "sealed".to_owned() })
    }

    fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError> {
        self.keys.key_version(name, version)
    }
}

async fn keys_that_cannot_be_had_are_waited_for(bed: &Bed) {
    let product = bed.product("sealed").await;
    let open = Arc::new(AtomicBool::new(false));
    let mut config = bed.config();
    config.keys = Arc::new(Vault { keys: keys(), open: open.clone() });
    let sidecar = bed.sidecar(config);
    bed.buyers(&product, 0..30).await;
    bed.send(OutgoingRecord::to(product.input()).partition(0).value("not avro")).await;
    sidecar.until_held_by("keys-unavailable").await;
    assert_eq!(bed.read(&product.masked()).await.len(), 0);
    open.store(true, Ordering::Relaxed);
    assert_all(&bed.wait_for(&product.masked(), 30).await, 0..30);
    assert_eq!(bed.wait_for(&product.quarantine(), 1).await.len(), 1);
    sidecar.stop().await;
}

async fn a_missing_output_holds_its_product_alone(bed: &Bed) {
    let (lame, sound) = (bed.product("lame").await, bed.product("sound").await);
    let sidecar = bed.sidecar(bed.config());
    for product in [&lame, &sound] {
        bed.buyers(product, 0..30).await;
        bed.wait_for(&product.masked(), 30).await;
    }
    Admin::new(&bed.settings).unwrap().delete_topics(&[&lame.stewards()]).await.unwrap();
    bed.buyers(&lame, 30..60).await;
    sidecar.until_held_by("output-missing").await;
    bed.buyers(&sound, 30..90).await;
    assert_all(&bed.wait_for(&sound.masked(), 90).await, 0..90);
    assert_eq!(bed.read(&lame.masked()).await.len(), 30);
    bed.create([lame.stewards()], &[]).await;
    assert_all(&bed.wait_for(&lame.masked(), 60).await, 0..60);
    assert_all(&bed.wait_for(&lame.stewards(), 30).await, 30..60);
    sidecar.stop().await;
}

async fn an_output_too_large_is_quarantined(bed: &Bed, name: &str, codec: &str) {
    let product = Product::new(name);
    let topics = product.contract(HASH).topics();
    bed.create([topics.input.clone(), product.stewards(), topics.quarantine.clone()], &[]).await;
    bed.create([product.masked()], &[("max.message.bytes", "20000")]).await;
    bed.apply(&product, HASH, 1).await;
    let product = Product { id: bed.register(&product.subject(), &schema()).await, ..product };
    bed.buyers(&product, 0..300).await;
    let key = noise(40_000);
    let mut huge = Vec::new();
    bed::string(&mut huge, &key);
    huge.extend_from_slice(&datum(1)[3..]);
    bed.send(OutgoingRecord::to(product.input()).partition(1).key(key).value(framed(product.id, &huge))).await;
    bed.buyers(&product, 300..600).await;
    let mut config = bed.config();
    config.kafka = config.kafka.with("compression.type", codec);
    let sidecar = bed.sidecar(config);
    let quarantined = bed.wait_for(&product.quarantine(), 1).await;
    let masked = bed.wait_for(&product.masked(), 600).await;
    let clear = bed.wait_for(&product.stewards(), 600).await;
    sidecar.stop().await;
    assert_eq!(Entry::of(&quarantined[0]).reason, "output-too-large");
    assert_eq!(quarantined.len(), 1);
    assert_all(&masked, 0..600);
    assert_eq!(numbers(&masked), numbers(&clear));
}

/// Letters that do not compress to less than half.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let letters = (0..length).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'A' + (state >> 59) as u8)
    });
    letters.collect()
}
