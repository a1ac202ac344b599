//! What is answered instead of what was asked for: Marquez' `code` and `message`, and a `reason` for machines.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::Refusal;

/// What is answered instead of what was asked for.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    reason: &'static str,
    message: String,
}

impl Problem {
    pub(super) fn not_found(what: impl std::fmt::Display) -> Self {
        Self { status: StatusCode::NOT_FOUND, reason: "not-found", message: format!("{what} not found.") }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason: "bad-request", message: message.into() }
    }

    pub(super) fn unavailable(reason: &'static str, message: &str) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, reason, message: message.to_owned() }
    }

    pub(super) fn unsupported_encoding(message: String) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, reason: "encoding", message }
    }

    /// The reason in one word.
    pub(super) fn reason(&self) -> &'static str {
        self.reason
    }

    /// Whether the same may be accepted when it is sent again.
    pub(super) fn is_retriable(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    /// In words.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Malformed { .. } | Refusal::TooDeep | Refusal::NotUtf8 { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self { status, reason: refusal.code(), message: refusal.to_string() }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.status.as_u16(), "reason": self.reason, "message": self.message });
        (self.status, Json(body)).into_response()
    }
}
