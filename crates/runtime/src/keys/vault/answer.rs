//! What Vault answers.

use std::collections::BTreeMap;

use reqwest::StatusCode;
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

/// One version of the roots.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Secret {
    /// Base64 of 32 bytes.
    pub(super) secret: String,
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

/// What a status means, and what to do about it.
pub(super) fn refusal(status: StatusCode) -> String {
    let why = match status.as_u16() {
        400 => "it does not understand the request: is the mount a KV engine of version 2?",
        403 => "it refuses the token: is it expired, or does its policy not read the secret and its metadata?",
        404 => "it has no such secret: put one there",
        429 => "it is asked too often",
        301 | 302 | 307 | 308 => "it is a standby that redirects: name the active node, or what balances between them",
        503 => "it is sealed, or in maintenance",
        _ => "an answer that was not expected",
    };
    format!("{} ({why})", status.as_u16())
}
