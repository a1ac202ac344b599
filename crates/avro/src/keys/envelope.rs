//! An authenticated envelope around bytes that nobody else may read: a quarantined record, for one.
//!
//! `01`, key version (4 bytes, big-endian), nonce (12 random bytes), ciphertext, tag (16 bytes): AES-256-GCM. The
//! associated data are the caller's; format and key version are bound as well.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};

use super::{EnvelopeError, Key, KeyName, KeyRing};

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const HEAD_BYTES: usize = 1 + 4 + NONCE_BYTES;
const TAG_BYTES: usize = 16;

/// Seals `plaintext`. The nonce is random: one key seals 2^32 envelopes safely.
pub fn seal(key: &Key, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| EnvelopeError::Randomness)?;
    let bound = bound(key.version(), aad);
    let sealed = cipher(key)
        .encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: &bound })
        .map_err(|_| EnvelopeError::TooLong { len: plaintext.len() })?;
    let mut envelope = Vec::with_capacity(HEAD_BYTES + sealed.len());
    envelope.push(FORMAT);
    envelope.extend_from_slice(&key.version().to_be_bytes());
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(&sealed);
    Ok(envelope)
}

/// Opens what [`seal`] made with any version of the key `name`.
pub fn open(ring: &dyn KeyRing, name: &KeyName, aad: &[u8], envelope: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let malformed = || EnvelopeError::Form { len: envelope.len() };
    let (&format, rest) = envelope.split_first().ok_or_else(malformed)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(malformed)?;
    if format != FORMAT || sealed.len() < TAG_BYTES {
        return Err(malformed());
    }
    let key = ring.key_version(name, u32::from_be_bytes(*version))?;
    let bound = bound(key.version(), aad);
    cipher(&key)
        .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &bound })
        .map_err(|_| EnvelopeError::Authentication)
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new(key.secret().into())
}

fn bound(version: u32, aad: &[u8]) -> Vec<u8> {
    let mut bound = Vec::with_capacity(5 + aad.len());
    bound.push(FORMAT);
    bound.extend_from_slice(&version.to_be_bytes());
    bound.extend_from_slice(aad);
    bound
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::RootKeys;

    fn ring() -> RootKeys {
        RootKeys::single(Zeroizing::new([9; 32]))
    }

    #[test]
    fn what_was_sealed_opens() {
        let name = KeyName::quarantine("crm");
        let sealed = seal(&ring().key(&name).unwrap(), b"crm.customers", b"a record").unwrap();
        assert_eq!(open(&ring(), &name, b"crm.customers", &sealed).unwrap(), b"a record");
        assert!(!sealed.windows(8).any(|window| window == b"a record"));
    }

    #[test]
    fn nothing_else_opens() {
        let name = KeyName::quarantine("crm");
        let sealed = seal(&ring().key(&name).unwrap(), b"aad", b"a record").unwrap();
        assert_eq!(open(&ring(), &name, b"other", &sealed), Err(EnvelopeError::Authentication));
        let other = KeyName::quarantine("web");
        assert_eq!(open(&ring(), &other, b"aad", &sealed), Err(EnvelopeError::Authentication));
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(open(&ring(), &name, b"aad", &changed).is_err(), "byte {position}");
            assert!(open(&ring(), &name, b"aad", &sealed[..position]).is_err(), "cut at {position}");
        }
    }
}
