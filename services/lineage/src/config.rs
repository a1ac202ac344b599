//! What the service is given.

use mesh_kafka::Settings;
use mesh_runtime::Readiness;

use crate::State;

/// What the service is given.
#[derive(Debug, Clone)]
pub struct Config {
    /// The cluster.
    pub kafka: Settings,
    /// The process's readiness; the service adds the latch `lineage`.
    pub readiness: Readiness,
    /// Shared with [`crate::routes`].
    pub state: State,
}
