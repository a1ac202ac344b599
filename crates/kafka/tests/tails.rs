//! Tails of many partitions, and what their leaders and groups are asked, on a real Kafka.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_kafka::admin::{Admin, Listed, TopicSpec};
use mesh_kafka::consumer::{Consumer, Outcome, Reading, Start, Stretch, TailReader};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::producer::Producer;
use mesh_kafka::{ErrorKind, Offsets, OutgoingRecord, Settings, TopicPartition};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let bed = Bed::new(kafka.settings());
    many_topics_are_read_at_once(&bed).await;
    markers_and_what_was_aborted_are_passed_over(&bed).await;
    a_large_record_comes_whole(&bed).await;
    a_partition_that_is_asked_for_twice_is_answered_twice(&bed).await;
    what_is_gone_keeps_nobody(&bed).await;
    a_marker_has_the_brokers_time(&bed).await;
    all_that_a_group_committed_is_told(&bed).await;
    kafka.stop().await;
}

/// The offsets and event times that were seen, by stretch.
type Glimpses = BTreeMap<usize, Vec<(i64, Option<String>)>>;

struct Bed {
    settings: Settings,
    admin: Admin,
    reader: tokio::sync::Mutex<TailReader>,
}

impl Bed {
    fn new(settings: Settings) -> Self {
        let (admin, reader) = (Admin::new(&settings).unwrap(), TailReader::new(&settings).unwrap());
        Bed { settings, admin, reader: tokio::sync::Mutex::new(reader) }
    }

    async fn read(&self, stretches: Vec<Stretch>) -> (Reading, Glimpses) {
        let mut reader = self.reader.lock().await;
        let read = reader.read(stretches, Glimpses::new(), |glimpses, index, glimpse| {
            let header = glimpse.header(c"mesh-event-time").map(|value| String::from_utf8(value.to_vec()).unwrap());
            glimpses.entry(index).or_default().push((glimpse.offset(), header));
        });
        tokio::time::timeout(DEADLINE, read).await.unwrap().unwrap()
    }

    async fn create(&self, topic: &str, partitions: u32) {
        self.admin.create_topics(&[TopicSpec::new(topic).partitions(partitions)]).await.unwrap();
    }

    async fn end(&self, topic: &str) -> i64 {
        self.admin.settled_end_offsets(&[topic]).await.unwrap()[&TopicPartition::new(topic, 0)]
    }

    /// Writes records in a transaction, which is committed or aborted.
    fn transact(&self, topic: &str, records: i64, value: &[u8], commit: bool) {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.settings.bootstrap()).set("transactional.id", format!("t-{topic}"));
        let producer: BaseProducer = config.set("message.max.bytes", "2000000").create().unwrap();
        producer.init_transactions(DEADLINE).unwrap();
        producer.begin_transaction().unwrap();
        for _ in 0..records {
            producer.send(BaseRecord::<[u8], [u8]>::to(topic).payload(value).timestamp(1)).unwrap();
        }
        producer.flush(DEADLINE).unwrap();
        if commit { producer.commit_transaction(DEADLINE) } else { producer.abort_transaction(DEADLINE) }.unwrap();
    }
}

fn stretch(topic: &str, partition: i32, offsets: std::ops::Range<i64>) -> Stretch {
    Stretch { topic: topic.into(), partition, offsets, records_max: usize::MAX }
}

async fn many_topics_are_read_at_once(bed: &Bed) {
    let producer = Producer::new(&bed.settings).unwrap();
    let topics: Vec<String> = (0..20).map(|number| format!("many.{number}")).collect();
    let specs: Vec<_> = topics.iter().map(|topic| TopicSpec::new(topic).partitions(2)).collect();
    bed.admin.create_topics(&specs).await.unwrap();
    for topic in &topics {
        for (partition, time) in [(0, 7), (0, 8), (0, 9), (1, 10)] {
            let record = OutgoingRecord::to(topic.as_str()).partition(partition).value("v");
            drop(producer.send(record.header("mesh-event-time", time.to_string())).await.unwrap());
        }
    }
    producer.flush(DEADLINE).await.unwrap();
    let partitions = || topics.iter().flat_map(|topic| [0, 1].map(|partition| (topic, partition)));
    let asked = partitions().map(|(topic, partition)| TopicPartition::new(topic, partition)).collect();
    let ends = bed.admin.visible_ends(asked).await.unwrap();
    assert!(ends.missing.is_empty());
    let stretches = partitions().map(|(topic, partition)| {
        let end = ends.found[&TopicPartition::new(topic, partition)].offset;
        stretch(topic, partition, (end - 2).max(0)..end)
    });
    for _ in 0..2 {
        // the same reader reads the same again
        let (reading, glimpses) = bed.read(stretches.clone().collect()).await;
        assert_eq!(reading.outcomes, vec![Outcome::Read; 40]);
        assert_eq!((reading.records, reading.bytes), (60, 60));
        for index in 0..20 {
            let time = |offset, time: &str| (offset, Some(time.to_owned()));
            assert_eq!(glimpses[&(2 * index)], [time(1, "8"), time(2, "9")]);
            assert_eq!(glimpses[&(2 * index + 1)], [time(0, "10")]);
        }
    }
    let first = Stretch { records_max: 1, ..stretch("many.0", 0, 0..3) };
    assert_eq!(bed.read(vec![first]).await.1[&0].len(), 1, "one is enough");
}

async fn markers_and_what_was_aborted_are_passed_over(bed: &Bed) {
    bed.create("aborted", 1).await;
    bed.transact("aborted", 2, b"v", true);
    for _ in 0..3 {
        bed.transact("aborted", 5, b"v", false);
    }
    let end = bed.end("aborted").await;
    assert_eq!(end, 3 + 3 * 6, "two records and a marker, then thrice five and a marker");
    let (reading, glimpses) = bed.read(vec![stretch("aborted", 0, end - 4..end)]).await;
    assert_eq!((reading.outcomes, glimpses.len()), (vec![Outcome::Read], 0), "nothing visible that near");
    let (_, glimpses) = bed.read(vec![stretch("aborted", 0, 0..end)]).await;
    assert_eq!(glimpses[&0].iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [0, 1]);
}

async fn a_large_record_comes_whole(bed: &Bed) {
    let topic = TopicSpec::new("large").partitions(1).config("max.message.bytes", "2000000");
    bed.admin.create_topics(&[topic]).await.unwrap();
    bed.transact("large", 1, &vec![7; 1_500_000], true);
    let end = bed.end("large").await;
    let (reading, glimpses) = bed.read(vec![stretch("large", 0, 0..end)]).await;
    assert_eq!((reading.bytes, glimpses[&0].len()), (1_500_000, 1));
}

/// As where two contracts name the same port.
async fn a_partition_that_is_asked_for_twice_is_answered_twice(bed: &Bed) {
    bed.create("tails.twice", 1).await;
    bed.transact("tails.twice", 3, b"v", true);
    let (end, at) = (bed.end("tails.twice").await, TopicPartition::new("tails.twice", 0));
    let listing = bed.admin.visible_ends(vec![at.clone(), at.clone()]).await.unwrap();
    assert_eq!((listing.found.len(), listing.missing.len()), (1, 0));
    assert!(listing.found[&at].offset >= end, "{listing:?}");
    let (reading, glimpses) = bed.read([0, 1].map(|from| stretch("tails.twice", 0, from..end)).to_vec()).await;
    assert_eq!(reading.outcomes, [Outcome::Read; 2]);
    assert_eq!((glimpses[&0].len(), glimpses[&1].len()), (3, 2));
}

async fn what_is_gone_keeps_nobody(bed: &Bed) {
    let known = TopicPartition::new("many.0", 0);
    let asked = vec![known.clone(), TopicPartition::new("gone", 0), TopicPartition::new("many.0", 9)];
    let ends = bed.admin.visible_ends(asked).await.unwrap();
    assert_eq!(ends.found, BTreeMap::from([(known, Listed { offset: 3, timestamp_ms: None })]));
    assert!(ends.missing.values().all(|kind| *kind == ErrorKind::UnknownTopic), "{ends:?}");
    assert_eq!(ends.missing.len(), 2);
    let only_gone = bed.admin.visible_ends(vec![TopicPartition::new("gone", 1)]).await.unwrap();
    assert_eq!((only_gone.found.len(), only_gone.missing.len()), (0, 1));

    let stretches = vec![stretch("many.0", 0, 1..3), stretch("gone", 0, 0..5), stretch("many.1", 1, 40..50)];
    let (reading, glimpses) = bed.read(stretches).await;
    assert_eq!(reading.outcomes[..2], [Outcome::Read, Outcome::Gone]);
    assert_eq!(reading.outcomes[2], Outcome::Read, "a partition that was cut is read from what is left");
    assert_eq!(glimpses[&0].len(), 2);
}

async fn a_marker_has_the_brokers_time(bed: &Bed) {
    bed.create("marked", 2).await;
    let before_ms = now_ms();
    bed.transact("marked", 1, b"v", true);
    let asked = [0, 1].map(|partition| TopicPartition::new("marked", partition));
    let written = bed.admin.settled_end_offsets(&["marked"]).await.unwrap();
    let newest = bed.admin.newest_timestamps(asked.to_vec()).await.unwrap();
    for partition in &asked {
        let listed = newest.found[partition];
        if written[partition] == 0 {
            assert_eq!(listed, Listed { offset: 0, timestamp_ms: None });
        } else {
            assert_eq!(listed.offset, 1, "the marker's, not the record's");
            assert!((before_ms..=now_ms()).contains(&listed.timestamp_ms.unwrap()), "{listed:?}");
        }
    }
}

async fn all_that_a_group_committed_is_told(bed: &Bed) {
    let at = |topic: &str, offset| (TopicPartition::new(topic, 0), offset);
    for (topic, offset) in [("many.0", 2), ("many.1", 3)] {
        let mut member = Consumer::join(&bed.settings, "readers", topic, Start::Beginning).unwrap();
        member.next().await.unwrap();
        member.commit(&Offsets::from([at(topic, offset)])).await.unwrap();
        member.close().await;
    }
    assert_eq!(bed.admin.group_offsets("readers").await.unwrap(), Offsets::from([at("many.0", 2), at("many.1", 3)]));
    assert_eq!(bed.admin.group_offsets("nobody").await.unwrap(), Offsets::new());
    assert!(bed.admin.group_names().await.unwrap().contains(&"readers".to_owned()));
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
