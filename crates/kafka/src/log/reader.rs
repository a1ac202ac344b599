//! Reads a control topic.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::admin::{Ends, unknown};
use crate::blocking::{self, Shared};
use crate::context::LogContext;
use crate::opened::Opened;
use crate::settings::READS_TO_THE_END;
use crate::{Error, ErrorKind, Record, Settings};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long reading to the end may go without any progress.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long records may take to follow an end-of-partition event that may be older than they are.
const DOUBT_TIMEOUT: Duration = Duration::from_millis(10);
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

/// Reads all partitions of a topic from the beginning, read committed, without a consumer group.
pub struct LogReader {
    consumer: Shared<Opened<StreamConsumer<LogContext>>>,
    ends: Shared<Ends>,
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
        let config = settings.client(&DEFAULTS, &READS_TO_THE_END);
        let opened = settings.open(&config, LogContext).map_err(|error| Error::kafka(operation.as_str(), error));
        let consumer: Shared<Opened<StreamConsumer<LogContext>>> = Shared::new(opened?);
        let partitions = count_partitions(consumer.clone(), operation, topic.to_owned()).await?;
        let partitions = (0..partitions).map(|partition| (partition, Progress::default())).collect();
        let ends = Ends::of(settings)?;
        Ok(LogReader { consumer, ends, topic: topic.into(), partitions, fetching: false })
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Hands over everything that was acknowledged to its writer before this was called, and has not been handed over yet.
    ///
    /// Waits for transactions that are open now to be over, 20 s at most. The order is kept within each partition. If the caller goes away in the middle, or an error is returned, the next
    /// call goes on where this one stopped. Costs one request if nothing is new.
    pub async fn read_to_end(&mut self, mut each: impl FnMut(Record)) -> Result<(), Error> {
        let mut pending = self.pending().await?;
        if pending.is_empty() {
            return Ok(());
        }
        // With nothing fetched yet, each end-of-partition event is news. Later, `next` may have passed over the event of
        // the very end, and librdkafka does not say it twice: silence then asks for a fetch afresh.
        let asked: BTreeSet<i32> = pending.keys().copied().collect();
        let (mut fresh, mut doubtful) = if self.fetching { (BTreeSet::new(), asked) } else { (asked, BTreeSet::new()) };
        self.start_fetching()?;
        while !pending.is_empty() {
            let patience = if doubtful.is_empty() { STALL_TIMEOUT } else { DOUBT_TIMEOUT };
            match self.event(patience).await? {
                Some(Event::Record(record)) => {
                    let (partition, next) = (record.partition, record.offset + 1);
                    each(record);
                    if pending.get(&partition).is_some_and(|end| next >= *end) {
                        pending.remove(&partition);
                        doubtful.remove(&partition);
                    }
                }
                Some(Event::End(partition)) if fresh.contains(&partition) => {
                    if let Some(end) = pending.remove(&partition) {
                        self.progress(partition).complete = end;
                    }
                }
                Some(Event::End(partition)) if pending.contains_key(&partition) => _ = doubtful.insert(partition),
                Some(Event::End(_)) => {}
                None if doubtful.is_empty() => return Err(self.stalled()),
                None => {
                    let partitions = std::mem::take(&mut doubtful);
                    self.fetch_afresh(&partitions).await?;
                    fresh.extend(partitions);
                }
            }
        }
        Ok(())
    }

    /// Fetches nothing until it is asked for records again. Who reads to the end now and then rests in between: a broker is
    /// asked twenty times a second otherwise.
    pub fn rest(&mut self) -> Result<(), Error> {
        if self.fetching {
            let failed = |error| Error::kafka(format!("rest from reading the log {}", self.topic), error);
            self.consumer.unassign().map_err(failed)?;
            self.fetching = false;
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

    fn progress(&mut self, partition: i32) -> &mut Progress {
        self.partitions.entry(partition).or_default()
    }

    /// The ends of those partitions that have not been read to their ends.
    async fn pending(&self) -> Result<BTreeMap<i32, i64>, Error> {
        let operation = format!("find the end of the log {}", self.topic);
        let mut asked = TopicPartitionList::new();
        for partition in self.partitions.keys() {
            asked.add_partition(&self.topic, *partition);
        }
        let (asker, partitions) = (self.ends.clone(), self.partitions.clone());
        let pending = blocking::run(move || {
            let mut ends = asker.written(&operation, asked)?;
            ends.retain(|partition, end| partitions.get(&partition.partition).is_none_or(|read| read.lags(*end)));
            asker.settle(&operation, &ends)?;
            Ok(ends)
        });
        Ok(pending.await?.into_iter().map(|(partition, end)| (partition.partition, end)).collect())
    }

    fn start_fetching(&mut self) -> Result<(), Error> {
        if self.fetching {
            return Ok(());
        }
        let failed = |error| Error::kafka(format!("read the log {}", self.topic), error);
        let mut assignment = TopicPartitionList::new();
        for (partition, progress) in &self.partitions {
            assignment.add_partition_offset(&self.topic, *partition, progress.start()).map_err(failed)?;
        }
        self.consumer.assign(&assignment).map_err(failed)?;
        self.fetching = true;
        Ok(())
    }

    /// Makes sure that end-of-partition events that follow are news: one that was queued already may be older than the
    /// records we wait for, so that these partitions are fetched anew from where they were handed over.
    async fn fetch_afresh(&mut self, partitions: &BTreeSet<i32>) -> Result<(), Error> {
        let starts: Vec<(i32, Offset)> = partitions.iter().map(|p| (*p, self.progress(*p).start())).collect();
        let (consumer, topic) = (self.consumer.clone(), Arc::clone(&self.topic));
        blocking::run(move || {
            for (partition, start) in starts {
                let sought = consumer.seek(&topic, partition, start, REQUEST_TIMEOUT);
                sought.map_err(|error| Error::kafka(format!("read the log {topic}"), error))?;
            }
            Ok(())
        })
        .await
    }

    /// The next event; none if there is none for so long.
    async fn event(&mut self, patience: Duration) -> Result<Option<Event>, Error> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            match tokio::time::timeout_at(deadline, self.receive()).await {
                Ok(Err(error)) if error.is_retriable() => tracing::debug!("log is out of reach, retrying"),
                Ok(result) => return result.map(Some),
                Err(_) => return Ok(None),
            }
        }
    }

    fn stalled(&self) -> Error {
        let operation = format!("read the log {} to its end", self.topic);
        Error::said(operation, ErrorKind::Unreachable, format!("no progress for {} s", STALL_TIMEOUT.as_secs()))
    }

    async fn receive(&mut self) -> Result<Event, Error> {
        let consumer = self.consumer.clone();
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

impl Progress {
    fn start(&self) -> Offset {
        if self.next == 0 { Offset::Beginning } else { Offset::Offset(self.next) }
    }

    fn lags(&self, end: i64) -> bool {
        self.next.max(self.complete) < end
    }
}

enum Event {
    Record(Record),
    End(i32),
}

async fn count_partitions(
    consumer: Shared<Opened<StreamConsumer<LogContext>>>,
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
