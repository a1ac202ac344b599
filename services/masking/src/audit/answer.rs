//! The answer to whether columns were masked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// The time that is asked about, in milliseconds since 1970: from the first on, before the second. It is the time of masking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// From here on.
    pub from_ms: i64,
    /// Up to before here.
    pub to_ms: i64,
}

impl Span {
    /// Whether any of this lies in it: what began at the first and ended at the second time.
    pub(super) fn meets(&self, since_ms: i64, at_ms: i64) -> bool {
        at_ms >= self.from_ms && since_ms < self.to_ms
    }
}

/// Whether it was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There was none: no record reached the view.
    NoRecords,
    /// In every record.
    Yes,
    /// As far as is told; but not everything is.
    NotKnown,
    /// Not in every record.
    No,
}

impl Verdict {
    /// As people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Verdict::NoRecords => "no records",
            Verdict::Yes => "yes",
            Verdict::NotKnown => "not known",
            Verdict::No => "no",
        }
    }
}

/// What became of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "outcome", content = "rule", rename_all = "snake_case")]
pub enum Outcome {
    /// It was masked by this rule.
    Masked(String),
    /// It was shown as it was.
    InClear,
    /// The rules of the revision are not to be had.
    NotKnown,
}

/// What became of one column under one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The column's path.
    pub column: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The contract's revision.
    pub revision: u64,
    /// The versions of the keys that were in force, where that was told.
    pub key_versions: BTreeSet<u32>,
    /// How many records of the view that concerns, tombstones included.
    pub records: u64,
}

/// A range of the input of which no event tells that it was masked within the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Of the input port.
    pub partition: i32,
    /// Its first offset.
    pub first: i64,
    /// Its last offset.
    pub last: i64,
    /// What is known about it.
    pub kind: GapKind,
}

/// Why nothing tells of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// It was processed lately, and is told within minutes.
    NotToldYet,
    /// It comes before the first that is told of its partition.
    BeforeTheFirst,
    /// It lies between two ranges that are told.
    Between,
}

/// Whether columns of a view were masked in every record of a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The product, `crm.customers`.
    pub product: String,
    /// Its major version.
    pub version: u32,
    /// The view.
    pub view: String,
    /// The time that was asked about.
    pub span: Span,
    /// Of all columns together.
    pub verdict: Verdict,
    /// Of each column.
    pub columns: BTreeMap<String, Verdict>,
    /// What became of each column, by rule and revision.
    pub lines: Vec<Line>,
    /// How many records of the input were processed.
    pub records: u64,
    /// Of these, how many were tombstones: they have no columns.
    pub tombstones: u64,
    /// Of these, how many reached no view, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// How many were let out of the quarantine.
    pub replayed: u64,
    /// What is not told.
    pub gaps: Vec<Gap>,
}

/// The verdict on one column.
pub(super) fn verdict<'l>(lines: impl Iterator<Item = &'l Line>, gaps: &[Gap]) -> Verdict {
    let of_line = |line: &Line| match line.outcome {
        Outcome::Masked(_) => Verdict::Yes,
        Outcome::NotKnown => Verdict::NotKnown,
        Outcome::InClear => Verdict::No,
    };
    let of_gaps = if gaps.is_empty() { Verdict::NoRecords } else { Verdict::NotKnown };
    lines.map(of_line).max().unwrap_or(Verdict::NoRecords).max(of_gaps)
}
