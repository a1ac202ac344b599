//! What is let through: to every view, masked or not as its contract says, and told to lineage.

use mesh_avro::wire;
use mesh_kafka::OutgoingRecord;

use crate::{
    bed::{Bed, Product, datum, email, framed, numbers, read_buyer, schema},
    recent_ms,
};

pub(super) async fn good_records_reach_every_view(bed: &Bed) {
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

/// The newer schema has lost a field without a default: what the older one's views look like is no evolution of it.
pub(super) async fn an_older_writer_comes_after_a_newer_one(bed: &Bed) {
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
