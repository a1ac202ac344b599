//! One run of a job, counting what it really moved. A data set that nothing was moved of is in no event: a job that
//! published nothing has no edge.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::event::{Dataset, EventType, InputDataset, Job, OutputDataset, Run, RunEvent};
use super::facet::{ErrorMessage, InputStatistics, MeshKafka, OutputStatistics, PartitionRange, ProcessingEngine};
use super::name::KafkaNamespace;

/// A run: describe its topics, count what it moves, and make its events. It does no I/O: hand the events to the
/// [`Emitter`](super::Emitter). Counts in events are of the whole run so far, so that a lost event loses nothing.
#[derive(Debug, Clone)]
pub struct JobRun {
    job: Job,
    run_id: Uuid,
    namespace: KafkaNamespace,
    inputs: BTreeMap<String, Moved>,
    outputs: BTreeMap<String, Moved>,
    moved_since_event: bool,
}

/// A topic's description and what was moved of it.
#[derive(Debug, Clone, Default)]
struct Moved {
    described: Option<Described>,
    records: u64,
    bytes: u64,
    partitions: BTreeMap<i32, PartitionRange>,
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
    pub fn new(job: Job, namespace: KafkaNamespace) -> Self {
        Self {
            job,
            run_id: Uuid::now_v7(),
            namespace,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            moved_since_event: false,
        }
    }

    /// The run's id.
    pub fn id(&self) -> Uuid {
        self.run_id
    }

    /// Says what a topic that is read is made of. Without it, the data set has no facets.
    pub fn describe_input(&mut self, described: Described) {
        let topic = described.dataset.name.clone();
        self.inputs.entry(topic).or_default().described = Some(described);
    }

    /// Says what a topic that is written is made of.
    pub fn describe_output(&mut self, described: Described) {
        let topic = described.dataset.name.clone();
        self.outputs.entry(topic).or_default().described = Some(described);
    }

    /// Counts one record read. Count it when it is committed, not before.
    pub fn read(&mut self, topic: &str, partition: i32, offset: i64, bytes: usize) {
        self.read_range(
            topic,
            PartitionRange { partition, first_offset: offset, last_offset: offset, records: 1 },
            bytes as u64,
        );
    }

    /// Counts a committed range of records read.
    pub fn read_range(&mut self, topic: &str, range: PartitionRange, bytes: u64) {
        moved(&mut self.inputs, topic).add(range, bytes);
        self.moved_since_event = true;
    }

    /// Counts one record written. Count it when it is committed, not before.
    pub fn wrote(&mut self, topic: &str, partition: i32, offset: i64, bytes: usize) {
        self.wrote_range(
            topic,
            PartitionRange { partition, first_offset: offset, last_offset: offset, records: 1 },
            bytes as u64,
        );
    }

    /// Counts a committed range of records written.
    pub fn wrote_range(&mut self, topic: &str, range: PartitionRange, bytes: u64) {
        moved(&mut self.outputs, topic).add(range, bytes);
        self.moved_since_event = true;
    }

    /// Counts committed records written whose offsets are not known.
    pub fn wrote_records(&mut self, topic: &str, records: u64, bytes: u64) {
        let output = moved(&mut self.outputs, topic);
        output.records += records;
        output.bytes += bytes;
        self.moved_since_event |= records > 0;
    }

    /// The event that the run began.
    pub fn start(&mut self, at: Timestamp) -> RunEvent {
        self.event(EventType::Start, at)
    }

    /// A snapshot, or nothing if nothing moved since the last event.
    pub fn snapshot(&mut self, at: Timestamp) -> Option<RunEvent> {
        self.moved_since_event.then(|| self.event(EventType::Running, at))
    }

    /// The event that the run ended well.
    pub fn complete(&mut self, at: Timestamp) -> RunEvent {
        self.event(EventType::Complete, at)
    }

    /// The event that the run was stopped from outside.
    pub fn abort(&mut self, at: Timestamp) -> RunEvent {
        self.event(EventType::Abort, at)
    }

    /// The event that the run broke. The message must not hold a payload.
    pub fn fail(&mut self, at: Timestamp, message: impl Into<String>) -> RunEvent {
        let mut event = self.event(EventType::Fail, at);
        event.run.facets.set(&ErrorMessage::rust(message));
        event
    }

    fn event(&mut self, event_type: EventType, at: Timestamp) -> RunEvent {
        self.moved_since_event = false;
        let run = Run::new(self.run_id).with(&ProcessingEngine::mesh());
        let mut event = RunEvent::new(event_type, at, run, self.job.clone());
        event.inputs = self.seen(&self.inputs).map(|(dataset, moved)| moved.input(dataset)).collect();
        event.outputs = self.seen(&self.outputs).map(|(dataset, moved)| moved.output(dataset)).collect();
        event
    }

    fn seen<'a>(&'a self, topics: &'a BTreeMap<String, Moved>) -> impl Iterator<Item = (Dataset, &'a Moved)> {
        topics
            .iter()
            .filter(|(_, moved)| moved.records > 0)
            .map(|(topic, moved)| (moved.dataset(topic, &self.namespace), moved))
    }
}

fn moved<'a>(topics: &'a mut BTreeMap<String, Moved>, topic: &str) -> &'a mut Moved {
    if !topics.contains_key(topic) {
        topics.insert(topic.to_owned(), Moved::default());
    }
    topics.entry(topic.to_owned()).or_default()
}

impl Moved {
    fn add(&mut self, range: PartitionRange, bytes: u64) {
        self.records += range.records;
        self.bytes += bytes;
        let known = self.partitions.entry(range.partition).or_insert(PartitionRange { records: 0, ..range });
        known.first_offset = known.first_offset.min(range.first_offset);
        known.last_offset = known.last_offset.max(range.last_offset);
        known.records += range.records;
    }

    fn dataset(&self, topic: &str, namespace: &KafkaNamespace) -> Dataset {
        self.described.as_ref().map_or_else(|| Dataset::topic(namespace, topic), |described| described.dataset.clone())
    }

    fn input(&self, dataset: Dataset) -> InputDataset {
        let statistics = InputStatistics { row_count: self.records, size: self.size() };
        InputDataset::new(dataset).with(&statistics).with(&self.offsets())
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
