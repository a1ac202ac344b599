#![allow(clippy::unwrap_used)]

use std::io::Write;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use jiff::Timestamp;
use mesh_client::lineage::facet::{Assertion, DataQualityAssertions};
use mesh_client::lineage::{Dataset, DatasetEvent, Event, Job, JobRun, KafkaNamespace};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::{graph, intake};

const INPUT: &str = "kafka://k:9092";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn take(state: &State, event: &Event) {
    let text = serde_json::to_vec(event).unwrap();
    state.apply(&intake::accept(&text).unwrap(), text.clone().into());
}

/// Customers were masked at second 10 and 20; their schema gained a column at 20, which is when page views came, too.
fn state() -> State {
    let state = State::default();
    for event in graph::tests::two_revisions() {
        take(&state, &event);
    }
    let mut run = JobRun::new(Job::mesh("masking.web.page_views.v1"), KafkaNamespace::of("k:9092"));
    run.read("web.page_views.v1.in", 0, 0, 10);
    run.wrote("web.page_views.v1", 0, 0, 10);
    take(&state, &run.complete(at(20)).into());
    state
}

async fn ask(request: Request<Body>) -> (StatusCode, Value) {
    let response = routes(state()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn read(path: &str) -> (StatusCode, Value) {
    ask(Request::get(format!("/api/v1/{path}")).body(Body::empty()).unwrap()).await
}

async fn post(path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    ask(Request::post(format!("/api/v1/{path}")).body(body.into()).unwrap()).await
}

/// What is by chance, or of the day, in the place of it.
fn plain(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (key, inner) in object.iter_mut() {
                    let is_run = key == "latestRun" && inner.is_object();
                    if is_run {
                        inner["id"] = json!("[run]");
                    }
                    walk(inner);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut value);
    value
}

#[tokio::test]
async fn the_graph_around_a_node_reads_as_marquez_writes_it() {
    let (status, graph) = read("lineage?nodeId=job:mesh:masking.crm.customers.v1&depth=1").await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_json_snapshot!(plain(graph));
}

#[tokio::test]
async fn columns_read_as_marquez_writes_them() {
    let (status, graph) =
        read("column-lineage?nodeId=datasetField:kafka://k:9092:crm.customers.v1.in:email&withDownstream=true").await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_json_snapshot!(graph);
    let of = async |id: &str| {
        let (_, graph) = read(&format!("column-lineage?nodeId={id}")).await;
        let nodes = graph["graph"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned());
        nodes.map(|id| id.replace("datasetField:kafka://k:9092:", "")).collect::<Vec<_>>()
    };
    let both = ["crm.customers.v1:email", "crm.customers.v1:id", "crm.customers.v1.in:email", "crm.customers.v1.in:id"];
    assert_eq!(of("dataset:kafka://k:9092:crm.customers.v1").await, both);
    assert_eq!(of("job:mesh:masking.crm.customers.v1").await, both);
    let downstream = read("column-lineage?nodeId=dataset:kafka://k:9092:crm.customers.v1.in").await.1;
    assert_eq!(downstream["graph"].as_array().unwrap().len(), 2, "only upstream unless told");
}

#[tokio::test]
async fn any_past_instant_can_be_asked_about() {
    let of = async |as_of: &str| {
        let (status, graph) = read(&format!("lineage?nodeId=job:mesh:masking.crm.customers.v1{as_of}")).await;
        let edge = graph["graph"][2]["inEdges"][0].clone();
        (status, edge["records"].clone(), graph["asOf"].clone(), graph["complete"].clone())
    };
    assert_eq!(of("").await, (StatusCode::OK, json!(3), Value::Null, Value::Null));
    let early = of("&asOf=1970-01-01T00:00:15Z").await;
    assert_eq!(early, (StatusCode::OK, json!(1), json!("1970-01-01T00:00:15Z"), json!(true)));
    assert_eq!(of("&asOf=1970-01-01T00:00:05Z").await.0, StatusCode::NOT_FOUND, "nobody had heard of it then");
    assert_eq!(of("&asOf=yesterday").await.0, StatusCode::BAD_REQUEST);

    let fields = async |as_of: &str| {
        let dataset = read(&format!("namespaces/kafka:%2F%2Fk:9092/datasets/crm.customers.v1{as_of}")).await.1;
        dataset["fields"].as_array().unwrap().len()
    };
    assert_eq!((fields("").await, fields("?asOf=1970-01-01T00:00:15Z").await), (2, 1));
    let all = async |as_of: &str| read(&format!("jobs{as_of}")).await.1["totalCount"].clone();
    assert_eq!((all("").await, all("?asOf=1970-01-01T00:00:15Z").await), (json!(2), json!(1)));
}

#[tokio::test]
async fn what_was_forgotten_is_told() {
    let state = state();
    state.begin_at(12_000);
    let path = "/api/v1/lineage?nodeId=job:mesh:masking.crm.customers.v1&asOf=1970-01-01T00:00:11Z";
    let request = Request::get(path).body(Body::empty()).unwrap();
    let body = routes(state).oneshot(request).await.unwrap().into_body();
    let graph: Value = serde_json::from_slice(&axum::body::to_bytes(body, 1 << 20).await.unwrap()).unwrap();
    assert_eq!((&graph["complete"], &graph["completeSince"]), (&json!(false), &json!("1970-01-01T00:00:12Z")));
}

#[tokio::test]
async fn everything_can_be_listed_and_looked_up() {
    let (_, namespaces) = read("namespaces").await;
    let names: Vec<_> = namespaces["namespaces"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, [INPUT, "mesh"]);
    assert_eq!(read("namespaces/mesh").await.1["name"], "mesh");

    let datasets = read("namespaces/kafka:%2F%2Fk:9092/datasets?limit=1").await.1;
    assert_eq!((datasets["datasets"].as_array().unwrap().len(), &datasets["totalCount"]), (1, &json!(4)));
    insta::assert_json_snapshot!(read("namespaces/kafka:%2F%2Fk:9092/datasets/crm.customers.v1").await.1);

    let jobs = read("namespaces/mesh/jobs").await.1;
    assert_eq!(jobs["jobs"][0]["outputs"][0]["name"], "crm.customers.v1");
    let runs = read("namespaces/mesh/jobs/masking.crm.customers.v1/runs").await.1;
    assert_eq!((&runs["runs"][0]["state"], &runs["totalCount"]), (&json!("COMPLETED"), &json!(1)));
    let run = read(&format!("jobs/runs/{}", runs["runs"][0]["id"].as_str().unwrap())).await.1;
    assert_eq!(run, runs["runs"][0]);
    assert_eq!(read("tags").await.1["tags"], json!([{"name": "pii.contact", "description": null}]));
}

#[tokio::test]
async fn events_are_listed_as_they_were_written() {
    let times = async |query: &str| {
        let answer = read(&format!("events/lineage{query}")).await.1;
        let events = answer["events"].as_array().unwrap().iter();
        (events.map(|event| event["eventTime"].as_str().unwrap()[17..19].parse().unwrap()).collect::<Vec<u8>>(), answer)
    };
    let (all, answer) = times("").await;
    assert_eq!((all, &answer["totalCount"], &answer["truncatedBefore"]), (vec![20, 20, 10], &json!(3), &Value::Null));
    assert!(answer["events"][0]["run"]["facets"]["processing_engine"].is_object(), "{answer}");
    let (page, answer) = times("?sortDirection=asc&limit=1&offset=1").await;
    assert_eq!((page, &answer["totalCount"]), (vec![20], &json!(3)));
    assert_eq!(times("?before=1970-01-01T00:00:20Z").await.0, [10]);
    assert_eq!(times("?after=1970-01-01T00:00:20Z&before=1970-01-01T00:00:21Z").await.0, [20, 20]);
    assert_eq!(read("events/lineage?before=now").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn statistics_are_by_the_hour_and_by_the_day() {
    let state = state();
    let now = Timestamp::now();
    let mut run = JobRun::new(Job::mesh("masking.web.sessions.v1"), KafkaNamespace::of("other:9092"));
    run.read("web.sessions.v1.in", 0, 0, 10);
    take(&state, &run.start(now).into());
    let last = async |path: &str| {
        let request = Request::get(format!("/api/v1/stats/{path}")).body(Body::empty()).unwrap();
        let response = routes(state.clone()).oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let intervals = serde_json::from_slice::<Value>(&body).unwrap();
        let intervals = intervals.as_array().unwrap();
        (intervals.len(), intervals.iter().map(|it| it["count"].as_u64().or(it["start"].as_u64()).unwrap()).max())
    };
    assert_eq!(last("jobs?period=DAY").await, (24, Some(3)));
    assert_eq!(last("datasets?period=WEEK&timezone=Europe/Berlin").await, (7, Some(5)));
    assert_eq!(last("sources?period=DAY").await, (24, Some(2)));
    assert_eq!(last("lineage-events?period=WEEK&timezone=UTC").await, (7, Some(1)));
    for path in ["stats/jobs", "stats/jobs?period=YEAR", "stats/jobs?period=WEEK&timezone=Atlantis"] {
        assert_eq!(read(path).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn what_was_tested_is_told_of_the_data_set_by_whoever_found_it() {
    let state = state();
    let mut run = JobRun::new(Job::mesh("masking.crm.customers.v1"), KafkaNamespace::of("k:9092"));
    run.read("crm.customers.v1.in", 0, 0, 10);
    run.quarantined("crm.customers.v1.in", 2);
    take(&state, &run.complete(at(30)).into());
    let fresh = DataQualityAssertions { assertions: vec![Assertion::fresh("1 hour", "fresh", true)] };
    let port = Dataset::topic(&KafkaNamespace::of("k:9092"), "crm.customers.v1.in").with(&fresh);
    take(&state, &DatasetEvent::new(at(40), port).into());
    let told = async |as_of: &str| {
        let path = format!("/api/v1/namespaces/kafka:%2F%2Fk:9092/datasets/crm.customers.v1.in{as_of}");
        let response = routes(state.clone()).oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()["facets"]["dataQualityAssertions"]["assertions"].clone()
    };
    let freshness = json!({"assertion": "freshness", "success": true, "severity": "error", "name": "refresh-rate",
        "expected": "fresh within 1 hour", "actual": "fresh"});
    let quarantine = json!({"assertion": "row_count", "success": false, "severity": "warn",
        "name": "nothing-quarantined", "expected": "0", "actual": "2", "job": "job:mesh:masking.crm.customers.v1"});
    assert_eq!(told("").await, json!([freshness, quarantine]));
    assert_eq!(told("?asOf=1970-01-01T00:00:35Z").await, json!([quarantine]));
    assert_eq!(told("?asOf=1970-01-01T00:00:25Z").await, Value::Null);
}

#[tokio::test]
async fn versions_of_a_data_set_can_be_looked_up() {
    let path = "namespaces/kafka:%2F%2Fk:9092/datasets/crm.customers.v1";
    let versions = read(&format!("{path}/versions")).await.1;
    let (newest, oldest) = (&versions["versions"][0], &versions["versions"][1]);
    assert_eq!((&versions["totalCount"], &newest["createdAt"]), (&json!(2), &json!("1970-01-01T00:00:20Z")));
    assert_eq!((newest["fields"].as_array().unwrap().len(), oldest["fields"].as_array().unwrap().len()), (2, 1));
    let id = oldest["version"].as_str().unwrap();
    assert_eq!(&read(&format!("{path}/versions/{id}")).await.1, oldest);
    assert_eq!(read(path).await.1["currentVersion"], newest["version"]);
    let versioned = format!("column-lineage?nodeId=dataset:kafka://k:9092:crm.customers.v1%23{id}");
    assert_eq!(read(&versioned).await.1["graph"].as_array().unwrap().len(), 2, "of the one column that there was");
    assert_eq!(read(&format!("{versioned}&withDownstream=true")).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_search_finds_parts_of_names() {
    let found = async |query: &str| {
        let answer = read(&format!("search?q={query}")).await.1;
        let results = answer["results"].as_array().unwrap().iter();
        results.map(|it| it["nodeId"].as_str().unwrap().replace("kafka://k:9092:", "")).collect::<Vec<_>>()
    };
    let datasets = ["dataset:web.page_views.v1", "dataset:web.page_views.v1.in"];
    assert_eq!(found("PAGE").await, ["job:mesh:masking.web.page_views.v1", datasets[0], datasets[1]]);
    assert_eq!(found("page&filter=DATASET").await, datasets);
    assert_eq!(found("page&filter=dataset&limit=1").await, datasets[..1]);
    assert_eq!(found("page&namespace=mesh&sort=update_at").await, ["job:mesh:masking.web.page_views.v1"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let id = uuid::Uuid::nil();
    for path in [
        "lineage?nodeId=job:mesh:none",
        "column-lineage?nodeId=dataset:mesh:none",
        "namespaces/none",
        "namespaces/none/datasets",
        "namespaces/mesh/jobs/none",
        "namespaces/mesh/datasets/none",
        &format!("namespaces/kafka:%2F%2Fk:9092/datasets/crm.customers.v1/versions/{id}"),
        &format!("jobs/runs/{id}"),
    ] {
        let (status, body) = read(path).await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!(404)), "{path}");
        assert!(body["message"].as_str().unwrap().ends_with(" not found."), "{body}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    for path in ["lineage", "lineage?nodeId=crm.customers", "lineage?nodeId=job:mesh:x&depth=deep", "jobs/runs/seven"] {
        let (status, body) = read(path).await;
        assert_eq!((status, &body["code"]), (StatusCode::BAD_REQUEST, &json!(400)), "{path}");
    }
}

#[tokio::test]
async fn hostile_events_are_refused_with_a_reason() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (status, body) = post("lineage", deep).await;
    assert_eq!((status, &body["reason"]), (StatusCode::BAD_REQUEST, &json!("too-deep")));
    let (status, _) = post("lineage", vec![b' '; intake::EVENT_BYTES_MAX + 2]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, body) = post("lineage", "{}").await;
    assert_eq!((status, &body["reason"]), (StatusCode::BAD_REQUEST, &json!("malformed")));
}

const EVENT: &str = r#"{"eventTime":"2026-01-01T00:00:00Z","producer":"https://example.org","run":{"runId":"01890a5d-ac96-774b-bcce-b302099a8057"},
    "schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json","job":{"namespace":"n","name":"j"}}"#;

#[tokio::test]
async fn no_event_is_accepted_that_could_not_be_kept() {
    let (status, body) = post("lineage", EVENT).await;
    assert_eq!((status, &body["reason"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("starting")));
}

#[tokio::test]
async fn a_batch_tells_which_of_its_events_failed() {
    let (status, body) = post("lineage/batch", format!("[{EVENT},{{}}]")).await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_json_snapshot!(body);
    assert_eq!(post("lineage/batch", "{}").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn compressed_events_are_bounded_as_they_were_before() {
    let send = async |plain: &[u8]| {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zip.write_all(plain).unwrap();
        let request = Request::post("/api/v1/lineage").header(header::CONTENT_ENCODING, "gzip");
        ask(request.body(zip.finish().unwrap().into()).unwrap()).await
    };
    assert_eq!(send(EVENT.as_bytes()).await.1["reason"], "starting", "it was read");
    assert_eq!(send(&vec![b' '; 100 << 20]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let request = Request::post("/api/v1/lineage").header(header::CONTENT_ENCODING, "br");
    assert_eq!(ask(request.body(EVENT.into()).unwrap()).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
