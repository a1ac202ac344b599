//! Reads every topic of the cluster, from where it ended before the run, and searches it for canaries.

use super::search::{Part, Search};
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::{Error, Offsets, Record, Settings, TopicPartition};
use std::collections::BTreeMap;

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

/// Reads what was written to a topic since `mark`, committed records only.
///
/// # Errors
/// The topic cannot be read.
pub async fn read_since(
    settings: &Settings,
    mark: &Mark,
    (topic, partitions): (&str, u32),
    mut each: impl FnMut(Record),
) -> Result<(), Error> {
    let mut consumer = Consumer::assign(settings, topic, &mark.starts(topic, partitions))?;
    while let Some(record) = consumer.next_until_end().await? {
        each(record);
    }
    Ok(())
}

/// Searches every topic but those that `skip` says, and counts the records of each.
///
/// # Errors
/// A topic cannot be read: an incomplete search proves nothing.
pub async fn search_all(
    settings: &Settings,
    mark: &Mark,
    search: &mut Search<'_>,
    skip: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, u64>, Error> {
    let admin = Admin::new(settings)?;
    let mut records = BTreeMap::new();
    for (topic, partitions) in admin.topics().await? {
        if skip(&topic) {
            continue;
        }
        let count = records.entry(topic.clone()).or_default();
        read_since(settings, mark, (&topic, partitions), |record| {
            *count += 1;
            search.record(&topic, parts(&record));
        })
        .await?;
    }
    Ok(records)
}

fn parts(record: &Record) -> impl Iterator<Item = (Part, &[u8])> {
    let key = record.key.as_deref().map(|key| (Part::Key, key));
    let value = record.value.as_deref().map(|value| (Part::Value, value));
    let headers = record.headers.iter().flat_map(|header| {
        [Some(header.name.as_bytes()), header.value.as_deref()].into_iter().flatten().map(|bytes| (Part::Header, bytes))
    });
    key.into_iter().chain(value).chain(headers)
}
