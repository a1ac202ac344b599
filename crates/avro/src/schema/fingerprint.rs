//! Fingerprints of the Parsing Canonical Form.

use sha2::{Digest, Sha256};

use super::Schema;

const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ (EMPTY & (value & 1).wrapping_neg());
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

impl Schema {
    /// The 64-bit Rabin fingerprint (CRC-64-AVRO) of the canonical form.
    #[must_use]
    pub fn fingerprint_crc64(&self) -> u64 {
        crc64(self.canonical_form().as_bytes())
    }

    /// The SHA-256 of the canonical form.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        Sha256::digest(self.canonical_form().as_bytes()).into()
    }
}

fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |state, byte| (state >> 8) ^ TABLE[usize::from((state as u8) ^ byte)])
}
