//! The facets that the backbone writes. Each knows its key and the schema that it follows, and which kind of thing it
//! describes: to attach one where the specification has no room for it does not compile.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::PRODUCER;

macro_rules! official {
    ($version:literal, $name:literal) => {
        concat!("https://openlineage.io/spec/facets/", $version, "/", $name, ".json#/$defs/", $name)
    };
}

/// The schema of [`MeshKafka`], which ships in `docs/openlineage/`.
pub const MESH_KAFKA_SCHEMA: &str =
    "https://example.org/mesh/spec/facets/1-0-0/MeshKafkaDatasetFacet.json#/$defs/MeshKafkaDatasetFacet";

/// A facet: metadata with a name and a schema of its own.
pub trait Facet: Serialize + DeserializeOwned {
    /// The name that it stands under.
    const KEY: &'static str;
    /// The `_schemaURL` that it follows.
    const SCHEMA: &'static str;
}

/// A facet of a run.
pub trait RunFacet: Facet {}
/// A facet of a job.
pub trait JobFacet: Facet {}
/// A facet of a data set.
pub trait DatasetFacet: Facet {}
/// A facet of a run's reading of a data set.
pub trait InputFacet: Facet {}
/// A facet of a run's writing of a data set.
pub trait OutputFacet: Facet {}

/// Facets by name. Foreign ones are kept as they came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facets(Map<String, Value>);

impl Facets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or replaces a facet, signed with this code's name and the facet's schema.
    pub fn set<F: Facet>(&mut self, facet: &F) {
        let mut signed = Map::new();
        signed.insert("_producer".to_owned(), PRODUCER.into());
        signed.insert("_schemaURL".to_owned(), F::SCHEMA.into());
        if let Ok(Value::Object(fields)) = serde_json::to_value(facet) {
            signed.extend(fields);
        }
        self.0.insert(F::KEY.to_owned(), Value::Object(signed));
    }

    /// A facet, if it is there and reads as one.
    pub fn get<F: Facet>(&self) -> Option<F> {
        self.0.get(F::KEY).and_then(|value| F::deserialize(value).ok())
    }

    /// Every facet, as it stands.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

macro_rules! facet {
    ($type:ident, $key:literal, $schema:expr, $($kind:ident),+) => {
        impl Facet for $type {
            const KEY: &'static str = $key;
            const SCHEMA: &'static str = $schema;
        }
        $(impl $kind for $type {})+
    };
}

/// What kind of job: the backbone's run for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobType {
    /// `STREAMING`, `BATCH` or `SERVICE`.
    pub processing_type: String,
    /// Which integration wrote it.
    pub integration: String,
    /// What the job is to the integration: `SIDECAR`, `PRODUCER`, `DERIVATION`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// When and how it tells of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emission_pattern: Option<EmissionPattern>,
}
facet!(JobType, "jobType", official!("2-0-4", "JobTypeJobFacet"), JobFacet);

impl JobType {
    /// A finite job of the backbone.
    pub fn batch(job_type: &str) -> Self {
        Self { processing_type: "BATCH".to_owned(), ..Self::streaming(job_type) }
    }

    /// A streaming job of the backbone.
    pub fn streaming(job_type: &str) -> Self {
        Self {
            processing_type: "STREAMING".to_owned(),
            integration: "MESH".to_owned(),
            job_type: Some(job_type.to_owned()),
            emission_pattern: Some(EmissionPattern {
                event_trigger: "PERIODIC".to_owned(),
                event_content_mode: "ACCUMULATIVE".to_owned(),
            }),
        }
    }
}

/// When and how a job tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmissionPattern {
    /// `EVENT_BASED` or `PERIODIC`.
    pub event_trigger: String,
    /// `ACCUMULATIVE` or `COMPLETE_SNAPSHOT`.
    pub event_content_mode: String,
}

/// What a job does, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDocumentation {
    /// The words.
    pub description: String,
}
facet!(JobDocumentation, "documentation", official!("1-1-0", "DocumentationJobFacet"), JobFacet);

/// Tags of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobTags {
    /// The tags.
    pub tags: Vec<Tag>,
}
facet!(JobTags, "tags", official!("1-0-0", "TagsJobFacet"), JobFacet);

impl JobTags {
    /// What a contract declares, and nobody has seen yet: of a job as designed.
    pub fn declared() -> Self {
        let (key, value) = ("declared".to_owned(), "contract".to_owned());
        Self { tags: vec![Tag { key, value, source: Some("MESH".to_owned()), field: None }] }
    }
}

/// Who answers for a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOwnership {
    /// The owners.
    pub owners: Vec<Owner>,
}
facet!(JobOwnership, "ownership", official!("1-0-1", "OwnershipJobFacet"), JobFacet);

/// Who answers for a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The owners.
    pub owners: Vec<Owner>,
}
facet!(Ownership, "ownership", official!("1-0-1", "OwnershipDatasetFacet"), DatasetFacet);

/// An owner, as `domain:crm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Who.
    pub name: String,
    /// As what.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Owner {
    /// A domain's team.
    pub fn domain(domain: &str) -> Self {
        Self { name: format!("domain:{domain}"), kind: Some("OWNER".to_owned()) }
    }
}

/// What a data set is, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Documentation {
    /// The words.
    pub description: String,
}
facet!(Documentation, "documentation", official!("1-1-0", "DocumentationDatasetFacet"), DatasetFacet);

/// The columns of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaFacet {
    /// The columns.
    pub fields: Vec<SchemaField>,
}
facet!(SchemaFacet, "schema", official!("1-2-0", "SchemaDatasetFacet"), DatasetFacet);

/// A column, with the columns inside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaField {
    /// The column's name.
    pub name: String,
    /// Its type, as Avro says it.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its place, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordinal_position: Option<u32>,
    /// The columns inside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<SchemaField>,
}

/// Which version of the data set's contract: `<major>.<revision>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetVersion {
    /// The version.
    pub dataset_version: String,
}
facet!(DatasetVersion, "version", official!("1-0-1", "DatasetVersionDatasetFacet"), DatasetFacet);

/// Tags of a data set and its columns: the class of each sensitive one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// The tags.
    pub tags: Vec<Tag>,
}
facet!(Tags, "tags", official!("1-0-0", "TagsDatasetFacet"), DatasetFacet);

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// What the tag is about.
    pub key: String,
    /// What it says.
    pub value: String,
    /// Who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The column it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The other names of a data set: of a topic, what it is called after the cluster's other addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symlinks {
    /// The names.
    pub identifiers: Vec<Identifier>,
}
facet!(Symlinks, "symlinks", official!("1-0-1", "SymlinksDatasetFacet"), DatasetFacet);

/// Another name of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Its namespace by that name.
    pub namespace: String,
    /// That name.
    pub name: String,
    /// What kind of name: `TOPIC`, `TABLE`, ...
    #[serde(rename = "type")]
    pub kind: String,
}

/// What became of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleStateChange {
    /// What happened.
    pub lifecycle_state_change: Lifecycle,
}
facet!(
    LifecycleStateChange,
    "lifecycleStateChange",
    official!("1-0-1", "LifecycleStateChangeDatasetFacet"),
    DatasetFacet
);

/// What may happen to a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Lifecycle {
    /// Its contract has changed.
    Alter,
    /// It is new.
    Create,
    /// It is gone.
    Drop,
    /// Its content was replaced.
    Overwrite,
    /// It has another name.
    Rename,
    /// It was emptied.
    Truncate,
}

/// From which columns each column comes, and what was done to it on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnLineage {
    /// By output column.
    pub fields: std::collections::BTreeMap<String, ColumnOrigins>,
}
facet!(ColumnLineage, "columnLineage", official!("1-2-0", "ColumnLineageDatasetFacet"), DatasetFacet);

/// Where a column comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnOrigins {
    /// The columns it is made of.
    pub input_fields: Vec<InputField>,
}

/// A column that another is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputField {
    /// The data set's namespace.
    pub namespace: String,
    /// The data set's name.
    pub name: String,
    /// The column.
    pub field: String,
    /// What was done to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<Transformation>,
}

/// What was done to a column's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transformation {
    /// `DIRECT`: the value itself goes in; `INDIRECT`: it only decides.
    #[serde(rename = "type")]
    pub kind: String,
    /// `IDENTITY`, `TRANSFORMATION`, `AGGREGATION`, `JOIN`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// In words: the masking rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the value can no longer be told from the outcome.
    #[serde(default)]
    pub masking: bool,
}

impl Transformation {
    /// The value as it was.
    pub fn identity() -> Self {
        Self { kind: "DIRECT".to_owned(), subtype: Some("IDENTITY".to_owned()), description: None, masking: false }
    }

    /// The value under a masking rule.
    pub fn masked(rule: String) -> Self {
        Self {
            kind: "DIRECT".to_owned(),
            subtype: Some("TRANSFORMATION".to_owned()),
            description: Some(rule),
            masking: true,
        }
    }
}

/// What runs the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingEngine {
    /// Its version.
    pub version: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
facet!(ProcessingEngine, "processing_engine", official!("1-1-1", "ProcessingEngineRunFacet"), RunFacet);

impl ProcessingEngine {
    /// This code.
    pub fn mesh() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), name: Some("mesh".to_owned()) }
    }
}

/// The run that another run is part of: that of the process, for the runs of its jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// That run.
    pub run: ParentRun,
    /// The job that it executes.
    pub job: ParentJob,
}
facet!(Parent, "parent", official!("1-2-0", "ParentRunFacet"), RunFacet);

impl Parent {
    /// As a scheduler names the run that starts a program, in `OPENLINEAGE_PARENT_ID`: `namespace/job/run id`.
    pub fn parse(text: &str) -> Option<Self> {
        let (job, run_id) = text.rsplit_once('/')?;
        // a namespace may be an address, a job's name has no slash
        let (namespace, name) = job.rsplit_once('/')?;
        let run = ParentRun { run_id: run_id.parse().ok()? };
        let is_whole = !namespace.is_empty() && !name.is_empty();
        is_whole.then(|| Self { run, job: ParentJob { namespace: namespace.to_owned(), name: name.to_owned() } })
    }
}

/// A parent's run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRun {
    /// Its id.
    pub run_id: Uuid,
}

/// A parent's job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentJob {
    /// Where the name is unique.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why a run broke. Never with a payload in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    /// The message.
    pub message: String,
    /// The language of the program.
    pub programming_language: String,
}
facet!(ErrorMessage, "errorMessage", official!("1-0-1", "ErrorMessageRunFacet"), RunFacet);

impl ErrorMessage {
    /// A message of a program of this language.
    pub fn rust(message: impl Into<String>) -> Self {
        Self { message: message.into(), programming_language: "RUST".to_owned() }
    }
}

/// How much a run read of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputStatistics {
    /// Records.
    pub row_count: u64,
    /// Bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}
facet!(InputStatistics, "inputStatistics", official!("1-0-0", "InputStatisticsInputDatasetFacet"), InputFacet);

/// How much a run wrote to a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputStatistics {
    /// Records.
    pub row_count: u64,
    /// Bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}
facet!(OutputStatistics, "outputStatistics", official!("1-0-2", "OutputStatisticsOutputDatasetFacet"), OutputFacet);

/// What was found of the data that a run read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataQualityAssertions {
    /// The findings.
    pub assertions: Vec<Assertion>,
}
facet!(
    DataQualityAssertions,
    "dataQualityAssertions",
    official!("1-1-0", "DataQualityAssertionsDatasetFacet"),
    InputFacet
);

/// One thing that data should be, and whether it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// What kind: `freshness`, `row_count`, ...
    pub assertion: String,
    /// Whether it holds.
    pub success: bool,
    /// `error` or `warn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

impl Assertion {
    /// Every record that was read could be let through: so many could not.
    pub fn nothing_quarantined(quarantined: u64) -> Self {
        Self {
            assertion: "row_count".to_owned(),
            success: quarantined == 0,
            severity: Some("warn".to_owned()),
            name: Some("nothing-quarantined".to_owned()),
            expected: Some("0".to_owned()),
            actual: Some(quarantined.to_string()),
        }
    }
}

/// What a run moved of a topic since it started, and under which revision of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeshKafka {
    /// Records moved by this run since it started.
    pub records: u64,
    /// Per partition, where offsets are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<PartitionRange>,
    /// The contract's major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<u32>,
    /// The contract's revision within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_revision: Option<u64>,
}
facet!(MeshKafka, "mesh_kafka", MESH_KAFKA_SCHEMA, InputFacet, OutputFacet);

/// What a run moved of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionRange {
    /// The partition.
    pub partition: i32,
    /// The first offset moved, where it is known: who writes within a transaction learns of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_offset: Option<i64>,
    /// The last offset moved, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_offset: Option<i64>,
    /// How many records: less than the span where markers, compaction or other writers left gaps.
    pub records: u64,
}

impl PartitionRange {
    /// Records between two offsets.
    pub fn of_offsets(partition: i32, first: i64, last: i64, records: u64) -> Self {
        Self { partition, first_offset: Some(first), last_offset: Some(last), records }
    }

    /// Records whose offsets are not known.
    pub fn of_records(partition: i32, records: u64) -> Self {
        Self { partition, first_offset: None, last_offset: None, records }
    }

    /// Both together.
    pub(crate) fn join(&mut self, other: &Self) {
        self.first_offset = min_known(self.first_offset, other.first_offset);
        self.last_offset = self.last_offset.max(other.last_offset);
        self.records += other.records;
    }
}

fn min_known(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
