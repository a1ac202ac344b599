//! Reads one topic, read committed, as a member of a group or on its own.

mod group;
mod range;
mod tails;

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::blocking::{self, Shared};
use crate::opened::Opened;
use crate::{Error, Offsets, Record, Settings, TopicPartition};
use group::GroupContext;

pub use range::read_range;
pub use tails::{Glimpse, Outcome, Reading, Stretch, TailReader};

/// At most 16 MiB of fetched records wait to be asked for.
const DEFAULTS: [(&str, &str); 4] = [
    ("queued.max.messages.kbytes", "16384"),
    ("queued.min.messages", "20000"),
    ("fetch.wait.max.ms", "100"),
    // librdkafka's default, 1 s, idles a consumer that empties its queue
    ("fetch.queue.backoff.ms", "2"),
];
const FIXED: [(&str, &str); 4] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    ("enable.partition.eof", "true"),
];

/// Where to start reading a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record that is left.
    Beginning,
    /// After the last one there is now.
    End,
    /// At this offset, or the first one after it that is left.
    Offset(i64),
}

/// Reads one topic, read committed; nothing is committed unless told ([`Consumer::commit`]).
pub struct Consumer {
    inner: Shared<Opened<StreamConsumer<GroupContext>>>,
    topic: Arc<str>,
}

impl Consumer {
    /// Joins a group: its members share the topic's partitions, and go on after its committed offsets; `start` says where
    /// to begin with a partition of which the group has committed none ([`Start::Offset`] counts as the beginning).
    pub fn join(settings: &Settings, group: &str, topic: &str, start: Start) -> Result<Self, Error> {
        let reset = if start == Start::End { "latest" } else { "earliest" };
        let consumer = Consumer::create(settings, topic, &[("group.id", group), ("auto.offset.reset", reset)])?;
        let subscribed = consumer.inner.subscribe(&[topic]);
        subscribed.map_err(|error| Error::kafka(format!("subscribe to {topic} as group {group}"), error))?;
        Ok(consumer)
    }

    /// Reads these partitions on its own, without a group.
    pub fn assign(settings: &Settings, topic: &str, partitions: &[(i32, Start)]) -> Result<Self, Error> {
        let own = [("group.id", "mesh-reader"), ("auto.offset.reset", "earliest")];
        let consumer = Consumer::create(settings, topic, &own)?;
        let failed = |error| Error::kafka(format!("read {topic}"), error);
        let mut assignment = TopicPartitionList::new();
        for (partition, start) in partitions {
            assignment.add_partition_offset(topic, *partition, start.offset()).map_err(failed)?;
        }
        consumer.inner.context().assigned(&assignment);
        consumer.inner.assign(&assignment).map_err(failed)?;
        Ok(consumer)
    }

    fn create(settings: &Settings, topic: &str, own: &[(&str, &str)]) -> Result<Self, Error> {
        let config = settings.client(&DEFAULTS, &[&FIXED, own].concat());
        let created = settings.open(&config, GroupContext::default());
        let inner = created.map_err(|error| Error::kafka(format!("set up a consumer of {topic}"), error))?;
        Ok(Consumer { inner: Shared::new(inner), topic: topic.into() })
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The partitions that it reads now; none before the group has given it any.
    pub fn assignment(&self) -> Vec<i32> {
        self.inner.context().partitions()
    }

    /// Waits for the next record. Nothing is lost if the caller goes away while waiting.
    ///
    /// A cluster that cannot be reached is waited for; errors are those that waiting does not mend.
    pub async fn next(&mut self) -> Result<Record, Error> {
        loop {
            if let Event::Record(record) = self.event().await? {
                return Ok(record);
            }
        }
    }

    /// Waits for the next record; none once all partitions that it reads have been read to where they ended after this
    /// consumer was made, at least.
    pub async fn next_until_end(&mut self) -> Result<Option<Record>, Error> {
        loop {
            if self.inner.context().all_ended() {
                return Ok(None);
            }
            if let Event::Record(record) = self.event().await? {
                return Ok(Some(record));
            }
        }
    }

    /// Waits for the next record before `ends`; none once all partitions that it reads have been read up to there. Records
    /// behind the ends are passed over. The ends are to be those of a moment before this consumer was made.
    pub async fn next_before(&mut self, ends: &Offsets) -> Result<Option<Record>, Error> {
        loop {
            if self.inner.context().all_ended() {
                return Ok(None);
            }
            let Event::Record(record) = self.event().await? else { continue };
            let partition = TopicPartition::new(&*record.topic, record.partition);
            let end = ends.get(&partition).copied().unwrap_or(i64::MAX);
            if record.offset + 1 >= end {
                self.inner.context().ended(record.partition);
            }
            if record.offset < end {
                return Ok(Some(record));
            }
        }
    }

    /// Commits the group's offsets (of the next record to read, of each partition) and waits for the broker's word.
    ///
    /// [`crate::ErrorKind::Rebalanced`] if another member has got a partition since: it will read again what was not
    /// committed.
    pub async fn commit(&self, offsets: &Offsets) -> Result<(), Error> {
        if offsets.is_empty() {
            return Ok(());
        }
        let operation = format!("commit offsets of {}", self.topic);
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            let added = list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*offset));
            added.map_err(|error| Error::kafka(operation.as_str(), error))?;
        }
        let consumer = self.inner.clone();
        blocking::run(move || consumer.commit(&list, CommitMode::Sync).map_err(|error| Error::kafka(operation, error)))
            .await
    }

    /// Leaves the group, so that the others get its partitions at once. What was not committed is read again by them.
    pub async fn close(self) {
        let closed = blocking::run(move || {
            self.inner.unsubscribe();
            self.inner.drop_here();
            Ok(())
        });
        if tokio::time::timeout(Duration::from_secs(5), closed).await.is_err() {
            tracing::debug!("left the group without the broker's word");
        }
    }

    async fn event(&mut self) -> Result<Event, Error> {
        loop {
            let inner = self.inner.clone();
            match inner.recv().await {
                Ok(message) => return Ok(Event::Record(Record::copy(&message, &mut self.topic))),
                Err(KafkaError::PartitionEOF(partition)) => {
                    inner.context().ended(partition);
                    return Ok(Event::End);
                }
                Err(error) => {
                    let error = Error::kafka(format!("read {}", self.topic), error);
                    if !error.is_retriable() {
                        return Err(error);
                    }
                    tracing::warn!(topic = &*self.topic, kind = ?error.kind(), "topic is out of reach, retrying");
                }
            }
        }
    }
}

enum Event {
    Record(Record),
    End,
}

impl Start {
    fn offset(self) -> Offset {
        match self {
            Start::Beginning => Offset::Beginning,
            Start::End => Offset::End,
            Start::Offset(offset) => Offset::Offset(offset),
        }
    }
}
