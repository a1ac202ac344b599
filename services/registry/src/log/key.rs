//! Keys of the log.

use serde::{Deserialize, Serialize};

/// Any key, as read.
#[derive(Debug, Deserialize)]
pub(super) struct ReadKey {
    pub(super) keytype: String,
    #[serde(default)]
    pub(super) subject: Option<String>,
    #[serde(default)]
    pub(super) version: Option<u32>,
    #[serde(default)]
    pub(super) context: Option<String>,
}

/// Any key, as written; the order of the properties is Confluent's.
#[derive(Debug, Default, Serialize)]
pub(super) struct WrittenKey<'a> {
    pub(super) keytype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u32>,
    pub(super) magic: u8,
}

pub(super) const SCHEMA: &str = "SCHEMA";
pub(super) const CONFIG: &str = "CONFIG";
pub(super) const MODE: &str = "MODE";
pub(super) const DELETE_SUBJECT: &str = "DELETE_SUBJECT";
pub(super) const CLEAR_SUBJECT: &str = "CLEAR_SUBJECT";
pub(super) const CONTEXT: &str = "CONTEXT";
pub(super) const NOOP: &str = "NOOP";

/// The tenant of a registry that has only one.
pub(super) const TENANT: &str = "default";

/// The key of the record that says where the log's writer is: a NOOP to every other registry, in a third spelling.
pub(super) const WRITER: &[u8] = br#"{"keytype":"NOOP", "magic":0}"#;

/// The key of the record that remembers the highest id: to every registry a NOOP, but to compaction another key than
/// the NOOP that marks the log's end.
pub(super) const ID_MARK: &[u8] = br#"{"magic":0,"keytype":"NOOP"}"#;
