//! The three kinds of event of OpenLineage 2-0-2, as data. Unknown fields of foreign events are let through by reading
//! and lost by writing: keep the original text where it must survive.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::facet::{DatasetFacet, Facets, InputFacet, JobFacet, OutputFacet, Parent, RunFacet};
use super::name::{self, KafkaNamespace};
use super::{CORE_SCHEMA, PRODUCER};

/// The transition of a run that an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventType {
    /// The run began.
    Start,
    /// The run goes on: a snapshot of what it moved so far.
    Running,
    /// The run ended well.
    Complete,
    /// The run was stopped from outside.
    Abort,
    /// The run broke.
    Fail,
    /// Anything else; metadata after the end, for one.
    Other,
}

impl EventType {
    /// Whether the run is over after this event.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Complete | Self::Abort | Self::Fail)
    }
}

/// One execution of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Unique for ever; version 7, so that runs sort by their start.
    pub run_id: Uuid,
    /// What is known of the run.
    #[serde(default, skip_serializing_if = "Facets::is_empty")]
    pub facets: Facets,
}

impl Run {
    /// A run without facets.
    pub fn new(run_id: Uuid) -> Self {
        Self { run_id, facets: Facets::default() }
    }

    /// With a facet.
    #[must_use]
    pub fn with<F: RunFacet>(mut self, facet: &F) -> Self {
        self.facets.set(facet);
        self
    }
}

/// What reads and writes data sets: a sidecar, a producer, a derived product's program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Where the name is unique.
    pub namespace: String,
    /// The job's name.
    pub name: String,
    /// What is known of the job.
    #[serde(default, skip_serializing_if = "Facets::is_empty")]
    pub facets: Facets,
}

impl Job {
    /// A job of the backbone: namespace `mesh`.
    pub fn mesh(name: impl Into<String>) -> Self {
        Self { namespace: name::JOB_NAMESPACE.to_owned(), name: name.into(), facets: Facets::default() }
    }

    /// With a facet.
    #[must_use]
    pub fn with<F: JobFacet>(mut self, facet: &F) -> Self {
        self.facets.set(facet);
        self
    }
}

/// A data set: a topic, a table, a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// Where the name is unique; `kafka://host:port` for a topic.
    pub namespace: String,
    /// The data set's name; the topic's, for a topic.
    pub name: String,
    /// What is known of the data set, whoever reads or writes it.
    #[serde(default, skip_serializing_if = "Facets::is_empty")]
    pub facets: Facets,
}

impl Dataset {
    /// A topic.
    pub fn topic(namespace: &KafkaNamespace, topic: impl Into<String>) -> Self {
        Self { namespace: namespace.to_string(), name: topic.into(), facets: Facets::default() }
    }

    /// With a facet.
    #[must_use]
    pub fn with<F: DatasetFacet>(mut self, facet: &F) -> Self {
        self.facets.set(facet);
        self
    }
}

/// A data set that a run read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputDataset {
    /// The data set.
    #[serde(flatten)]
    pub dataset: Dataset,
    /// What is known of this reading of it.
    #[serde(default, skip_serializing_if = "Facets::is_empty")]
    pub input_facets: Facets,
}

impl InputDataset {
    /// A reading without facets.
    pub fn new(dataset: Dataset) -> Self {
        Self { dataset, input_facets: Facets::default() }
    }

    /// With a facet of this reading.
    #[must_use]
    pub fn with<F: InputFacet>(mut self, facet: &F) -> Self {
        self.input_facets.set(facet);
        self
    }
}

/// A data set that a run wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputDataset {
    /// The data set.
    #[serde(flatten)]
    pub dataset: Dataset,
    /// What is known of this writing of it.
    #[serde(default, skip_serializing_if = "Facets::is_empty")]
    pub output_facets: Facets,
}

impl OutputDataset {
    /// A writing without facets.
    pub fn new(dataset: Dataset) -> Self {
        Self { dataset, output_facets: Facets::default() }
    }

    /// With a facet of this writing.
    #[must_use]
    pub fn with<F: OutputFacet>(mut self, facet: &F) -> Self {
        self.output_facets.set(facet);
        self
    }
}

/// Something happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEvent {
    /// Which transition; the specification allows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<EventType>,
    /// When it happened.
    pub event_time: Timestamp,
    /// The run.
    pub run: Run,
    /// The job that the run executes.
    pub job: Job,
    /// What it read.
    #[serde(default)]
    pub inputs: Vec<InputDataset>,
    /// What it wrote.
    #[serde(default)]
    pub outputs: Vec<OutputDataset>,
    /// Whose metadata this is.
    pub producer: String,
    /// The schema that the event follows.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
}

impl RunEvent {
    /// An event of this code, without data sets.
    pub fn new(event_type: EventType, event_time: Timestamp, run: Run, job: Job) -> Self {
        Self {
            event_type: Some(event_type),
            event_time,
            run,
            job,
            inputs: Vec::new(),
            outputs: Vec::new(),
            producer: PRODUCER.to_owned(),
            schema_url: format!("{CORE_SCHEMA}#/$defs/RunEvent"),
        }
    }
}

/// A job as designed, outside any run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobEvent {
    /// When it became so.
    pub event_time: Timestamp,
    /// The job.
    pub job: Job,
    /// What it reads by design.
    #[serde(default)]
    pub inputs: Vec<InputDataset>,
    /// What it writes by design.
    #[serde(default)]
    pub outputs: Vec<OutputDataset>,
    /// Whose metadata this is.
    pub producer: String,
    /// The schema that the event follows.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
}

/// A data set as designed, outside any run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetEvent {
    /// When it became so.
    pub event_time: Timestamp,
    /// The data set.
    pub dataset: Dataset,
    /// Whose metadata this is.
    pub producer: String,
    /// The schema that the event follows.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
}

/// Any event. Runs are boxed, as they are far larger than the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// Something happened to a run.
    Run(Box<RunEvent>),
    /// A job as designed.
    Job(Box<JobEvent>),
    /// A data set as designed.
    Dataset(Box<DatasetEvent>),
}

impl Event {
    /// Tells the kinds apart as the specification does, by the presence of `run`, `job` and `dataset`, and reads it.
    pub fn from_value(value: serde_json::Value) -> Result<Self, serde_json::Error> {
        if value.get("run").is_some() {
            RunEvent::deserialize(value).map(Box::new).map(Self::Run)
        } else if value.get("dataset").is_some() {
            DatasetEvent::deserialize(value).map(Box::new).map(Self::Dataset)
        } else {
            JobEvent::deserialize(value).map(Box::new).map(Self::Job)
        }
    }

    /// The record key on `mesh.lineage`, as the specification's Kafka transport writes it: a run that is part of another
    /// goes with that one's job.
    pub fn key(&self) -> String {
        match self {
            Self::Run(event) => match event.run.facets.get::<Parent>() {
                Some(Parent { job, .. }) => name::run_key(&job.namespace, &job.name),
                None => name::run_key(&event.job.namespace, &event.job.name),
            },
            Self::Job(event) => format!("job:{}/{}", event.job.namespace, event.job.name),
            Self::Dataset(event) => format!("dataset:{}/{}", event.dataset.namespace, event.dataset.name),
        }
    }
}

impl JobEvent {
    /// An event of this code.
    pub fn new(event_time: Timestamp, job: Job, inputs: Vec<InputDataset>, outputs: Vec<OutputDataset>) -> Self {
        let (producer, schema_url) = (PRODUCER.to_owned(), format!("{CORE_SCHEMA}#/$defs/JobEvent"));
        Self { event_time, job, inputs, outputs, producer, schema_url }
    }
}

impl DatasetEvent {
    /// An event of this code.
    pub fn new(event_time: Timestamp, dataset: Dataset) -> Self {
        let (producer, schema_url) = (PRODUCER.to_owned(), format!("{CORE_SCHEMA}#/$defs/DatasetEvent"));
        Self { event_time, dataset, producer, schema_url }
    }
}

impl From<JobEvent> for Event {
    fn from(event: JobEvent) -> Self {
        Self::Job(Box::new(event))
    }
}

impl From<DatasetEvent> for Event {
    fn from(event: DatasetEvent) -> Self {
        Self::Dataset(Box::new(event))
    }
}

impl From<RunEvent> for Event {
    fn from(event: RunEvent) -> Self {
        Self::Run(Box::new(event))
    }
}
