//! Why a registry cannot run.

use mesh_client::registry::LoginError;
use mesh_runtime::ListenerError;

/// A registry cannot run, or not any longer. What a restart does not mend is here; what waiting mends is waited for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP listener.
    #[error("cannot serve the registry's HTTP")]
    Listen {
        /// What went wrong.
        #[from]
        source: ListenerError,
    },
    /// Other replicas could not be asked.
    #[error("cannot prepare to hand changes to other replicas")]
    Peers {
        /// Why.
        #[from]
        source: LoginError,
    },
    /// The log's topic cannot be created or looked at.
    #[error("cannot prepare the topic {topic} for the registry's log")]
    PrepareTopic {
        /// The topic.
        topic: String,
        /// What Kafka said.
        source: mesh_kafka::Error,
    },
    /// The log's topic would lose schemas, or their order.
    #[error("the topic {topic} cannot keep the registry's log: it has {found}, but needs {needed}")]
    UnfitTopic {
        /// The topic.
        topic: String,
        /// What it has.
        found: String,
        /// What it needs.
        needed: &'static str,
    },
    /// A part of the registry ended though nobody asked it to.
    #[error("the registry's {task} ended unexpectedly")]
    TaskEnded {
        /// Which.
        task: &'static str,
        /// Why, if it did not just return.
        source: Option<tokio::task::JoinError>,
    },
}
