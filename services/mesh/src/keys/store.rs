//! Where keys can be changed, not only read.

use super::{sealed_file, unusable, vault};
use crate::cli::Global;
use crate::failure::Failure;
use mesh_avro::keys::{KeyRing, RootKeys, SubjectKeys, SubjectPath};
use mesh_runtime::keys::{EnvKeys, FileKeys, FileSource, KeySource, KeysError, SealedFile, VaultKeys};
use std::path::PathBuf;
use std::sync::Arc;

/// A key file, sealed or in clear, or Vault.
#[derive(Debug)]
pub enum KeyStore {
    File(PathBuf),
    Sealed(SealedFile),
    Vault(VaultKeys),
}

impl KeyStore {
    /// Where the keys of a command can be changed: of what is given, or of `file`.
    ///
    /// # Errors
    /// There are none, or they cannot be changed where they are.
    pub fn of(global: &Global, file: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(secret) = &global.vault_keys {
            return VaultKeys::new(&vault(global)?, secret).map(KeyStore::Vault).map_err(unusable);
        }
        if global.keys.is_none() && EnvKeys::present() {
            return Err(Failure::usage(
                "keys in the environment cannot be changed: nobody could take them out for good",
            )
            .hint("keep them in a file (--keys) or in Vault (--vault-keys)"));
        }
        let file = file
            .ok_or_else(|| Failure::usage("no keys are given").hint("give --keys FILE or --vault-keys MOUNT/PATH"))?;
        if SealedFile::is_one(&file) {
            sealed_file(global, &file).map(KeyStore::Sealed)
        } else {
            Ok(KeyStore::File(file))
        }
    }

    /// The keys of subjects as they are there now.
    ///
    /// # Errors
    /// They cannot be read, or there are none.
    pub async fn subjects(&mut self) -> Result<Arc<SubjectKeys>, Failure> {
        let roots: Result<RootKeys, KeysError> = match self {
            KeyStore::File(file) => FileSource::new(file).load().await,
            KeyStore::Sealed(file) => file.load().await,
            KeyStore::Vault(vault) => vault.load().await,
        };
        roots.map_err(unusable)?.subjects().map_err(|error| Failure::usage("cannot use the given keys").because(error))
    }

    /// Makes keys of subjects where there are none yet; the version that they are of.
    ///
    /// # Errors
    /// They cannot be read, or not be written.
    pub async fn add_subjects(&mut self) -> Result<u32, Failure> {
        let added = match self {
            KeyStore::File(file) => FileKeys::add_subjects(file),
            KeyStore::Sealed(file) => file.add_subjects().await,
            KeyStore::Vault(vault) => vault.add_subjects().await,
        };
        added.map_err(unusable)
    }

    /// Destroys a subject's keys; the versions that had them until now.
    ///
    /// # Errors
    /// They cannot be read, or not be written.
    pub async fn forget(&mut self, subject: SubjectPath) -> Result<Vec<u32>, Failure> {
        let forgotten = match self {
            KeyStore::File(file) => FileKeys::forget(file, subject),
            KeyStore::Sealed(file) => file.forget(subject).await,
            KeyStore::Vault(vault) => vault.forget(subject).await,
        };
        forgotten.map_err(unusable)
    }
}
