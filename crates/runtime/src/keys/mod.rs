//! Where the mesh's root secrets come from: a file, the environment, Vault, or thin air for a preview.
//!
//! Every provider is a [`KeyRing`]: named keys are derived from its roots by `mesh-avro`. No error, and no `Debug`,
//! shows any part of a secret.

mod document;
mod environment;
mod file;
mod file_source;
mod followed;
mod held;
mod sealed;
mod throw_away;
mod vault;

use std::{io, path::PathBuf, sync::Arc};

use mesh_avro::keys::{Key, KeyError, KeyName, KeyRing, RootKeys, SubjectKeys};

use crate::private_file::PrivateFileError;

pub use environment::EnvKeys;
pub use file::FileKeys;
pub use file_source::FileSource;
pub use followed::{FollowOptions, FollowedKeys, KeySource};
pub use sealed::SealedFile;
pub use throw_away::ThrowAwayKeys;
pub use vault::{LoginMethod, TransitKey, VaultAccess, VaultKeys, VaultLogin};

/// Root secrets could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The key file cannot be read, or others than its owner can use it.
    #[error("cannot use the key file: give one that is yours alone, or generate it")]
    ReadFile {
        /// What is wrong with it.
        source: PrivateFileError,
    },
    /// The key file cannot be written, or is there already.
    #[error("cannot write a new key file {}: an existing one is never overwritten", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key file cannot be held for a change.
    #[error("cannot hold the key file {} for a change: its owner must be able to write it, and the folder that it is in", path.display())]
    HoldFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key file cannot be replaced; it is as it was.
    #[error("cannot replace the key file {}, which is as it was: the folder must be its owner's to write, and take hard links", path.display())]
    ReplaceFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key file is replaced, but what it was is still there.
    #[error("the key file is replaced, but what it was is still in {}: run the command again, or overwrite and remove it", path.display())]
    SweepFile {
        /// What is left.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The environment variable is not set, or not text.
    #[error("cannot read keys from the environment variable {name}: it is not set, or not UTF-8")]
    ReadEnvironment {
        /// The variable.
        name: &'static str,
    },
    /// The secrets are not in the documented form.
    #[error("cannot use the keys in {origin}: {why}")]
    Malformed {
        /// Where they came from.
        origin: String,
        /// What is wrong, without quoting any of it.
        why: String,
    },
    /// Vault is not to be had now: trying again may help.
    #[error("cannot reach the Vault that has, or opens, the keys {origin}: {why}")]
    VaultAway {
        /// Which keys, and where Vault is.
        origin: String,
        /// Why, without any part of an answer.
        why: String,
    },
    /// Vault does not give them.
    #[error("Vault does not give, or open, the keys {origin}: {why}")]
    Vault {
        /// Which, and from where.
        origin: String,
        /// Why, without any part of an answer.
        why: String,
    },
    /// The operating system gave no random bytes.
    #[error("cannot generate a secret: the system gave no random bytes")]
    Generate {
        /// What the system said.
        source: getrandom::Error,
    },
}

/// Makes root keys of parsed roots; `origin` names where they came from.
fn root_keys(origin: &str, roots: Vec<document::Root>) -> Result<RootKeys, KeysError> {
    RootKeys::new(roots).map_err(|error| KeysError::Malformed { origin: origin.to_owned(), why: error.to_string() })
}

/// A fresh root secret.
fn random_secret() -> Result<zeroize::Zeroizing<[u8; document::SECRET_BYTES]>, KeysError> {
    let mut secret = zeroize::Zeroizing::new([0; document::SECRET_BYTES]);
    getrandom::fill(secret.as_mut_slice()).map_err(|source| KeysError::Generate { source })?;
    Ok(secret)
}

macro_rules! ring_of_roots {
    ($provider:ty) => {
        impl KeyRing for $provider {
            fn key(&self, name: &KeyName) -> Result<Key, KeyError> {
                self.roots.key(name)
            }

            fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError> {
                self.roots.key_version(name, version)
            }

            fn subjects(&self) -> Result<Arc<SubjectKeys>, KeyError> {
                self.roots.subjects()
            }
        }
    };
}

ring_of_roots!(FileKeys);
ring_of_roots!(EnvKeys);
ring_of_roots!(ThrowAwayKeys);
