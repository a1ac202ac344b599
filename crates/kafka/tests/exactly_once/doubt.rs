//! Records of which it is not known whether they are stored, when their transaction is aborted.

use std::time::{Duration, Instant};

use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::sink::{self, Failure, Sink};
use mesh_kafka::{Settings, TopicPartition};

use super::road::{Road, State};
use super::{DEADLINE, read, send};

const OUTPUT: &str = "doubt.out";
const SMALL: &str = "doubt.small";

/// Longer than the test takes to abort: what has lost its answer is not sent again before.
const RETRY_MS: &str = "5000";

/// A broker stores a record, its answer is lost, and the transaction is aborted for another reason. librdkafka numbers the next
/// record as it numbered that one, so that the broker would take it for a repetition, and acknowledge what it does not store.
pub async fn what_follows_a_record_in_doubt_is_stored(settings: &Settings, road: &Road) {
    let admin = Admin::new(settings).unwrap();
    let small = TopicSpec::new(SMALL).partitions(1).config("max.message.bytes", "10000");
    admin.create_topics(&[TopicSpec::new(OUTPUT).partitions(1), small]).await.unwrap();
    let by_road = Settings::new(format!("127.0.0.1:{}", road.port));
    let by_road = by_road.with("retry.backoff.ms", RETRY_MS).with("retry.backoff.max.ms", RETRY_MS);
    let mut sink = Sink::open(&by_road, &sink::Options::new("doubt")).unwrap();

    sink.begin().unwrap();
    send(&sink, OUTPUT, 0, Some(b"delivered"), 0).unwrap();
    sink.deliver().unwrap();
    road.set(State::Mute);
    send(&sink, OUTPUT, 0, Some(b"in doubt"), 1).unwrap();
    stored(&admin, 2).await;
    road.set(State::Open);
    // the broker refuses this one for good, whereupon librdkafka gives up what is to be sent again
    send(&sink, SMALL, 0, Some(&[7; 50_000]), 2).unwrap();
    let failed = sink.deliver().unwrap_err();
    assert!(matches!(failed, Failure::Abort(_)), "{failed:?}");
    let aborted = sink.abort().unwrap();
    assert!(aborted.is_anew, "{aborted:?}");

    sink.begin().unwrap();
    send(&sink, OUTPUT, 0, Some(b"next"), 0).unwrap();
    sink.commit_alone().unwrap();
    let values: Vec<_> = read(settings, OUTPUT).await.into_iter().filter_map(|record| record.value).collect();
    assert_eq!(values, [&b"next"[..]], "the cluster has acknowledged what it did not store");
}

/// Waits until so many records are stored, committed or not.
async fn stored(admin: &Admin, records: i64) {
    let started = Instant::now();
    let output = TopicPartition::new(OUTPUT, 0);
    while admin.written_offsets(&[OUTPUT]).await.unwrap().get(&output) != Some(&records) {
        assert!(started.elapsed() < DEADLINE, "the record was not stored");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
