//! Named, versioned keys, derived from a few root secrets.
//!
//! A provider (a file, the environment, later a KMS) hands over root secrets; every key that masking, encryption and the
//! quarantine use is derived from a root by HKDF-SHA-256 under its [`KeyName`], so that one class's key says nothing
//! about another's. A key has the version of the root it came from. Nothing here prints a secret: `Debug` is redacted
//! and secrets are overwritten when they go.

mod envelope;
mod error;
mod name;
mod root;
mod subjects;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use envelope::{open, seal};
pub use error::{EnvelopeError, KeyError};
pub use name::KeyName;
pub use root::{RootKeys, RotationError};
pub use subjects::{SUBJECT_VERSION_MAX, SubjectKeys, SubjectParts, SubjectPath};
pub(crate) use subjects::{SubjectSecrets, path_of};

/// Bytes of a key and of a root secret.
pub const SECRET_BYTES: usize = 32;

/// A secret and the version it was derived from.
#[derive(Clone)]
pub struct Key {
    version: u32,
    secret: Zeroizing<[u8; SECRET_BYTES]>,
}

impl Key {
    /// A key of a given version.
    pub fn new(version: u32, secret: Zeroizing<[u8; SECRET_BYTES]>) -> Key {
        Key { version, secret }
    }

    /// The version, which travels with whatever can be reversed.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The secret itself.
    pub fn secret(&self) -> &[u8; SECRET_BYTES] {
        &self.secret
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Where keys come from.
pub trait KeyRing: Send + Sync {
    /// The newest version of a key: what new values are masked with.
    fn key(&self, name: &KeyName) -> Result<Key, KeyError>;

    /// A certain version of a key: what older values are reversed with.
    fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError>;

    /// The keys of subjects: what `encrypt` uses for products whose contract names a subject.
    fn subjects(&self) -> Result<Arc<SubjectKeys>, KeyError> {
        Err(KeyError::NoSubjects)
    }

    /// Changes whenever newer keys have come, or a subject was forgotten: whoever keeps what was made with keys, such as a program, makes it anew then.
    fn epoch(&self) -> u64 {
        0
    }
}
