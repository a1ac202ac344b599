//! What the service is given.

use std::time::Duration;

use mesh_kafka::Settings;
use mesh_runtime::Readiness;

use crate::webhook::{Retries, Target};

/// What the service is given.
#[derive(Debug, Clone)]
pub struct Config {
    /// The cluster.
    pub kafka: Settings,
    /// The process's readiness; the service adds the latch `freshness`.
    pub readiness: Readiness,
    /// How often every product is evaluated: a breach is seen within one interval.
    pub interval: Duration,
    /// How often a product's state is written though nothing changed.
    pub publish_every: Duration,
    /// How often consumer groups are asked how far they have read output ports.
    pub subscribers_every: Duration,
    /// For how long a product must have been fresh again for its page to end, though its budget still burns.
    pub page_settles_after: Duration,
    /// How far ahead of this clock an event may claim to be; it counts as now. Further ahead, its record's own timestamp
    /// counts instead, and if that is ahead, too, the event says nothing.
    pub future_tolerance: Duration,
    /// Who is told of changes over HTTP.
    pub webhooks: Vec<Target>,
    /// How often telling them is tried.
    pub retries: Retries,
    /// Whether `mesh.lineage` is told when an output port becomes fresh or stale.
    pub tells_lineage: bool,
}

impl Config {
    /// The defaults: every 10 s, written every 30 s, a minute of tolerance, lineage not told.
    pub fn new(kafka: Settings) -> Self {
        Self {
            kafka,
            readiness: Readiness::default(),
            interval: Duration::from_secs(10),
            publish_every: Duration::from_secs(30),
            subscribers_every: Duration::from_secs(60),
            page_settles_after: Duration::from_secs(300),
            future_tolerance: Duration::from_secs(60),
            webhooks: Vec::new(),
            retries: Retries::default(),
            tells_lineage: false,
        }
    }
}
