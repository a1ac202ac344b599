//! What is known of a run.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What runs the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingEngine {
    /// Its version.
    pub version: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
facet!(ProcessingEngine, "processing_engine", official!("1-1-1", "ProcessingEngineRunFacet"), RunFacet);

impl ProcessingEngine {
    /// This code.
    pub fn mesh() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), name: Some("mesh".to_owned()) }
    }
}

/// The run that another run is part of: that of the process, for the runs of its jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// That run.
    pub run: ParentRun,
    /// The job that it executes.
    pub job: ParentJob,
}
facet!(Parent, "parent", official!("1-2-0", "ParentRunFacet"), RunFacet);

impl Parent {
    /// As a scheduler names the run that starts a program, in `OPENLINEAGE_PARENT_ID`: `namespace/job/run id`.
    pub fn parse(text: &str) -> Option<Self> {
        let (job, run_id) = text.rsplit_once('/')?;
        // a namespace may be an address, a job's name has no slash
        let (namespace, name) = job.rsplit_once('/')?;
        let run = ParentRun { run_id: run_id.parse().ok()? };
        let is_whole = !namespace.is_empty() && !name.is_empty();
        is_whole.then(|| Self { run, job: ParentJob { namespace: namespace.to_owned(), name: name.to_owned() } })
    }
}

/// A parent's run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRun {
    /// Its id.
    pub run_id: Uuid,
}

/// A parent's job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentJob {
    /// Where the name is unique.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why a run broke. Never with a payload in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    /// The message.
    pub message: String,
    /// The language of the program.
    pub programming_language: String,
}
facet!(ErrorMessage, "errorMessage", official!("1-0-1", "ErrorMessageRunFacet"), RunFacet);

impl ErrorMessage {
    /// A message of a program of this language.
    pub fn rust(message: impl Into<String>) -> Self {
        Self { message: message.into(), programming_language: "RUST".to_owned() }
    }
}
