//! What the follower writes and the routes read.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use jiff::Timestamp;
use mesh_client::lineage::KafkaCluster;
use mesh_contract::AppliedProduct;
use mesh_kafka::log::LogWriter;

use crate::Declarations;
use crate::event::Event;
use crate::graph::{Graph, GraphFull, Limits};
use crate::metrics;
use crate::recent::Recent;

/// The graph, shared. Clones are the same graph.
#[derive(Clone, Default)]
pub struct State {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    graph: RwLock<Graph>,
    recent: RwLock<Recent>,
    products: RwLock<Vec<Arc<AppliedProduct>>>,
    log: OnceLock<LogWriter>,
}

impl State {
    /// An empty graph with these bounds.
    pub fn new(limits: Limits) -> Self {
        let shared = Shared { graph: RwLock::new(Graph::new(limits)), ..Shared::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Looks at the graph. Keep it short: the follower waits.
    pub fn read<T>(&self, look: impl FnOnce(&Graph) -> T) -> T {
        look(&self.shared.graph.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The products as they are applied now.
    pub fn products(&self) -> Vec<Arc<AppliedProduct>> {
        self.shared.products.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the newest events. Keep it short: the follower waits.
    pub(crate) fn recent<T>(&self, look: impl FnOnce(&Recent) -> T) -> T {
        look(&self.shared.recent.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes an event in that was written so.
    pub(crate) fn apply(&self, event: &Event<'_>, text: Bytes) {
        self.change(|graph| graph.apply(event));
        let now_ms = Timestamp::now().as_millisecond();
        self.shared.recent.write().unwrap_or_else(PoisonError::into_inner).note(event, text, now_ms);
        metrics::event_applied();
    }

    /// Marks in the graph what the contracts declare.
    pub(crate) fn declare(&self, cluster: &KafkaCluster, declarations: &Declarations) {
        self.change(|graph| graph.declare(cluster, &declarations.all()));
        let products = declarations.catalogue().products().into_iter().cloned().collect();
        *self.shared.products.write().unwrap_or_else(PoisonError::into_inner) = products;
    }

    /// Says that events before this instant are no longer in the topic.
    pub(crate) fn begin_at(&self, at_ms: i64) {
        self.change(|graph| {
            graph.begin_at(at_ms);
            Ok(())
        });
    }

    pub(crate) fn accept_events_into(&self, log: LogWriter) {
        let _ = self.shared.log.set(log);
    }

    /// Where accepted events go; none before the service has caught up.
    pub(crate) fn log(&self) -> Option<&LogWriter> {
        self.shared.log.get()
    }

    /// Tells the metrics how large the graph is.
    pub(crate) fn measure(&self) {
        self.read(metrics::graph_size);
    }

    fn change(&self, change: impl FnOnce(&mut Graph) -> Result<(), GraphFull>) {
        let mut graph = self.shared.graph.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(full) = change(&mut graph) {
            metrics::graph_full(full);
            tracing::debug!(reason = %full, "lineage is not kept whole");
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (datasets, jobs) = self.read(|graph| (graph.dataset_count(), graph.job_count()));
        f.debug_struct("State").field("datasets", &datasets).field("jobs", &jobs).finish_non_exhaustive()
    }
}
