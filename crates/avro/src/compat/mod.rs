//! Can every datum of a writer be read by a reader, by Avro 1.12's schema resolution, and does it still mean the same.
//!
//! [`check`] answers for two schemas, [`check_level`] for a new schema against its history at one of the registry's
//! seven levels. What resolution refuses is an error; this alone is the verdict. Changes of meaning that resolution lets
//! pass break semantic rules, which warn unless [`Severities`] make them errors or turn them off. Where the specification
//! leaves room, the module `resolve` says what is done and why.

mod branch;
mod fault;
mod finding;
mod graph;
mod level;
mod meaning;
mod path;
mod phrase;
mod refusal;
pub(crate) mod resolution;
mod resolve;
mod rule;
mod settle;
mod severity;
mod sides;
mod source;
mod walk;
mod witness;

pub use finding::{CompatFinding, Direction, Report, Side};
pub use level::{check_level, check_level_with};
pub use mesh_contract::Severity;
pub use rule::{RULES, Rule, RuleKind, rule};
pub use severity::{Setting, SettingError, Severities, Strictness};
pub use witness::Witness;

use crate::schema::{Schema, SchemaError};

/// Whether `reader` can read what `writer` writes; the reader is taken to be the newer of the two.
#[must_use]
pub fn check(reader: &Schema, writer: &Schema) -> Report {
    check_with(reader, writer, &Severities::default())
}

/// As [`check`], with the semantic rules as severe as told.
#[must_use]
pub fn check_with(reader: &Schema, writer: &Schema, severities: &Severities) -> Report {
    walk::compare(reader, writer, Direction::Backward, severities)
}

/// The report on a schema that is not valid Avro: nothing can be compared, so it is incompatible.
#[must_use]
pub fn invalid(error: &SchemaError, side: Side) -> Report {
    Report { findings: vec![finding::invalid(error, side)] }
}
