use std::fmt;

use super::resolve::Step;
use super::rule::{Rule, RuleKind, SCHEMA_INVALID};
use super::witness::Witness;
use crate::schema::SchemaError;
use mesh_contract::{ColumnPath, Finding, Place, SensitiveColumn, Severity};
use serde::Serialize;

/// Which of two schemas reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The newer schema reads what the older one wrote.
    Backward,
    /// The older schema reads what the newer one writes.
    Forward,
}

/// One of the two schemas that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The schema that data are read with.
    Reader,
    /// The schema that they are written with.
    Writer,
}

/// One reason why a reader cannot read a writer's data, or reads it as something else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompatFinding {
    /// The rule's id; `docs/rules/<id>.md` explains it.
    pub rule: &'static str,
    /// What the rule is about: Avro's resolution, or meaning above it.
    #[serde(skip)]
    pub kind: RuleKind,
    /// Error for what cannot be read; for a change of meaning as [`Severities`](super::Severities) have it, else warning.
    pub severity: Severity,
    /// The field it is about, in the reader's names: `contacts[].email`, `attributes{}.ssn`; empty for the whole datum.
    pub path: String,
    /// What breaks.
    pub message: String,
    /// The change that would be compatible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The JSON pointer into the reader.
    pub reader_pointer: String,
    /// The document that it is a pointer into: 0 is the reader itself, n the n-th reference that it was parsed with.
    #[serde(skip_serializing_if = "is_own")]
    pub reader_document: usize,
    /// The JSON pointer into the writer.
    pub writer_pointer: String,
    /// The document that it is a pointer into, as for the reader.
    #[serde(skip_serializing_if = "is_own")]
    pub writer_document: usize,
    /// A datum of the writer, in Avro's JSON encoding, that the reader cannot read or reads as something else.
    ///
    /// What cannot be read has one, unless there is none that could be shown: the writer's type has no data at all (a
    /// record that needs itself, a union or an enum of nothing), or only data too deep or too long to be shown.
    /// Changes of meaning have one where a datum of this writer shows them: a default that changed shows in the data of
    /// writers without the field, a lost class in no datum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// Which of the two schemas is the newer one.
    pub direction: Direction,
    /// Which earlier schema, counted from 0 for the oldest, where a history was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier: Option<usize>,
}

/// What was found between a reader and a writer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The findings, in the order of the reader's fields.
    pub findings: Vec<CompatFinding>,
}

impl Report {
    /// The verdict: whether every datum of the writer can be read, by Avro's resolution alone. Semantic rules, however
    /// severe, have no say in it.
    #[must_use]
    pub fn compatible(&self) -> bool {
        !self.findings.iter().any(CompatFinding::breaks)
    }

    /// Whether nothing is an error: compatible, and no semantic rule broken whose severity is error.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.errors().next().is_none()
    }

    /// The findings of severity error: what cannot be read, and changes of meaning that are set to be errors.
    pub fn errors(&self) -> impl Iterator<Item = &CompatFinding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// The findings of severity warning: changes of meaning.
    pub fn warnings(&self) -> impl Iterator<Item = &CompatFinding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Warning)
    }
}

impl CompatFinding {
    /// Whether it says that data cannot be read, and not only that they change their meaning.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.kind == RuleKind::Resolution
    }

    /// Whether a contract has the last word on it: it is about a column's class, and the contract lists the column, which
    /// is masked whatever the schema says of it.
    #[must_use]
    pub fn is_settled_by(&self, listed: &[SensitiveColumn]) -> bool {
        let path = || self.path.parse::<ColumnPath>().ok();
        self.rule.starts_with("sensitive-")
            && path().is_some_and(|path| listed.iter().any(|listed| listed.column.covers(&path)))
    }

    /// The finding as `mesh check` reports it, at its place in the reader's or the writer's file.
    #[must_use]
    pub fn placed(&self, place: Place) -> Finding {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        Finding {
            rule: self.rule,
            severity: self.severity,
            place,
            message: format!("{path}{}", self.message),
            hint: self.hint.clone(),
        }
    }
}

impl fmt::Display for CompatFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.rule)?;
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// A finding before it is known how a datum gets there.
pub(super) struct Draft {
    pub(super) rule: &'static Rule,
    /// The field of the record at hand that it is about.
    pub(super) field: Option<String>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) reader_pointer: String,
    pub(super) writer_pointer: String,
    /// What the datum is where it fails; otherwise the smallest one does.
    pub(super) trigger: Trigger,
}

/// The part of a witness that makes it one.
pub(super) enum Trigger {
    /// Any datum of the writer's type.
    Any,
    /// Any datum of a branch of the writer's union.
    Branch(usize),
    /// This datum.
    Datum(Witness),
    /// What none of the reader's branches reads, each for a reason of its own.
    EveryBranch,
    /// What a pair inside does not read, with the step to it.
    Inside(Step, usize),
    /// No datum is known, or none is needed.
    None,
}

/// Whether a document is the schema itself.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_own(document: &usize) -> bool {
    *document == 0
}

pub(super) fn invalid(error: &SchemaError, side: Side) -> CompatFinding {
    let place = match error.pointer.as_str() {
        "" => String::new(),
        pointer => format!(" at {pointer}"),
    };
    let schema = match (side, error.document) {
        (Side::Reader, 0) => "the reader's schema",
        (Side::Reader, _) => "a schema that the reader's refers to",
        (Side::Writer, 0) => "the writer's schema",
        (Side::Writer, _) => "a schema that the writer's refers to",
    };
    let invalid = CompatFinding {
        rule: SCHEMA_INVALID.id,
        kind: SCHEMA_INVALID.kind,
        severity: Severity::Error,
        path: String::new(),
        message: format!("{schema} is not valid Avro{place}: {}", error.fault),
        hint: error.hint(),
        reader_pointer: String::new(),
        reader_document: 0,
        writer_pointer: String::new(),
        writer_document: 0,
        witness: None,
        direction: Direction::Backward,
        earlier: None,
    };
    let (pointer, document) = (error.pointer.clone(), error.document);
    match side {
        Side::Reader => CompatFinding { reader_pointer: pointer, reader_document: document, ..invalid },
        Side::Writer => CompatFinding { writer_pointer: pointer, writer_document: document, ..invalid },
    }
}
