//! What the follower writes and the routes read.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use mesh_client::catalogue::Catalogue;
use mesh_client::lineage::{Event, KafkaNamespace};
use mesh_kafka::log::LogWriter;

use crate::graph::{Graph, GraphFull, Limits};
use crate::metrics;

/// The graph, shared. Clones are the same graph.
#[derive(Clone, Default)]
pub struct State {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    graph: RwLock<Graph>,
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

    /// Takes an event in.
    pub fn apply(&self, event: &Event) {
        self.change(|graph| graph.apply(event));
        metrics::event_applied();
    }

    /// Marks in the graph what the contracts declare.
    pub(crate) fn declare(&self, namespace: &KafkaNamespace, catalogue: &Catalogue) {
        let products: Vec<_> = catalogue.products().into_iter().cloned().collect();
        self.change(|graph| graph.declare(namespace, &products));
    }

    pub(crate) fn accept_events_into(&self, log: LogWriter) {
        let _ = self.shared.log.set(log);
    }

    /// Where accepted events go; none before the service has caught up.
    pub(crate) fn log(&self) -> Option<&LogWriter> {
        self.shared.log.get()
    }

    fn change(&self, change: impl FnOnce(&mut Graph) -> Result<(), GraphFull>) {
        let mut graph = self.shared.graph.write().unwrap_or_else(PoisonError::into_inner);
        if let Err(full) = change(&mut graph) {
            metrics::graph_full();
            tracing::debug!(reason = %full, "lineage is not kept whole");
        }
        metrics::graph_size(&graph);
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (datasets, jobs) = self.read(|graph| (graph.dataset_count(), graph.job_count()));
        f.debug_struct("State").field("datasets", &datasets).field("jobs", &jobs).finish_non_exhaustive()
    }
}
