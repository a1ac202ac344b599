//! What the service is given.

use mesh_avro::keys::KeyRing;
use mesh_directory::Directory;
use mesh_kafka::Settings;
use mesh_runtime::Readiness;
use std::sync::Arc;
use std::time::Duration;

use crate::Guard;

/// What the service is given.
#[derive(Clone)]
pub struct Config {
    /// The cluster.
    pub kafka: Settings,
    /// The process's readiness; the service adds the latch `access`.
    pub readiness: Readiness,
    /// Who is in which group.
    pub directory: Arc<dyn Directory>,
    /// How often it is asked: whoever is removed from a group reads no longer than so.
    pub interval: Duration,
    /// Which answers are not believed.
    pub guard: Guard,
    /// What seals what goes on record; none: it is not sealed.
    pub seals: Option<Arc<dyn KeyRing>>,
}

impl Config {
    /// The defaults: every minute, and the guard's own.
    pub fn new(kafka: Settings, directory: Arc<dyn Directory>) -> Self {
        let interval = Duration::from_secs(60);
        Self { kafka, readiness: Readiness::default(), directory, interval, guard: Guard::default(), seals: None }
    }
}
