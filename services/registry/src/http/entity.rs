//! Schemas as clients get them.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{log::Reference, schema::Stored, state::Version, subject::Subject};

/// A schema without its place. Avro is not named as the type: clients expect that.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SchemaEntity<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_type: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    references: &'a [Reference],
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_set: Option<Value>,
    schema: &'a str,
    guid: Uuid,
    /// The highest id given so far, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_id: Option<u32>,
}

impl<'a> SchemaEntity<'a> {
    pub(super) fn new(stored: &'a Stored) -> Self {
        // Texts that came from JSON values, so they parse as JSON again.
        let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self {
            schema_type: (!stored.is_avro()).then_some(&*stored.content.schema_type),
            references: &stored.content.references,
            metadata: json(&stored.content.metadata),
            rule_set: json(&stored.content.rule_set),
            schema: &stored.text,
            guid: stored.guid,
            max_id: None,
        }
    }
}

/// A version of a subject.
#[derive(Debug, Serialize)]
pub(super) struct VersionEntity<'a> {
    subject: &'a str,
    version: u32,
    id: u32,
    #[serde(flatten)]
    schema: SchemaEntity<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

impl<'a> VersionEntity<'a> {
    pub(super) fn new(subject: &'a Subject, number: u32, version: &'a Version) -> Self {
        Self {
            subject: subject.as_str(),
            version: number,
            id: version.id,
            schema: SchemaEntity::new(&version.schema),
            deleted: version.deleted,
        }
    }
}
