//! What a sidecar is run with.

use std::{fmt, sync::Arc, time::Duration};

use mesh_avro::keys::KeyRing;
use mesh_client::{lineage::HttpOptions, registry::Endpoint};
use mesh_kafka::Settings;
use mesh_runtime::Readiness;

use crate::{Duty, Error};

/// The longest that a transaction may stay open: a dead task holds readers back for that long.
pub const TRANSACTION_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// What a sidecar is run with.
#[derive(Clone)]
pub struct Config {
    /// What it does with input ports.
    pub duty: Duty,
    /// How to reach the cluster.
    pub kafka: Settings,
    /// Where the schema registry is, and how to be let in.
    pub registry: Endpoint,
    /// The domains whose products are masked; none: all.
    pub domains: Vec<String>,
    /// This process's name among the replicas of the sidecar. Two that share a name fence each other.
    pub replica: String,
    /// Threads for each domain.
    pub tasks: usize,
    /// The one setting of latency against throughput.
    pub batch: BatchLimits,
    /// How long a transaction may stay open before the cluster aborts it; at most 10 s.
    pub transaction_timeout: Duration,
    /// Where masking and quarantine keys come from.
    pub keys: Arc<dyn KeyRing>,
    /// Where this service says whether it can work.
    pub readiness: Readiness,
    /// How often lineage is reported of what moves; none: never.
    pub lineage_interval: Option<Duration>,
    /// An OpenLineage back end that is told as well as `mesh.lineage`.
    pub lineage_backend: Option<HttpOptions>,
    /// How often `mesh.audit` is told what was masked.
    pub audit_interval: Duration,
}

/// When a batch, and so a transaction, is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// At most this many records.
    pub records_max: usize,
    /// At most about this many bytes of keys and values.
    pub bytes_max: usize,
    /// How long to wait for more once there is a record. Longer: fewer, larger transactions, and as much more latency.
    pub linger: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        BatchLimits { records_max: 10_000, bytes_max: 16 << 20, linger: Duration::from_millis(5) }
    }
}

impl Config {
    /// A sidecar for all domains, one task each, with the defaults.
    #[must_use]
    pub fn new(kafka: Settings, registry: impl Into<Endpoint>, keys: Arc<dyn KeyRing>) -> Self {
        Config {
            duty: Duty::default(),
            kafka,
            registry: registry.into(),
            domains: Vec::new(),
            replica: "0".to_owned(),
            tasks: 1,
            batch: BatchLimits::default(),
            transaction_timeout: TRANSACTION_TIMEOUT_MAX,
            keys,
            readiness: Readiness::default(),
            lineage_interval: Some(Duration::from_secs(30)),
            lineage_backend: None,
            audit_interval: Duration::from_secs(60),
        }
    }

    /// Whether products of this domain are masked here.
    pub(crate) fn serves(&self, domain: &str) -> bool {
        self.domains.is_empty() || self.domains.iter().any(|served| served == domain)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let fault = |what: &str| Err(Error::Configure { what: what.to_owned() });
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.replica.is_empty() || !self.replica.chars().all(plain) {
            return fault("the replica's name must be letters, digits, `-`, `_` or `.`");
        }
        if self.tasks == 0 {
            return fault("tasks must be at least 1");
        }
        if self.batch.records_max == 0 || self.batch.bytes_max == 0 {
            return fault("a batch must hold at least one record and one byte");
        }
        if self.transaction_timeout > TRANSACTION_TIMEOUT_MAX || self.transaction_timeout < Duration::from_secs(1) {
            return fault(
                "the transaction timeout must be from 1 s to 10 s: a dead task holds readers back for so long",
            );
        }
        if self.batch.linger * 2 > self.transaction_timeout {
            return fault("a batch may not linger longer than half the transaction timeout");
        }
        Ok(())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("duty", &self.duty)
            .field("kafka", &self.kafka)
            .field("registry", &self.registry)
            .field("domains", &self.domains)
            .field("replica", &self.replica)
            .field("tasks", &self.tasks)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_avro::keys::RootKeys;

    use super::*;

    fn config() -> Config {
        let keys = RootKeys::new([(1, [7; 32].into())]).unwrap();
        Config::new(Settings::new("localhost:9092"), "http://localhost:8081", Arc::new(keys))
    }

    #[test]
    fn the_defaults_hold() {
        config().check().unwrap();
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let wrong: [fn(&mut Config); 5] = [
            |config| config.replica = "a/b".to_owned(),
            |config| config.tasks = 0,
            |config| config.batch.records_max = 0,
            |config| config.transaction_timeout = Duration::from_secs(60),
            |config| config.batch.linger = Duration::from_secs(6),
        ];
        for spoil in wrong {
            let mut config = config();
            spoil(&mut config);
            config.check().unwrap_err();
        }
    }

    #[test]
    fn no_filter_means_every_domain() {
        let mut config = config();
        assert!(config.serves("crm"));
        config.domains = vec!["web".to_owned()];
        assert!(!config.serves("crm") && config.serves("web"));
    }
}
