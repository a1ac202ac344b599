//! A refused record's outside.

use jiff::Timestamp;
use mesh_kafka::Record;
use mesh_masking::quarantine::{Entry, Outcome};
use serde::Serialize;

/// What everybody may see of a refused record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// Where it is in the quarantine: what `show` asks for.
    pub partition: i32,
    pub offset: i64,
    /// When it was refused.
    pub time: Option<Timestamp>,
    pub reason: String,
    pub message: String,
    pub source_topic: String,
    pub source_partition: i32,
    pub source_offset: i64,
    /// The record's own timestamp.
    pub source_time: Option<Timestamp>,
    pub schema_id: Option<u32>,
    pub major: u32,
    pub revision: u64,
    /// The output generation that it was refused for.
    pub generation: u64,
    pub key_version: u32,
    /// What became of it since; none where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// What became of a refused record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It waits to be mended and replayed.
    Waiting,
    /// It was let through since.
    Replayed,
    /// A newer record of its key was let through instead.
    Overtaken,
    /// A remask reads it again: it is in the new outputs, or refused anew by a later record of the quarantine.
    Superseded,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Replayed => Outcome::Replayed.name(),
            State::Overtaken => Outcome::Overtaken.name(),
            State::Superseded => "superseded",
        }
    }
}

impl From<Outcome> for State {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Replayed => State::Replayed,
            Outcome::Overtaken => State::Overtaken,
        }
    }
}

impl Row {
    pub(super) fn of(record: &Record) -> Self {
        let entry = Entry::of(record);
        Row {
            partition: record.partition,
            offset: record.offset,
            time: record.timestamp_ms.and_then(|at| Timestamp::from_millisecond(at).ok()),
            reason: entry.reason,
            message: entry.message,
            source_topic: entry.source_topic,
            source_partition: entry.source_partition,
            source_offset: entry.source_offset,
            source_time: entry.source_timestamp_ms.and_then(|at| Timestamp::from_millisecond(at).ok()),
            schema_id: entry.schema_id,
            major: entry.major,
            revision: entry.revision,
            generation: entry.generation,
            key_version: entry.key_version,
            state: None,
        }
    }

    /// The schema id as people read it.
    pub(super) fn shown_schema_id(&self) -> String {
        self.schema_id.map_or_else(|| "-".to_owned(), |id| id.to_string())
    }
}

/// A time as people read it.
pub(super) fn shown_time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}
