//! Why a datum is refused, and why a program cannot be compiled. No message holds any part of a payload.

use crate::keys::KeyError;

/// Why a datum is refused: what is wrong with its bytes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct MaskError {
    /// What is wrong.
    pub kind: MaskErrorKind,
    /// The offset, in the datum, of the value that is wrong; in a string that is not UTF-8, of what is not.
    pub offset: usize,
}

impl MaskError {
    /// A stable, kebab-case code for headers, metrics and JSON.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

/// What is wrong with a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskErrorKind {
    /// The bytes end within a value.
    #[error("the datum ends within a value")]
    Truncated,
    /// Bytes are left over.
    #[error("bytes are left after the datum's end")]
    TrailingBytes,
    /// A varint of more bytes than its type can have.
    #[error("a varint is longer than its type allows")]
    VarintTooLong,
    /// An int outside 32 bits.
    #[error("an int is outside 32 bits")]
    IntOutOfRange,
    /// A boolean that is neither 0 nor 1.
    #[error("a boolean is neither 0 nor 1")]
    BadBoolean,
    /// A union index that the schema does not have.
    #[error("a union's index is not one of its branches")]
    BadUnionIndex,
    /// An enum index that the schema does not have.
    #[error("an enum's index is not one of its symbols")]
    BadEnumIndex,
    /// A negative length.
    #[error("a length is negative")]
    NegativeLength,
    /// A string that is not UTF-8.
    #[error("a string is not UTF-8")]
    InvalidUtf8,
    /// An item longer than [`crate::mask::ITEM_BYTES_MAX`].
    #[error("an item is longer than 16 MiB")]
    ItemTooLong,
    /// More open arrays, maps and recursive records than [`crate::mask::DEPTH_MAX`].
    #[error("the datum nests deeper than 1,000")]
    TooDeep,
    /// A block count that the remaining bytes cannot hold, or more empty items than
    /// [`crate::mask::EMPTY_ITEMS_MAX`].
    #[error("a block counts more items than the datum can hold")]
    TooManyItems,
    /// A block whose bytes are not as many as it says.
    #[error("a block's size is not that of its items")]
    BlockSizeMismatch,
    /// A view longer than [`crate::mask::OUTPUT_BYTES_MAX`].
    #[error("a view of the datum would be longer than 64 MiB")]
    OutputTooLarge,
    /// A value that has too few possible values to be tokenised.
    #[error("a value to be tokenised has a domain of less than a million values")]
    TokenDomainTooSmall,
    /// A value to be tokenised with characters outside letters and digits.
    #[error("a value to be tokenised has characters other than ASCII letters and digits")]
    TokenAlphabet,
    /// A value too long to be tokenised.
    #[error("a value to be tokenised is longer than 256 characters")]
    TokenTooLong,
    /// A record's key that is neither the key column's text nor its wire format.
    #[error("the record's key is neither text nor wire-format Avro of the key column's type")]
    BadKey,
    /// A record without a subject, of a product whose subject is never null.
    #[error("the record is about nobody, though the contract's subject is never null")]
    NoSubject,
    /// A value that the schema it is converted to has no place for.
    #[error("the other version's schema has no place for a value")]
    NotConvertible,
}

impl MaskErrorKind {
    /// A stable, kebab-case code.
    pub fn code(self) -> &'static str {
        match self {
            MaskErrorKind::Truncated => "truncated",
            MaskErrorKind::TrailingBytes => "trailing-bytes",
            MaskErrorKind::VarintTooLong => "varint-too-long",
            MaskErrorKind::IntOutOfRange => "int-out-of-range",
            MaskErrorKind::BadBoolean => "bad-boolean",
            MaskErrorKind::BadUnionIndex => "bad-union-index",
            MaskErrorKind::BadEnumIndex => "bad-enum-index",
            MaskErrorKind::NegativeLength => "negative-length",
            MaskErrorKind::InvalidUtf8 => "invalid-utf8",
            MaskErrorKind::ItemTooLong => "item-too-long",
            MaskErrorKind::TooDeep => "too-deep",
            MaskErrorKind::TooManyItems => "too-many-items",
            MaskErrorKind::BlockSizeMismatch => "block-size-mismatch",
            MaskErrorKind::OutputTooLarge => "output-too-large",
            MaskErrorKind::TokenDomainTooSmall => "token-domain-too-small",
            MaskErrorKind::TokenAlphabet => "token-alphabet",
            MaskErrorKind::TokenTooLong => "token-too-long",
            MaskErrorKind::BadKey => "bad-key",
            MaskErrorKind::NoSubject => "no-subject",
            MaskErrorKind::NotConvertible => "not-convertible",
        }
    }

    pub(crate) fn at(self, offset: usize) -> MaskError {
        MaskError { kind: self, offset }
    }
}

/// Why a program cannot be compiled against a writer's schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A key that a rule needs cannot be had (now).
    #[error("the key of column {column} cannot be had")]
    Key {
        /// The column.
        column: String,
        /// What the provider says.
        #[source]
        source: KeyError,
    },
    /// One place in the writer's schema stands for columns with different rules.
    #[error(
        "{pointer} in the writer's schema stands for both {first} and {second}, whose rules differ; give both the same rule"
    )]
    Conflict {
        /// JSON pointer into the writer's schema.
        pointer: String,
        /// One column.
        first: String,
        /// The other.
        second: String,
    },
    /// The writer's schema is no version of the contract's: not even its root is of the same kind.
    #[error("the writer's schema is a {writer}, the contract's a {contract}; nothing of it can be mapped")]
    Unrelated {
        /// The writer's root.
        writer: &'static str,
        /// The contract's root.
        contract: &'static str,
    },
    /// The writer's schema has no subject that is of the contract's type.
    #[error("the writer's schema has no field for the subject {column}, or one of another type")]
    Subject {
        /// The column.
        column: String,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gave no random secret")]
    Randomness,
    /// A schema larger than a program may be.
    #[error("the writer's schema is too large: {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
    },
    /// A derived view schema that does not parse: a defect of ours, reported rather than registered.
    #[error("the schema derived for view {view} is not valid Avro: {reason}")]
    ViewSchema {
        /// The view.
        view: String,
        /// What the parser says.
        reason: String,
    },
}
