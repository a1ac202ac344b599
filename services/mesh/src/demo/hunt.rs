//! Reads every topic of the cluster, from where it ended before the run.

use super::search::Part;
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::{Error, Offsets, Record, Settings, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// How many topics are read at a time.
const READERS_MAX: usize = 6;
/// How many records may wait to be looked at.
const WAITING_MAX: usize = 1_000;

/// Where every topic ended at some moment. What is behind it is of before.
#[derive(Debug, Default)]
pub struct Mark(Offsets);

impl Mark {
    /// Where every topic ends now.
    ///
    /// # Errors
    /// Kafka does not say.
    pub async fn now(admin: &Admin) -> Result<Self, Error> {
        let topics = admin.topic_names().await?;
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        admin.end_offsets(&topics).await.map(Self)
    }

    /// Where to start with a partition: after the mark, or at its beginning if it was not there then.
    pub fn start(&self, topic: &str, partition: i32) -> Start {
        self.0.get(&TopicPartition::new(topic, partition)).map_or(Start::Beginning, |offset| Start::Offset(*offset))
    }

    /// Where to start with every partition of a topic.
    pub fn starts(&self, topic: &str, partitions: u32) -> Vec<(i32, Start)> {
        let partitions = 0..i32::try_from(partitions).unwrap_or(i32::MAX);
        partitions.map(|partition| (partition, self.start(topic, partition))).collect()
    }
}

/// Reads every topic but those that `skip` says, up to what was committed when this was called, several at a time, and counts the records of each; `each` sees them all.
///
/// # Errors
/// A topic cannot be read: an incomplete search proves nothing.
pub async fn read_all(
    settings: &Settings,
    mark: &Mark,
    skip: impl Fn(&str) -> bool,
    mut each: impl FnMut(&Record),
) -> Result<BTreeMap<String, u64>, Error> {
    let admin = Admin::new(settings)?;
    let topics: Vec<(String, u32)> = admin.topics().await?.into_iter().filter(|(topic, _)| !skip(topic)).collect();
    let names: Vec<&str> = topics.iter().map(|(topic, _)| topic.as_str()).collect();
    let ends = Arc::new(admin.settled_end_offsets(&names).await?);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let (found, mut records) = mpsc::channel(WAITING_MAX);
    let mut readers = JoinSet::new();
    let turns = Arc::new(Semaphore::new(READERS_MAX));
    for (topic, partitions) in topics {
        counts.insert(topic.clone(), 0);
        let starts = mark.starts(&topic, partitions);
        let reader = Reader { settings: settings.clone(), starts, ends: Arc::clone(&ends), found: found.clone() };
        readers.spawn(reader.read(topic, Arc::clone(&turns)));
    }
    drop(found);
    while let Some(record) = records.recv().await {
        *counts.entry(record.topic.to_string()).or_default() += 1;
        each(&record);
    }
    readers.join_all().await.into_iter().collect::<Result<(), Error>>()?;
    Ok(counts)
}

/// Reads one topic, and hands its records over.
struct Reader {
    settings: Settings,
    starts: Vec<(i32, Start)>,
    ends: Arc<Offsets>,
    found: mpsc::Sender<Record>,
}

impl Reader {
    async fn read(self, topic: String, turns: Arc<Semaphore>) -> Result<(), Error> {
        // The semaphore is never closed; were it, all would read at once, which is as right.
        let _turn = turns.acquire().await;
        let mut consumer = Consumer::assign(&self.settings, &topic, &self.starts)?;
        while let Some(record) = consumer.next_before(&self.ends).await? {
            if self.found.send(record).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// A record's parts, as they are searched.
pub fn parts(record: &Record) -> impl Iterator<Item = (Part, &[u8])> {
    let key = record.key.as_deref().map(|key| (Part::Key, key));
    let value = record.value.as_deref().map(|value| (Part::Value, value));
    let headers = record.headers.iter().flat_map(|header| {
        [Some(header.name.as_bytes()), header.value.as_deref()].into_iter().flatten().map(|bytes| (Part::Header, bytes))
    });
    key.into_iter().chain(value).chain(headers)
}
