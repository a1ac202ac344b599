//! The sidecar through restarts of the broker, under load.
#![allow(clippy::unwrap_used)]

#[allow(unreachable_pub, dead_code)]
mod bed;

use bed::{Bed, assert_all};
use mesh_kafka::embedded::{EmbeddedKafka, Options};

const RESTARTS: i64 = 2;
const ROUND: i64 = 15_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_loses_and_doubles_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut options = Options { data: Some(data.path().join("kafka")), ..Options::default() };
    let kafka = EmbeddedKafka::start(options.clone()).await.unwrap();
    options.port = kafka.bootstrap_servers().rsplit(':').next().unwrap().parse().ok();
    let mut bed = Bed::start_on(kafka).await;
    let product = bed.product("steady").await;
    let mut config = bed.config();
    config.batch.records_max = 100;
    let sidecar = bed.sidecar(config);
    bed.buyers(&product, 0..ROUND).await;
    for round in 1..=RESTARTS {
        // in the middle of the work
        bed.wait_for(&product.masked(), usize::try_from((round - 1) * ROUND + 300).unwrap()).await;
        bed = bed.restart_broker(options.clone()).await;
        bed.buyers(&product, round * ROUND..(round + 1) * ROUND).await;
    }
    let all = (RESTARTS + 1) * ROUND;
    for topic in [product.masked(), product.stewards()] {
        let records = bed.wait_for(&topic, usize::try_from(all).unwrap()).await;
        assert_all(&records, 0..all);
    }
    sidecar.stop().await;
    bed.stop().await;
}
