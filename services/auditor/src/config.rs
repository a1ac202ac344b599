//! What the service needs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mesh_avro::keys::KeyRing;
use mesh_kafka::Settings;
use mesh_runtime::Readiness;

/// What the service needs.
#[derive(Clone)]
pub struct Config {
    /// The cluster.
    pub kafka: Settings,
    /// What its entries are sealed with, and seals are checked with; none: neither.
    pub keys: Option<Arc<dyn KeyRing>>,
    /// The log of a broker's authoriser, if denied access is to be told.
    pub authorizer_log: Option<PathBuf>,
    /// How often denials are told, and the notary's word is given, if there is anything new.
    pub interval: Duration,
    /// Where it says whether it has caught up.
    pub readiness: Readiness,
}

impl Config {
    /// Over the audit of this cluster.
    pub fn new(kafka: Settings) -> Config {
        let interval = Duration::from_secs(15);
        Config { kafka, keys: None, authorizer_log: None, interval, readiness: Readiness::default() }
    }
}
