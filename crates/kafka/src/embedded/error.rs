//! Why an embedded Kafka did not start.

use std::io;
use std::path::{Path, PathBuf};

use crate::secure::SecureError;

/// Why an embedded Kafka did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no `java`.
    #[error("java was not found, which the embedded Kafka runs on")]
    JavaMissing,
    /// Java is older than 17.
    #[error("java {found} is too old for the embedded Kafka, which needs 17 or later")]
    JavaTooOld {
        /// The version that was found.
        found: String,
    },
    /// There is no `mvn`.
    #[error("mvn (Apache Maven) was not found, which fetches the embedded Kafka")]
    MavenMissing,
    /// Maven could not fetch the jars.
    #[error("the embedded Kafka's jars could not be fetched: {said}")]
    FetchJars {
        /// What Maven said.
        said: String,
    },
    /// The port that was asked for is taken.
    #[error("port {port} is taken")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// No port could be bound.
    #[error("no port could be bound on loopback")]
    NoPort {
        /// Why.
        source: io::Error,
    },
    /// A folder cannot be made or written.
    #[error("{path} cannot be written")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no room left.
    #[error("no space is left in {path}")]
    DiskFull {
        /// The folder.
        path: PathBuf,
    },
    /// Another Kafka uses the data folder.
    #[error("data folder {path} is in use by another Kafka")]
    DataInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The data folder belongs to a secured Kafka, which is not to be opened to everybody.
    #[error("data folder {path} is a secured Kafka's")]
    Secured {
        /// The folder.
        path: PathBuf,
    },
    /// The data folder belongs to a Kafka that is not secured.
    #[error("data folder {path} is of a Kafka that is not secured")]
    NotSecured {
        /// The folder.
        path: PathBuf,
    },
    /// A certificate could not be made.
    #[error("no certificate could be made for the embedded Kafka")]
    Certificate {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A user could not be made known to Kafka.
    #[error("user {user} could not be added to the embedded Kafka")]
    AddUser {
        /// The user's name.
        user: String,
        /// Why.
        source: crate::Error,
    },
    /// A process could not be started.
    #[error("{program} could not be started")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// This process is ending itself.
    #[error("the start of the embedded Kafka was interrupted")]
    Interrupted,
    /// Kafka ended by itself.
    #[error("the embedded Kafka ended ({status}); its log in {log} ends with:\n{tail}")]
    Ended {
        /// How the process ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of it that matter.
        tail: String,
    },
    /// Kafka did not answer.
    #[error("the embedded Kafka did not answer within {seconds} s; its log in {log} ends with:\n{tail}")]
    NoAnswer {
        /// How long it had.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The last lines of it that matter.
        tail: String,
    },
}

impl From<SecureError> for EmbeddedError {
    fn from(error: SecureError) -> Self {
        match error {
            SecureError::Folder { path, source } => EmbeddedError::folder(&path, source),
            gone @ SecureError::KeyGone { .. } => EmbeddedError::Certificate { source: Box::new(gone) },
            SecureError::Certificate { source } => EmbeddedError::Certificate { source },
        }
    }
}

impl EmbeddedError {
    pub(super) fn folder(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => EmbeddedError::DiskFull { path: path.into() },
            _ => EmbeddedError::Folder { path: path.into(), source },
        }
    }

    pub(super) fn interrupted(failed: tokio::task::JoinError) -> Self {
        match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => EmbeddedError::Interrupted,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            EmbeddedError::JavaMissing | EmbeddedError::JavaTooOld { .. } => {
                "install a JDK 17 or later (Debian: apt install openjdk-17-jre-headless), or set JAVA_HOME; \
                 or use an existing cluster with --bootstrap-servers"
            }
            EmbeddedError::MavenMissing => {
                "install Apache Maven (Debian: apt install maven); or use an existing cluster with --bootstrap-servers"
            }
            EmbeddedError::FetchJars { .. } => {
                "check the network and Maven's settings (~/.m2/settings.xml), then try again; \
                 or use an existing cluster with --bootstrap-servers"
            }
            EmbeddedError::NoPort { .. } => "check that the loopback interface is up and sockets may be opened",
            EmbeddedError::Interrupted => "try again",
            EmbeddedError::PortTaken { .. } => "choose another port with --kafka-port, or none for a free one",
            EmbeddedError::Folder { .. } => "check that the folder can be written, or choose another with --data",
            EmbeddedError::DiskFull { .. } => "make room, or choose a folder on another disk with --data",
            EmbeddedError::DataInUse { .. } => "stop the other one, or choose another folder with --data",
            EmbeddedError::Secured { .. } => "start it secured (--secure), or choose another folder with --data",
            EmbeddedError::NotSecured { .. } => "choose another folder with --data for a secured one",
            EmbeddedError::Certificate { .. } => {
                "mend or remove ca.key and ca.pem in the folder secure of the data folder"
            }
            EmbeddedError::AddUser { .. } => "a user's name is letters, digits, `.`, `_` and `-`",
            EmbeddedError::Spawn { .. } => "check that the program can be run",
            EmbeddedError::Ended { .. } | EmbeddedError::NoAnswer { .. } => {
                "read the log; if the data folder is damaged, move it away and start anew"
            }
        }
    }
}
