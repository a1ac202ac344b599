//! To any OpenLineage back end: `POST <url>/api/v1/lineage`, as Marquez takes it.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use reqwest::{Client, StatusCode, Url, header};

use super::{DeliverEventError, Parcel, Transport};
use crate::registry::{Credentials, Login, LoginError};

/// Where the specification's own clients send events to, unless told otherwise.
const ENDPOINT: &str = "api/v1/lineage";
/// How long a back end may take over an event.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where a back end is, and how to be let in. Its Debug shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// Its address; `OPENLINEAGE_URL` of the specification's clients.
    pub url: String,
    /// The path that takes events, below the address: `api/v1/lineage` unless given; `OPENLINEAGE_ENDPOINT`.
    pub endpoint: Option<String>,
    /// Whose certificate it has, and who to be there; `OPENLINEAGE_API_KEY` is a token.
    pub login: Login,
    /// Whether events are sent compressed, which not every back end understands.
    pub gzip: bool,
    /// How long it may take over an event, before it is sent again.
    pub timeout: Duration,
}

impl HttpOptions {
    /// A back end that lets everybody in.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), endpoint: None, login: Login::default(), gzip: false, timeout: TIMEOUT }
    }

    /// With an API key, which is sent as a bearer token.
    #[must_use]
    pub fn with_api_key(mut self, key: &str) -> Self {
        self.login = self.login.with(Credentials::token(key));
        self
    }
}

/// A back end that cannot be sent to.
#[derive(Debug, thiserror::Error)]
pub enum HttpTransportError {
    /// Its address is none.
    #[error("{url} is no address of an OpenLineage back end: {said}; write http://host:port or https://host:port")]
    Url {
        /// The address, without what may be secret in it.
        url: String,
        /// What is wrong with it.
        said: String,
    },
    /// How to be let in cannot be used.
    #[error("cannot prepare to be let in at the OpenLineage back end")]
    Login(#[source] LoginError),
}

/// Posts events to a back end, one at a time and in order.
pub struct HttpTransport {
    client: Client,
    url: Url,
    login: Login,
    gzip: bool,
}

impl HttpTransport {
    /// Prepares to send; nothing is sent yet.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpTransportError> {
        let url = address(options)?;
        let client = options.login.client(options.timeout).map_err(HttpTransportError::Login)?;
        Ok(Self { client, url, login: options.login.clone(), gzip: options.gzip })
    }
}

/// Shows where it sends to.
impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Transport for HttpTransport {
    fn name(&self) -> &'static str {
        "http"
    }

    async fn deliver(&mut self, parcel: &Parcel) -> Result<(), DeliverEventError> {
        let request =
            self.login.sign(self.client.post(self.url.clone())).header(header::CONTENT_TYPE, "application/json");
        let request = match self.gzip {
            false => request.body(parcel.body.clone()),
            true => request.header(header::CONTENT_ENCODING, "gzip").body(compressed(&parcel.body).map_err(unsent)?),
        };
        // an address may hold what is not to be shown
        let response = request.send().await.map_err(|error| DeliverEventError {
            is_retriable: !error.is_builder(),
            source: Box::new(error.without_url()),
        })?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(DeliverEventError { is_retriable: passes(status), source: Box::new(Refused(status)) }),
        }
    }
}

/// What the back end said; its own words are not repeated, as they may quote the event.
#[derive(Debug, thiserror::Error)]
#[error("the OpenLineage back end answered {0}")]
struct Refused(StatusCode);

/// Whether the same event may be taken later.
fn passes(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
}

fn compressed(body: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish().map(Bytes::from)
}

fn unsent(error: std::io::Error) -> DeliverEventError {
    DeliverEventError { source: Box::new(error), is_retriable: false }
}

fn address(options: &HttpOptions) -> Result<Url, HttpTransportError> {
    let wrong = |url: &str, said: &str| HttpTransportError::Url { url: url.to_owned(), said: said.to_owned() };
    // what cannot be parsed may hold a password anywhere
    let base = Url::parse(options.url.trim()).map_err(|error| wrong("what was given", &error.to_string()))?;
    if !base.username().is_empty() || base.password().is_some() {
        return Err(wrong(base.host_str().unwrap_or_default(), "credentials cannot stand in it, give an API key"));
    }
    if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
        return Err(wrong(base.as_str(), "it is of another protocol"));
    }
    let endpoint = options.endpoint.as_deref().unwrap_or(ENDPOINT).trim_start_matches('/');
    let path = format!("{}/{endpoint}", base.path().trim_end_matches('/'));
    let mut url = base;
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_to(url: &str, endpoint: Option<&str>) -> Result<String, String> {
        let options = HttpOptions { endpoint: endpoint.map(str::to_owned), ..HttpOptions::new(url) };
        address(&options).map(|url| url.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_those_of_the_specifications_clients() {
        let marquez = || Ok("http://marquez:5000/api/v1/lineage".to_owned());
        assert_eq!(sent_to("http://marquez:5000", None), marquez());
        assert_eq!(sent_to("http://marquez:5000/", None), marquez());
        assert_eq!(sent_to("http://marquez:5000", Some("/api/v1/lineage")), marquez());
        assert_eq!(sent_to("https://host/base/", Some("events")), Ok("https://host/base/events".to_owned()));
    }

    #[test]
    fn what_is_no_address_is_refused_and_shows_no_secret() {
        for url in ["", "marquez:5000", "ftp://marquez", "http://u:hunter2@marquez", "http://:hunter2@m:99999"] {
            let refused = sent_to(url, None).expect_err(url);
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let shown = format!("{:?}", HttpOptions::new("http://m").with_api_key("hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
