//! How a registry is set up.

use std::{fmt, sync::Arc, time::Duration};

use mesh_avro::keys::KeyRing;
use mesh_client::registry::Login;
use mesh_kafka::Settings;
use mesh_runtime::{Readiness, Tls, access::Access};

use crate::Rules;

/// The topic that Confluent's registry uses, too.
pub const DEFAULT_TOPIC: &str = "_schemas";

/// How a registry is set up.
#[derive(Clone)]
pub struct Config {
    /// Where to serve HTTP, as `host:port`; port 0 takes a free one.
    pub listen: String,
    /// Where other replicas reach this one, as `http://host:port` or `https://host:port`; unset: where it listens, if that is one address.
    pub advertise: Option<String>,
    /// The certificate that is served with; unset: plain HTTP.
    pub tls: Option<Tls>,
    /// Who may read and write which subjects.
    pub access: Access,
    /// How this replica is let in by the others, to which it hands changes. They have to let it write everything: whether
    /// the client may is decided here.
    pub peers: Login,
    /// The cluster that keeps the log.
    pub kafka: Settings,
    /// The compacted topic that is the log.
    pub topic: String,
    /// The topic's replicas where it has to be created; unset: the cluster's default.
    pub replication: Option<u16>,
    /// Gets the latch `registry`, which opens when the log has been read to its end.
    pub readiness: Readiness,
    /// How long a client waits for a write before it is told that it timed out.
    pub write_timeout: Duration,
    /// The largest request body that is read.
    pub body_bytes_max: usize,
    /// What is asked of the schemas of products.
    pub rules: Rules,
    /// What seals what goes on record; none: it is not sealed.
    pub seals: Option<Arc<dyn KeyRing>>,
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("listen", &self.listen)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// A registry on a cluster, with everything else as it usually is.
    #[must_use]
    pub fn new(listen: impl Into<String>, kafka: Settings) -> Self {
        Self {
            listen: listen.into(),
            advertise: None,
            tls: None,
            access: Access::unrestricted(),
            peers: Login::default(),
            kafka,
            topic: DEFAULT_TOPIC.to_owned(),
            replication: None,
            readiness: Readiness::default(),
            write_timeout: Duration::from_secs(15),
            body_bytes_max: 1024 * 1024,
            rules: Rules::default(),
            seals: None,
        }
    }
}
