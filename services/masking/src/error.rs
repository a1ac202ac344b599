//! Why a sidecar cannot run (on).

/// Why a sidecar cannot run (on). What passes by itself is no error: it is waited for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot work.
    #[error("cannot configure the masking sidecar: {what}")]
    Configure {
        /// Which, and why.
        what: String,
    },
    /// The cluster's settings are not usable.
    #[error("cannot set up the clients of the masking sidecar")]
    SetUp(#[source] mesh_kafka::Error),
    /// The registry's address is not usable.
    #[error("cannot use the schema registry at {url}")]
    Registry {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: mesh_client::RegistryError,
    },
    /// `mesh.products` cannot be followed.
    #[error("cannot follow the control topic mesh.products")]
    FollowCatalogue(#[source] mesh_kafka::Error),
    /// The OpenLineage back end cannot be sent to.
    #[error("cannot tell lineage to the OpenLineage back end")]
    LineageBackend(#[source] mesh_client::lineage::transport::HttpTransportError),
    /// No thread for a task.
    #[error("cannot start the thread of task {task}")]
    StartTask {
        /// The task.
        task: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A task broke; a defect.
    #[error("task {task} ended without being told to")]
    TaskEnded {
        /// The task.
        task: String,
    },
}
