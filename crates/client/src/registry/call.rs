//! Calls that the library does not make, and how calls are repeated.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use schema_registry_converter::error::SRCError;
use serde_json::Value;

use super::{Login, LoginError, RegistryError};

/// Attempts beyond the first, and how long is waited before each.
const PAUSES: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// What a call came to.
pub(super) trait Failure {
    /// Whether trying again within a second may help.
    fn passes(&self) -> bool;
}

impl Failure for SRCError {
    fn passes(&self) -> bool {
        self.retriable
    }
}

/// Makes a call, and makes it again a few times while the registry does not answer.
pub(super) async fn retry<T, E: Failure, F: Future<Output = Result<T, E>>>(
    mut call: impl FnMut() -> F,
) -> Result<T, E> {
    for pause in PAUSES {
        match call().await {
            Err(error) if error.passes() => tokio::time::sleep(pause).await,
            result => return result,
        }
    }
    call().await
}

/// Calls the registry without the library.
pub(super) struct Call {
    client: Client,
    login: Login,
    urls: Vec<String>,
}

/// How such a call failed.
pub(super) struct CallError {
    /// None: there was no answer.
    status: Option<StatusCode>,
    code: Option<u32>,
    said: String,
}

impl Call {
    pub(super) fn new(urls: Vec<String>, login: Login, timeout: Duration) -> Result<Self, LoginError> {
        Ok(Call { client: login.client(timeout)?, login, urls })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, CallError> {
        retry(|| self.replicas(Method::GET, path, None)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        retry(|| self.replicas(Method::POST, path, Some(body))).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        retry(|| self.replicas(Method::PUT, path, Some(body))).await
    }

    /// Asks one replica after another until one answers.
    async fn replicas(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, CallError> {
        let mut last = CallError { status: None, code: None, said: "no address is known".into() };
        for url in &self.urls {
            match self.once(method.clone(), &format!("{url}/{path}"), body).await {
                Err(error) if error.passes() => last = error,
                result => return result,
            }
        }
        Err(last)
    }

    async fn once(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Value, CallError> {
        let request = self.login.sign(self.client.request(method, url)).header("accept", CONTENT_TYPE);
        let request = match body {
            Some(body) => request.header("content-type", CONTENT_TYPE).body(body.to_string()),
            None => request,
        };
        let response = request.send().await.map_err(CallError::unanswered)?;
        let status = response.status();
        let text = response.text().await.map_err(CallError::unanswered)?;
        let answer: Option<Value> = serde_json::from_str(&text).ok();
        match answer {
            Some(answer) if status.is_success() => Ok(answer),
            answer => Err(CallError::answered(status, answer.as_ref())),
        }
    }
}

impl CallError {
    fn unanswered(error: reqwest::Error) -> Self {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        CallError { status: None, code: None, said: cause.to_string() }
    }

    fn answered(status: StatusCode, answer: Option<&Value>) -> Self {
        let field = |name| answer.and_then(|answer| answer.get(name));
        let code = field("error_code").and_then(Value::as_u64).and_then(|code| u32::try_from(code).ok());
        let said = field("message").and_then(Value::as_str);
        CallError { status: Some(status), code, said: said.map_or_else(|| format!("HTTP {status}"), str::to_owned) }
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status == Some(StatusCode::NOT_FOUND)
    }

    pub(super) fn into_error(self, what: &str, url: &str) -> RegistryError {
        match self.status {
            None => RegistryError::Unavailable { what: what.to_owned(), url: url.to_owned(), said: self.said },
            Some(status) => RegistryError::answered(what, url, Some(status.as_u16()), self.code, self.said),
        }
    }
}

impl Failure for CallError {
    fn passes(&self) -> bool {
        self.status.is_none_or(|status| matches!(status.as_u16(), 502..=504))
    }
}
