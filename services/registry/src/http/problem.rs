//! Errors as clients get them: `{"error_code": 40401, "message": "..."}`.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mesh_runtime::access::Principal;
use serde_json::json;

use crate::{governance::ProductsError, state::Refusal, store::NotCaughtUp, writer::WriteError};

/// The log has not been read to its end; this project's own code, in Confluent's manner.
const NOT_CAUGHT_UP: u32 = 50301;
/// Too many changes at once.
const BUSY: u32 = 50302;
/// The service is going away.
const SHUTTING_DOWN: u32 = 50303;
/// Nobody knows who asks; in Confluent's manner, as the next.
pub(super) const UNAUTHENTICATED: u32 = 40101;
/// Whoever asks may not.
const FORBIDDEN: u32 = 40301;
/// The log's writer did not let this replica in.
const FORWARDING_FAILED: u32 = 50003;
const STORE_ERROR: u32 = 50001;
const TIMEOUT: u32 = 50002;
pub(super) const UNKNOWN_LEADER: u32 = 50004;

/// An error answer.
#[derive(Debug)]
pub(crate) struct Problem {
    code: u32,
    message: String,
    /// The log's writer, if it has to be asked instead.
    elsewhere: Option<String>,
}

impl Problem {
    /// An answer with a code whose first three digits are the status.
    pub(super) fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), elsewhere: None }
    }

    /// Whoever asks may not do this.
    pub(super) fn forbidden(principal: &Principal, operation: &str, what: &str) -> Self {
        let who = principal.name();
        Self::new(FORBIDDEN, format!("User {who} is denied operation {operation} on {what}"))
    }

    /// The log's writer did not let this replica in, so that it cannot be asked in anybody's stead.
    pub(super) fn not_let_in(writer: &str) -> Self {
        let message = format!(
            "the log's writer {writer} does not let this replica in: give the replicas credentials that may write everything"
        );
        Self::new(FORWARDING_FAILED, message)
    }

    fn status(&self) -> StatusCode {
        let status = if self.code >= 1000 { self.code / 100 } else { self.code };
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code(), refusal.to_string())
    }
}

impl From<NotCaughtUp> for Problem {
    fn from(error: NotCaughtUp) -> Self {
        Self::new(NOT_CAUGHT_UP, error.to_string())
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        let message = error.to_string();
        match error {
            WriteError::Refused(refusal) => refusal.into(),
            WriteError::TooLarge => Refusal::SchemaTooLarge { reason: message }.into(),
            WriteError::QueueFull => Self::new(BUSY, message),
            WriteError::TimedOut => Self::new(TIMEOUT, message),
            WriteError::TakenOver => Self::new(UNKNOWN_LEADER, message),
            WriteError::Log { .. } => Self::new(STORE_ERROR, message),
            WriteError::ShuttingDown => Self::new(SHUTTING_DOWN, message),
        }
    }
}

impl From<ProductsError> for Problem {
    fn from(error: ProductsError) -> Self {
        let code = match error {
            ProductsError::Read { .. } => STORE_ERROR,
            ProductsError::TimedOut => TIMEOUT,
        };
        Self::new(code, error.to_string())
    }
}

/// What an answer means to the replica that is about to give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something is not there, as far as this replica has read.
    Absent,
    /// The change is for the log's writer to make, which is there.
    Elsewhere(String),
    /// Another replica has become the log's writer.
    TakenOver,
}

impl Problem {
    /// The change is for another replica to make.
    pub(super) fn elsewhere(writer: &str) -> Self {
        let message = format!("the log's writer is {writer}, and another replica asked this one: try again");
        Self { elsewhere: Some(writer.to_owned()), ..Self::new(UNKNOWN_LEADER, message) }
    }

    fn meaning(&self) -> Option<Meaning> {
        match (&self.elsewhere, self.code) {
            (Some(writer), _) => Some(Meaning::Elsewhere(writer.clone())),
            (None, UNKNOWN_LEADER) => Some(Meaning::TakenOver),
            (None, 40400..=40499) => Some(Meaning::Absent),
            (None, _) => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, meaning) = (self.status(), self.meaning());
        let body = Json(json!({ "error_code": self.code, "message": self.message }));
        let mut response = (status, body).into_response();
        if let Some(meaning) = meaning {
            response.extensions_mut().insert(meaning);
        }
        response
    }
}

/// No resource has this path.
pub(super) async fn no_such_route() -> Problem {
    Problem::new(404, "HTTP 404 Not Found")
}

/// The resource does not know this method.
pub(super) async fn no_such_method() -> Problem {
    Problem::new(405, "HTTP 405 Method Not Allowed")
}
