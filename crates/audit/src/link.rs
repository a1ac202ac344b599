//! An entry's place in the chain of its writer: what stands beside it in its headers.

use mesh_kafka::Record;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::Digest;

/// The header with the [`Link`], as JSON.
pub const LINK_HEADER: &str = "mesh-audit-link";
/// The header with the entry's own hash, so that an alteration shows before the chain goes on.
pub const HASH_HEADER: &str = "mesh-audit-hash";
/// The header with the HMAC of the entry's hash, of writers that have keys.
pub const SEAL_HEADER: &str = "mesh-audit-seal";

/// An entry's place in the chain of its writer. The hash of the entry covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The chain: a writer's, from when it began to when it ended.
    pub chain: Uuid,
    /// The entry's number in it, from 0.
    pub seq: u64,
    /// The hash of the chain's entry before this one; none for its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Digest>,
    /// The hash of the newest entry of any chain that the writer had seen; none if it had seen none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Digest>,
    /// The version of the key that the entry is sealed with; none: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<u32>,
    /// Whether the writer has ended here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}

impl Link {
    /// As it is written.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        serde_json::to_vec(&self).expect("a link is numbers and texts")
    }
}

/// The hash of a record as it stands on the topic.
pub(crate) fn hash_of(record: &Record) -> Digest {
    let link = record.header(LINK_HEADER).map(|link| &link[..]).unwrap_or_default();
    Digest::of_entry(link, record.value.as_deref().unwrap_or_default())
}
