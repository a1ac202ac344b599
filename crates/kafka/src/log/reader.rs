//! Reads a control topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::admin::{read_offsets, unknown};
use crate::blocking;
use crate::context::LogContext;
use crate::{Error, ErrorKind, Record, Settings};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long reading to the end may go without any progress.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// A reader keeps no more than this much of a log that it has not handed over yet.
const DEFAULTS: [(&str, &str); 5] = [
    ("queued.max.messages.kbytes", "8192"),
    ("queued.min.messages", "1000"),
    // an idle log tells that its end is reached only when a fetch comes back empty
    ("fetch.wait.max.ms", "50"),
    // librdkafka's default, 1 s, idles a consumer that empties its queue
    ("fetch.queue.backoff.ms", "2"),
    ("group.id", "mesh-log-reader"),
];
const FIXED: [(&str, &str); 5] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "earliest"),
    ("isolation.level", "read_committed"),
    ("enable.partition.eof", "true"),
];

/// Reads all partitions of a topic from the beginning, read committed, without a consumer group.
pub struct LogReader {
    consumer: Arc<StreamConsumer<LogContext>>,
    topic: Arc<str>,
    partitions: BTreeMap<i32, Progress>,
    /// Whether librdkafka has been fetching, so that its queue may hold news older than a call.
    fetching: bool,
}

/// How far a partition has been read.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// The offset after the last record handed over.
    next: i64,
    /// Everything a reader can see below this offset has been handed over; compaction and transaction markers leave gaps,
    /// so that this may be beyond `next`.
    complete: i64,
}

impl LogReader {
    /// Prepares to read a topic from the beginning; [`ErrorKind::UnknownTopic`] if there is none.
    pub async fn open(settings: &Settings, topic: &str) -> Result<Self, Error> {
        let operation = format!("open the log {topic}");
        let config = settings.client(&DEFAULTS, &FIXED);
        let created = config.create_with_context(LogContext).map_err(|error| Error::kafka(operation.as_str(), error));
        let consumer: Arc<StreamConsumer<LogContext>> = Arc::new(created?);
        let partitions = count_partitions(Arc::clone(&consumer), operation, topic.to_owned()).await?;
        let partitions = (0..partitions).map(|partition| (partition, Progress::default())).collect();
        Ok(LogReader { consumer, topic: topic.into(), partitions, fetching: false })
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Hands over everything that was committed when this was called and has not been handed over yet.
    ///
    /// The order is kept within each partition. If the caller goes away in the middle, or an error is returned, the next
    /// call goes on where this one stopped. Costs one request if nothing is new.
    pub async fn read_to_end(&mut self, mut each: impl FnMut(Record)) -> Result<(), Error> {
        let ends = self.ends().await?;
        let mut pending: BTreeMap<i32, i64> = ends.into_iter().filter(|(p, end)| self.lags(*p, *end)).collect();
        if pending.is_empty() {
            return Ok(());
        }
        self.fetch_afresh(&pending).await?;
        while !pending.is_empty() {
            match self.event().await? {
                Event::Record(record) => {
                    let (partition, next) = (record.partition, record.offset + 1);
                    each(record);
                    if pending.get(&partition).is_some_and(|end| next >= *end) {
                        pending.remove(&partition);
                    }
                }
                Event::End(partition) => {
                    if let Some(end) = pending.remove(&partition) {
                        self.progress(partition).complete = end;
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits for the next record. Nothing is lost if the caller goes away while waiting.
    ///
    /// A cluster that cannot be reached is waited for; errors are those that waiting does not mend.
    pub async fn next(&mut self) -> Result<Record, Error> {
        self.start_fetching()?;
        loop {
            match self.receive().await {
                Ok(Event::Record(record)) => return Ok(record),
                Ok(Event::End(_)) => {}
                Err(error) if error.is_retriable() => {
                    tracing::warn!(topic = &*self.topic, "log is out of reach, retrying")
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn lags(&self, partition: i32, end: i64) -> bool {
        self.partitions.get(&partition).is_none_or(|progress| progress.next.max(progress.complete) < end)
    }

    fn progress(&mut self, partition: i32) -> &mut Progress {
        self.partitions.entry(partition).or_default()
    }

    /// The offsets after the last ones that a reader can see now.
    async fn ends(&self) -> Result<BTreeMap<i32, i64>, Error> {
        let operation = format!("find the end of the log {}", self.topic);
        let mut asked = TopicPartitionList::new();
        for partition in self.partitions.keys() {
            asked.add_partition(&self.topic, *partition);
        }
        asked.set_all_offsets(Offset::End).map_err(|error| Error::kafka(operation.as_str(), error))?;
        let consumer = Arc::clone(&self.consumer);
        let offsets = blocking::run(move || {
            let answer = consumer.offsets_for_times(asked, REQUEST_TIMEOUT);
            read_offsets(&operation, &answer.map_err(|error| Error::kafka(operation.as_str(), error))?)
        });
        Ok(offsets.await?.into_iter().map(|(partition, offset)| (partition.partition, offset)).collect())
    }

    fn start_fetching(&mut self) -> Result<(), Error> {
        if self.fetching {
            return Ok(());
        }
        let failed = |error| Error::kafka(format!("read the log {}", self.topic), error);
        let mut assignment = TopicPartitionList::new();
        for (partition, progress) in &self.partitions {
            let start = if progress.next == 0 { Offset::Beginning } else { Offset::Offset(progress.next) };
            assignment.add_partition_offset(&self.topic, *partition, start).map_err(failed)?;
        }
        self.consumer.assign(&assignment).map_err(failed)?;
        self.fetching = true;
        Ok(())
    }

    /// Makes sure that an end-of-partition event that follows is news: one that is queued already may be older than the
    /// records we wait for, so that those partitions are fetched anew from where they were handed over.
    async fn fetch_afresh(&mut self, pending: &BTreeMap<i32, i64>) -> Result<(), Error> {
        if !self.fetching {
            return self.start_fetching();
        }
        let starts: Vec<(i32, i64)> =
            pending.keys().map(|p| (*p, self.partitions.get(p).map_or(0, |s| s.next))).collect();
        let (consumer, topic) = (Arc::clone(&self.consumer), Arc::clone(&self.topic));
        blocking::run(move || {
            for (partition, next) in starts {
                let start = if next == 0 { Offset::Beginning } else { Offset::Offset(next) };
                let sought = consumer.seek(&topic, partition, start, REQUEST_TIMEOUT);
                sought.map_err(|error| Error::kafka(format!("read the log {topic}"), error))?;
            }
            Ok(())
        })
        .await
    }

    /// The next event, or an error if there is none for long.
    async fn event(&mut self) -> Result<Event, Error> {
        let operation = format!("read the log {} to its end", self.topic);
        let deadline = tokio::time::Instant::now() + STALL_TIMEOUT;
        loop {
            match tokio::time::timeout_at(deadline, self.receive()).await {
                Ok(Err(error)) if error.is_retriable() => tracing::debug!("log is out of reach, retrying"),
                Ok(result) => return result,
                Err(_) => return Err(Error::said(operation, ErrorKind::Unreachable, "no progress for 30 s")),
            }
        }
    }

    async fn receive(&mut self) -> Result<Event, Error> {
        let consumer = Arc::clone(&self.consumer);
        match consumer.recv().await {
            Ok(message) => {
                let record = Record::copy(&message, &mut self.topic);
                self.progress(record.partition).next = record.offset + 1;
                Ok(Event::Record(record))
            }
            Err(KafkaError::PartitionEOF(partition)) => Ok(Event::End(partition)),
            Err(error) => Err(Error::kafka(format!("read the log {}", self.topic), error)),
        }
    }
}

enum Event {
    Record(Record),
    End(i32),
}

async fn count_partitions(
    consumer: Arc<StreamConsumer<LogContext>>,
    operation: String,
    topic: String,
) -> Result<i32, Error> {
    blocking::run(move || {
        let metadata = consumer.fetch_metadata(Some(&topic), REQUEST_TIMEOUT);
        let metadata = metadata.map_err(|error| Error::kafka(operation, error))?;
        let count =
            metadata.topics().iter().find(|found| found.name() == topic).map_or(0, |found| found.partitions().len());
        if count == 0 { Err(unknown(&topic)) } else { Ok(i32::try_from(count).unwrap_or(i32::MAX)) }
    })
    .await
}

impl Drop for LogReader {
    fn drop(&mut self) {
        blocking::drop_elsewhere(Arc::clone(&self.consumer));
    }
}
