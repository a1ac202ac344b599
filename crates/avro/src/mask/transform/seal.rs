//! Reversible encryption of a value under a key of its subject's own, which can be destroyed.
//!
//! A value becomes the key's version with the highest bit set (4 bytes, big-endian), nonce (12 bytes), the subject's covered path
//! (8 bytes), ciphertext and tag (16 bytes). The associated data bind product, column, version and that it is a subject's. The
//! nonce is derived from column and value, as [`encrypt`](super::encrypt) does: a subject has one key for all of its columns, so
//! the column has its part in it. Who holds the keys finds the subject's by its path, which is covered by a hash of the nonce: to
//! everybody else, values of one subject look no more alike than others.

use std::fmt;

use aes_gcm::{Aes256Gcm, KeyInit};
use sha2::{Digest, Sha256};

use super::encrypt::{
    Encryptor, HEAD_BYTES, NONCE_BYTES, TAG_BYTES, append_encrypted, associated_data, decrypted, write_base64,
};
use super::hash::{HashKey, PREFIX_BYTES};
use crate::keys::{SubjectKeys, SubjectPath, SubjectSecrets};
use crate::mask::{MaskErrorKind, varint};

/// Tells a subject's key from others in the head of a sealed value.
pub(in crate::mask) const SUBJECT_BIT: u32 = 1 << 31;
const PATH_BYTES: usize = 8;

/// Whom the record of the moment is about.
#[derive(Default)]
#[expect(clippy::large_enum_variant, reason = "there is one for a machine; a box would be allocated for each record")]
pub(in crate::mask) enum Subject {
    /// Nobody: its subject is null.
    #[default]
    Nobody,
    /// Somebody.
    Known(SubjectCipher),
    /// Somebody who was forgotten. What is written instead of a value follows from this.
    Forgotten(HashKey),
}

/// A subject's cipher.
pub(in crate::mask) struct SubjectCipher {
    cipher: Aes256Gcm,
    nonces: HashKey,
    path: SubjectPath,
}

impl SubjectCipher {
    pub(in crate::mask) fn new(secrets: &SubjectSecrets, path: SubjectPath) -> SubjectCipher {
        SubjectCipher {
            cipher: Aes256Gcm::new_from_slice(secrets.values.as_slice()).expect("AES-256 takes 32 bytes"),
            nonces: HashKey::of_bytes(secrets.nonces.as_slice()),
            path,
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Subject::Nobody => "Nobody",
            Subject::Known(_) => "Known",
            Subject::Forgotten(_) => "Forgotten",
        })
    }
}

/// A column whose values are sealed under their subject's key.
pub(in crate::mask) struct Sealer {
    /// For what is nobody's.
    nobody: Encryptor,
    column: [u8; PREFIX_BYTES],
    head: u32,
    aad: Vec<u8>,
    covers: HashKey,
}

impl Sealer {
    pub(in crate::mask) fn new(
        keys: &SubjectKeys,
        version: u32,
        nobody: Encryptor,
        product: &str,
        column: &str,
    ) -> Sealer {
        let head = version | SUBJECT_BIT;
        let aad = associated_data(head, product, column);
        let mut digest = [0; PREFIX_BYTES];
        digest.copy_from_slice(&Sha256::digest(&aad)[..PREFIX_BYTES]);
        Sealer { nobody, column: digest, head, aad, covers: HashKey::of_bytes(keys.cover_key().as_slice()) }
    }

    /// Appends the sealed value as bytes, with their length. `work` is overwritten.
    pub(in crate::mask) fn write_bytes(
        &self,
        out: &mut Vec<u8>,
        work: &mut Vec<u8>,
        subject: &Subject,
        value: &[u8],
    ) -> Result<(), MaskErrorKind> {
        if !self.seal(work, subject, value)? {
            return self.nobody.write_bytes(out, value);
        }
        varint::write_length(out, work.len());
        out.extend_from_slice(work);
        Ok(())
    }

    /// Appends the sealed value as base64url text, with its length. `work` is overwritten.
    pub(in crate::mask) fn write_text(
        &self,
        out: &mut Vec<u8>,
        work: &mut Vec<u8>,
        subject: &Subject,
        value: &[u8],
    ) -> Result<(), MaskErrorKind> {
        if !self.seal(work, subject, value)? {
            return self.nobody.write_text(out, work, value);
        }
        write_base64(out, work)
    }

    /// Has the sealed value alone in `work`; false if the value is nobody's.
    fn seal(&self, work: &mut Vec<u8>, subject: &Subject, value: &[u8]) -> Result<bool, MaskErrorKind> {
        work.clear();
        work.extend_from_slice(&self.head.to_be_bytes());
        match subject {
            Subject::Nobody => return Ok(false),
            Subject::Known(subject) => self.encrypt(work, subject, value)?,
            Subject::Forgotten(seed) => self.discard(work, seed),
        }
        Ok(true)
    }

    fn encrypt(&self, out: &mut Vec<u8>, subject: &SubjectCipher, value: &[u8]) -> Result<(), MaskErrorKind> {
        let hash = subject.nonces.hash_behind(&self.column, value);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&covered(&self.covers, nonce, subject.path).to_be_bytes());
        append_encrypted(&subject.cipher, nonce, &self.aad, out, value)
    }

    /// What looks like a sealed value, and is none: random bytes, as long as an empty value's.
    fn discard(&self, out: &mut Vec<u8>, seed: &HashKey) {
        let first = seed.hash(&self.column);
        let second = seed.hash(&first);
        out.extend_from_slice(&first);
        out.extend_from_slice(&second[..NONCE_BYTES + PATH_BYTES + TAG_BYTES - first.len()]);
    }
}

/// A path as it stands beside a value, and back.
fn covered(covers: &HashKey, nonce: [u8; NONCE_BYTES], path: SubjectPath) -> u64 {
    path.0 ^ crate::keys::path_of(&covers.hash(&nonce)).0
}

/// What stands behind the head of a value that was sealed for a subject.
pub(in crate::mask) struct SealedValue<'a> {
    nonce: [u8; NONCE_BYTES],
    covered: u64,
    rest: &'a [u8],
}

impl<'a> SealedValue<'a> {
    pub(in crate::mask) fn parse(bytes: &'a [u8]) -> Option<SealedValue<'a>> {
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let (path, rest) = rest.split_first_chunk::<PATH_BYTES>()?;
        (rest.len() >= TAG_BYTES).then_some(SealedValue { nonce: *nonce, covered: u64::from_be_bytes(*path), rest })
    }

    /// Whose it is.
    pub(in crate::mask) fn path(&self, keys: &SubjectKeys) -> SubjectPath {
        let covers = HashKey::of_bytes(keys.cover_key().as_slice());
        SubjectPath(covered(&covers, self.nonce, SubjectPath(self.covered)))
    }

    pub(in crate::mask) fn open(
        &self,
        secrets: &SubjectSecrets,
        path: SubjectPath,
        head: u32,
        product: &str,
        column: &str,
    ) -> Option<Vec<u8>> {
        let cipher = SubjectCipher::new(secrets, path).cipher;
        decrypted(&cipher, self.nonce, &associated_data(head, product, column), self.rest)
    }
}

const _: () = assert!(HEAD_BYTES == size_of::<u32>() && NONCE_BYTES + PATH_BYTES + TAG_BYTES <= 64);
