//! Why the service cannot go on.

use mesh_kafka::ErrorKind;

/// Why the service cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A client of the cluster.
    #[error("freshness cannot set up its client of Kafka")]
    SetUp(#[source] mesh_kafka::Error),
    /// A control topic.
    #[error("freshness cannot read {topic}")]
    ReadLog {
        /// Which.
        topic: &'static str,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
    /// Where ports end.
    #[error("freshness cannot ask where ports end")]
    AskEnds(#[source] mesh_kafka::Error),
    /// How far the sidecar has come.
    #[error("freshness cannot ask how far the sidecar {group} has come")]
    AskCommitted {
        /// Its group.
        group: String,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
    /// How many partitions there are.
    #[error("freshness cannot count the partitions of ports")]
    CountPartitions(#[source] mesh_kafka::Error),
    /// The tails of output ports.
    #[error("freshness cannot read the tails of output ports")]
    ReadTails(#[source] mesh_kafka::Error),
    /// Where consumer groups stand.
    #[error("freshness cannot ask where consumer groups stand")]
    AskGroups(#[source] mesh_kafka::Error),
    /// A product's state.
    #[error("freshness cannot write the state of {product}")]
    WriteState {
        /// Whose.
        product: String,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
    /// To be the one that writes.
    #[error("freshness cannot take over from the replica that evaluated before")]
    TakeOver(#[source] mesh_kafka::Error),
    /// A maintenance.
    #[error("cannot plan the maintenance of {target}")]
    PlanMaintenance {
        /// Whose.
        target: String,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
    /// Products' states.
    #[error("freshness cannot write the states of {products} products")]
    WriteStates {
        /// How many.
        products: usize,
        /// Why.
        #[source]
        source: mesh_kafka::Error,
    },
    /// Whose products these are.
    #[error("freshness cannot read whose products it tells of")]
    ReadCatalogue(#[source] mesh_client::catalogue::CatalogueError),
    /// A client of a webhook.
    #[error("freshness cannot set up its client of the webhook {target}")]
    SetUpWebhook {
        /// Which.
        target: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

impl Error {
    /// Whether another replica has taken over.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::WriteStates { source, .. } | Self::TakeOver(source) if source.kind() == ErrorKind::Fenced)
    }

    /// Whether the next evaluation may fare better.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::SetUp(source)
            | Self::TakeOver(source)
            | Self::AskEnds(source)
            | Self::CountPartitions(source)
            | Self::ReadTails(source)
            | Self::AskGroups(source) => source.is_retriable(),
            // a broker that has just come back may not know its partitions yet
            Self::ReadLog { source, .. } => source.is_retriable() || source.kind() == ErrorKind::UnknownTopic,
            Self::AskCommitted { source, .. }
            | Self::WriteState { source, .. }
            | Self::PlanMaintenance { source, .. }
            | Self::WriteStates { source, .. } => source.is_retriable(),
            Self::ReadCatalogue(_) | Self::SetUpWebhook { .. } => false,
        }
    }
}
