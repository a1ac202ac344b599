//! What Vault answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `{"data": {"versions": {"1": {"deletion_time": "", "destroyed": false}}}}`
#[derive(Deserialize)]
pub(super) struct Metadata {
    data: Versions,
}

#[derive(Deserialize)]
struct Versions {
    versions: BTreeMap<u32, VersionState>,
}

#[derive(Deserialize)]
struct VersionState {
    deletion_time: String,
    destroyed: bool,
}

impl Metadata {
    /// The versions that can be read.
    pub(super) fn live(&self) -> Vec<u32> {
        let is_live = |state: &VersionState| !state.destroyed && state.deletion_time.is_empty();
        self.data.versions.iter().filter(|(_, state)| is_live(state)).map(|(version, _)| *version).collect()
    }
}

/// `{"data": {"data": {…}}}`
#[derive(Deserialize)]
pub(super) struct Versioned<T> {
    pub(super) data: Data<T>,
}

#[derive(Deserialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

/// One version of the roots: in clear to whoever may read it, or wrapped by a transit engine.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Secret {
    /// Base64 of 32 bytes.
    #[serde(default)]
    pub(super) secret: Option<String>,
    /// The same, as a transit engine has encrypted it: `vault:v1:…`.
    #[serde(default)]
    pub(super) wrapped: Option<String>,
    /// The transit engine's mount point and its key: `transit/mesh-roots`.
    #[serde(default)]
    pub(super) transit: Option<String>,
}

/// Keys of subjects, as a document.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Subjects {
    pub(super) subjects: String,
}

/// `{"data": {"plaintext": "<base64>"}}`
#[derive(Deserialize)]
pub(super) struct Decrypted {
    pub(super) data: Plaintext,
}

/// What a transit engine has decrypted.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Plaintext {
    /// Base64.
    pub(super) plaintext: String,
}

/// `{"data": {"plaintext": "<base64>", "ciphertext": "vault:v1:…"}}`
#[derive(Deserialize)]
pub(super) struct Generated {
    pub(super) data: DataKey,
}

/// A data key of a transit engine.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct DataKey {
    /// Base64.
    pub(super) plaintext: String,
    pub(super) ciphertext: String,
}

/// `{"data": {"ciphertext": "vault:v2:…"}}`
#[derive(Deserialize)]
pub(super) struct Rewrapped {
    pub(super) data: Ciphertext,
}

/// What a transit engine has encrypted.
#[derive(Deserialize)]
pub(super) struct Ciphertext {
    pub(super) ciphertext: String,
}

/// `{"auth": {"client_token": "hvs.…"}}`
#[derive(Deserialize)]
pub(super) struct Login {
    pub(super) auth: Auth,
}

/// What came of a login.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Auth {
    pub(super) client_token: String,
}

/// `{"data": {"ttl": 3600, "creation_ttl": 7200, "renewable": true}}`
#[derive(Deserialize)]
pub(super) struct Lookup {
    pub(super) data: Standing,
}

/// How long a token lives.
#[derive(Deserialize)]
pub(super) struct Standing {
    /// Seconds; 0 for ever.
    pub(super) ttl: u64,
    #[serde(default)]
    pub(super) creation_ttl: u64,
    #[serde(default)]
    pub(super) renewable: bool,
}

impl Standing {
    /// Whether less than half of its time is left.
    pub(super) fn is_late(&self) -> bool {
        self.ttl > 0 && self.ttl < self.creation_ttl / 2
    }
}
