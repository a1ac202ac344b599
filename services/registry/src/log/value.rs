//! Values of the log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A schema's reference to a version of another subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub(crate) struct Reference {
    /// The name by which the schema refers to it: for Avro the full name of a type.
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) version: i64,
}

/// A version of a subject.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchemaValue {
    pub(crate) subject: String,
    pub(crate) version: u32,
    pub(crate) id: u32,
    /// Absent for Avro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub(crate) references: Vec<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rule_set: Option<Value>,
    pub(crate) schema: String,
    #[serde(default)]
    pub(crate) deleted: bool,
    /// What other registries add, such as `guid` and `ts`.
    #[serde(flatten)]
    pub(crate) others: Map<String, Value>,
}

/// A compatibility level and what else is configured for a subject, or for all.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compatibility_level: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) normalize: Option<bool>,
    /// What this registry keeps for others, without acting on it.
    #[serde(flatten)]
    pub(crate) others: Map<String, Value>,
}

/// What may be done to a subject, or to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Mode {
    /// Schemas may be registered; the registry gives their ids.
    #[serde(rename = "READWRITE")]
    ReadWrite,
    /// Nothing may be changed.
    #[serde(rename = "READONLY")]
    ReadOnly,
    /// Globally: nothing may be changed, whatever subjects say.
    #[serde(rename = "READONLY_OVERRIDE")]
    ReadOnlyOverride,
    /// Schemas may be registered with the ids they bring, unchecked.
    Import,
}

/// A mode, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct ModeValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    pub(crate) mode: Mode,
}

/// Up to which version a subject is deleted.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct DeleteSubjectValue {
    pub(super) subject: String,
    pub(super) version: u32,
}

/// A subject whose versions are all gone.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct ClearSubjectValue {
    pub(super) subject: String,
}

/// A context that has been used.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct ContextValue {
    pub(super) tenant: String,
    pub(super) context: String,
}

/// The highest id ever given, by context.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdMarkValue {
    pub(super) max_ids: BTreeMap<String, u32>,
}

/// Where the log's writer is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct WriterValue {
    #[serde(default)]
    pub(super) url: Option<String>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Reference>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
