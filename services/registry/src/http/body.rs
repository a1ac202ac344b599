//! What clients send.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::Problem;
use crate::{
    log::Reference,
    state::{Refusal, Submission},
    subject::Subject,
};

/// A JSON body, whatever its declared media type.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Problem::new(error.status().as_u16().into(), error.body_text()))?;
        if bytes.is_empty() {
            return Err(Problem::new(422, "the request needs a body"));
        }
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Body).map_err(|error| Problem::new(400, format!("the request's body is not as expected: {error}")))
    }
}

/// A schema to register, look up or check.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubmissionBody {
    schema: Option<String>,
    schema_type: Option<String>,
    references: Option<Vec<Reference>>,
    metadata: Option<Value>,
    rule_set: Option<Value>,
    id: Option<i64>,
    version: Option<i64>,
}

impl SubmissionBody {
    /// The submission to a subject.
    pub(super) fn to(self, subject: Subject, normalize: bool) -> Result<Submission, Refusal> {
        let schema = self.schema.filter(|schema| !schema.trim().is_empty());
        let schema = schema.ok_or_else(|| Refusal::InvalidSchema { reason: "it is empty".to_owned() })?;
        // Clients say -1 or 0 where they mean nothing.
        let positive = |number: Option<i64>| number.filter(|number| *number > 0).map(u32::try_from).transpose();
        let too_large = |_| Refusal::NotPermitted { reason: "ids and versions end at 2^31-1".to_owned() };
        Ok(Submission {
            subject,
            schema,
            schema_type: self.schema_type,
            references: self.references.unwrap_or_default(),
            metadata: self.metadata,
            rule_set: self.rule_set,
            normalize,
            id: positive(self.id).map_err(too_large)?,
            version: positive(self.version).map_err(too_large)?,
            governed: None,
        })
    }
}

/// A change of a configuration.
#[derive(Debug, Deserialize)]
pub(super) struct ConfigBody {
    pub(super) compatibility: Option<String>,
    pub(super) normalize: Option<bool>,
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

/// A change of a mode.
#[derive(Debug, Deserialize)]
pub(super) struct ModeBody {
    pub(super) mode: Option<String>,
}
