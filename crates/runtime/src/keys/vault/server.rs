//! Requests to Vault's HTTP API: <https://developer.hashicorp.com/vault/api-docs>, <https://openbao.org/api-docs>.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use reqwest::{Certificate, Client, Method, StatusCode, Url, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    login::{LoginFileError, VaultLogin},
    session::Session,
};
use crate::keys::KeysError;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Where Vault is, and how to be let in.
#[derive(Clone, Debug)]
pub struct VaultAccess {
    /// Vault's address, such as `https://vault:8200`; without TLS on this machine alone.
    pub address: String,
    /// Who to be.
    pub login: VaultLogin,
    /// The namespace, where there are any.
    pub namespace: Option<String>,
    /// The authority whose certificates are trusted, in PEM; unset: those that the system trusts.
    pub authority: Option<PathBuf>,
}

/// A Vault that is asked for something.
pub(super) struct Server {
    client: Client,
    base: Url,
    namespace: Option<String>,
    /// What it is asked for, for people.
    wanted: String,
    session: Session,
}

/// One request.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// Below `/v1/`.
    pub(super) path: &'a str,
    pub(super) version: Option<u32>,
    pub(super) body: Option<Value>,
}

impl<'a> Request<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Request { method: Method::GET, path, version: None, body: None }
    }

    pub(super) fn post(path: &'a str, body: Value) -> Self {
        Request { method: Method::POST, path, version: None, body: Some(body) }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is not to be had now.
    Away(String),
    /// It does not let us.
    Denied(String),
    /// It has no such thing.
    Missing(String),
    /// It answers something else.
    Other(String),
    /// What we log in with cannot be read.
    Login(LoginFileError),
}

impl Server {
    /// Prepares to ask for what `wanted` names; nothing is sent yet.
    pub(super) fn new(access: &VaultAccess, wanted: &str) -> Result<Self, KeysError> {
        let unusable = |why: &str| KeysError::Vault { origin: wanted.to_owned(), why: why.to_owned() };
        let base = Url::parse(&access.address).map_err(|_| unusable("its address is not a URL"))?;
        if base.scheme() != "https" && !is_local(&base) {
            return Err(unusable("its address is not https://, and not this machine: secrets would be sent in clear"));
        }
        // a standby that redirects would be handed the token of another
        let mut client = Client::builder().timeout(REQUEST_TIMEOUT).redirect(Policy::none());
        if let Some(authority) = &access.authority {
            let pem = std::fs::read(authority).map_err(|_| unusable("the file of the authority cannot be read"))?;
            let trusted = Certificate::from_pem_bundle(&pem).map_err(|_| unusable("the authority is not in PEM"))?;
            if trusted.is_empty() {
                return Err(unusable("the file of the authority holds no certificate in PEM"));
            }
            client = client.tls_certs_only(trusted);
        }
        let client = client.build().map_err(|_| unusable("the HTTPS client cannot be set up"))?;
        let (namespace, wanted) = (access.namespace.clone(), wanted.to_owned());
        Ok(Self { client, base, namespace, wanted, session: Session::new(access.login.clone()) })
    }

    /// What it is asked for, and where that is.
    pub(super) fn origin(&self) -> String {
        format!("{} at {}", self.wanted, self.base.origin().ascii_serialization())
    }

    /// Asks, logging in where that is needed.
    ///
    /// # Errors
    /// There is no answer, or none of this form. No part of an answer is ever in it.
    pub(super) async fn ask<T: DeserializeOwned>(&mut self, request: &Request<'_>) -> Result<T, KeysError> {
        match self.attempt(request).await {
            // the token that we logged in for may have been revoked
            Err(Trouble::Denied(_)) if self.session.forget() => self.attempt(request).await,
            answer => answer,
        }
        .map_err(|trouble| self.failed(trouble))
    }

    /// Asks for what may not be there; none if it is not, or is not ours to see.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(super) async fn find<T: DeserializeOwned>(&mut self, request: &Request<'_>) -> Result<Option<T>, KeysError> {
        match self.attempt(request).await {
            Ok(found) => Ok(Some(found)),
            Err(Trouble::Missing(_) | Trouble::Denied(_)) => Ok(None),
            Err(trouble) => Err(self.failed(trouble)),
        }
    }

    async fn attempt<T: DeserializeOwned>(&mut self, request: &Request<'_>) -> Result<T, Trouble> {
        let token = self.token().await?;
        self.send(request, Some(&token)).await
    }

    /// The token to ask with.
    async fn token(&mut self) -> Result<Zeroizing<String>, Trouble> {
        if self.session.is_to_be_looked_at() {
            self.look_at_token().await;
        }
        match self.session.token().map_err(Trouble::Login)? {
            Some(token) => Ok(token),
            None => self.log_in().await,
        }
    }

    fn failed(&self, trouble: Trouble) -> KeysError {
        let origin = self.origin();
        match trouble {
            Trouble::Away(why) => KeysError::VaultAway { origin, why },
            Trouble::Denied(why) | Trouble::Missing(why) | Trouble::Other(why) => KeysError::Vault { origin, why },
            Trouble::Login(source) => source.into(),
        }
    }

    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// One request and its answer.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
        token: Option<&str>,
    ) -> Result<T, Trouble> {
        let mut url = self.base.clone();
        url.set_path(&format!("/v1/{}", request.path));
        if let Some(version) = request.version {
            url.query_pairs_mut().append_pair("version", &version.to_string());
        }
        let mut sent = self.client.request(request.method.clone(), url).header("X-Vault-Request", "true");
        if let Some(token) = token {
            sent = sent.header("X-Vault-Token", token);
        }
        if let Some(namespace) = &self.namespace {
            sent = sent.header("X-Vault-Namespace", namespace);
        }
        if let Some(body) = &request.body {
            sent = sent.json(body);
        }
        let answer = sent.send().await.map_err(|error| unanswered(&error))?;
        if !answer.status().is_success() {
            return Err(refusal(request, answer.status()));
        }
        let body = read(answer).await?;
        // what serde_json says may quote a value
        let body = if body.is_empty() { b"null".as_slice() } else { &body };
        serde_json::from_slice(body).map_err(|_| Trouble::Other(format!("{} answers in another form", shown(request))))
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = answer.chunk().await.map_err(|error| unanswered(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Trouble::Other("its answer is longer than any of this kind".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a status means, and what to do about it.
fn refusal(request: &Request<'_>, status: StatusCode) -> Trouble {
    let said = |why: &str| format!("{} for {}: {why}", status.as_u16(), shown(request));
    match status.as_u16() {
        301 | 302 | 307 | 308 => {
            Trouble::Away(said("it is a standby that redirects: name the active node, or what balances between them"))
        }
        429 | 472 | 473 => Trouble::Away(said("it is asked too often, or is a standby")),
        500..=502 | 504 => Trouble::Away(said("it fails by itself, or cannot reach what it needs")),
        503 => Trouble::Away(said("it is sealed, or in maintenance")),
        400 => Trouble::Other(said(malformed(request.path))),
        403 => Trouble::Denied(said("it refuses the token: is it expired, or does its policy not allow this?")),
        404 => Trouble::Missing(said("it has no such secret, key or mount")),
        _ => Trouble::Other(said("an answer that was not expected")),
    }
}

/// What Vault means by 400 depends on what was asked.
fn malformed(path: &str) -> &'static str {
    if path.starts_with("auth/") {
        "it does not know the role, or refuses what it is to prove it by: is it expired, used up or another's?"
    } else if path.contains("/decrypt/") || path.contains("/datakey/") || path.contains("/rewrap/") {
        "it has no such transit key, or cannot undo this with it: is it another key's, or of a version that was retired?"
    } else {
        "it does not understand the request: is the mount a KV engine of version 2?"
    }
}

fn shown(request: &Request<'_>) -> String {
    format!("{} {}", request.method, request.path)
}

/// The whole chain: reqwest's own Display says little. It may quote the address, which has no secret, and nothing of an answer.
fn unanswered(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() {
        return Trouble::Away(format!("it does not answer within {} s", REQUEST_TIMEOUT.as_secs()));
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    if text.contains("certificate") {
        text.push_str(" (is VAULT_CACERT the authority of its certificate, and does that name this host?)");
    }
    Trouble::Away(text)
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
