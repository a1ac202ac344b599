//! The facets that are looked into, by the shapes of their official schemas. What a schema leaves optional is optional
//! here: other systems use that freedom.

use std::collections::BTreeMap;

use mesh_client::lineage::facet::{MeshKafka, SchemaField};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Error;

/// A facet by its key.
pub trait Shape: DeserializeOwned {
    /// The key it stands under.
    const KEY: &'static str;
}

macro_rules! shape {
    ($type:ty, $key:literal) => {
        impl Shape for $type {
            const KEY: &'static str = $key;
        }
    };
}

/// `schema`: the columns.
#[derive(Debug, Deserialize)]
pub struct Schema {
    /// The columns.
    #[serde(default)]
    pub fields: Vec<SchemaField>,
}
shape!(Schema, "schema");

/// `ownership`: of a job or a data set.
#[derive(Debug, Deserialize)]
pub struct Ownership {
    /// Who answers for it.
    #[serde(default)]
    pub owners: Vec<Named>,
}
shape!(Ownership, "ownership");

/// Something with a name.
#[derive(Debug, Deserialize)]
pub struct Named {
    /// The name.
    pub name: String,
}

/// `documentation`.
#[derive(Debug, Deserialize)]
pub struct Documentation {
    /// What it is, in words.
    pub description: String,
}
shape!(Documentation, "documentation");

/// `version` of a data set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetVersion {
    /// The version.
    pub dataset_version: String,
}
shape!(DatasetVersion, "version");

/// `tags` of a data set and its columns.
#[derive(Debug, Deserialize)]
pub struct Tags {
    /// The tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}
shape!(Tags, "tags");

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// What the tag is about.
    pub key: String,
    /// What it says.
    pub value: String,
    /// The column it is about; the data set, if none.
    pub field: Option<String>,
}

/// `symlinks`: other names of the same data set.
#[derive(Debug, Deserialize)]
pub struct Symlinks {
    /// The other names.
    #[serde(default)]
    pub identifiers: Vec<Identifier>,
}
shape!(Symlinks, "symlinks");

/// Another name of a data set.
#[derive(Debug, Deserialize)]
pub struct Identifier {
    /// Where it is unique.
    pub namespace: String,
    /// The name.
    pub name: String,
    #[serde(rename = "type")]
    _kind: String,
}

/// `lifecycleStateChange` of a data set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lifecycle {
    /// What happened to it.
    pub lifecycle_state_change: Change,
}
shape!(Lifecycle, "lifecycleStateChange");

/// What happened to a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the words of the specification")]
pub enum Change {
    Alter,
    Create,
    Drop,
    Overwrite,
    Rename,
    Truncate,
}

/// `dataQualityAssertions` of a data set.
#[derive(Debug, Deserialize)]
pub struct Assertions {
    /// What was tested.
    pub assertions: Vec<Assertion>,
}
shape!(Assertions, "dataQualityAssertions");

/// A test of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct Assertion {
    /// What was tested.
    pub assertion: String,
    /// Whether it held.
    pub success: bool,
    /// The column that was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `error` or `warn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What the test is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it tests, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

/// `columnLineage`: which columns each column is made of.
#[derive(Debug, Deserialize)]
pub struct ColumnLineage {
    /// By the column that is written.
    pub fields: BTreeMap<String, Origins>,
}
shape!(ColumnLineage, "columnLineage");

/// The columns that a column is made of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origins {
    /// The columns.
    pub input_fields: Vec<InputField>,
    /// As versions of the facet before 1-1-0 said it: `IDENTITY` or `MASKED`.
    pub transformation_type: Option<String>,
    /// The same in words.
    pub transformation_description: Option<String>,
}

/// A column that another is made of.
#[derive(Debug, Deserialize)]
pub struct InputField {
    /// The data set's namespace.
    pub namespace: String,
    /// The data set's name.
    pub name: String,
    /// The column.
    pub field: String,
    /// What was done to it.
    #[serde(default)]
    pub transformations: Vec<Transformation>,
}

/// What was done to a column's values.
#[derive(Debug, Deserialize)]
pub struct Transformation {
    /// `DIRECT`: the value itself goes in; `INDIRECT`: it only decides.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    pub description: Option<String>,
    /// Whether the value can no longer be told from the outcome.
    #[serde(default)]
    pub masking: bool,
}

/// `jobType`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobType {
    /// `STREAMING`, `BATCH` or `SERVICE`.
    pub processing_type: String,
    #[serde(rename = "integration")]
    _integration: String,
}
shape!(JobType, "jobType");

/// `parent`: the run that this one is a part of.
#[derive(Debug, Deserialize)]
pub struct Parent {
    /// That run.
    pub run: ParentRun,
    /// Its job.
    pub job: ParentJob,
}
shape!(Parent, "parent");

/// A run that has parts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRun {
    /// Its id.
    pub run_id: uuid::Uuid,
}

/// A job that has parts.
#[derive(Debug, Deserialize)]
pub struct ParentJob {
    /// Where its name is unique.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// `errorMessage` of a run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    #[serde(rename = "message")]
    _message: String,
    #[serde(rename = "programmingLanguage")]
    _programming_language: String,
}
shape!(ErrorMessage, "errorMessage");

/// `inputStatistics`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputStatistics {
    /// Records read.
    pub row_count: Option<u64>,
}
shape!(InputStatistics, "inputStatistics");

/// `outputStatistics`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputStatistics {
    /// Records written.
    pub row_count: Option<u64>,
}
shape!(OutputStatistics, "outputStatistics");

shape!(MeshKafka, "mesh_kafka");

/// What every facet has, and whether it says that it no longer holds.
#[derive(Deserialize)]
pub(crate) struct Base {
    #[serde(rename = "_producer")]
    pub(crate) _producer: String,
    #[serde(rename = "_schemaURL")]
    pub(crate) schema_url: String,
    #[serde(rename = "_deleted", default)]
    pub(crate) deleted: bool,
}

/// Whether a facet says that it no longer holds.
pub(crate) fn is_deleted(text: &str) -> bool {
    text.contains("\"_deleted\"") && serde_json::from_str::<Base>(text).is_ok_and(|base| base.deleted)
}

/// Whether a facet with this key reads as one. Those that are not known here may be anything.
pub(crate) fn check(key: &str, text: &str) -> Result<(), Error> {
    match key {
        Schema::KEY => reads::<Schema>(text),
        Ownership::KEY => reads::<Ownership>(text),
        Documentation::KEY => reads::<Documentation>(text),
        DatasetVersion::KEY => reads::<DatasetVersion>(text),
        Tags::KEY => reads::<Tags>(text),
        Symlinks::KEY => reads::<Symlinks>(text),
        Lifecycle::KEY => reads::<Lifecycle>(text),
        Assertions::KEY => reads::<Assertions>(text),
        ColumnLineage::KEY => reads::<ColumnLineage>(text),
        JobType::KEY => reads::<JobType>(text),
        Parent::KEY => reads::<Parent>(text),
        ErrorMessage::KEY => reads::<ErrorMessage>(text),
        InputStatistics::KEY => reads::<InputStatistics>(text),
        OutputStatistics::KEY => reads::<OutputStatistics>(text),
        MeshKafka::KEY => reads::<MeshKafka>(text),
        _ => Ok(()),
    }
}

fn reads<S: Shape>(text: &str) -> Result<(), Error> {
    serde_json::from_str::<S>(text).map(|_| ())
}
