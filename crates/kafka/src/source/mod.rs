//! The sidecar's way in: a consumer group's member that gathers batches and is rebalanced only while it gathers.
//!
//! The exactly-once protocol rests on four rules of this module:
//! - A rebalance is served inside [`Source::gather`] alone, when no transaction is open. What was gathered from a partition
//!   that is taken away in the same call is dropped from the batch; its next owner reads it again.
//! - A gained partition starts at its committed offset, read *stable*: a transaction of the former owner that is still
//!   open is waited for.
//! - A batch carries the group's metadata as of its gathering. Offsets sent with it are refused by the group's
//!   coordinator once this member is no longer what it was then.
//! - A member that was expelled and has silently joined anew under another id is an error, not a batch: librdkafka would
//!   send offsets for such a member that no coordinator refuses.

mod batch;
mod context;
mod gather;
mod header;
mod native;
mod partition;

use std::{sync::Arc, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};

pub use batch::{Batch, GroupMetadata, Message, Run};
pub use gather::Limits;
pub use header::HeaderRef;
pub(crate) use header::headers;
pub use partition::{Assigned, Change, Committed, Slot};

use crate::{Error, Settings, opened::Opened};
use context::Context;

/// How long a seek may take: it is an exchange between two threads of this process.
const SEEK_TIMEOUT: Duration = Duration::from_secs(5);

/// What a [`Source`] is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The consumer group.
    pub group: String,
    /// How long a silent member stays in the group: what it held waits for so long when it dies.
    pub session_timeout: Duration,
    /// How much the consumer may fetch ahead of what was gathered, in all.
    pub prefetch_bytes_max: usize,
}

impl Options {
    /// The defaults, for a group.
    #[must_use]
    pub fn new(group: impl Into<String>) -> Self {
        Options { group: group.into(), session_timeout: Duration::from_secs(10), prefetch_bytes_max: 32 << 20 }
    }
}

/// One member of a consumer group (cooperative, read-committed), polled by one thread.
pub struct Source {
    consumer: Opened<BaseConsumer<Context>>,
}

impl Source {
    /// Opens a member without a subscription; nothing is sent before the first [`gather`](Self::gather).
    ///
    /// # Errors
    /// The settings are not valid.
    pub fn open(settings: &Settings, options: &Options) -> Result<Self, Error> {
        let session_timeout = options.session_timeout.as_millis().to_string();
        // a member hears of a rebalance with its heartbeat
        let heartbeat_interval = (options.session_timeout / 10).as_millis().to_string();
        let prefetch = (options.prefetch_bytes_max / 1024).max(1024).to_string();
        let defaults = [
            ("session.timeout.ms", session_timeout.as_str()),
            ("heartbeat.interval.ms", heartbeat_interval.as_str()),
            ("topic.metadata.refresh.interval.ms", "10000"),
            ("fetch.wait.max.ms", "50"),
            // the default, 1 s, idles a consumer that has emptied its queue
            ("fetch.queue.backoff.ms", "2"),
            ("queued.min.messages", "50000"),
            ("queued.max.messages.kbytes", prefetch.as_str()),
        ];
        let fixed = [
            ("group.id", options.group.as_str()),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
            ("allow.auto.create.topics", "false"),
        ];
        let config = settings.client(&defaults, &fixed);
        let consumer = settings
            .open(&config, Context::default())
            .map_err(|error| Error::kafka(format!("create a consumer of group {}", options.group), error))?;
        Ok(Source { consumer })
    }

    /// Subscribes to these topics instead of those before; kept topics keep their partitions.
    ///
    /// # Errors
    /// librdkafka refuses the subscription.
    pub fn subscribe(&self, topics: &[&str]) -> Result<(), Error> {
        if topics.is_empty() {
            self.consumer.unsubscribe();
            return Ok(());
        }
        self.consumer.subscribe(topics).map_err(|error| Error::kafka("subscribe to the input topics", error))
    }

    /// The partitions that this member holds.
    #[must_use]
    pub fn assigned(&self) -> Vec<Assigned> {
        self.consumer.context().assigned()
    }

    /// How many offsets a partition is behind its end, as far as known; `None` before it was read.
    #[must_use]
    pub fn behind(&self, slot: Slot) -> Option<i64> {
        let (topic, partition, position) = self.consumer.context().position(slot)?;
        let end = native::known_end(self.consumer.client(), &topic, partition)?;
        Some((end - position?).max(0))
    }

    /// Has the partition's next batch start at `offset`, whatever was gathered or fetched ahead.
    ///
    /// Nothing happens when the partition is no longer held.
    ///
    /// # Errors
    /// The consumer does not take the position; it must not be used further.
    pub fn rewind(&self, slot: Slot, offset: i64) -> Result<(), Error> {
        let Some((topic, partition)) = self.consumer.context().set_position(slot, offset) else { return Ok(()) };
        self.seek(&topic, partition, offset)
    }

    /// Stops reading the partition, to go on at `offset` once it is [resumed](Self::resume). The others go on.
    ///
    /// # Errors
    /// As [`rewind`](Self::rewind).
    pub fn pause(&self, slot: Slot, offset: i64) -> Result<(), Error> {
        let Some((topic, partition)) = self.consumer.context().set_position(slot, offset) else { return Ok(()) };
        self.consumer
            .pause(&single(&topic, partition))
            .map_err(|error| Error::kafka(format!("pause {topic}[{partition}]"), error))?;
        // after the pause, which would else go on from what was handed out last
        self.seek(&topic, partition, offset)
    }

    /// Reads a paused partition again, from where the pause or the last rewind put it.
    ///
    /// # Errors
    /// As [`rewind`](Self::rewind).
    pub fn resume(&self, slot: Slot) -> Result<(), Error> {
        let Some((topic, partition, offset)) = self.consumer.context().position(slot) else { return Ok(()) };
        self.consumer
            .resume(&single(&topic, partition))
            .map_err(|error| Error::kafka(format!("resume {topic}[{partition}]"), error))?;
        match offset {
            Some(offset) => self.seek(&topic, partition, offset),
            None => Ok(()),
        }
    }

    fn seek(&self, topic: &Arc<str>, partition: i32, offset: i64) -> Result<(), Error> {
        self.consumer
            .seek(topic, partition, Offset::Offset(offset), SEEK_TIMEOUT)
            .map_err(|error| Error::kafka(format!("seek {topic}[{partition}] to {offset}"), error))
    }
}

fn single(topic: &str, partition: i32) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(1);
    list.add_partition(topic, partition);
    list
}
