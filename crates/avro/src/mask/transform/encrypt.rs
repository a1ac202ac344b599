//! Reversible encryption of a value: AES-256-GCM under a key of the column's own.
//!
//! A value becomes the key's version (4 bytes, big-endian), nonce (12 bytes), ciphertext and tag (16 bytes); in a string as
//! base64url without padding. The associated data bind product, column and key version: a value moved to another
//! column, product or version does not open.
//!
//! The nonce is derived from the value, as in SIV: HMAC-SHA-256 of the value under a second key, cut to 96 bits. So a
//! record masked again (after a crash, or in `remask`) comes out byte for byte the same, which exactly-once delivery
//! and its tests rely on, and the core stays without randomness. The price is that equal values of one column are seen
//! to be equal, which a hash would show as well. Distinct values share a nonce with probability 2^-33 for the 2^32
//! values that GCM allows one key, since each column of each product has its own two keys, derived from its class's.
//!
//! Products whose contract names a subject use [another key](super::seal) for each.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::hash::HashKey;
use crate::keys::Key;
use crate::mask::MaskErrorKind;
use crate::mask::varint;

/// Bytes of what begins a sealed value: which key it was sealed with.
pub(in crate::mask) const HEAD_BYTES: usize = 4;
pub(in crate::mask) const NONCE_BYTES: usize = 12;
pub(in crate::mask) const TAG_BYTES: usize = 16;

/// A column's cipher.
pub(in crate::mask) struct Encryptor {
    cipher: Aes256Gcm,
    nonces: HashKey,
    aad: Vec<u8>,
    version: u32,
}

impl Encryptor {
    pub(in crate::mask) fn new(key: &Key, product: &str, column: &str) -> Encryptor {
        let mut derived = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(None, key.secret())
            .expand_multi_info(
                &[b"mesh/encrypt/v1\0", product.as_bytes(), b"\0", column.as_bytes()],
                derived.as_mut_slice(),
            )
            .expect("64 bytes are less than the 8,160 that HKDF-SHA-256 can give");
        let (cipher_key, nonce_key) = derived.split_at(32);
        Encryptor {
            cipher: Aes256Gcm::new_from_slice(cipher_key).expect("AES-256 takes 32 bytes"),
            nonces: HashKey::of_bytes(nonce_key),
            aad: associated_data(key.version(), product, column),
            version: key.version(),
        }
    }

    /// Appends the sealed value as bytes, with their length.
    pub(in crate::mask) fn write_bytes(&self, out: &mut Vec<u8>, value: &[u8]) -> Result<(), MaskErrorKind> {
        varint::write_length(out, HEAD_BYTES + NONCE_BYTES + value.len() + TAG_BYTES);
        self.seal(out, value)
    }

    /// Appends the sealed value as base64url text, with its length. `work` is overwritten.
    pub(in crate::mask) fn write_text(
        &self,
        out: &mut Vec<u8>,
        work: &mut Vec<u8>,
        value: &[u8],
    ) -> Result<(), MaskErrorKind> {
        work.clear();
        self.seal(work, value)?;
        write_base64(out, work)
    }

    fn seal(&self, out: &mut Vec<u8>, value: &[u8]) -> Result<(), MaskErrorKind> {
        let hash = self.nonces.hash(value);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&nonce);
        append_encrypted(&self.cipher, nonce, &self.aad, out, value)
    }

    /// The value of what stands behind the head.
    pub(in crate::mask) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        decrypted(&self.cipher, *nonce, &self.aad, rest)
    }
}

/// What a sealed value is bound to.
pub(in crate::mask) fn associated_data(head: u32, product: &str, column: &str) -> Vec<u8> {
    let mut bound = head.to_be_bytes().to_vec();
    bound.extend_from_slice(product.as_bytes());
    bound.push(0);
    bound.extend_from_slice(column.as_bytes());
    bound
}

/// Appends ciphertext and tag.
pub(in crate::mask) fn append_encrypted(
    cipher: &Aes256Gcm,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    out: &mut Vec<u8>,
    value: &[u8],
) -> Result<(), MaskErrorKind> {
    let start = out.len();
    out.extend_from_slice(value);
    let tag = cipher
        .encrypt_inout_detached(&Nonce::from(nonce), aad, (&mut out[start..]).into())
        .map_err(|_| MaskErrorKind::ItemTooLong)?;
    out.extend_from_slice(&tag);
    Ok(())
}

/// Reverses [`append_encrypted`].
pub(in crate::mask) fn decrypted(
    cipher: &Aes256Gcm,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let (value, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
    let mut value = value.to_vec();
    cipher.decrypt_inout_detached(&Nonce::from(nonce), aad, value.as_mut_slice().into(), &(*tag).into()).ok()?;
    Some(value)
}

/// Appends bytes as base64url text, with its length.
pub(in crate::mask) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), MaskErrorKind> {
    let length = (bytes.len() * 4).div_ceil(3);
    varint::write_length(out, length);
    let start = out.len();
    out.resize(start + length, 0);
    BASE64_URL_SAFE_NO_PAD.encode_slice(bytes, &mut out[start..]).map_err(|_| MaskErrorKind::OutputTooLarge)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::keys::{KeyName, KeyRing, RootKeys};
    use crate::mask::{DecryptError, decrypt_text};

    const PRODUCT: &str = "crm.customers.v1";

    fn ring() -> RootKeys {
        RootKeys::new([(1, Zeroizing::new([1; 32])), (2, Zeroizing::new([2; 32]))]).unwrap()
    }

    fn sealed(version: u32, value: &str) -> String {
        let key = ring().key_version(&KeyName::encrypt("pii"), version).unwrap();
        let mut out = Vec::new();
        Encryptor::new(&key, PRODUCT, "note").write_text(&mut out, &mut Vec::new(), value.as_bytes()).unwrap();
        let body = if out[0] < 0x80 { &out[1..] } else { &out[2..] };
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn the_key_holder_reads_values_of_every_version() {
        for version in [1, 2] {
            for value in ["", "a", "ab", "abc", "Grüße aus München"] {
                let opened = decrypt_text(&ring(), "pii", PRODUCT, "note", &sealed(version, value));
                assert_eq!(opened.unwrap(), value);
            }
        }
    }

    #[test]
    fn a_value_is_bound_to_its_column_product_and_class() {
        let text = sealed(1, "secret");
        assert_eq!(decrypt_text(&ring(), "pii", PRODUCT, "other", &text), Err(DecryptError::Authentication));
        assert_eq!(decrypt_text(&ring(), "pii", "crm.orders.v1", "note", &text), Err(DecryptError::Authentication));
        assert_eq!(decrypt_text(&ring(), "pii.name", PRODUCT, "note", &text), Err(DecryptError::Authentication));
        assert!(decrypt_text(&ring(), "pii", PRODUCT, "note", &text[4..]).is_err());
        assert_eq!(decrypt_text(&ring(), "pii", PRODUCT, "note", ""), Err(DecryptError::Form));
    }

    #[test]
    fn masking_again_gives_the_same_bytes() {
        assert_eq!(sealed(1, "secret"), sealed(1, "secret"));
        assert_ne!(sealed(1, "secret"), sealed(1, "secreT"));
        assert_ne!(sealed(1, "secret"), sealed(2, "secret"));
    }
}
