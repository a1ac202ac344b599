//! Collects OpenLineage events and serves the graph that they make, now and at any past instant.
//!
//! ```text
//! sidecars, clients --> mesh.lineage --follow--> Graph --routes--> Marquez' read API, impact, proof, findings
//! other systems --POST /api/v1/lineage--> intake --append--^
//! mesh.products (contracts' dependencies) --declare--> Graph
//! ```
//!
//! All state is in the topics: at start they are read to their end, and readiness opens only then. Events of others are
//! hostile until [`intake`] has looked at them, also those that lie in the topic already; the [`graph`] is bounded
//! whatever they say.

mod config;
mod declarations;
pub mod erasure;
mod error;
pub mod event;
pub mod facet;
pub mod finding;
mod follow;
pub mod graph;
mod http;
pub mod impact;
pub mod intake;
mod metrics;
pub mod proof;
pub mod reach;
mod recent;
pub mod replay;
mod state;

use mesh_kafka::log::LogWriter;
use mesh_runtime::{Latch, Shutdown};

use follow::Topics;

pub use config::Config;
pub use declarations::Declarations;
pub use error::Error;
pub use graph::{Graph, Limits, Moment, ProductEdge, ProductTree, Side, TopicEdge};
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
    let mut topics = Topics::open(kafka, latch).await?;
    latch.close("reading mesh.lineage");
    topics.catch_up(state).await?;
    state.accept_events_into(LogWriter::new(kafka).map_err(Error::OpenWriter)?);
    latch.open();
    let (jobs, datasets) = state.read(|graph| (graph.job_count(), graph.dataset_count()));
    tracing::info!(jobs, datasets, "lineage has caught up");
    topics.follow(state).await
}
