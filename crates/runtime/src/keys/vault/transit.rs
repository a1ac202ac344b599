//! A key of a transit engine, which never leaves Vault: it encrypts and decrypts there.
//!
//! API: <https://developer.hashicorp.com/vault/api-docs/secret/transit>, <https://openbao.org/api-docs/secret/transit/>.

use std::{fmt, str::FromStr};

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    answer::{Decrypted, Generated, Rewrapped},
    is_name,
    server::{Request, Server, VaultAccess},
};
use crate::keys::{
    KeysError,
    document::{self, SECRET_BYTES},
};

/// Which key of which transit engine: `transit/mesh-roots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitKey {
    mount: String,
    key: String,
}

impl TransitKey {
    fn path(&self, operation: &str) -> String {
        format!("{}/{operation}/{}", self.mount, self.key)
    }
}

impl fmt::Display for TransitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mount, self.key)
    }
}

impl FromStr for TransitKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = text.rsplit_once('/').filter(|(mount, key)| mount.split('/').chain([*key]).all(is_name));
        let (mount, key) = named.ok_or_else(|| {
            format!("{text:?} is not a transit engine's mount point and a key of it, such as transit/mesh-roots")
        })?;
        Ok(TransitKey { mount: mount.to_owned(), key: key.to_owned() })
    }
}

/// A data key: in clear, and as the transit key has wrapped it.
pub(in crate::keys) struct DataKey {
    pub(in crate::keys) secret: Zeroizing<[u8; SECRET_BYTES]>,
    pub(in crate::keys) wrapped: String,
}

/// A Vault that wraps and unwraps data keys.
pub(in crate::keys) struct VaultTransit {
    server: Server,
}

impl VaultTransit {
    /// Prepares to ask for what opens `wanted`, such as a key file; nothing is sent yet.
    pub(in crate::keys) fn new(access: &VaultAccess, wanted: &str) -> Result<Self, KeysError> {
        Ok(Self { server: Server::new(access, wanted)? })
    }

    pub(in crate::keys) fn origin(&self) -> String {
        self.server.origin()
    }

    /// A new data key.
    pub(in crate::keys) async fn data_key(&mut self, key: &TransitKey) -> Result<DataKey, KeysError> {
        let path = key.path("datakey/plaintext");
        let made: Generated = self.server.ask(&Request::post(&path, json!({ "bits": 8 * SECRET_BYTES }))).await?;
        let secret = document::decode(&made.data.plaintext).ok_or_else(|| self.server.malformed(&path))?;
        Ok(DataKey { secret, wrapped: made.data.ciphertext.clone() })
    }

    /// Unwraps a data key.
    pub(in crate::keys) async fn unwrap(
        &mut self,
        key: &TransitKey,
        wrapped: &str,
    ) -> Result<Zeroizing<[u8; SECRET_BYTES]>, KeysError> {
        self.server.unwrap(key, wrapped).await
    }

    /// Wraps a data key anew, under the newest version of the transit key.
    pub(in crate::keys) async fn rewrap(&mut self, key: &TransitKey, wrapped: &str) -> Result<String, KeysError> {
        let request = json!({ "ciphertext": wrapped });
        let rewrapped: Rewrapped = self.server.ask(&Request::post(&key.path("rewrap"), request)).await?;
        Ok(rewrapped.data.ciphertext)
    }
}

impl Server {
    /// Unwraps 32 bytes.
    pub(super) async fn unwrap(
        &mut self,
        key: &TransitKey,
        wrapped: &str,
    ) -> Result<Zeroizing<[u8; SECRET_BYTES]>, KeysError> {
        let path = key.path("decrypt");
        let decrypted: Decrypted = self.ask(&Request::post(&path, json!({ "ciphertext": wrapped }))).await?;
        document::decode(&decrypted.data.plaintext).ok_or_else(|| self.malformed(&path))
    }

    fn malformed(&self, path: &str) -> KeysError {
        KeysError::Malformed { origin: self.origin(), why: format!("what {path} gives is not base64 of 32 bytes") }
    }
}

impl fmt::Debug for VaultTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultTransit").field("origin", &self.origin()).finish_non_exhaustive()
    }
}
