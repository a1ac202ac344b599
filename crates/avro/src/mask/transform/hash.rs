//! Keyed hashes: HMAC-SHA-256 with the key's state kept.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::keys::Key;

/// Bytes of a hash.
pub(in crate::mask) const HASH_BYTES: usize = 32;

/// Bytes of a UUID.
const UUID_BYTES: usize = 16;
/// Characters of a UUID's text.
const UUID_CHARS: usize = 36;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A class's hash key, its two blocks already taken in.
#[derive(Clone)]
pub(in crate::mask) struct HashKey {
    state: Hmac<Sha256>,
}

impl HashKey {
    pub(in crate::mask) fn new(key: &Key) -> HashKey {
        HashKey::of_bytes(key.secret())
    }

    pub(in crate::mask) fn of_bytes(key: &[u8]) -> HashKey {
        HashKey { state: Hmac::new_from_slice(key).expect("HMAC takes keys of any length") }
    }

    #[inline]
    pub(in crate::mask) fn hash(&self, value: &[u8]) -> [u8; HASH_BYTES] {
        let mut mac = self.state.clone();
        mac.update(value);
        mac.finalize().into_bytes().into()
    }

    /// The hash as a UUID of version 8 (RFC 9562): its first 128 bits, but for version and variant.
    pub(in crate::mask) fn uuid(&self, value: &[u8]) -> [u8; UUID_BYTES] {
        let hash = self.hash(value);
        let mut uuid = [0; UUID_BYTES];
        uuid.copy_from_slice(&hash[..UUID_BYTES]);
        uuid[6] = (uuid[6] & 0x0f) | 0x80;
        uuid[8] = (uuid[8] & 0x3f) | 0x80;
        uuid
    }
}

/// Appends the first `digits` hex digits of a hash.
#[inline]
pub(in crate::mask) fn write_hex(out: &mut Vec<u8>, hash: &[u8; HASH_BYTES], digits: usize) {
    let mut text = [0; 2 * HASH_BYTES];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 0x0f)];
    }
    out.extend_from_slice(&text[..digits.min(text.len())]);
}

/// The text of a UUID: 8-4-4-4-12 hex digits.
pub(in crate::mask) fn uuid_text(uuid: [u8; UUID_BYTES]) -> [u8; UUID_CHARS] {
    let mut text = [b'-'; UUID_CHARS];
    let mut at = 0;
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 0x0f)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hex(key: &[u8], data: &[u8]) -> String {
        let mut out = Vec::new();
        write_hex(&mut out, &HashKey::of_bytes(key).hash(data), 64);
        String::from_utf8(out).unwrap()
    }

    /// RFC 4231, test cases 1 to 4, 6 and 7 (5 is about truncation to 128 bits, below).
    #[test]
    fn rfc_4231() {
        let incrementing: Vec<u8> = (1..=25).collect();
        let cases: &[(&[u8], &[u8], &str)] = &[
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&incrementing, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, data, expected) in cases {
            assert_eq!(hex(key, data), *expected);
        }
    }

    #[test]
    fn rfc_4231_truncated() {
        let mut out = Vec::new();
        write_hex(&mut out, &HashKey::of_bytes(&[0x0c; 20]).hash(b"Test With Truncation"), 32);
        assert_eq!(out, b"a3b6167473100ee06e0c796c2955552b");
    }

    #[test]
    fn a_hashed_uuid_is_a_uuid_of_version_8() {
        let text = String::from_utf8(uuid_text(HashKey::of_bytes(b"key").uuid(b"value")).to_vec()).unwrap();
        let parts: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&text[14..15], "8");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
    }
}
