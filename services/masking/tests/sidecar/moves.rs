//! What changes under the sidecar's hands: a contract, and who has which partition.

use mesh_kafka::Record;

use crate::bed::{Bed, PARTITIONS, REDACT, assert_all, read_buyer};

pub(super) async fn a_contract_changes_at_one_offset(bed: &Bed) {
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

pub(super) async fn replicas_come_and_go(bed: &Bed) {
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
