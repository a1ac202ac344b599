//! Many writers on a real Kafka, and copies of what they wrote that were damaged by hand.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use mesh_audit::{
    Digest, Event, Fault, HASH_HEADER, LINK_HEADER, Link, Query, Report, Teller, VerifyOptions, Who, tell, verify,
};
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::log::{LogReader, LogWriter};
use mesh_kafka::{OutgoingRecord, Record, Settings};

const WRITERS: usize = 4;
const EACH: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn what_many_write_at_once_is_whole_and_what_is_done_to_a_copy_shows() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let settings = kafka.settings();
    create(&settings, AUDIT_TOPIC).await;
    write_at_once(&settings).await;
    is_whole(&settings).await;
    damage_shows(&settings).await;
    a_chain_begins_after_the_newest_however_long_ago_it_was_opened(&settings).await;
    kafka.stop().await;
}

async fn create(settings: &Settings, topic: &str) {
    let spec = TopicSpec::new(topic).partitions(1);
    Admin::new(settings).unwrap().create_topics(&[spec]).await.unwrap();
}

fn event(kind: &str, writer: usize) -> Event {
    Event::new(kind, &Who { principal: Some(format!("User:{writer}")), ..Who::default() })
        .with("product", "crm.customers@1")
}

/// Services that go on, and commands that begin and end, side by side.
async fn write_at_once(settings: &Settings) {
    let write = |writer: usize| {
        let settings = settings.clone();
        async move {
            let mut service = Teller::open(&settings, None).await.unwrap();
            for _ in 0..EACH {
                service.tell(&event("maintenance-planned", writer)).await.unwrap();
                let command = [event("access-granted", writer), event("access-revoked", writer)];
                tell(&settings, None, &command).await.unwrap();
            }
            service.tell_all(&[event("product-retired", writer), event("product-retired", writer)]).await.unwrap();
        }
    };
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(writer))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    tell(settings, None, &[event("contract-applied", 0)]).await.unwrap();
}

async fn is_whole(settings: &Settings) {
    let report = verify(settings, None, VerifyOptions::default()).await.unwrap();
    assert_eq!(report.faults, []);
    let commands = (WRITERS * EACH + 1) as u64;
    assert_eq!(report.entries, (WRITERS * (3 * EACH + 2) + 1) as u64);
    assert_eq!((report.chains, report.chains_open), (commands + WRITERS as u64, WRITERS as u64));
    let mut seen = BTreeSet::new();
    let asked = Query { principal: Some("3".to_owned()), what: vec!["access-granted".to_owned()], ..Query::default() };
    asked.ask(settings, |row| assert!(seen.insert(row.offset))).await.unwrap();
    assert_eq!(seen.len(), EACH);
}

async fn damage_shows(settings: &Settings) {
    let records = read(settings).await;
    let head = verify(settings, None, VerifyOptions::default()).await.unwrap().head;

    let whole = copy(settings, "copy.whole", &records, head).await;
    assert_eq!(whole.faults, [], "a copy is as good");
    let mut altered = records.clone();
    let value = String::from_utf8(altered[7].value.clone().unwrap().to_vec()).unwrap();
    altered[7].value = Some(value.replace("User:", "user:").into());
    let found = copy(settings, "copy.altered", &altered, None).await.faults;
    assert!(found.contains(&Fault::Altered { offset: 7 }), "{found:?}");
    // the first of two: that the last of a chain is gone only those miss who had seen it
    let is_first = |record: &Record| record.value.as_deref().unwrap().starts_with(br#"{"event":"access-granted""#);
    let first = records.iter().position(is_first).unwrap();
    let without: Vec<Record> = [&records[..first], &records[first + 1..]].concat();
    assert_ne!(copy(settings, "copy.without", &without, None).await.faults, []);
    let mut moved = records.clone();
    let first = moved.remove(0);
    moved.push(first);
    assert_ne!(copy(settings, "copy.moved", &moved, None).await.faults, []);
    let cut = copy(settings, "copy.cut", &records[..records.len() - 1], head).await.faults;
    assert_eq!(cut, [Fault::HeadNotFound { head: head.unwrap() }]);
    let mut forged = records.clone();
    forged[7].headers.clear();
    let found = copy(settings, "copy.forged", &forged, None).await.faults;
    assert!(found.iter().any(|fault| matches!(fault, Fault::Unchained { offset: 7, .. })), "{found:?}");
}

/// What is found of records that were written anew to a topic of their own.
async fn copy(settings: &Settings, topic: &str, records: &[Record], head: Option<mesh_audit::Digest>) -> Report {
    create(settings, topic).await;
    let copied = records.iter().map(|record| OutgoingRecord {
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record.headers.clone(),
        ..OutgoingRecord::to(topic).partition(0)
    });
    LogWriter::new(settings).unwrap().append_all(copied).await.unwrap();
    verify(settings, Some(topic), VerifyOptions { head, ..VerifyOptions::default() }).await.unwrap()
}

async fn read(settings: &Settings) -> Vec<Record> {
    let mut records = Vec::new();
    let mut log = LogReader::open(settings, AUDIT_TOPIC).await.unwrap();
    log.read_to_end(|record| records.push(record)).await.unwrap();
    records
}

/// Whoever verifies remembers so many entries and no more: a chain that began after an older one would be taken for a damaged one.
async fn a_chain_begins_after_the_newest_however_long_ago_it_was_opened(settings: &Settings) {
    let mut unlooked = Teller::new(settings, None).unwrap();
    let mut opened = Teller::open(settings, None).await.unwrap();
    // a look is good for a second
    tokio::time::sleep(Duration::from_secs(1)).await;
    tell(settings, None, &[event("access-granted", 1), event("access-revoked", 1)]).await.unwrap();
    unlooked.tell_all(&[event("product-retired", 2), event("product-retired", 2)]).await.unwrap();
    opened.tell(&event("maintenance-planned", 3)).await.unwrap();
    let records = read(settings).await;
    let entries: Vec<(Link, Digest)> = records.iter().map(|record| (link(record), own_hash(record))).collect();
    let [.., (_, before), first, second, third] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((first.0.seq, first.0.seen), (0, Some(*before)));
    assert_eq!((second.0.seq, second.0.seen), (1, None));
    assert_eq!((third.0.seq, third.0.seen), (0, Some(second.1)));
    assert_eq!(verify(settings, None, VerifyOptions::default()).await.unwrap().faults, []);
}

fn link(record: &Record) -> Link {
    serde_json::from_slice(record.header(LINK_HEADER).unwrap()).unwrap()
}

fn own_hash(record: &Record) -> Digest {
    std::str::from_utf8(record.header(HASH_HEADER).unwrap()).unwrap().parse().unwrap()
}
