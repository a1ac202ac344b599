//! SHA-256 over entries, and over all entries in their order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What hashes of entries begin with, so that they are hashes of nothing else.
const ENTRY: &[u8] = b"mesh.audit/entry/v1";
/// What digests of all entries begin with.
const LOG: &[u8] = b"mesh.audit/log/v1";

/// 32 bytes of SHA-256; written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest: expected 64 hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// The digest of no entries.
    pub const EMPTY: Digest = Digest([0; 32]);

    /// The hash of an entry: of its link and its value, byte by byte as they are written. An entry without a link has an empty one.
    pub fn of_entry(link: &[u8], value: &[u8]) -> Digest {
        let link_bytes = (link.len() as u64).to_be_bytes();
        let hasher = Sha256::new().chain_update(ENTRY).chain_update(link_bytes).chain_update(link);
        Digest(hasher.chain_update(value).finalize().into())
    }

    /// The digest of all entries that this one is of, and one more.
    #[must_use]
    pub fn and(self, entry: Digest) -> Digest {
        Digest(Sha256::new().chain_update(LOG).chain_update(self.0).chain_update(entry.0).finalize().into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Digest, DigestError> {
        let failed = || DigestError(text.chars().take(80).collect());
        let is_hex = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(2 * index..2 * index + 2).filter(|_| is_hex).ok_or_else(failed)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| failed())?;
        }
        Ok(Digest(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Digest, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_hashed_how_never_changes() {
        let entry = Digest::of_entry(br#"{"chain":"a"}"#, br#"{"event":"b"}"#);
        insta::assert_snapshot!(entry, @"f683f41f884863cda937d41aeed6eef383a9b9cfb51048c8cdfe60d631b2064f");
        insta::assert_snapshot!(Digest::EMPTY.and(entry), @"e95a8fc123dd6e56235489d1aaf7fb1a31b670339835c29cd69351c528a14a75");
    }

    #[test]
    fn a_byte_that_moves_from_link_to_value_is_another_entry() {
        assert_ne!(Digest::of_entry(b"ab", b"c"), Digest::of_entry(b"a", b"bc"));
        assert_ne!(Digest::of_entry(b"", b"abc"), Digest::of_entry(b"abc", b""));
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let digest = Digest::of_entry(b"", b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "00", &"g".repeat(64), &"A".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
