//! Why the files of a secured Kafka could not be made.

use std::io;
use std::path::{Path, PathBuf};

/// Why the files of a secured Kafka could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SecureError {
    /// A folder or a file cannot be read or written.
    #[error("{path} cannot be read or written")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The authority's certificate is there, and its key is not.
    #[error("the authority's key {path} is gone")]
    KeyGone {
        /// Where it was.
        path: PathBuf,
    },
    /// A certificate could not be made.
    #[error("no certificate could be made")]
    Certificate {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SecureError {
    pub(super) fn folder(path: &Path, source: io::Error) -> Self {
        SecureError::Folder { path: path.into(), source }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            SecureError::Folder { .. } => "check that the folder is yours and can be written",
            SecureError::KeyGone { .. } => {
                "put it back; or remove ca.pem for a new authority, which clients do not know yet"
            }
            SecureError::Certificate { .. } => {
                "check the names of hosts, and mend or remove the folder's ca.key and ca.pem"
            }
        }
    }
}
