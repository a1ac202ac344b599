//! What stands on `mesh.audit`, as far as it is asked for; whatever else is there, and whatever comes to be there, is passed over.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One event.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Told {
    RecordsMasked(Masked),
    QuarantineReplayed(Replayed),
    #[serde(other)]
    Other,
}

/// A range of the input that was masked under one revision.
#[derive(Debug, Deserialize)]
pub(super) struct Masked {
    /// When the last, and the first of it was done.
    pub(super) at_ms: i64,
    pub(super) since_ms: i64,
    pub(super) product: String,
    pub(super) major: u32,
    pub(super) revision: u64,
    pub(super) partition: i32,
    pub(super) source_offsets: Offsets,
    pub(super) records: u64,
    #[serde(default)]
    pub(super) tombstones: u64,
    #[serde(default)]
    pub(super) quarantined: BTreeMap<String, u64>,
    /// By the version of the keys that masked them: text, since serde has no numbers for keys behind a tag.
    #[serde(default)]
    pub(super) keys: BTreeMap<String, u64>,
    /// None where the teller did not know the revision's rules.
    pub(super) views: Option<Vec<View>>,
}

/// Records that were let out of the quarantine.
#[derive(Debug, Deserialize)]
pub(super) struct Replayed {
    pub(super) at_ms: i64,
    pub(super) product: String,
    pub(super) major: u32,
    pub(super) revision: u64,
    pub(super) replayed: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Offsets {
    pub(super) first: i64,
    pub(super) last: i64,
}

/// What went to one view, and by which rule its columns were masked.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct View {
    pub(super) view: String,
    pub(super) records: u64,
    pub(super) masked: BTreeMap<String, String>,
}

impl Masked {
    pub(super) fn quarantined_in_all(&self) -> u64 {
        self.quarantined.values().sum()
    }
}
