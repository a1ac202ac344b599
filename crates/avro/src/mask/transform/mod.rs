//! What rules do to a value. Each appends the masked value in its Avro encoding.

pub(super) mod calendar;
pub(super) mod constant;
pub(super) mod encrypt;
pub(super) mod hash;
mod numerals;
pub(super) mod seal;
mod text;
pub(super) mod tokenise;

use calendar::Unit;
use encrypt::Encryptor;
use hash::{HASH_BYTES, HashKey};
use tokenise::Tokeniser;

use super::utf8::Text;
use super::{MaskErrorKind, varint};

/// A hash in hex in a string's place.
pub(super) struct TextHash {
    pub(super) key: HashKey,
    pub(super) digits: usize,
}

/// What is done to a string.
pub(super) enum TextMask {
    Hash(TextHash),
    HashUuid { key: HashKey },
    KeepFirst(usize),
    KeepLast(usize),
    Truncate(usize),
    Tokenise(Box<Tokeniser>),
    Encrypt(Box<Encryptor>),
}

impl TextMask {
    /// Appends the masked string with its length. `work` may be overwritten.
    pub(super) fn write(&self, out: &mut Vec<u8>, work: &mut Vec<u8>, text: Text<'_>) -> Result<(), MaskErrorKind> {
        match self {
            TextMask::Hash(TextHash { key, digits }) => {
                varint::write_length(out, *digits);
                out.extend_from_slice(&hash::hex(&key.hash(text.as_bytes()))[..*digits]);
            }
            TextMask::HashUuid { key } => {
                let uuid = hash::uuid_text(key.uuid(text.as_bytes()));
                varint::write_length(out, uuid.len());
                out.extend_from_slice(&uuid);
            }
            TextMask::KeepFirst(kept) => text::keep_first(out, text, *kept),
            TextMask::KeepLast(kept) => text::keep_last(out, text, *kept),
            TextMask::Truncate(kept) => text::truncate(out, text, *kept),
            TextMask::Tokenise(tokeniser) => {
                varint::write_length(out, text.as_bytes().len());
                tokeniser.write_token(out, text.as_bytes())?;
            }
            TextMask::Encrypt(encryptor) => encryptor.write_text(out, work, text.as_bytes())?,
        }
        Ok(())
    }
}

/// What is done to bytes.
pub(super) enum BytesMask {
    Hash { key: HashKey, bytes: usize },
    Truncate(usize),
    Encrypt(Box<Encryptor>),
}

impl BytesMask {
    /// Appends the masked bytes with their length.
    pub(super) fn write(&self, out: &mut Vec<u8>, value: &[u8]) -> Result<(), MaskErrorKind> {
        match self {
            BytesMask::Hash { key, bytes } => {
                varint::write_length(out, *bytes);
                out.extend_from_slice(&key.hash(value)[..*bytes]);
            }
            BytesMask::Truncate(kept) => {
                let kept = &value[..value.len().min(*kept)];
                varint::write_length(out, kept.len());
                out.extend_from_slice(kept);
            }
            BytesMask::Encrypt(encryptor) => encryptor.write_bytes(out, value)?,
        }
        Ok(())
    }
}

/// What is done to a fixed.
pub(super) enum FixedMask {
    Hash { key: HashKey },
    HashUuid { key: HashKey },
}

impl FixedMask {
    /// Appends as many bytes as the value has. A fixed longer than a hash is filled up with zeros.
    pub(super) fn write(&self, out: &mut Vec<u8>, value: &[u8]) {
        let end = out.len() + value.len();
        match self {
            FixedMask::Hash { key } => out.extend_from_slice(&key.hash(value)[..value.len().min(HASH_BYTES)]),
            FixedMask::HashUuid { key } => out.extend_from_slice(&key.uuid(value)),
        }
        out.resize(end, 0);
    }
}

/// What is done to an int or a long, dates and timestamps among them.
#[derive(Clone, Copy, Debug)]
pub(super) enum IntegerMask {
    Date(Unit),
    Timestamp { unit: Unit, ticks_per_day: i64 },
    Multiple { multiple: u64, lowest: i64 },
}

impl IntegerMask {
    /// The masked number; an int's stays an int.
    pub(super) fn apply(self, value: i64) -> i64 {
        match self {
            IntegerMask::Date(unit) => calendar::floor_date(value, unit),
            IntegerMask::Timestamp { unit, ticks_per_day } => calendar::floor_timestamp(value, ticks_per_day, unit),
            IntegerMask::Multiple { multiple, lowest } => calendar::floor_multiple(value, multiple, lowest),
        }
    }
}
