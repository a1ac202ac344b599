//! Root secrets from HashiCorp Vault, or OpenBao: the versions of one secret of a KV engine, version 2.
//!
//! The engine counts versions itself, and they are the versions of the roots: `vault kv put secret/mesh/roots
//! secret=$(openssl rand -base64 32)` rotates. Versions that were deleted or destroyed are left out. What was read of a version is kept:
//! it never changes.
//!
//! API: <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>, <https://openbao.org/api-docs/secret/kv/kv-v2/>.

mod answer;
mod token;

use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf, time::Duration};

use mesh_avro::keys::RootKeys;
use reqwest::{Certificate, Client, Method, Url, redirect::Policy};
use zeroize::Zeroizing;

use super::{KeySource, KeysError, document, root_keys};
use answer::{Metadata, Secret, Versioned};
use token::Renewal;
pub use token::VaultToken;

/// No more versions than these are read: the newest.
const VERSIONS_MAX: usize = 64;
/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Where the roots are, and how to be let in.
#[derive(Clone, Debug)]
pub struct VaultConfig {
    /// Vault's address, such as `https://vault:8200`; without TLS on this machine alone.
    pub address: String,
    /// The KV engine's mount point and the secret's path in it: `secret/mesh/roots`.
    pub secret: String,
    /// Who to be.
    pub token: VaultToken,
    /// The namespace, where there are any.
    pub namespace: Option<String>,
    /// The authority whose certificates are trusted, in PEM; unset: those that the system trusts.
    pub authority: Option<PathBuf>,
}

/// Root secrets from Vault.
pub struct VaultKeys {
    client: Client,
    base: Url,
    mount: String,
    path: String,
    namespace: Option<String>,
    token: VaultToken,
    renewal: Renewal,
    known: BTreeMap<u32, Zeroizing<[u8; document::SECRET_BYTES]>>,
}

impl VaultKeys {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// The address, the secret's name or the authority cannot be used, or secrets would be sent in clear.
    pub fn new(config: &VaultConfig) -> Result<Self, KeysError> {
        let unusable = |why: &str| KeysError::Vault { origin: config.secret.clone(), why: why.to_owned() };
        let base = Url::parse(&config.address).map_err(|_| unusable("its address is not a URL"))?;
        if base.scheme() != "https" && !is_local(&base) {
            return Err(unusable("its address is not https://, and not this machine: secrets would be sent in clear"));
        }
        let (mount, path) = config
            .secret
            .trim_matches('/')
            .split_once('/')
            .ok_or_else(|| unusable("it is named by the mount point and the path, such as secret/mesh/roots"))?;
        // a standby that redirects would be handed the token of another
        let mut client = Client::builder().timeout(REQUEST_TIMEOUT).redirect(Policy::none());
        if let Some(authority) = &config.authority {
            let pem = std::fs::read(authority).map_err(|_| unusable("the file of the authority cannot be read"))?;
            let trusted = Certificate::from_pem_bundle(&pem).map_err(|_| unusable("the authority is not in PEM"))?;
            client = client.tls_certs_only(trusted);
        }
        let client = client.build().map_err(|_| unusable("the HTTPS client cannot be set up"))?;
        Ok(Self {
            client,
            base,
            mount: mount.to_owned(),
            path: path.to_owned(),
            namespace: config.namespace.clone(),
            token: config.token.clone(),
            renewal: Renewal::default(),
            known: BTreeMap::new(),
        })
    }

    /// Asks Vault, and reads its answer. No part of an answer is ever in an error.
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        version: Option<u32>,
        token: &str,
    ) -> Result<T, KeysError> {
        let failed = |why: String| KeysError::Vault { origin: self.origin(), why };
        let mut url = self.base.clone();
        url.set_path(&format!("/v1/{path}"));
        if let Some(version) = version {
            url.query_pairs_mut().append_pair("version", &version.to_string());
        }
        let request = self.client.request(method, url).header("X-Vault-Request", "true").header("X-Vault-Token", token);
        let request = match &self.namespace {
            Some(namespace) => request.header("X-Vault-Namespace", namespace),
            None => request,
        };
        // its text may quote the address, which has no secret, but nothing of the answer
        let mut answer = request.send().await.map_err(|error| failed(said(&error)))?;
        if !answer.status().is_success() {
            return Err(failed(answer::refusal(answer.status())));
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(said(&error)))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(failed("its answer is longer than any of this kind".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body)
            .map_err(|_| failed("its answer is not the one of a KV engine, version 2".to_owned()))
    }

    /// The versions that are there and were not destroyed, the newest last.
    async fn versions(&self, token: &str) -> Result<Vec<u32>, KeysError> {
        let metadata: Metadata =
            self.ask(Method::GET, &format!("{}/metadata/{}", self.mount, self.path), None, token).await?;
        let mut versions = metadata.live();
        versions.sort_unstable();
        Ok(versions.split_off(versions.len().saturating_sub(VERSIONS_MAX)))
    }

    async fn root(&self, version: u32, token: &str) -> Result<Zeroizing<[u8; document::SECRET_BYTES]>, KeysError> {
        let path = format!("{}/data/{}", self.mount, self.path);
        let answer: Versioned<Secret> = self.ask(Method::GET, &path, Some(version), token).await?;
        let malformed = || KeysError::Malformed {
            origin: self.origin(),
            why: format!("version {version} has no `secret` that is base64 of 32 bytes"),
        };
        document::decode(&answer.data.data.secret).ok_or_else(malformed)
    }
}

impl KeySource for VaultKeys {
    fn origin(&self) -> String {
        format!("{}/{} at {}", self.mount, self.path, self.base.origin().ascii_serialization())
    }

    async fn load(&mut self) -> Result<RootKeys, KeysError> {
        let token = self.token.read()?;
        if self.renewal.is_due() {
            self.renew(&token).await;
        }
        let versions = self.versions(&token).await?;
        self.known.retain(|version, _| versions.contains(version));
        for version in versions {
            if !self.known.contains_key(&version) {
                let root = self.root(version, &token).await?;
                self.known.insert(version, root);
            }
        }
        root_keys(&self.origin(), self.known.iter().map(|(version, root)| (*version, root.clone())).collect())
    }
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeys").field("origin", &self.origin()).finish_non_exhaustive()
    }
}

/// The whole chain: reqwest's own Display says little.
fn said(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
