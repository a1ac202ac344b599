//! Client credentials (RFC 6749, 4.4): who one is, for a token.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Certificate, Client, StatusCode, Url, redirect};
use serde_json::Value;

use super::options::Secret;
use super::token::{BYTES_MAX, Token};

/// An authorisation server that takes longer is taken for gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a token is asked for, and who asks.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Url,
    id: String,
    secret: Secret,
    scope: Option<String>,
    /// The authority whose certificate the server has; unset: those that the system trusts.
    authority: Option<PathBuf>,
}

impl Endpoint {
    pub(super) fn new(url: Url, id: String, secret: Secret, scope: Option<String>, authority: Option<PathBuf>) -> Self {
        Self { url, id, secret, scope, authority }
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// Why there is none: what was tried and what was said, without a secret.
    pub(super) async fn fetch(&self) -> Result<Token, String> {
        let secret = self.secret()?;
        let mut request = self.client()?.post(self.url.clone()).basic_auth(encoded(&self.id), Some(encoded(&secret)));
        request = request.header(ACCEPT, "application/json");
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(self.form());
        let unreachable = |error: reqwest::Error| format!("cannot ask {} for a token: {}", self.url, deepest(&error));
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > 2 * BYTES_MAX {
                return Err(format!("{} answers with more than a token", self.url));
            }
        }
        read(status, &body).map_err(|said| format!("{} {said}", self.url))
    }

    fn form(&self) -> String {
        let scope = self.scope.iter().map(|scope| ("scope", scope.as_str()));
        pairs([("grant_type", "client_credentials")].into_iter().chain(scope))
    }

    fn secret(&self) -> Result<String, String> {
        match &self.secret {
            Secret::Given(secret) => Ok(secret.clone()),
            Secret::File(path) => Ok(text(path, "the client's secret")?.trim_end().to_owned()),
        }
    }

    /// Made anew each time, a few times an hour: the authority may have changed.
    fn client(&self) -> Result<Client, String> {
        let mut client = Client::builder().timeout(ANSWER_TIMEOUT).redirect(redirect::Policy::none());
        if let Some(path) = &self.authority {
            let pem = text(path, "the authority of https.ca.location")?;
            let trusted = Certificate::from_pem_bundle(pem.as_bytes());
            let trusted = trusted.map_err(|_| format!("{} holds no certificate in PEM", path.display()))?;
            client = client.tls_certs_only(trusted);
        }
        client.build().map_err(|error| format!("cannot speak TLS to {}: {}", self.url, deepest(&error)))
    }
}

fn text(path: &Path, what: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {what} in {}: {error}", path.display()))
}

/// What stands at the bottom of an error: the others say "error sending request".
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// As RFC 6749, 2.3.1 wants names and secrets.
fn encoded(text: &str) -> String {
    pairs([("", text)]).split_off(1)
}

fn pairs<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let mut url = Url::parse("http://form").expect("it is an address");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// The token of an answer (RFC 6749, 5.1), or its error's code (5.2).
fn read(status: StatusCode, body: &[u8]) -> Result<Token, String> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if !status.is_success() {
        let is_code =
            |code: &&str| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let code = answer["error"].as_str().filter(is_code).unwrap_or("no reason given");
        return Err(format!("refuses a token: {code} (HTTP {})", status.as_u16()));
    }
    let value = answer["access_token"].as_str().ok_or("answers without an access_token")?;
    // some send numbers as text
    let seconds = &answer["expires_in"];
    let seconds = seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok());
    Token::received(value, seconds.map(Duration::from_secs))
        .map_err(|said| format!("answers with no good token: {said}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_sent_is_a_form() {
        let secret = Secret::Given("a b&c".to_owned());
        let url = Url::parse("https://idp/token").unwrap();
        let endpoint = Endpoint::new(url, "crm".to_owned(), secret, Some("kafka write".to_owned()), None);
        assert_eq!(endpoint.form(), "grant_type=client_credentials&scope=kafka+write");
        assert_eq!(encoded(&endpoint.secret().unwrap()), "a+b%26c");
        assert!(!format!("{endpoint:?}").contains("a b"));
    }

    #[test]
    fn answers_are_tokens_or_say_why_not() {
        let good =
            read(StatusCode::OK, br#"{"access_token": "abc", "token_type": "Bearer", "expires_in": "60"}"#).unwrap();
        assert!(good.value == "abc" && good.refresh_in() <= Duration::from_secs(48));
        for (status, body, said) in [
            (
                401,
                r#"{"error": "invalid_client", "error_description": "hunter2"}"#,
                "refuses a token: invalid_client (HTTP 401)",
            ),
            (500, "hunter2", "refuses a token: no reason given (HTTP 500)"),
            (400, r#"{"error": "hunter 2"}"#, "refuses a token: no reason given (HTTP 400)"),
            (302, "", "refuses a token: no reason given (HTTP 302)"),
            (200, "{}", "answers without an access_token"),
            (
                200,
                r#"{"access_token": ""}"#,
                "answers with no good token: it is no token: empty, too long, or of characters that no token has",
            ),
        ] {
            assert_eq!(read(StatusCode::from_u16(status).unwrap(), body.as_bytes()).unwrap_err(), said);
        }
    }
}
