//! Topics, logs, producers and consumers on a real Kafka.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_kafka::admin::{Admin, Creation, Deletion, TopicSpec};
use mesh_kafka::consumer::{Consumer, Start, read_range};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::log::{FencedLogWriter, LogReader, LogWriter};
use mesh_kafka::producer::Producer;
use mesh_kafka::{ErrorKind, OutgoingRecord, Record, Settings, TopicPartition};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

const DEADLINE: Duration = Duration::from_secs(30);

/// One Kafka for all of these: they run one after another, each on topics of its own.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let settings = kafka.settings();
    topics_are_created_once(&settings).await;
    topics_are_configured(&settings).await;
    a_log_is_read_to_its_end_then_followed(&settings).await;
    an_end_behind_gaps_is_reached(&settings).await;
    an_end_that_following_passed_over_is_reached(&settings).await;
    who_rests_in_between_misses_nothing(&settings).await;
    an_open_transaction_does_not_show(&settings).await;
    an_earlier_writer_is_fenced(&settings).await;
    records_come_back_as_they_were_sent(&settings).await;
    a_group_goes_on_where_it_committed(&settings).await;
    too_large_a_record_is_refused(&settings).await;
    kafka.stop().await;
}

async fn create(settings: &Settings, topic: TopicSpec) -> Admin {
    let admin = Admin::new(settings).unwrap();
    assert_eq!(admin.create_topics(&[topic]).await.unwrap(), [Creation::Created]);
    admin
}

async fn topics_are_created_once(settings: &Settings) {
    let admin = Admin::new(settings).unwrap();
    admin.wait_ready(DEADLINE).await.unwrap();
    let [one, two] = [TopicSpec::new("once.one").partitions(2), TopicSpec::new("once.two")];
    assert_eq!(admin.create_topics(std::slice::from_ref(&one)).await.unwrap(), [Creation::Created]);
    assert_eq!(admin.create_topics(&[two, one]).await.unwrap(), [Creation::Created, Creation::Existed]);
    assert_eq!(admin.partitions("once.one").await.unwrap(), Some(2));
    assert_eq!(admin.partitions("once.none").await.unwrap(), None);
    admin.add_partitions("once.one", 3).await.unwrap();
    assert_eq!(admin.delete_topics(&["once.none", "once.two"]).await.unwrap(), [Deletion::Absent, Deletion::Deleted]);
    let invalid = admin.create_topics(&[TopicSpec::new("no spaces allowed")]).await.unwrap_err();
    assert_eq!(invalid.kind(), ErrorKind::Invalid);
    let unknown = admin.end_offsets(&["once.none"]).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownTopic);
}

async fn topics_are_configured(settings: &Settings) {
    let admin = create(settings, TopicSpec::new("configured").config("cleanup.policy", "compact")).await;
    assert_eq!(admin.config("configured").await.unwrap()["cleanup.policy"], "compact");
    let new = BTreeMap::from([("retention.ms".to_owned(), "60000".to_owned())]);
    admin.replace_config("configured", &new).await.unwrap();
    let config = admin.config("configured").await.unwrap();
    assert_eq!((config["retention.ms"].as_str(), config["cleanup.policy"].as_str()), ("60000", "delete"));
}

async fn read_to_end(reader: &mut LogReader) -> Vec<Record> {
    let mut records = Vec::new();
    tokio::time::timeout(DEADLINE, reader.read_to_end(|record| records.push(record))).await.unwrap().unwrap();
    records
}

fn keys(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| std::str::from_utf8(record.key.as_deref().unwrap_or_default()).unwrap()).collect()
}

async fn a_log_is_read_to_its_end_then_followed(settings: &Settings) {
    create(settings, TopicSpec::new("log.followed").partitions(3)).await;
    let (mut reader, writer) =
        (LogReader::open(settings, "log.followed").await.unwrap(), LogWriter::new(settings).unwrap());
    assert_eq!(keys(&read_to_end(&mut reader).await), Vec::<&str>::new());
    for round in 0..20 {
        let key = format!("key-{round}");
        writer.append(OutgoingRecord::to("log.followed").key(key.clone()).value("value")).await.unwrap();
        // exact: what was written before the call is there after it, each time
        assert_eq!(keys(&read_to_end(&mut reader).await), [key]);
    }
    writer.append(OutgoingRecord::to("log.followed").key("followed")).await.unwrap();
    let next = tokio::time::timeout(DEADLINE, reader.next()).await.unwrap().unwrap();
    assert_eq!((keys(std::slice::from_ref(&next)), &next.value), (vec!["followed"], &None));
    assert_eq!(read_to_end(&mut LogReader::open(settings, "log.followed").await.unwrap()).await.len(), 21);
    let unknown = LogReader::open(settings, "log.none").await.err().unwrap();
    assert_eq!(unknown.kind(), ErrorKind::UnknownTopic);
}

/// Every transaction leaves a marker behind its record: the last offset of such a log holds no record.
async fn an_end_behind_gaps_is_reached(settings: &Settings) {
    let admin = create(settings, TopicSpec::new("log.gaps")).await;
    let mut reader = LogReader::open(settings, "log.gaps").await.unwrap();
    let mut writer = FencedLogWriter::open(settings, "gaps").await.unwrap();
    for round in 0..10 {
        let position = writer.append(OutgoingRecord::to("log.gaps").key(format!("{round}"))).await.unwrap();
        assert_eq!(position.offset, 2 * round);
        assert_eq!(keys(&read_to_end(&mut reader).await), [format!("{round}")]);
        assert!(read_to_end(&mut reader).await.is_empty());
    }
    let ends = admin.end_offsets(&["log.gaps"]).await.unwrap();
    assert_eq!(ends[&TopicPartition::new("log.gaps", 0)], 20);
    assert_eq!(admin.start_offsets(&["log.gaps"]).await.unwrap()[&TopicPartition::new("log.gaps", 0)], 0);
}

/// Between two readings nothing is fetched, of a log with markers and one without.
async fn who_rests_in_between_misses_nothing(settings: &Settings) {
    create(settings, TopicSpec::new("log.rested").partitions(3)).await;
    let mut reader = LogReader::open(settings, "log.rested").await.unwrap();
    let plain = LogWriter::new(settings).unwrap();
    let mut fenced = FencedLogWriter::open(settings, "rested").await.unwrap();
    reader.rest().unwrap();
    for round in 0..10 {
        let record = OutgoingRecord::to("log.rested").key(format!("{round}"));
        match round % 2 {
            0 => plain.append(record).await.unwrap(),
            _ => fenced.append(record).await.unwrap(),
        };
        assert_eq!(keys(&read_to_end(&mut reader).await), [format!("{round}")]);
        reader.rest().unwrap();
        assert!(read_to_end(&mut reader).await.is_empty());
    }
    plain.append(OutgoingRecord::to("log.rested").key("followed")).await.unwrap();
    let next = tokio::time::timeout(DEADLINE, reader.next()).await.unwrap().unwrap();
    assert_eq!(keys(&[next]), ["followed"]);
}

/// Following swallows the event of the end, which is not told twice: reading to the end must not wait for it.
async fn an_end_that_following_passed_over_is_reached(settings: &Settings) {
    create(settings, TopicSpec::new("log.passed")).await;
    let mut reader = LogReader::open(settings, "log.passed").await.unwrap();
    let mut writer = FencedLogWriter::open(settings, "passed").await.unwrap();
    for round in 0..3 {
        writer.append(OutgoingRecord::to("log.passed").key(format!("{round}"))).await.unwrap();
        tokio::time::timeout(DEADLINE, reader.next()).await.unwrap().unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(500), reader.next()).await;
        assert!(silence.is_err(), "there is no further record");
        let soon = tokio::time::timeout(Duration::from_secs(5), reader.read_to_end(|record| panic!("read {record:?}")));
        soon.await.expect("the end is known without another event").unwrap();
    }
}

/// A writer that was interrupted in the middle of a transaction is aborted by the next one; its record is never seen.
async fn an_open_transaction_does_not_show(settings: &Settings) {
    create(settings, TopicSpec::new("log.open")).await;
    let interrupted = leave_a_transaction_open(settings.bootstrap(), "open", "log.open");
    let mut reader = LogReader::open(settings, "log.open").await.unwrap();
    // what will become of the record is not known yet
    let early =
        tokio::time::timeout(Duration::from_millis(300), reader.read_to_end(|record| panic!("read {record:?}"))).await;
    assert!(early.is_err());
    let mut next = FencedLogWriter::open(settings, "open").await.unwrap();
    next.append(OutgoingRecord::to("log.open").key("committed")).await.unwrap();
    assert_eq!(keys(&read_to_end(&mut reader).await), ["committed"]);
    drop(interrupted);
}

fn leave_a_transaction_open(bootstrap: &str, transactional_id: &str, topic: &str) -> BaseProducer {
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("transactional.id", transactional_id);
    let producer: BaseProducer = config.create().unwrap();
    producer.init_transactions(DEADLINE).unwrap();
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<str, str>::to(topic).key("uncommitted")).map_err(|(error, _)| error).unwrap();
    producer.flush(DEADLINE).unwrap();
    producer
}

async fn an_earlier_writer_is_fenced(settings: &Settings) {
    create(settings, TopicSpec::new("log.fenced")).await;
    let mut earlier = FencedLogWriter::open(settings, "fenced").await.unwrap();
    earlier.append(OutgoingRecord::to("log.fenced").key("1")).await.unwrap();
    let mut later = FencedLogWriter::open(settings, "fenced").await.unwrap();
    for _ in 0..2 {
        let fenced = earlier.append(OutgoingRecord::to("log.fenced").key("2")).await.unwrap_err();
        assert_eq!(fenced.kind(), ErrorKind::Fenced, "{fenced:?}");
    }
    later.append(OutgoingRecord::to("log.fenced").key("3")).await.unwrap();
    let mut reader = LogReader::open(settings, "log.fenced").await.unwrap();
    assert_eq!(keys(&read_to_end(&mut reader).await), ["1", "3"]);
}

async fn records_come_back_as_they_were_sent(settings: &Settings) {
    create(settings, TopicSpec::new("sent").partitions(2)).await;
    let producer = Producer::new(settings).unwrap();
    let sent =
        OutgoingRecord::to("sent").key("k").value("v").header("h", "1").header("h", "2").timestamp_ms(42).partition(1);
    let position = producer.send(sent).await.unwrap().await.unwrap();
    assert_eq!((position.partition, position.offset), (1, 0));
    for n in 0..1000 {
        drop(producer.send(OutgoingRecord::to("sent").partition(0).value(format!("{n}"))).await.unwrap());
    }
    producer.flush(DEADLINE).await.unwrap();

    let mut consumer = Consumer::assign(settings, "sent", &[(1, Start::Beginning)]).unwrap();
    let record = tokio::time::timeout(DEADLINE, consumer.next()).await.unwrap().unwrap();
    assert_eq!((record.key.as_deref(), record.value.as_deref()), (Some(&b"k"[..]), Some(&b"v"[..])));
    assert_eq!((record.timestamp_ms, record.headers.len()), (Some(42), 2));
    assert_eq!(record.header("h").map(|value| &value[..]), Some(&b"2"[..]));
    assert!(tokio::time::timeout(DEADLINE, consumer.next_until_end()).await.unwrap().unwrap().is_none());

    let ends = BTreeMap::from([(TopicPartition::new("sent", 0), 10)]);
    let mut consumer = Consumer::assign(settings, "sent", &[(0, Start::Offset(8))]).unwrap();
    let mut before = Vec::new();
    while let Some(record) = tokio::time::timeout(DEADLINE, consumer.next_before(&ends)).await.unwrap().unwrap() {
        before.push(record.offset);
    }
    assert_eq!(before, [8, 9]);

    let mut offsets = Vec::new();
    let partition = TopicPartition::new("sent", 0);
    let range = read_range(settings, &partition, 990..2000, |record| offsets.push(record.offset));
    tokio::time::timeout(DEADLINE, range).await.unwrap().unwrap();
    assert_eq!(offsets, (990..1000).collect::<Vec<_>>());
}

async fn a_group_goes_on_where_it_committed(settings: &Settings) {
    let admin = create(settings, TopicSpec::new("grouped").partitions(2)).await;
    let writer = LogWriter::new(settings).unwrap();
    for n in 0..10 {
        writer.append(OutgoingRecord::to("grouped").partition(n % 2).value(format!("{n}"))).await.unwrap();
    }
    let read_all = async |commit: bool| {
        let mut consumer = Consumer::join(settings, "readers", "grouped", Start::Beginning).unwrap();
        let mut offsets = mesh_kafka::Offsets::new();
        let mut count = 0;
        while let Some(record) = tokio::time::timeout(DEADLINE, consumer.next_until_end()).await.unwrap().unwrap() {
            offsets.insert(TopicPartition::new("grouped", record.partition), record.offset + 1);
            count += 1;
        }
        assert_eq!(consumer.assignment(), [0, 1]);
        if commit {
            consumer.commit(&offsets).await.unwrap();
        }
        consumer.close().await;
        count
    };
    assert_eq!(read_all(false).await, 10);
    assert_eq!(read_all(true).await, 10);
    assert_eq!(read_all(true).await, 0);
    let committed = admin.committed("readers", &["grouped"]).await.unwrap();
    assert_eq!(committed.into_values().collect::<Vec<_>>(), [5, 5]);
    assert!(admin.committed("nobody", &["grouped"]).await.unwrap().is_empty());
}

async fn too_large_a_record_is_refused(settings: &Settings) {
    create(settings, TopicSpec::new("small").config("max.message.bytes", "1000")).await;
    let writer = LogWriter::new(settings).unwrap();
    let noise: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let error = writer.append(OutgoingRecord::to("small").value(noise)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
}
