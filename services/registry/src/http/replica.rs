//! One of several replicas: changes go to the log's writer, and nothing is said to be absent before the log's end is read.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use mesh_client::registry::{Login, LoginError};

use super::{
    App, Problem,
    problem::{Meaning, UNKNOWN_LEADER},
};

/// Marks what a replica asks for another one's client.
const FORWARDED: &str = "mesh-forwarded";
/// How long the log's end may take to be read.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a writer that has not answered yet is asked whether it is there, and how long it may take to say so.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);
const PROBE_TIMEOUT: Duration = Duration::from_millis(750);
/// A writer that misses so many of them one after another is out of reach.
const PROBES_MAX: u32 = 2;
/// How often a change is handed on or taken over before its client is told to try again.
const ATTEMPTS_MAX: u32 = 5;
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

tokio::task_local! {
    /// The log's writer that was found to be out of reach.
    static REPLACES: Option<String>;
}

/// The log's writer in whose place the request at hand may make this replica the writer.
pub(super) fn replaces() -> Option<String> {
    REPLACES.try_with(Clone::clone).ok().flatten()
}

/// The other replicas, as this one sees them.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    url: Option<String>,
    login: Login,
    client: reqwest::Client,
    timeout: Duration,
}

impl Peers {
    /// `url` is where others reach this replica; `login` lets this one in there; `timeout` is how long a change may take.
    pub(crate) fn new(url: Option<String>, login: Login, timeout: Duration) -> Result<Self, LoginError> {
        // Longer than what is waited for: the bound is kept here.
        let client = login.client(timeout * 2)?;
        Ok(Self { url, login, client, timeout })
    }

    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Asks the log's writer in a client's stead. No answer at all: it is out of reach.
    async fn forward(&self, writer: &str, asked: &Asked) -> Option<Response> {
        let path = asked.parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = self.client.request(asked.parts.method.clone(), format!("{writer}{path}"));
        // The client's own credentials are for this replica alone: where the writer is stands in the log, for whoever
        // writes it.
        for name in [header::ACCEPT, header::CONTENT_TYPE] {
            if let Some(value) = asked.parts.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let request = request.header(FORWARDED, HeaderValue::from_static("true")).body(asked.body.clone());
        let request = if self.may_sign_for(writer) { self.login.sign(request) } else { request };
        let answered = async { relayed(writer, request.send().await.ok()?).await };
        tokio::select! {
            answer = answered => answer,
            () = self.out_of_reach(writer) => None,
            () = tokio::time::sleep(self.timeout) => {
                let message = "the log's writer is there, but did not answer in time: ask again, that changes nothing twice";
                Some(Problem::new(50002, message).into_response())
            }
        }
    }

    /// Credentials that are asked for over TLS are not sent without.
    fn may_sign_for(&self, writer: &str) -> bool {
        let own_tls = self.url.as_deref().is_some_and(|own| own.starts_with("https:"));
        !own_tls || writer.starts_with("https:")
    }

    /// Returns when a writer does not say any more that it is there.
    async fn out_of_reach(&self, writer: &str) {
        let mut missed = 0;
        while missed < PROBES_MAX {
            tokio::time::sleep(PROBE_INTERVAL).await;
            let probe = self.client.get(format!("{writer}/")).timeout(PROBE_TIMEOUT).send();
            missed = if probe.await.is_ok() { 0 } else { missed + 1 };
        }
    }
}

/// A request that can be answered more than once.
struct Asked {
    parts: Parts,
    body: Bytes,
}

impl Asked {
    fn request(&self) -> Request {
        Request::from_parts(self.parts.clone(), Body::from(self.body.clone()))
    }

    fn is_forwarded(&self) -> bool {
        is_forwarded(&self.parts.headers)
    }
}

/// Whether another replica asks in a client's stead; whoever asks may say so.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED)
}

/// Answers a request, by the log's writer where it has to be.
pub(super) async fn answer(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let whole = async {
        match body.is_end_stream() {
            true => Ok(Ok(Bytes::new())),
            false => tokio::time::timeout(app.peers.timeout, to_bytes(body, app.body_bytes_max)).await,
        }
    };
    let body = match whole.await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let message = format!("the request's body is larger than {} bytes, or broke off", app.body_bytes_max);
            return Problem::new(413, message).into_response();
        }
        Err(_) => return Problem::new(408, "the request's body did not arrive in time").into_response(),
    };
    let asked = Asked { parts, body };
    let mut replaces = None;
    for _ in 0..ATTEMPTS_MAX {
        let response = REPLACES.scope(replaces.take(), next.clone().run(asked.request())).await;
        match response.extensions().get::<Meaning>().cloned() {
            Some(Meaning::Elsewhere(writer)) if !asked.is_forwarded() => match app.peers.forward(&writer, &asked).await
            {
                Some(answer) if answer.extensions().get() != Some(&Meaning::TakenOver) => {
                    return caught_up(&app, answer).await;
                }
                // It has been taken over from: the log says by whom.
                Some(_) => {}
                None => {
                    tracing::warn!(writer, "the log's writer is out of reach, taking over");
                    replaces = Some(writer);
                }
            },
            Some(Meaning::TakenOver) if !asked.is_forwarded() => {}
            Some(Meaning::Absent) => return absent(&app, &asked, next).await,
            _ => return response,
        }
        if let Err(error) = app.store.catch_up(CATCH_UP_TIMEOUT).await {
            return Problem::from(error).into_response();
        }
    }
    Problem::new(UNKNOWN_LEADER, "the log's writer changes too often: try again").into_response()
}

/// What is not there is looked for again at the log's end.
async fn absent(app: &App, asked: &Asked, next: Next) -> Response {
    match app.store.catch_up(CATCH_UP_TIMEOUT).await {
        Ok(()) => next.run(asked.request()).await,
        Err(error) => Problem::from(error).into_response(),
    }
}

/// An answer of the log's writer, given when this replica knows as much.
async fn caught_up(app: &App, answer: Response) -> Response {
    // If not, the change is made all the same.
    let _ = app.store.catch_up(CATCH_UP_TIMEOUT).await;
    answer
}

/// Another replica's answer as one's own; none if it broke off.
async fn relayed(writer: &str, answer: reqwest::Response) -> Option<Response> {
    let status = answer.status();
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        tracing::error!(writer, %status, "the log's writer does not let this replica in, so it cannot hand changes over");
        return Some(Problem::not_let_in(writer).into_response());
    }
    let body = answer.bytes().await.ok().filter(|body| body.len() <= ANSWER_BYTES_MAX)?;
    let said: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let code = said.as_ref().and_then(|said| said["error_code"].as_u64());
    let mut response = (status, body).into_response();
    if code == Some(u64::from(UNKNOWN_LEADER)) {
        response.extensions_mut().insert(Meaning::TakenOver);
    }
    Some(response)
}
