//! Why the service cannot go on.

/// Why the service cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The events' topic.
    #[error("lineage cannot open mesh.lineage")]
    OpenEvents(#[source] mesh_kafka::Error),
    /// The products' topic.
    #[error("lineage cannot open mesh.products")]
    OpenProducts(#[source] mesh_kafka::Error),
    /// The cluster's id.
    #[error("lineage cannot ask the cluster for its id")]
    AskCluster(#[source] mesh_kafka::Error),
    /// The writer of accepted events.
    #[error("lineage cannot prepare to write to mesh.lineage")]
    OpenWriter(#[source] mesh_kafka::Error),
    /// The events' topic.
    #[error("lineage cannot read mesh.lineage")]
    ReadEvents(#[source] mesh_kafka::Error),
    /// The products' topic.
    #[error("lineage cannot read mesh.products")]
    ReadProducts(#[source] mesh_kafka::Error),
}

impl Error {
    /// Whether trying again may fare better: Kafka cannot be reached.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::OpenEvents(source)
            | Self::OpenProducts(source)
            | Self::AskCluster(source)
            | Self::OpenWriter(source)
            | Self::ReadEvents(source)
            | Self::ReadProducts(source) => source.is_retriable(),
        }
    }
}
