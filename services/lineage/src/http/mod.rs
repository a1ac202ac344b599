//! The API, after Marquez' read API.

mod render;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use mesh_contract::topic::LINEAGE_TOPIC;
use mesh_kafka::OutgoingRecord;
use serde::Deserialize;
use serde_json::json;

use crate::{Refusal, State, graph, intake, metrics};

/// How many hops are walked at most.
const DEPTH_MAX: usize = 100;
/// How many nodes are answered at most.
const NODES_MAX: usize = 10_000;
/// How many things a page lists unless told.
const PAGE: usize = 100;

/// The API of a graph.
pub fn routes(state: State) -> Router {
    Router::new()
        .route("/api/v1/lineage", get(lineage).post(accept))
        .route("/api/v1/namespaces", get(namespaces))
        .route("/api/v1/namespaces/{namespace}/datasets", get(datasets))
        .route("/api/v1/namespaces/{namespace}/datasets/{name}", get(dataset))
        .route("/api/v1/namespaces/{namespace}/jobs", get(jobs))
        .route("/api/v1/namespaces/{namespace}/jobs/{name}", get(job))
        .route("/api/v1/namespaces/{namespace}/jobs/{name}/runs", get(runs))
        .layer(DefaultBodyLimit::max(intake::EVENT_BYTES_MAX + 1))
        .with_state(state)
}

#[derive(Deserialize)]
struct LineageQuery {
    #[serde(rename = "nodeId")]
    node_id: String,
    #[serde(default = "default_depth")]
    depth: usize,
}

fn default_depth() -> usize {
    20
}

#[derive(Deserialize)]
struct Page {
    #[serde(default = "default_limit")]
    limit: usize,
    #[serde(default)]
    offset: usize,
}

fn default_limit() -> usize {
    PAGE
}

async fn lineage(Extract(state): Extract<State>, Query(query): Query<LineageQuery>) -> Response {
    let depth = query.depth.min(DEPTH_MAX);
    let answer = state.read(|graph| {
        let found = graph.neighbourhood(&query.node_id, depth, NODES_MAX)?;
        Some(json!({ "graph": render::nodes(graph, &found), "truncated": found.truncated }))
    });
    answer.map_or_else(|| not_found("node"), |answer| Json(answer).into_response())
}

/// Accepts an event of another system: it is answered once it is safe in the topic.
async fn accept(Extract(state): Extract<State>, body: Bytes) -> Response {
    let event = match intake::accept(&body) {
        Ok(event) => event,
        Err(refusal) => return refuse(&refusal),
    };
    let Some(log) = state.log() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "starting", "lineage is catching up, try again in a moment");
    };
    match log.append(OutgoingRecord::to(LINEAGE_TOPIC).key(event.key()).value(body)).await {
        Ok(_) => StatusCode::CREATED.into_response(),
        Err(error) => {
            tracing::warn!(%error, "an accepted lineage event was not written");
            problem(StatusCode::SERVICE_UNAVAILABLE, "not-written", "the event could not be written, try again")
        }
    }
}

fn refuse(refusal: &Refusal) -> Response {
    metrics::event_refused(refusal);
    let status = match refusal {
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Malformed { .. } | Refusal::TooDeep => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    problem(status, refusal.code(), &refusal.to_string())
}

async fn namespaces(Extract(state): Extract<State>) -> Response {
    Json(json!({ "namespaces": state.read(render::namespaces) })).into_response()
}

async fn datasets(Extract(state): Extract<State>, Path(namespace): Path<String>, Query(page): Query<Page>) -> Response {
    let found = state.read(|graph| {
        let datasets: Vec<_> = graph.datasets().filter(|(_, node)| node.namespace == namespace).collect();
        let shown = datasets.iter().skip(page.offset).take(page.limit.min(NODES_MAX));
        json!({ "datasets": shown.map(|(_, node)| render::dataset(node)).collect::<Vec<_>>(), "totalCount": datasets.len() })
    });
    Json(found).into_response()
}

async fn dataset(Extract(state): Extract<State>, Path((namespace, name)): Path<(String, String)>) -> Response {
    let found = state.read(|graph| graph.dataset(&graph::dataset_id(&namespace, &name)).map(render::dataset));
    found.map_or_else(|| not_found("data set"), |found| Json(found).into_response())
}

async fn jobs(Extract(state): Extract<State>, Path(namespace): Path<String>, Query(page): Query<Page>) -> Response {
    let found = state.read(|graph| {
        let jobs: Vec<_> = graph.jobs().filter(|(_, node)| node.namespace == namespace).collect();
        let shown = jobs.iter().skip(page.offset).take(page.limit.min(NODES_MAX));
        json!({ "jobs": shown.map(|(_, node)| render::job(graph, node)).collect::<Vec<_>>(), "totalCount": jobs.len() })
    });
    Json(found).into_response()
}

async fn job(Extract(state): Extract<State>, Path((namespace, name)): Path<(String, String)>) -> Response {
    let id = graph::job_id(&namespace, &name);
    let found = state.read(|graph| graph.job(&id).map(|node| render::job(graph, node)));
    found.map_or_else(|| not_found("job"), |found| Json(found).into_response())
}

async fn runs(Extract(state): Extract<State>, Path((namespace, name)): Path<(String, String)>) -> Response {
    let id = graph::job_id(&namespace, &name);
    let found = state.read(|graph| graph.job(&id).map(render::runs));
    found.map_or_else(|| not_found("job"), |runs| Json(json!({ "runs": runs })).into_response())
}

fn not_found(what: &str) -> Response {
    problem(StatusCode::NOT_FOUND, "not-found", &format!("no such {what} in the lineage graph"))
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

#[cfg(test)]
mod tests;
