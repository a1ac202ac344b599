//! The API: OpenLineage's way in, and Marquez' read API. What is more than Marquez has is `asOf` everywhere, and
//! `declared`, counts and times on edges.

mod accept;
mod around;
mod asked;
mod events;
mod listing;
mod problem;
mod render;
mod stats;
#[cfg(test)]
mod tests;
mod uses;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::State;
use crate::intake::EVENT_BYTES_MAX;

/// The API of a graph.
pub fn routes(state: State) -> Router {
    let events =
        Router::new().route("/api/v1/lineage", post(accept::event)).layer(DefaultBodyLimit::max(EVENT_BYTES_MAX + 1));
    let batches = Router::new()
        .route("/api/v1/lineage/batch", post(accept::batch))
        .layer(DefaultBodyLimit::max(accept::BATCH_BYTES_MAX + 1));
    Router::new()
        .route("/api/v1/lineage", get(around::lineage))
        .route("/api/v1/events/lineage", get(events::events))
        .route("/api/v1/stats/lineage-events", get(stats::lineage_events))
        .route("/api/v1/stats/jobs", get(stats::jobs))
        .route("/api/v1/stats/datasets", get(stats::datasets))
        .route("/api/v1/stats/sources", get(stats::sources))
        .route("/api/v1/column-lineage", get(around::column_lineage))
        .route("/api/v1/namespaces", get(listing::namespaces))
        .route("/api/v1/namespaces/{namespace}", get(listing::namespace))
        .route("/api/v1/namespaces/{namespace}/datasets", get(listing::datasets))
        .route("/api/v1/namespaces/{namespace}/datasets/{name}", get(listing::dataset))
        .route("/api/v1/namespaces/{namespace}/datasets/{name}/versions", get(listing::versions))
        .route("/api/v1/namespaces/{namespace}/datasets/{name}/versions/{version}", get(listing::version))
        .route("/api/v1/namespaces/{namespace}/jobs", get(listing::jobs))
        .route("/api/v1/namespaces/{namespace}/jobs/{name}", get(listing::job))
        .route("/api/v1/namespaces/{namespace}/jobs/{name}/runs", get(listing::runs))
        .route("/api/v1/jobs", get(listing::all_jobs))
        .route("/api/v1/jobs/runs/{id}", get(listing::run))
        .route("/api/v1/tags", get(listing::tags))
        .route("/api/v1/search", get(listing::search))
        .route("/api/v1/mesh/findings", get(uses::differing))
        .route("/api/v1/mesh/impact", get(uses::impact))
        .route("/api/v1/mesh/proof", get(uses::proof))
        .merge(events)
        .merge(batches)
        .with_state(state)
}
