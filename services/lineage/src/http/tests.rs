#![allow(clippy::unwrap_used)]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use mesh_client::lineage::{Event, Job, JobRun, KafkaNamespace};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

fn state() -> State {
    let state = State::default();
    let mut run = JobRun::new(Job::mesh("masking.crm.customers.v1"), KafkaNamespace::of("k:9092"));
    run.read("crm.customers.v1.in", 0, 0, 10);
    run.wrote("crm.customers.v1", 0, 0, 10);
    state.apply(&Event::from(run.complete(Timestamp::UNIX_EPOCH)));
    state
}

async fn ask(request: Request<Body>) -> (StatusCode, Value) {
    let response = routes(state()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn read(path: &str) -> (StatusCode, Value) {
    ask(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(body: impl Into<Body>) -> (StatusCode, Value) {
    ask(Request::post("/api/v1/lineage").body(body.into()).unwrap()).await
}

#[tokio::test]
async fn the_graph_around_a_node_reads_as_marquez_writes_it() {
    let (status, mut graph) = read("/api/v1/lineage?nodeId=job:mesh:masking.crm.customers.v1&depth=1").await;
    assert_eq!(status, StatusCode::OK);
    graph["graph"][2]["data"]["latestRun"]["id"] = json!("[run]");
    insta::assert_json_snapshot!(graph);
}

#[tokio::test]
async fn everything_can_be_listed_and_looked_up() {
    let (_, namespaces) = read("/api/v1/namespaces").await;
    let names: Vec<_> = namespaces["namespaces"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["kafka://k:9092", "mesh"]);

    let datasets = read("/api/v1/namespaces/kafka:%2F%2Fk:9092/datasets?limit=1").await.1;
    assert_eq!((datasets["datasets"].as_array().unwrap().len(), &datasets["totalCount"]), (1, &json!(2)));
    let dataset = read("/api/v1/namespaces/kafka:%2F%2Fk:9092/datasets/crm.customers.v1").await.1;
    assert_eq!(dataset["name"], "crm.customers.v1");

    let jobs = read("/api/v1/namespaces/mesh/jobs").await.1;
    assert_eq!(jobs["jobs"][0]["outputs"][0]["name"], "crm.customers.v1");
    let runs = read("/api/v1/namespaces/mesh/jobs/masking.crm.customers.v1/runs").await.1;
    assert_eq!(runs["runs"][0]["state"], "COMPLETED");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for path in ["lineage?nodeId=job:mesh:none", "namespaces/mesh/jobs/none", "namespaces/mesh/datasets/none"] {
        let (status, body) = read(&format!("/api/v1/{path}")).await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!("not-found")), "{path}");
    }
}

#[tokio::test]
async fn hostile_events_are_refused_with_a_reason() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (status, body) = post(deep).await;
    assert_eq!((status, &body["code"]), (StatusCode::BAD_REQUEST, &json!("too-deep")));
    let (status, _) = post(vec![b' '; intake::EVENT_BYTES_MAX + 2]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, body) = post("{}").await;
    assert_eq!((status, &body["code"]), (StatusCode::BAD_REQUEST, &json!("malformed")));
}

#[tokio::test]
async fn no_event_is_accepted_that_could_not_be_kept() {
    let event = r#"{"eventTime":"2026-01-01T00:00:00Z","producer":"https://example.org","run":{"runId":"01890a5d-ac96-774b-bcce-b302099a8057"},
        "schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json","job":{"namespace":"n","name":"j"}}"#;
    let (status, body) = post(event).await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("starting")));
}
