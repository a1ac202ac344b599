//! What can go wrong with keys. No message holds a secret or a payload.

use super::KeyName;

/// A key that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The provider has no root secret at all.
    #[error("the key provider has no root secret; give it at least one")]
    NoRoot,
    /// The provider holds no keys of subjects.
    #[error("the key provider holds no keys of subjects; `mesh keys subjects` makes them")]
    NoSubjects,
    /// Two roots of one version.
    #[error("root version {version} is given twice; each root secret needs a version of its own")]
    DuplicateVersion {
        /// The version.
        version: u32,
    },
    /// A version that the provider does not hold (any more).
    #[error("key {name} has no version {version}; the provider's newest is {newest}")]
    UnknownVersion {
        /// The key.
        name: KeyName,
        /// The version asked for.
        version: u32,
        /// The newest version there is.
        newest: u32,
    },
    /// The provider cannot be asked now; trying again may help.
    #[error("key {name} is not available: {reason}")]
    Unavailable {
        /// The key.
        name: KeyName,
        /// Why, without secrets.
        reason: String,
    },
}

/// A sealed envelope that cannot be made or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// No key to open it with.
    #[error("the envelope's key cannot be had")]
    Key(#[from] KeyError),
    /// Not of the form that `seal` writes.
    #[error("not a sealed envelope: {len} bytes of another form")]
    Form {
        /// How many bytes were given.
        len: usize,
    },
    /// Wrong key, other associated data, or changed bytes.
    #[error("the envelope does not open: another key, other associated data, or changed bytes")]
    Authentication,
    /// The operating system gives no randomness.
    #[error("the operating system gave no random nonce")]
    Randomness,
    /// Longer than AES-GCM takes.
    #[error("{len} bytes are too many to seal in one envelope")]
    TooLong {
        /// How many bytes were given.
        len: usize,
    },
}
