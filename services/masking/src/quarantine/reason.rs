//! Why a record is in quarantine.

use mesh_avro::{mask::MaskErrorKind, wire::WireError};

/// Why a record is in quarantine. Its [code](Reason::code) is the `mesh-reason` header and a metric's label; its Display
/// is `mesh-message`. Neither holds any of the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Not the wire format.
    #[error("{}", wire_fault(*.0))]
    Wire(WireError),
    /// The datum is not one of its schema, or a rule cannot be applied to it.
    #[error("{kind} (byte {offset} of the datum)")]
    Datum {
        /// What is wrong.
        kind: MaskErrorKind,
        /// Where.
        offset: usize,
    },
    /// The registry is certain that it has no such schema.
    #[error("the registry has no schema of this id")]
    UnknownSchemaId,
    /// The schema is another product's.
    #[error("the schema is registered, but not under {subject}")]
    ForeignSchema {
        /// The input port's subject.
        subject: String,
    },
    /// The schema cannot be worked with.
    #[error("the writer's schema cannot be used: {why}")]
    SchemaUnusable {
        /// Why.
        why: String,
    },
    /// The rules cannot be put on the writer's schema.
    #[error("the contract's rules cannot be applied to the writer's schema: {why}")]
    RulesUnusable {
        /// Why.
        why: String,
    },
    /// The registry refuses the schema that a view would have.
    #[error("the registry refuses the schema of view {view}, derived from the writer's")]
    ViewSchemaRefused {
        /// The view.
        view: String,
    },
    /// The Kafka key is not the key column's value.
    #[error("the record's key is not the value of the contract's key column")]
    KeyMismatch,
    /// No key where outputs are compacted by it, or a tombstone for nothing.
    #[error("the record has no key")]
    NullKey,
    /// A key that the key column cannot have.
    #[error("the tombstone's key cannot be masked: {kind}")]
    Key {
        /// What is wrong.
        kind: MaskErrorKind,
    },
    /// A tombstone of a product without a key column.
    #[error("a tombstone, but the contract names no key column")]
    UnkeyedTombstone,
    /// An output that its topic does not take.
    #[error("an output of the record is larger than its topic takes")]
    OutputTooLarge,
    /// An output that its topic does not take for another reason, such as its timestamp.
    #[error("an output of the record is not valid to its topic, for its timestamp or a missing key")]
    OutputRefused,
}

/// As the error itself words it, but without the byte that it found: it is the record's.
fn wire_fault(error: WireError) -> &'static str {
    match error {
        WireError::Truncated { .. } => "fewer bytes than the wire format's magic byte and schema id",
        WireError::Magic { .. } => {
            "the first byte is not the wire format's magic byte: not written by a registry-aware serialiser"
        }
    }
}

impl Reason {
    /// The reason's code: stable, of a bounded set.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Reason::Wire(error) => error.code(),
            Reason::Datum { kind, .. } | Reason::Key { kind } => kind.code(),
            Reason::UnknownSchemaId => "unknown-schema-id",
            Reason::ForeignSchema { .. } => "foreign-schema",
            Reason::SchemaUnusable { .. } => "schema-unusable",
            Reason::RulesUnusable { .. } => "rules-unusable",
            Reason::ViewSchemaRefused { .. } => "view-schema-refused",
            Reason::KeyMismatch => "key-mismatch",
            Reason::NullKey => "null-key",
            Reason::UnkeyedTombstone => "unkeyed-tombstone",
            Reason::OutputTooLarge => "output-too-large",
            Reason::OutputRefused => "output-refused",
        }
    }
}
