//! Why a request is refused, with the error codes that Confluent documents.

/// A request that cannot be granted in the present state. Messages are those that clients of Confluent's registry know.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Subject '{subject}' not found.")]
    SubjectNotFound { subject: String },
    #[error("Version {version} not found.")]
    VersionNotFound { version: i64 },
    #[error("Schema not found")]
    SchemaNotFound,
    #[error("Schema {id} not found")]
    IdNotFound { id: u32 },
    #[error("Schema {guid} not found")]
    GuidNotFound { guid: String },
    #[error("Subject '{subject}' was soft deleted. Set permanent=true to delete permanently")]
    SubjectSoftDeleted { subject: String },
    #[error("Subject '{subject}' was not deleted first before being permanently deleted")]
    SubjectNotSoftDeleted { subject: String },
    #[error("Subject '{subject}' Version {version} was soft deleted. Set permanent=true to delete permanently")]
    VersionSoftDeleted { subject: String, version: u32 },
    #[error("Subject '{subject}' Version {version} was not deleted first before being permanently deleted")]
    VersionNotSoftDeleted { subject: String, version: u32 },
    #[error("Subject '{subject}' does not have subject-level compatibility configured")]
    CompatibilityNotConfigured { subject: String },
    #[error("Subject '{subject}' does not have subject-level mode configured")]
    ModeNotConfigured { subject: String },
    #[error(
        "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", \
         details: [{}]; compatibility level: {level}", details.join(", ")
    )]
    Incompatible { subject: String, level: String, details: Vec<String> },
    #[error("Invalid schema: {reason}")]
    InvalidSchema { reason: String },
    #[error(
        "The specified version '{version}' is not a valid version id. \
         Allowed values are between [1, 2^31-1] and the string \"latest\""
    )]
    InvalidVersion { version: String },
    #[error(
        "Invalid compatibility level. Valid values are none, backward, forward, full, \
         backward_transitive, forward_transitive, and full_transitive"
    )]
    InvalidCompatibility,
    #[error("Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and IMPORT.")]
    InvalidMode,
    #[error("{reason}")]
    NotPermitted { reason: String },
    #[error("One or more references exist to the schema {{subject={subject},version={version}}}")]
    ReferenceExists { subject: String, version: u32 },
    #[error("Schema already registered with id {existing} instead of input id {given}")]
    IdDoesNotMatch { existing: u32, given: u32 },
    #[error("The specified subject '{}' is not a valid subject.", subject.escape_debug())]
    InvalidSubject { subject: String },
    #[error("The schema is too large: {reason}")]
    SchemaTooLarge { reason: String },
    #[error("There are no ids left: the highest one has been given")]
    NoIdsLeft,
}

impl Refusal {
    /// Confluent's error code; its first three digits are the HTTP status.
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::SubjectNotFound { .. } => 40401,
            Self::VersionNotFound { .. } => 40402,
            Self::SchemaNotFound | Self::IdNotFound { .. } | Self::GuidNotFound { .. } => 40403,
            Self::SubjectSoftDeleted { .. } => 40404,
            Self::SubjectNotSoftDeleted { .. } => 40405,
            Self::VersionSoftDeleted { .. } => 40406,
            Self::VersionNotSoftDeleted { .. } => 40407,
            Self::CompatibilityNotConfigured { .. } => 40408,
            Self::ModeNotConfigured { .. } => 40409,
            Self::Incompatible { .. } => 409,
            Self::InvalidSchema { .. } => 42201,
            Self::InvalidVersion { .. } => 42202,
            Self::InvalidCompatibility => 42203,
            Self::InvalidMode => 42204,
            Self::NotPermitted { .. } => 42205,
            Self::ReferenceExists { .. } => 42206,
            Self::IdDoesNotMatch { .. } => 42207,
            Self::InvalidSubject { .. } => 42208,
            Self::SchemaTooLarge { .. } => 42209,
            Self::NoIdsLeft => 50001,
        }
    }
}
