//! What is known of a job.

use serde::{Deserialize, Serialize};

use super::dataset::{Owner, Tag};

/// What kind of job: the backbone's run for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobType {
    /// `STREAMING`, `BATCH` or `SERVICE`.
    pub processing_type: String,
    /// Which integration wrote it.
    pub integration: String,
    /// What the job is to the integration: `SIDECAR`, `PRODUCER`, `DERIVATION`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// When and how it tells of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emission_pattern: Option<EmissionPattern>,
}
facet!(JobType, "jobType", official!("2-0-4", "JobTypeJobFacet"), JobFacet);

impl JobType {
    /// A finite job of the backbone.
    pub fn batch(job_type: &str) -> Self {
        Self { processing_type: "BATCH".to_owned(), ..Self::streaming(job_type) }
    }

    /// A streaming job of the backbone.
    pub fn streaming(job_type: &str) -> Self {
        Self {
            processing_type: "STREAMING".to_owned(),
            integration: "MESH".to_owned(),
            job_type: Some(job_type.to_owned()),
            emission_pattern: Some(EmissionPattern {
                event_trigger: "PERIODIC".to_owned(),
                event_content_mode: "ACCUMULATIVE".to_owned(),
            }),
        }
    }
}

/// When and how a job tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmissionPattern {
    /// `EVENT_BASED` or `PERIODIC`.
    pub event_trigger: String,
    /// `ACCUMULATIVE` or `COMPLETE_SNAPSHOT`.
    pub event_content_mode: String,
}

/// What a job does, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDocumentation {
    /// The words.
    pub description: String,
}
facet!(JobDocumentation, "documentation", official!("1-1-0", "DocumentationJobFacet"), JobFacet);

/// Tags of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobTags {
    /// The tags.
    pub tags: Vec<Tag>,
}
facet!(JobTags, "tags", official!("1-0-0", "TagsJobFacet"), JobFacet);

impl JobTags {
    /// What a contract declares, and nobody has seen yet: of a job as designed.
    pub fn declared() -> Self {
        let (key, value) = ("declared".to_owned(), "contract".to_owned());
        Self { tags: vec![Tag { key, value, source: Some("MESH".to_owned()), field: None }] }
    }
}

/// Who answers for a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOwnership {
    /// The owners.
    pub owners: Vec<Owner>,
}
facet!(JobOwnership, "ownership", official!("1-0-1", "OwnershipJobFacet"), JobFacet);
