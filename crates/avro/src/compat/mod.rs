//! Can every datum of a writer be read by a reader, by Avro 1.12's schema resolution, and does it still mean the same.
//!
//! [`check`] answers for two schemas, [`check_level`] for a new schema against its history at one of the registry's
//! seven levels. Findings of severity error are what resolution refuses; together they are the verdict. Findings of
//! severity warning are changes of meaning that resolution lets pass. Where the specification leaves room, the module
//! `resolve` says what is done and why.

mod fault;
mod finding;
mod graph;
mod level;
mod meaning;
mod path;
mod resolve;
mod rule;
mod walk;
mod witness;

pub use finding::{CompatFinding, Direction, Report};
pub use level::check_level;
pub use mesh_contract::Severity;
pub use rule::{RULES, Rule, RuleKind, rule};

use crate::schema::{Schema, SchemaError};

/// Whether `reader` can read what `writer` writes; the reader is taken to be the newer of the two.
#[must_use]
pub fn check(reader: &Schema, writer: &Schema) -> Report {
    walk::compare(reader, writer, Direction::Backward)
}

/// The report on a schema that is not valid Avro: nothing can be compared, so it is incompatible.
#[must_use]
pub fn invalid(error: &SchemaError, side: &str) -> Report {
    Report { findings: vec![finding::invalid(error, side)] }
}
