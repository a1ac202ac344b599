//! Schemas as they are submitted, told apart and kept.
//!
//! Two texts are the same schema when they differ in form only: in white space, the order of properties, or how names
//! are qualified. That is what Confluent's registry holds (Avro Java's `Schema.toString`), and a weaker notion than the
//! specification's parsing canonical form, which forgets defaults and documentation. `normalize` goes one step further:
//! the order of attributes does not matter either.

mod canonical;
mod guid;

use std::sync::Arc;

use mesh_avro::schema::Schema;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::log::{Reference, SchemaValue};

/// The type of schema that this registry understands.
pub(crate) const AVRO: &str = "AVRO";

/// What makes a schema the same as another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    pub(crate) schema_type: Box<str>,
    pub(crate) canonical: Arc<str>,
    pub(crate) references: Vec<Reference>,
    /// Confluent's metadata and rule set, as JSON text: kept for others, and part of the schema.
    pub(crate) metadata: Option<String>,
    pub(crate) rule_set: Option<String>,
}

/// A schema as the log has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    /// As the log has it, and as clients get it.
    pub(crate) text: Arc<str>,
    pub(crate) content: Arc<Content>,
    /// What it is known by in every registry.
    pub(crate) guid: Uuid,
    /// Properties that only other registries know.
    pub(crate) others: Map<String, Value>,
}

impl Stored {
    /// Takes a schema from the log, whoever wrote it: what does not parse is kept as it is.
    pub(crate) fn of_log(value: &SchemaValue) -> Self {
        let schema_type = value.schema_type.as_deref().unwrap_or(AVRO);
        let text: Arc<str> = value.schema.as_str().into();
        let canonical = (schema_type == AVRO).then(|| canonical::of_text(&text)).flatten();
        let canonical = canonical.filter(|canonical| **canonical != *text).map_or_else(|| text.clone(), Arc::from);
        let content = Content {
            schema_type: schema_type.into(),
            canonical,
            references: value.references.clone(),
            metadata: value.metadata.as_ref().map(Value::to_string),
            rule_set: value.rule_set.as_ref().map(Value::to_string),
        };
        Self { text, content: Arc::new(content), guid: guid::of(value), others: value.others.clone() }
    }

    /// Whether this registry understands the schema.
    pub(crate) fn is_avro(&self) -> bool {
        &*self.content.schema_type == AVRO
    }
}

/// A valid Avro schema that a client submitted.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) content: Content,
    pub(crate) parsed: Schema,
}

/// What a client submits besides the schema's text.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    pub(crate) references: Vec<Reference>,
    pub(crate) metadata: Option<Value>,
    pub(crate) rule_set: Option<Value>,
}

impl Candidate {
    /// Parses a submitted text together with the texts that it refers to, dependencies first.
    pub(crate) fn parse(
        text: &str,
        referenced: &[&str],
        normalize: bool,
        attachments: Attachments,
    ) -> Result<Self, mesh_avro::schema::SchemaError> {
        let parsed = Schema::parse_with(text, referenced)?;
        let form = if normalize { canonical::Form::Normalised } else { canonical::Form::AsGiven };
        let content = Content {
            schema_type: AVRO.into(),
            canonical: canonical::write(parsed.json(), form).into(),
            references: attachments.references,
            metadata: attachments.metadata.as_ref().map(Value::to_string),
            rule_set: attachments.rule_set.as_ref().map(Value::to_string),
        };
        Ok(Self { content, parsed })
    }
}
