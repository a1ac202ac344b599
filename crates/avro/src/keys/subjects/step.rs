//! One step of a tree: a secret's secrets, none of which says anything about it or about each other.

use sha2::block_api::compress256;
use zeroize::Zeroizing;

use super::Secret;
use crate::keys::SECRET_BYTES;

const BLOCK_BYTES: usize = 64;
/// Says what the secrets are for; 12 bytes.
const LABEL: &[u8; 12] = b"mesh/subject";
const MESSAGE_BYTES: usize = SECRET_BYTES + LABEL.len() + 2;

/// SHA-256's initial state (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 of the secret, a label, `level` and `index`: 46 bytes, so that it takes one block. A message of a fixed length that
/// begins with the key is a keyed function without HMAC's second pass, as the PRF of SLH-DSA (FIPS 205, section 11.2) is.
pub(super) fn step(secret: &Secret, level: u8, index: u8) -> Secret {
    descend(secret, std::iter::once((level, index)))
}

/// So many steps, one after another, each of a level and an index. What is in between is overwritten once, at the end.
#[inline]
pub(super) fn descend(secret: &Secret, steps: impl Iterator<Item = (u8, u8)>) -> Secret {
    let mut block = Zeroizing::new([0; BLOCK_BYTES]);
    block[..SECRET_BYTES].copy_from_slice(secret.as_slice());
    block[SECRET_BYTES..SECRET_BYTES + LABEL.len()].copy_from_slice(LABEL);
    block[MESSAGE_BYTES] = 0x80;
    block[BLOCK_BYTES - 8..].copy_from_slice(&(8 * MESSAGE_BYTES as u64).to_be_bytes());
    let mut state = Zeroizing::new(INITIAL);
    for (level, index) in steps {
        block[MESSAGE_BYTES - 2..MESSAGE_BYTES].copy_from_slice(&[level, index]);
        *state = INITIAL;
        compress256(&mut state, std::slice::from_ref(&*block));
        for (slot, word) in block[..SECRET_BYTES].as_chunks_mut::<4>().0.iter_mut().zip(*state) {
            *slot = word.to_be_bytes();
        }
    }
    let mut last = Zeroizing::new([0; SECRET_BYTES]);
    last.copy_from_slice(&block[..SECRET_BYTES]);
    last
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn it_is_sha_256_of_the_whole_message() {
        let secret: Secret = Zeroizing::new([0xa5; SECRET_BYTES]);
        let message = [secret.as_slice(), LABEL, &[7, 3]].concat();
        assert_eq!(step(&secret, 7, 3).as_slice(), Sha256::digest(message).as_slice());
    }
}
