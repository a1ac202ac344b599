//! The service on a real Kafka: what jobs emit and what is posted is in the graph, also after a restart.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use mesh_client::lineage::{Emitter, Job, JobRun, KafkaNamespace, KafkaTransport};
use mesh_contract::topic::{LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::OutgoingRecord;
use mesh_kafka::Settings;
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::log::LogWriter;
use mesh_lineage::replay::replay;
use mesh_lineage::{Config, State, TopicEdge, routes};
use mesh_runtime::{Readiness, Shutdown};
use tower::ServiceExt as _;

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let settings = kafka.settings();
    let (before, shutdown, running, readiness) = start(&settings);
    assert!(!readiness.is_ready(), "without its topics it waits");
    let topics = [LINEAGE_TOPIC, PRODUCTS_TOPIC].map(|topic| TopicSpec::new(topic).partitions(1));
    Admin::new(&settings).unwrap().create_topics(&topics).await.unwrap();
    tokio::time::timeout(DEADLINE, readiness.ready()).await.unwrap();

    emit(&settings).await;
    assert_eq!(post(&before, &event("flink", "enrich")).await, StatusCode::CREATED);
    LogWriter::new(&settings).unwrap().append(OutgoingRecord::to(LINEAGE_TOPIC).value("hostile {[")).await.unwrap();
    eventually(&before, 2).await;
    shutdown.trigger();
    running.await.unwrap().unwrap();

    let (after, shutdown, running, readiness) = start(&settings);
    tokio::time::timeout(DEADLINE, readiness.ready()).await.unwrap();
    assert_eq!(after.read(|graph| graph.job_count()), 2, "the graph is there again once it is ready");
    assert_eq!(after.read(|graph| graph.now().topic_edges()), [masking()]);
    shutdown.trigger();
    running.await.unwrap().unwrap();

    let replayed = replay(&settings, true).await.unwrap();
    assert_eq!((replayed.events.len(), replayed.refused), (2, 1));
    assert_eq!(replayed.graph.now().topic_edges(), [masking()]);
    kafka.stop().await;
}

type Running = tokio::task::JoinHandle<Result<(), mesh_lineage::Error>>;

fn start(kafka: &Settings) -> (State, Shutdown, Running, Readiness) {
    let (state, readiness) = (State::default(), Readiness::default());
    let shutdown = Shutdown::new(Duration::from_secs(5));
    let config = Config { kafka: kafka.clone(), readiness: readiness.clone(), state: state.clone() };
    let running = tokio::spawn(mesh_lineage::run(config, shutdown.clone()));
    (state, shutdown, running, readiness)
}

fn masking() -> TopicEdge {
    let (from, to) = ("crm.customers.v1.in".to_owned(), "crm.customers.v1".to_owned());
    TopicEdge { from, to, job: "masking.crm.customers.v1".to_owned() }
}

async fn emit(kafka: &Settings) {
    let mut run = JobRun::new(Job::mesh("masking.crm.customers.v1"), KafkaNamespace::of(kafka.bootstrap()));
    run.read("crm.customers.v1.in", 0, 0, 10);
    run.wrote("crm.customers.v1", 0, 0, 10);
    let emitter = Emitter::spawn(KafkaTransport::new(kafka).unwrap());
    emitter.emit(run.complete(Timestamp::now()));
    assert!(emitter.flush(DEADLINE).await);
    assert_eq!((emitter.delivered(), emitter.dropped()), (1, 0));
}

fn event(namespace: &str, name: &str) -> String {
    serde_json::json!({
        "eventType": "START", "eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.org/flink",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "01890a5d-ac96-774b-bcce-b302099a8057"}, "job": {"namespace": namespace, "name": name},
    })
    .to_string()
}

async fn post(state: &State, event: &str) -> StatusCode {
    let request = Request::post("/api/v1/lineage").body(Body::from(event.to_owned())).unwrap();
    routes(state.clone()).oneshot(request).await.unwrap().status()
}

async fn eventually(state: &State, jobs: usize) {
    let started = Instant::now();
    while state.read(|graph| graph.job_count()) < jobs {
        assert!(started.elapsed() < DEADLINE, "{state:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
