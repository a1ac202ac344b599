//! One run of a job, counting what it really moved. A data set that nothing was moved of is in no event: a job that
//! published nothing has no edge.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::cluster::KafkaCluster;
use super::event::{Dataset, EventType, InputDataset, Job, OutputDataset, Run, RunEvent};
use super::facet::{
    Assertion, DataQualityAssertions, ErrorMessage, InputStatistics, MeshKafka, OutputStatistics, Parent,
    PartitionRange, ProcessingEngine,
};

/// A run: describe its topics, count what it moves, and make its events. It does no I/O: hand the events to the
/// [`Emitter`](super::Emitter). Counts in events are of the whole run so far, so that a lost event loses nothing.
#[derive(Debug, Clone)]
pub struct JobRun {
    job: Job,
    run: Run,
    cluster: KafkaCluster,
    inputs: BTreeMap<String, Moved>,
    outputs: BTreeMap<String, Moved>,
    told_start: bool,
    news_since_event: bool,
}

/// A topic's description and what was moved of it.
#[derive(Debug, Clone, Default)]
struct Moved {
    described: Option<Described>,
    records: u64,
    bytes: u64,
    partitions: BTreeMap<i32, PartitionRange>,
    quarantined: Option<u64>,
}

/// What a data set is called and made of, and the contract it is under.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The data set, with its facets.
    pub dataset: Dataset,
    /// The contract's (major, revision), for a product's topic.
    pub contract: Option<(u32, u64)>,
}

impl JobRun {
    /// A run that starts now, on this cluster.
    pub fn new(job: Job, cluster: impl Into<KafkaCluster>) -> Self {
        Self::with_id(job, cluster, Uuid::now_v7())
    }

    /// A run that is known by this id already.
    pub fn with_id(job: Job, cluster: impl Into<KafkaCluster>, id: Uuid) -> Self {
        Self {
            job,
            run: Run::new(id).with(&ProcessingEngine::mesh()),
            cluster: cluster.into(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            told_start: false,
            news_since_event: false,
        }
    }

    /// As part of another run.
    #[must_use]
    pub fn part_of(mut self, parent: &Parent) -> Self {
        self.run.facets.set(parent);
        self
    }

    /// The run's id.
    pub fn id(&self) -> Uuid {
        self.run.run_id
    }

    /// Whether it has moved anything.
    pub fn has_moved(&self) -> bool {
        self.inputs.values().chain(self.outputs.values()).any(|moved| moved.records > 0)
    }

    /// Says what a topic that is read is made of. Without it, the data set has no facets.
    pub fn describe_input(&mut self, described: Described) {
        self.news_since_event |= describe(&mut self.inputs, described);
    }

    /// Says what a topic that is written is made of.
    pub fn describe_output(&mut self, described: Described) {
        self.news_since_event |= describe(&mut self.outputs, described);
    }

    /// Counts one record read. Count it when it is committed, not before.
    pub fn read(&mut self, topic: &str, partition: i32, offset: i64, bytes: usize) {
        self.read_range(topic, PartitionRange::of_offsets(partition, offset, offset, 1), bytes as u64);
    }

    /// Counts a committed range of records read.
    pub fn read_range(&mut self, topic: &str, range: PartitionRange, bytes: u64) {
        moved(&mut self.inputs, topic).add(range, bytes);
        self.news_since_event |= range.records > 0;
    }

    /// Counts one record written. Count it when it is committed, not before.
    pub fn wrote(&mut self, topic: &str, partition: i32, offset: i64, bytes: usize) {
        self.wrote_range(topic, PartitionRange::of_offsets(partition, offset, offset, 1), bytes as u64);
    }

    /// Counts a committed range of records written.
    pub fn wrote_range(&mut self, topic: &str, range: PartitionRange, bytes: u64) {
        if range.records > 0 {
            moved(&mut self.outputs, topic).add(range, bytes);
            self.news_since_event = true;
        }
    }

    /// Counts committed records written of which neither partition nor offsets are known.
    pub fn wrote_records(&mut self, topic: &str, records: u64, bytes: u64) {
        let output = moved(&mut self.outputs, topic);
        output.records += records;
        output.bytes += bytes;
        self.news_since_event |= records > 0;
    }

    /// Counts records read that could not be let through; none of them is a finding worth telling, too.
    pub fn quarantined(&mut self, topic: &str, records: u64) {
        *moved(&mut self.inputs, topic).quarantined.get_or_insert(0) += records;
    }

    /// The event that the run began.
    pub fn start(&mut self, at: Timestamp) -> RunEvent {
        self.event(EventType::Start, at)
    }

    /// A snapshot, or nothing if nothing moved and nothing changed since the last event.
    pub fn snapshot(&mut self, at: Timestamp) -> Option<RunEvent> {
        (self.news_since_event && self.has_moved()).then(|| self.event(EventType::Running, at))
    }

    /// What there is to tell now: the start, once something has moved, and then a snapshot whenever there is news.
    pub fn news(&mut self, at: Timestamp) -> Option<RunEvent> {
        match self.told_start {
            true => self.snapshot(at),
            false => self.has_moved().then(|| self.start(at)),
        }
    }

    /// The end of a run, after its start if that was not told; nothing of one that moved nothing.
    pub fn end(&mut self, how: EventType, at: Timestamp) -> Vec<RunEvent> {
        if !self.has_moved() {
            return Vec::new();
        }
        let start = (!self.told_start).then(|| self.start(at));
        start.into_iter().chain([self.event(how, at)]).collect()
    }

    /// The event that the run ended well.
    pub fn complete(&mut self, at: Timestamp) -> RunEvent {
        self.event(EventType::Complete, at)
    }

    /// The event that the run was stopped from outside.
    pub fn abort(&mut self, at: Timestamp) -> RunEvent {
        self.event(EventType::Abort, at)
    }

    /// As [`JobRun::abort`], with the reason. The message must not hold a payload.
    pub fn abort_because(&mut self, at: Timestamp, message: impl Into<String>) -> RunEvent {
        let mut event = self.event(EventType::Abort, at);
        event.run.facets.set(&ErrorMessage::rust(message));
        event
    }

    /// The event that the run broke, also of one that moved nothing. The message must not hold a payload.
    pub fn fail(&mut self, at: Timestamp, message: impl Into<String>) -> RunEvent {
        let mut event = self.event(EventType::Fail, at);
        event.run.facets.set(&ErrorMessage::rust(message));
        event
    }

    /// What is known of a run beyond its own words: counts that a predecessor committed and may not have told.
    pub fn addendum(&mut self, at: Timestamp) -> RunEvent {
        self.event(EventType::Other, at)
    }

    fn event(&mut self, event_type: EventType, at: Timestamp) -> RunEvent {
        self.news_since_event = false;
        self.told_start = true;
        let mut event = RunEvent::new(event_type, at, self.run.clone(), self.job.clone());
        event.inputs = self.seen(&self.inputs).map(|(dataset, moved)| moved.input(dataset)).collect();
        event.outputs = self.seen(&self.outputs).map(|(dataset, moved)| moved.output(dataset)).collect();
        event
    }

    fn seen<'a>(&'a self, topics: &'a BTreeMap<String, Moved>) -> impl Iterator<Item = (Dataset, &'a Moved)> {
        topics
            .iter()
            .filter(|(_, moved)| moved.records > 0)
            .map(|(topic, moved)| (moved.dataset(topic, &self.cluster), moved))
    }
}

/// Whether that is news of a topic of which something was moved.
fn describe(topics: &mut BTreeMap<String, Moved>, described: Described) -> bool {
    let moved = moved(topics, &described.dataset.name.clone());
    let is_news = moved.records > 0 && moved.described.as_ref() != Some(&described);
    moved.described = Some(described);
    is_news
}

fn moved<'a>(topics: &'a mut BTreeMap<String, Moved>, topic: &str) -> &'a mut Moved {
    if !topics.contains_key(topic) {
        topics.insert(topic.to_owned(), Moved::default());
    }
    topics.get_mut(topic).expect("it was put there where it was missing")
}

impl Moved {
    fn add(&mut self, range: PartitionRange, bytes: u64) {
        self.records += range.records;
        self.bytes += bytes;
        let new = PartitionRange::of_records(range.partition, 0);
        self.partitions.entry(range.partition).or_insert(new).join(&range);
    }

    fn dataset(&self, topic: &str, cluster: &KafkaCluster) -> Dataset {
        self.described.as_ref().map_or_else(|| cluster.topic(topic), |described| described.dataset.clone())
    }

    fn input(&self, dataset: Dataset) -> InputDataset {
        let statistics = InputStatistics { row_count: self.records, size: self.size() };
        let input = InputDataset::new(dataset).with(&statistics).with(&self.offsets());
        match self.quarantined {
            Some(count) => {
                input.with(&DataQualityAssertions { assertions: vec![Assertion::nothing_quarantined(count)] })
            }
            None => input,
        }
    }

    fn output(&self, dataset: Dataset) -> OutputDataset {
        let statistics = OutputStatistics { row_count: self.records, size: self.size() };
        OutputDataset::new(dataset).with(&statistics).with(&self.offsets())
    }

    fn size(&self) -> Option<u64> {
        (self.bytes > 0).then_some(self.bytes)
    }

    fn offsets(&self) -> MeshKafka {
        let contract = self.described.as_ref().and_then(|described| described.contract);
        MeshKafka {
            records: self.records,
            partitions: self.partitions.values().copied().collect(),
            contract_version: contract.map(|(major, _)| major),
            contract_revision: contract.map(|(_, revision)| revision),
        }
    }
}
