//! What a target was told of a product, as `mesh.freshness` keeps it: `webhook/<target>/<unique_id>/<major>`.

use mesh_contract::topic::FRESHNESS_TOPIC;
use mesh_kafka::OutgoingRecord;
use serde::{Deserialize, Serialize};

use crate::State;

const PREFIX: &str = "webhook/";

/// What a target was told last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) product: String,
    pub(super) version: u32,
    pub(super) owner: String,
    pub(super) state: State,
    /// Since when.
    pub(super) since_ms: i64,
}

/// Whether a key of `mesh.freshness` is one of these, and not a product's.
pub(crate) fn is_progress(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Target and product of such a key.
pub(super) fn parse(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix(PREFIX)?.split_once('/')
}

/// To be appended once the target was told; a product that is gone leaves nothing to remember.
pub(super) fn record(target: &str, product: &str, told: Option<&Told>) -> OutgoingRecord {
    let record = OutgoingRecord::to(FRESHNESS_TOPIC).key(format!("{PREFIX}{target}/{product}"));
    match told {
        Some(told) => record.value(serde_json::to_vec(told).expect("names and numbers have a JSON form")),
        None => record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_target_and_product() {
        assert!(is_progress("webhook/crm/0d4a/1") && !is_progress("0d4a/1"));
        assert_eq!(parse("webhook/crm/0d4a/1"), Some(("crm", "0d4a/1")));
        assert_eq!(parse("0d4a/1"), None);
    }
}
