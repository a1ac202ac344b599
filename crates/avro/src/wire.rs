//! The framing of a record's key or value on Kafka: `00`, the schema id (4 bytes, big-endian), Avro binary.

use thiserror::Error;

/// The first byte of every framed datum.
pub const MAGIC: u8 = 0;

/// How many bytes stand before the datum.
pub const HEADER_BYTES: usize = 5;

/// A framed datum, borrowed from the record it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framed<'a> {
    /// The registry's id of the schema that the datum was written with.
    pub schema_id: u32,
    /// Avro binary, without the frame.
    pub datum: &'a [u8],
}

/// Why bytes are not a framed datum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WireError {
    /// Fewer bytes than the frame itself has.
    #[error(
        "{bytes} bytes are too few for the wire format: the magic byte and the schema id alone take {HEADER_BYTES}"
    )]
    Truncated {
        /// How many bytes there were.
        bytes: usize,
    },
    /// The first byte is not the magic byte, so that the rest cannot be trusted to be a schema id.
    #[error(
        "the first byte is {found:#04x}, not the wire format's {MAGIC:#04x}: not written by a registry-aware serialiser"
    )]
    Magic {
        /// The byte found in the magic byte's place.
        found: u8,
    },
}

impl WireError {
    /// A stable, kebab-case code for metrics, headers and quarantine reasons.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            WireError::Truncated { .. } => "wire-truncated",
            WireError::Magic { .. } => "wire-magic",
        }
    }
}

/// Splits a record's bytes into schema id and datum.
///
/// # Errors
/// [`WireError`] where the bytes are too few or do not begin with the magic byte. The datum itself may be empty: a
/// record without fields takes no bytes.
pub fn parse(bytes: &[u8]) -> Result<Framed<'_>, WireError> {
    match bytes {
        [MAGIC, a, b, c, d, datum @ ..] => Ok(Framed { schema_id: u32::from_be_bytes([*a, *b, *c, *d]), datum }),
        [found, ..] if *found != MAGIC => Err(WireError::Magic { found: *found }),
        _ => Err(WireError::Truncated { bytes: bytes.len() }),
    }
}

/// The five bytes that stand before a datum written with the schema of that id.
#[must_use]
pub fn header(schema_id: u32) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = schema_id.to_be_bytes();
    [MAGIC, a, b, c, d]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_without_fields_is_only_a_header() {
        assert_eq!(parse(&[0, 0, 0, 1, 2]), Ok(Framed { schema_id: 258, datum: &[] }));
    }

    #[test]
    fn too_few_bytes_are_told_from_a_wrong_magic_byte() {
        assert_eq!(parse(&[]), Err(WireError::Truncated { bytes: 0 }));
        assert_eq!(parse(&[0, 0, 0, 1]), Err(WireError::Truncated { bytes: 4 }));
        assert_eq!(parse(b"{"), Err(WireError::Magic { found: b'{' }));
        assert_eq!(parse(b"plain text").unwrap_err().code(), "wire-magic");
    }

    proptest! {
        #[test]
        fn what_is_framed_is_found_again(schema_id: u32, datum: Vec<u8>) {
            let framed = [&header(schema_id)[..], &datum].concat();
            prop_assert_eq!(parse(&framed), Ok(Framed { schema_id, datum: &datum }));
        }

        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes: Vec<u8>) {
            match parse(&bytes) {
                Ok(framed) => prop_assert_eq!([&header(framed.schema_id)[..], framed.datum].concat(), bytes),
                Err(error) => prop_assert!(!error.code().is_empty()),
            }
        }
    }
}
