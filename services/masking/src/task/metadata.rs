//! What is committed with a partition's offset, beside the offset itself.

use serde::{Deserialize, Serialize};

use crate::{audit::Account, remask::OutputMark, run::RunMark};

/// The text committed with a partition's offset.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Metadata {
    /// The revision that everything before the offset was processed under, or an earlier one.
    pub(super) rev: u64,
    /// The version of the keys that the newest of it was masked with, or a later one: no earlier one is ever in force again.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) keys: u32,
    /// What was done under that revision and not told yet.
    #[serde(default, skip_serializing_if = "Account::is_empty")]
    pub(super) audit: Account,
    /// What the run that did the last of it did to the partition, after those that lineage was not told of yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) runs: Vec<RunMark>,
    /// How far the outputs are.
    #[serde(flatten)]
    pub(super) outputs: OutputMark,
}

impl Metadata {
    /// What stands with a committed offset; nothing where that was set by hand.
    pub(super) fn read(topic: &str, text: &str) -> Self {
        if text.is_empty() {
            return Metadata::default();
        }
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::warn!(topic, %error, "the committed offset's metadata is not this sidecar's, ignored");
            Metadata::default()
        })
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whether no keys were in force.
fn is_none(version: &u32) -> bool {
    *version == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_survives_as_text() {
        let metadata = Metadata { rev: 12, ..Metadata::default() };
        assert_eq!(metadata.text(), r#"{"rev":12}"#);
        assert_eq!(Metadata::read("t", &metadata.text()), metadata);
        let keyed = Metadata { keys: 3, ..metadata };
        assert_eq!(keyed.text(), r#"{"rev":12,"keys":3}"#);
        assert_eq!(Metadata::read("t", &keyed.text()), keyed);
    }

    #[test]
    fn foreign_metadata_names_no_revision() {
        for text in ["", "x", "{}", r#"{"rev":-1}"#, r#"{"rev":"1"}"#] {
            assert_eq!(Metadata::read("t", text), Metadata::default(), "{text}");
        }
    }

    #[test]
    fn later_metadata_may_say_more() {
        let later = Metadata::read("t", r#"{"rev":3,"gen":2,"more":[1]}"#);
        assert_eq!((later.rev, later.outputs.generation), (3, 2));
    }
}
