//! `/`, `/contexts` and `/v1/metadata`: about the registry itself.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{App, Problem, parameters::Parameters};

/// `GET /`: says that a registry is here.
pub(super) async fn root() -> Json<Value> {
    Json(json!({}))
}

/// `GET /contexts`.
pub(super) async fn contexts(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let contexts = state.contexts(|subject| parameters.may_read(subject));
    Ok(Json(json!(parameters.page(contexts.into_iter())?)))
}

/// `GET /v1/metadata/id`: which cluster keeps the log.
pub(super) async fn id(State(app): State<App>) -> Json<Value> {
    let kafka = app.cluster_id.get().map_or("", String::as_str);
    let clusters = json!({ "kafka-cluster": kafka, "schema-registry-cluster": "schema-registry" });
    Json(json!({ "id": "", "scope": { "path": [], "clusters": clusters } }))
}

/// `GET /v1/metadata/version`.
pub(super) async fn version() -> Json<Value> {
    Json(json!({ "version": env!("CARGO_PKG_VERSION"), "commitId": "" }))
}
