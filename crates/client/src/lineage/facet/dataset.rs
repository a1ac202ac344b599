//! What is known of a data set, whoever reads or writes it.

use serde::{Deserialize, Serialize};

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
