//! Why the service cannot go on, or a round came to nothing.

/// Why the service cannot go on, or a round came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A client of the cluster.
    #[error("access cannot set up its client of Kafka")]
    SetUp(#[source] mesh_kafka::Error),
    /// The contracts.
    #[error("access cannot read which contracts there are")]
    ReadCatalogue(#[source] mesh_client::CatalogueError),
    /// Who is in which group.
    #[error("access cannot learn who is in which group from {directory}; all rules stay as they are")]
    AskDirectory {
        /// Which directory.
        directory: String,
        /// Why not.
        source: mesh_directory::Error,
    },
    /// Nobody at all.
    #[error("{directory} knows no member of any group, which is not believed; all rules stay as they are")]
    EmptyAnswer {
        /// Which directory.
        directory: String,
    },
    /// Kafka's rules.
    #[error("access cannot read who may do what at Kafka")]
    ReadRules(#[source] mesh_kafka::Error),
    /// A record of it.
    #[error("access cannot write down what it changes, and grants nothing that is not on record")]
    Tell(#[source] mesh_audit::TellError),
    /// A change of them.
    #[error("access cannot take back {count} rules at Kafka")]
    Revoke {
        /// How many.
        count: usize,
        /// Why not.
        source: mesh_kafka::Error,
    },
    /// A change of them.
    #[error("access cannot add {count} rules at Kafka")]
    Grant {
        /// How many.
        count: usize,
        /// Why not.
        source: mesh_kafka::Error,
    },
}

impl Error {
    /// What failed, in one word.
    pub(crate) fn stage(&self) -> &'static str {
        match self {
            Self::AskDirectory { .. } => "directory",
            Self::EmptyAnswer { .. } => "empty",
            Self::Tell(_) => "audit",
            Self::SetUp(_) | Self::ReadCatalogue(_) | Self::ReadRules(_) | Self::Revoke { .. } | Self::Grant { .. } => {
                "kafka"
            }
        }
    }
}
