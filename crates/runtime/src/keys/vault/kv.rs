//! Root secrets that a KV engine holds: the versions of one secret of a KV engine, version 2.
//!
//! The engine counts versions itself, and they are the versions of the roots: `vault kv put secret/mesh/roots
//! secret=$(openssl rand -base64 32)` rotates. Versions that were deleted or destroyed are left out. What was read of a version is kept:
//! it never changes. A version may also hold its root wrapped by a transit engine, so that reading the secret is not enough to have it.
//!
//! API: <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>, <https://openbao.org/api-docs/secret/kv/kv-v2/>.

use std::{collections::BTreeMap, fmt};

use mesh_avro::keys::RootKeys;
use reqwest::Method;
use zeroize::Zeroizing;

use super::{
    answer::{Metadata, Secret, Versioned},
    server::{Request, Server, VaultAccess},
    subjects::Kept,
    transit::TransitKey,
};
use crate::keys::{KeySource, KeysError, document, root_keys};

/// No more versions than these are read: the newest.
const VERSIONS_MAX: usize = 64;

/// Root secrets from Vault.
pub struct VaultKeys {
    pub(super) server: Server,
    pub(super) mount: String,
    pub(super) path: String,
    pub(super) subjects: Option<Kept>,
    known: BTreeMap<u32, Zeroizing<[u8; document::SECRET_BYTES]>>,
}

impl VaultKeys {
    /// Prepares to ask for a secret: the KV engine's mount point and the secret's path in it, `secret/mesh/roots`. Nothing is sent yet.
    ///
    /// # Errors
    /// The address, the secret's name or the authority cannot be used, or secrets would be sent in clear.
    pub fn new(access: &VaultAccess, secret: &str) -> Result<Self, KeysError> {
        let secret = secret.trim_matches('/');
        let (mount, path) = secret.split_once('/').ok_or_else(|| KeysError::Vault {
            origin: secret.to_owned(),
            why: "it is named by the mount point and the path, such as secret/mesh/roots".to_owned(),
        })?;
        let (mount, path) = (mount.to_owned(), path.to_owned());
        Ok(Self { server: Server::new(access, secret)?, mount, path, subjects: None, known: BTreeMap::new() })
    }

    /// The versions that are there and were not destroyed, the newest last.
    pub(super) async fn versions(&mut self) -> Result<Vec<u32>, KeysError> {
        let path = format!("{}/metadata/{}", self.mount, self.path);
        let metadata: Metadata = self.server.ask(&Request::get(&path)).await?;
        let mut versions = metadata.live();
        versions.sort_unstable();
        Ok(versions.split_off(versions.len().saturating_sub(VERSIONS_MAX)))
    }

    async fn root(&mut self, version: u32) -> Result<Zeroizing<[u8; document::SECRET_BYTES]>, KeysError> {
        let path = format!("{}/data/{}", self.mount, self.path);
        let request = Request { method: Method::GET, path: &path, version: Some(version), body: None };
        let answer: Versioned<Secret> = self.server.ask(&request).await?;
        let secret = &answer.data.data;
        if let (Some(wrapped), Some(transit)) = (&secret.wrapped, &secret.transit) {
            let key: TransitKey = transit.parse().map_err(|why: String| self.malformed(version, &why))?;
            return self.server.unwrap(&key, wrapped).await;
        }
        let decoded = secret.secret.as_deref().and_then(document::decode);
        decoded.ok_or_else(|| {
            self.malformed(version, "it has no `secret` that is base64 of 32 bytes, nor `wrapped` and `transit`")
        })
    }

    #[cfg(test)]
    pub(super) fn have_looked_long_ago(&mut self) {
        self.server.session().forget_looking();
    }

    fn malformed(&self, version: u32, why: &str) -> KeysError {
        KeysError::Malformed { origin: self.origin(), why: format!("version {version}: {why}") }
    }
}

impl KeySource for VaultKeys {
    fn origin(&self) -> String {
        self.server.origin()
    }

    async fn load(&mut self) -> Result<RootKeys, KeysError> {
        let versions = self.versions().await?;
        self.known.retain(|version, _| versions.contains(version));
        for version in versions {
            if !self.known.contains_key(&version) {
                let root = self.root(version).await?;
                self.known.insert(version, root);
            }
        }
        let roots =
            root_keys(&self.origin(), self.known.iter().map(|(version, root)| (*version, root.clone())).collect())?;
        Ok(match self.load_subjects().await? {
            Some(subjects) => roots.with_subjects(subjects),
            None => roots,
        })
    }
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeys").field("origin", &self.origin()).finish_non_exhaustive()
    }
}
