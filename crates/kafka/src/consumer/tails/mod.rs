//! Reads short stretches of many partitions of many topics, with one consumer that is kept.

mod native;

use std::collections::HashMap;
use std::ffi::CStr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::{Offset, TopicPartitionList};

use crate::blocking::{self, Shared};
use crate::context::LogContext;
use crate::opened::Opened;
use crate::settings::READS_TO_THE_END;
use crate::{Error, ErrorKind, Settings};
use native::Polled;

/// How many partitions are read at once.
const PARTITIONS_AT_ONCE: usize = 1_000;
/// How long a poll waits.
const POLL: Duration = Duration::from_millis(50);
/// How long reading may go without any progress: a leader that is away is not waited for longer.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// What one fetch brings is bounded, except that a larger first batch comes whole (KIP-74).
const DEFAULTS: [(&str, &str); 8] = [
    ("fetch.message.max.bytes", "1048576"),
    ("fetch.max.bytes", "8388608"),
    ("queued.max.messages.kbytes", "16384"),
    ("queued.min.messages", "1"),
    // an end is told by a fetch that comes back empty
    ("fetch.wait.max.ms", "5"),
    // librdkafka's default, 1 s, idles a consumer that empties its queue
    ("fetch.queue.backoff.ms", "2"),
    // a topic that is gone is said to be at once, not after 30 s
    ("topic.metadata.propagation.max.ms", "0"),
    ("group.id", "mesh-reader"),
];

/// Reads stretches of partitions, read committed, outside any group. It keeps its connections, and fetches nothing while
/// nothing is asked of it.
pub struct TailReader {
    settings: Settings,
    consumer: Shared<Opened<BaseConsumer<LogContext>>>,
}

/// A stretch of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// From the first offset up to the one that is no longer read. The end must be one that a reader could see.
    pub offsets: Range<i64>,
    /// How many records are enough.
    pub records_max: usize,
}

/// A record in the consumer's memory, as far as it says when it was.
pub struct Glimpse<'m>(&'m native::Raw<'m>);

/// What became of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was read, or as many records of it as were enough.
    Read,
    /// The topic or partition is gone, or the offsets are.
    Gone,
    /// No leader answered in time, or refused.
    Unanswered,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What became of each stretch, in their order.
    pub outcomes: Vec<Outcome>,
    /// How many records were looked at.
    pub records: u64,
    /// The size of their keys and values.
    pub bytes: u64,
}

impl Glimpse<'_> {
    /// The offset.
    pub fn offset(&self) -> i64 {
        self.0.offset()
    }

    /// The record's timestamp, in milliseconds since 1970.
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.0.timestamp_ms()
    }

    /// The value of the last header of this name.
    pub fn header(&self, name: &CStr) -> Option<&[u8]> {
        self.0.header(name)
    }
}

impl TailReader {
    /// Prepares to read; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(TailReader { settings: settings.clone(), consumer: create(settings)? })
    }

    /// Hands the records of these stretches to `each`, with what it gathers and the stretch's index; in order within a
    /// stretch. Stretches of one partition are read one after another, each in the order in which it is given.
    ///
    /// What is gone, or not answered for in five seconds, is said and keeps nobody; an error is one of the consumer itself.
    pub async fn read<T: Send + 'static>(
        &mut self,
        stretches: Vec<Stretch>,
        mut gathered: T,
        mut each: impl FnMut(&mut T, usize, &Glimpse<'_>) + Send + 'static,
    ) -> Result<(Reading, T), Error> {
        let consumer = self.consumer.clone();
        let read = blocking::run(move || {
            let outcomes = vec![Outcome::Unanswered; stretches.len()];
            let mut reading = Reading { outcomes, records: 0, bytes: 0 };
            for indices in passes(&stretches) {
                let mut pass = Pass::new(&stretches, &indices);
                let assigned = pass.start(&consumer);
                let read = assigned
                    .and_then(|()| pass.read(&consumer, &mut |index, record| each(&mut gathered, index, record)));
                // whatever happened, nothing is fetched any more
                consumer.unassign().map_err(|error| Error::kafka("stop reading tails", error))?;
                read?;
                reading.add(pass);
            }
            Ok((reading, gathered))
        });
        let (reading, gathered) = read.await?;
        if reading.outcomes.iter().any(|outcome| *outcome != Outcome::Read) {
            // librdkafka may hold on to what it knew of a topic that was made anew, or of its leader: the next reading begins afresh
            self.consumer = create(&self.settings)?;
        }
        Ok((reading, gathered))
    }
}

/// Which stretches are read at once: not too many, and none of a partition twice.
fn passes(stretches: &[Stretch]) -> Vec<Vec<usize>> {
    let mut times: HashMap<(&str, i32), usize> = HashMap::new();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for (index, stretch) in stretches.iter().enumerate() {
        let asked = times.entry((&*stretch.topic, stretch.partition)).or_default();
        if *asked == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[*asked].push(index);
        *asked += 1;
    }
    rounds.iter().flat_map(|round| round.chunks(PARTITIONS_AT_ONCE)).map(<[usize]>::to_vec).collect()
}

fn create(settings: &Settings) -> Result<Shared<Opened<BaseConsumer<LogContext>>>, Error> {
    let created = settings.open(&settings.client(&DEFAULTS, &READS_TO_THE_END), LogContext);
    created.map(Shared::new).map_err(|error| Error::kafka("set up a reader of tails", error))
}

/// One assignment of the consumer.
struct Pass<'s> {
    /// All of them.
    stretches: &'s [Stretch],
    /// Those of this pass.
    indices: &'s [usize],
    /// By topic, the stretch of each partition that is still read: its place in the pass.
    open: HashMap<&'s [u8], HashMap<i32, usize>>,
    outcomes: Vec<Outcome>,
    left: usize,
    counts: Vec<usize>,
    records: u64,
    bytes: u64,
}

impl Reading {
    fn add(&mut self, pass: Pass<'_>) {
        pass.indices.iter().zip(pass.outcomes).for_each(|(index, outcome)| self.outcomes[*index] = outcome);
        self.records += pass.records;
        self.bytes += pass.bytes;
    }
}

impl<'s> Pass<'s> {
    fn new(stretches: &'s [Stretch], indices: &'s [usize]) -> Self {
        let mut open: HashMap<&[u8], HashMap<i32, usize>> = HashMap::new();
        for (place, index) in indices.iter().enumerate() {
            let stretch = &stretches[*index];
            open.entry(stretch.topic.as_bytes()).or_default().insert(stretch.partition, place);
        }
        let (count, outcomes) = (indices.len(), vec![Outcome::Unanswered; indices.len()]);
        Pass { stretches, indices, open, outcomes, left: count, counts: vec![0; count], records: 0, bytes: 0 }
    }

    fn start(&self, consumer: &BaseConsumer<LogContext>) -> Result<(), Error> {
        let failed = |error| Error::kafka("read tails", error);
        let mut list = TopicPartitionList::with_capacity(self.indices.len());
        for stretch in self.indices.iter().map(|index| &self.stretches[*index]) {
            let from = Offset::Offset(stretch.offsets.start);
            list.add_partition_offset(&stretch.topic, stretch.partition, from).map_err(failed)?;
        }
        consumer.assign(&list).map_err(failed)
    }

    fn read(
        &mut self,
        consumer: &BaseConsumer<LogContext>,
        each: &mut impl FnMut(usize, &Glimpse<'_>),
    ) -> Result<(), Error> {
        let gone = || Error::said("read tails", ErrorKind::Other, "the consumer has no queue");
        let queue = native::Queue::of(consumer).ok_or_else(gone)?;
        let mut progress = Instant::now();
        while self.left > 0 && progress.elapsed() < STALL_TIMEOUT {
            match queue.poll(POLL) {
                None => continue,
                Some(Polled::Record(raw)) => match self.find(raw.topic(), raw.partition()) {
                    Some(place) => self.take(place, &raw, each),
                    // of a stretch that is read already
                    None => continue,
                },
                Some(Polled::Failed { code, topic, partition }) => {
                    match (self.find(&topic, partition), judge(code)) {
                        (Some(place), Some(outcome)) => self.close(place, outcome),
                        (_, None) if code == Code::Authentication => return Err(Error::code("read tails", code)),
                        // librdkafka tries again by itself
                        _ => {
                            tracing::debug!(?code, "the reader of tails was told something");
                            continue;
                        }
                    }
                }
            }
            progress = Instant::now();
        }
        Ok(())
    }

    fn find(&self, topic: &[u8], partition: i32) -> Option<usize> {
        self.open.get(topic)?.get(&partition).copied()
    }

    fn take(&mut self, place: usize, raw: &native::Raw<'_>, each: &mut impl FnMut(usize, &Glimpse<'_>)) {
        let stretch = &self.stretches[self.indices[place]];
        // librdkafka goes on at the first record that is left where the asked-for one is gone: that may be behind the end
        if stretch.offsets.contains(&raw.offset()) {
            self.records += 1;
            self.bytes += raw.payload_bytes() as u64;
            self.counts[place] += 1;
            each(self.indices[place], &Glimpse(raw));
        }
        if raw.offset() + 1 >= stretch.offsets.end || self.counts[place] >= stretch.records_max {
            // more may follow, but a fast writer must not keep us here
            self.close(place, Outcome::Read);
        }
    }

    fn close(&mut self, place: usize, outcome: Outcome) {
        let stretch = &self.stretches[self.indices[place]];
        let open = self.open.get_mut(stretch.topic.as_bytes());
        if open.is_some_and(|open| open.remove(&stretch.partition).is_some()) {
            self.outcomes[place] = outcome;
            self.left -= 1;
        }
    }
}

/// What an error of a partition means; none if librdkafka tries again by itself.
fn judge(code: Code) -> Option<Outcome> {
    match code {
        Code::PartitionEOF => Some(Outcome::Read),
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownPartition
        | Code::OffsetOutOfRange
        | Code::AutoOffsetReset => Some(Outcome::Gone),
        Code::TopicAuthorizationFailed => Some(Outcome::Unanswered),
        _ => None,
    }
}
