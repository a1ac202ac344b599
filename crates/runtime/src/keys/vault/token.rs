//! Who to be at Vault, and staying it.

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use reqwest::Method;
use zeroize::Zeroizing;

use super::{VaultKeys, answer::Lookup};
use crate::{
    keys::{KeySource, KeysError},
    private_file::{self, OTHERS},
};

/// No token is longer.
const TOKEN_BYTES_MAX: u64 = 8 * 1024;
/// How often it is looked at how long the token has left.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(60);

/// Who to be.
#[derive(Clone)]
pub enum VaultToken {
    /// A file that holds the token, readable by its owner alone: read anew each time, for an agent that replaces it.
    File(PathBuf),
    /// The token itself.
    Text(Zeroizing<String>),
}

impl VaultToken {
    /// The token itself.
    #[must_use]
    pub fn text(token: String) -> Self {
        VaultToken::Text(Zeroizing::new(token))
    }

    pub(super) fn read(&self) -> Result<Zeroizing<String>, KeysError> {
        match self {
            VaultToken::Text(text) => Ok(text.clone()),
            VaultToken::File(path) => {
                let read = private_file::read(path, OTHERS, TOKEN_BYTES_MAX);
                let text = read.map_err(|source| KeysError::ReadFile { source })?;
                Ok(Zeroizing::new(text.trim().to_owned()))
            }
        }
    }
}

impl fmt::Debug for VaultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultToken::File(path) => f.debug_tuple("File").field(path).finish(),
            VaultToken::Text(_) => f.write_str("Text"),
        }
    }
}

/// When the token was looked at last.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    last: Option<Instant>,
}

impl Renewal {
    pub(super) fn is_due(&self) -> bool {
        self.last.is_none_or(|last| last.elapsed() >= LOOKUP_INTERVAL)
    }
}

impl VaultKeys {
    /// Renews the token once less than half of its time is left. Failing is no reason not to use it: it may be renewed by an
    /// agent, or live for ever.
    pub(super) async fn renew(&mut self, token: &str) {
        self.renewal.last = Some(Instant::now());
        let looked: Result<Lookup, KeysError> = self.ask(Method::GET, "auth/token/lookup-self", None, token).await;
        let standing = match looked {
            Ok(lookup) => lookup.data,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(origin = self.origin(), error, "cannot look at how long the token lives");
                return;
            }
        };
        let is_late = standing.ttl > 0 && standing.ttl < standing.creation_ttl / 2;
        if !is_late {
            return;
        }
        let left_seconds = standing.ttl;
        if !standing.renewable {
            tracing::warn!(
                origin = self.origin(),
                left_seconds,
                "the token ends soon and cannot be renewed: replace it"
            );
            return;
        }
        let renewed: Result<serde_json::Value, KeysError> =
            self.ask(Method::POST, "auth/token/renew-self", None, token).await;
        match renewed {
            Ok(_) => tracing::debug!(origin = self.origin(), "token renewed"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(origin = self.origin(), error, left_seconds, "the token cannot be renewed");
            }
        }
    }
}
