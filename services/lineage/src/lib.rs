//! Collects OpenLineage events and serves the graph that they make.
//!
//! ```text
//! sidecars, clients --> mesh.lineage --follow--> Graph --routes--> GET /api/v1/lineage, namespaces, datasets, jobs
//! other systems --POST /api/v1/lineage--> intake --append--^
//! mesh.products (contracts' dependencies) --declare--> Graph
//! ```
//!
//! All state is in the topics: at start they are read to their end, and readiness opens only then. Events of others are
//! hostile until [`intake`] has looked at them, also those that lie in the topic already; the [`graph`] is bounded
//! whatever they say.

mod config;
mod error;
mod follow;
pub mod graph;
mod http;
pub mod intake;
mod metrics;
pub mod replay;
mod state;

use mesh_client::lineage::KafkaNamespace;
use mesh_kafka::log::LogWriter;
use mesh_runtime::{Latch, Shutdown};

use follow::Topics;

pub use config::Config;
pub use error::Error;
pub use graph::{Graph, Limits, ProductEdge, ProductTree, Side, TopicEdge};
pub use http::routes;
pub use intake::Refusal;
pub use state::State;

/// Follows the topics until the shutdown. [`routes`] answers from the same [`State`] meanwhile. The latch `lineage` is
/// there once this returns.
pub fn run(config: Config, shutdown: Shutdown) -> impl Future<Output = Result<(), Error>> + Send {
    let latch = config.readiness.latch("lineage");
    async move { shutdown.abandon(serve(&config, &latch)).await.unwrap_or(Ok(())) }
}

async fn serve(config: &Config, latch: &Latch) -> Result<(), Error> {
    let Config { kafka, state, .. } = config;
    let namespace = KafkaNamespace::of(kafka.bootstrap());
    let mut topics = Topics::open(kafka, latch).await?;
    latch.close("reading mesh.lineage");
    topics.catch_up(state, &namespace).await?;
    state.accept_events_into(LogWriter::new(kafka).map_err(Error::OpenWriter)?);
    latch.open();
    let (jobs, datasets) = state.read(|graph| (graph.job_count(), graph.dataset_count()));
    tracing::info!(jobs, datasets, "lineage has caught up");
    topics.follow(state, &namespace).await
}
