//! What is not let through: in quarantine with its reason, sealed, and nobody waits for it.

use mesh_avro::keys::KeyName;
use mesh_kafka::{OutgoingRecord, Record};
use mesh_masking::quarantine::{self, Entry};
use serde_json::json;

use crate::{
    bed::{self, Bed, HASH, Product, assert_all, datum, email, framed, keys, numbers, schema},
    recent_ms,
};

/// A reason, and the key and value of a record that is refused for it.
type Bad = (&'static str, Option<&'static str>, Option<Vec<u8>>);

pub(super) async fn bad_records_are_quarantined(bed: &Bed) {
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

pub(super) async fn an_output_too_large_is_quarantined(bed: &Bed, name: &str, codec: &str) {
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
