//! The sidecar on a real Kafka with a real registry: everything is accounted for, nothing twice, nothing in clear.
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, dead_code)]
#[path = "../bed/mod.rs"]
mod bed;
mod held;
mod moves;
mod refused;
mod road;
mod views;

use std::{sync::LazyLock, time::SystemTime};

use bed::Bed;

/// One Kafka for all of these; each has products of its own.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let bed = Bed::start().await;
    views::good_records_reach_every_view(&bed).await;
    refused::bad_records_are_quarantined(&bed).await;
    views::an_older_writer_comes_after_a_newer_one(&bed).await;
    moves::a_contract_changes_at_one_offset(&bed).await;
    moves::replicas_come_and_go(&bed).await;
    held::a_registry_that_is_down_is_waited_for(&bed).await;
    held::keys_that_cannot_be_had_are_waited_for(&bed).await;
    held::a_missing_output_holds_its_product_alone(&bed).await;
    refused::an_output_too_large_is_quarantined(&bed, "large", "none").await;
    // compressed, only the attempt tells whether a topic takes a record
    refused::an_output_too_large_is_quarantined(&bed, "larger", "lz4").await;
    bed.stop().await;
}

/// A timestamp of today: Kafka soon deletes what is older than the topic's retention.
fn recent_ms(number: i64) -> i64 {
    static START: LazyLock<i64> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap() - 3_600_000
    });
    *START + number
}
