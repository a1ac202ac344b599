//! Why an event is refused.

use super::{DATASETS_MAX, DEPTH_MAX, EVENT_BYTES_MAX, NAME_BYTES_MAX};

/// Why an event is refused. What is quoted of it is short, and without control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many bytes.
    #[error("the event has more than {EVENT_BYTES_MAX} bytes")]
    TooLarge,
    /// Nested too deep.
    #[error("the event's JSON is nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// Bytes that are no text.
    #[error("the event is not UTF-8: byte {at} is none of a character")]
    NotUtf8 {
        /// Where, from 0.
        at: usize,
    },
    /// Not JSON, or not an event's.
    #[error("the event is not one of OpenLineage 2-0-2: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// A key that stands twice in an object: readers differ in which they take.
    #[error("the event has a key twice in one object: {key}")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A version of the specification that is not known.
    #[error(
        "the schemaURL of {what} names no version of OpenLineage that is known here: write https://openlineage.io/spec/2-0-2/OpenLineage.json"
    )]
    UnknownVersion {
        /// Whose: the event's, or a facet's.
        what: String,
    },
    /// A name that is empty, too long, or has control characters in it.
    #[error("{what} must have 1 to {NAME_BYTES_MAX} bytes and no control characters")]
    Name {
        /// Whose name.
        what: &'static str,
    },
    /// Too many of something.
    #[error("the event has more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may have.
        most: usize,
    },
    /// A facet that is not what its name says.
    #[error("the facet {facet} does not read as one: {reason}")]
    Facet {
        /// Its key.
        facet: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A run that is its own parent.
    #[error("the run is its own parent: name the run that it is a part of, or none")]
    Cycle,
    /// More inputs and outputs together than a graph holds for a job.
    #[error("the event has more than {DATASETS_MAX} inputs and outputs")]
    TooManyDatasets,
}

impl Refusal {
    /// The reason in one word, for metrics and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::TooDeep => "too-deep",
            Self::NotUtf8 { .. } => "not-utf8",
            Self::Malformed { .. } => "malformed",
            Self::DuplicateKey { .. } => "duplicate-key",
            Self::UnknownVersion { .. } => "unknown-version",
            Self::Name { .. } => "name",
            Self::TooMany { .. } | Self::TooManyDatasets => "too-many",
            Self::Facet { .. } => "facet",
            Self::Cycle => "cycle",
        }
    }

    /// Of an event that is no event.
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        let reason = quoted(&error.to_string());
        match reason.strip_prefix("duplicate field ") {
            Some(rest) => Self::DuplicateKey { key: rest.split(" at line").next().unwrap_or(rest).to_owned() },
            None => Self::Malformed { reason },
        }
    }

    /// Of a facet that is not what its name says.
    pub(super) fn facet(name: &str, error: &serde_json::Error) -> Self {
        let reason = quoted(&error.to_string());
        Self::Facet { facet: quoted(name), reason }
    }
}

/// Foreign text within bounds: serde quotes the offending value, which may be long, and anything.
pub(super) fn quoted(text: &str) -> String {
    text.chars().take(200).map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect()
}
