//! One event of the input, before it is checked against the schema.

use serde_json::Value;

/// An event, or why there is none, and where it stands.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// `line 12`, or `record 12` where there are no lines.
    pub(super) place: String,
    pub(super) content: Result<Content, String>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) timestamp_ms: Option<i64>,
}

/// What an event says.
#[derive(Debug, PartialEq)]
pub(super) enum Content {
    /// An upsert: the record.
    Event(Value),
    /// A delete: the key.
    Delete(Value),
}

impl Row {
    pub(super) fn new(place: String, content: Result<Content, String>) -> Self {
        Self { place, content, headers: Vec::new(), timestamp_ms: None }
    }
}
