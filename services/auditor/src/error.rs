//! Why the service cannot go on.

use std::path::PathBuf;

use mesh_audit::TellError;

/// Why the service cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The audit cannot be read.
    #[error("the auditor cannot read mesh.audit")]
    ReadAudit(#[source] mesh_kafka::Error),
    /// The audit cannot be written.
    #[error("the auditor cannot write mesh.audit")]
    Tell(#[source] TellError),
    /// The authoriser's log cannot be read.
    #[error("the auditor cannot read the authoriser's log {file}")]
    ReadLog {
        /// Which.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}
