//! Webhooks on a real Kafka: told once and in order, through receivers that fail and a process that is killed.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mesh_contract::AppliedProduct;
use mesh_contract::topic::{FRESHNESS_TOPIC, PRODUCTS_TOPIC};
use mesh_freshness::webhook::{self, Retries, Target};
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::log::LogWriter;
use mesh_kafka::{OutgoingRecord, Settings};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const DEADLINE: Duration = Duration::from_secs(30);
const ID: &str = "5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a01";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A receiver that answers what it is told to, and keeps what it took.
#[derive(Clone, Default)]
struct Receiver {
    /// Answers to be given before all others.
    answers: Arc<Mutex<Vec<StatusCode>>>,
    taken: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    refused: Arc<Mutex<usize>>,
}

impl Receiver {
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/hook", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}/hook")
    }

    fn answers(&self, answers: &[StatusCode]) {
        self.answers.lock().unwrap().extend(answers.iter().rev());
    }

    fn states(&self) -> Vec<String> {
        let text = |(_, event): &(HeaderMap, Value)| event["data"]["state"].as_str().unwrap_or("gone").to_owned();
        self.taken.lock().unwrap().iter().map(text).collect()
    }

    async fn has_taken(&self, states: &[&str]) {
        eventually(&format!("{states:?} are told"), || self.states() == states, || format!("{:?}", self.states()))
            .await;
    }
}

async fn take(Shared(receiver): Shared<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let answer = receiver.answers.lock().unwrap().pop().unwrap_or(StatusCode::NO_CONTENT);
    if answer.is_success() {
        receiver.taken.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
    } else {
        *receiver.refused.lock().unwrap() += 1;
    }
    answer
}

async fn eventually(what: &str, reached: impl Fn() -> bool, found: impl Fn() -> String) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < DEADLINE, "{what}: {}", found());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct World {
    settings: Settings,
    log: LogWriter,
    targets: Vec<Target>,
}

impl World {
    async fn new(kafka: &EmbeddedKafka, urls: &BTreeMap<&str, String>) -> Self {
        let settings = kafka.settings();
        let compacted = |topic| TopicSpec::new(topic).partitions(1).config("cleanup.policy", "compact");
        let control = [PRODUCTS_TOPIC, FRESHNESS_TOPIC].map(compacted);
        Admin::new(&settings).unwrap().create_topics(&control).await.unwrap();
        let log = LogWriter::new(&settings).unwrap();
        Self { settings, log, targets: targets(urls) }
    }

    fn start(&self) -> JoinHandle<Result<(), mesh_freshness::Error>> {
        let pause = Duration::from_millis(10);
        let retries = Retries { first: pause, longest: pause, attempts: 4 };
        tokio::spawn(webhook::tell(self.targets.clone(), self.settings.clone(), retries))
    }

    /// A product's state, as whoever evaluates it would write it.
    async fn state(&self, state: &str, since_ms: i64) {
        let report = json!({
            "product": "crm.customers", "version": 1, "owner": "crm", "promise": "1 hour", "promise_seconds": 3600,
            "state": state, "since_ms": since_ms, "evaluated_at_ms": since_ms, "views": [],
        });
        self.write(FRESHNESS_TOPIC, Some(report)).await;
    }

    async fn write(&self, topic: &'static str, value: Option<Value>) {
        let record = OutgoingRecord::to(topic).key(format!("{ID}/1"));
        let record = match value {
            Some(value) => record.value(value.to_string()),
            None => record,
        };
        self.log.append(record).await.unwrap();
    }
}

fn targets(urls: &BTreeMap<&str, String>) -> Vec<Target> {
    use std::os::unix::fs::PermissionsExt;
    let entry =
        |(name, url): (&&str, &String)| json!({ "name": name, "url": url, "secrets": [SECRET], "domains": ["crm"] });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let entries: Vec<Value> = urls.iter().map(entry).collect();
    std::fs::write(file.path(), json!({ "targets": entries }).to_string()).unwrap();
    webhook::read(file.path()).unwrap()
}

fn product() -> Value {
    let contract = json!({
        "unique_id": ID, "owner": "crm", "name": "customers", "version": 1, "description": "d", "schema": "s.avsc",
        "compatibility": "backward", "refresh_rate": {"every": "1 hour", "objective": 0.995, "over": "30 days"},
        "history": "latest", "storage": ["stream"], "sensitive_columns": [], "views": {}, "access_group": [],
        "dependencies": [],
    });
    let contract = serde_json::from_value(contract).unwrap();
    serde_json::to_value(AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: json!("string") }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let (steady, moody) = (Receiver::default(), Receiver::default());
    let urls = BTreeMap::from([("steady", steady.listen().await), ("moody", moody.listen().await)]);
    let world = World::new(&kafka, &urls).await;
    world.write(PRODUCTS_TOPIC, Some(product())).await;
    let running = world.start();
    what_changes_is_told_and_signed(&world, &steady).await;
    failures_are_tried_again_and_hold_nobody_else(&world, &steady, &moody).await;
    a_receiver_that_never_answers_well_is_given_up(&world, &moody).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled(), "as by a crash");
    a_restart_tells_what_was_not_told(&world, &steady, &moody).await;
    kafka.stop().await;
}

async fn what_changes_is_told_and_signed(world: &World, steady: &Receiver) {
    world.state("fresh", 1_000).await;
    world.state("stale", 2_000).await;
    world.state("stale", 2_000).await;
    steady.has_taken(&["stale"]).await;
    let (headers, event) = steady.taken.lock().unwrap()[0].clone();
    assert_eq!(headers["content-type"], "application/cloudevents+json; charset=utf-8");
    assert_eq!(headers["webhook-id"], format!("{ID}-1-stale-2000"));
    assert_eq!((&event["id"], &event["subject"]), (&json!(format!("{ID}-1-stale-2000")), &json!("crm.customers@1")));
    assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
}

async fn failures_are_tried_again_and_hold_nobody_else(world: &World, steady: &Receiver, moody: &Receiver) {
    moody.has_taken(&["stale"]).await;
    moody.answers(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::FOUND, StatusCode::BAD_REQUEST]);
    world.state("fresh", 3_000).await;
    steady.has_taken(&["stale", "fresh"]).await;
    moody.has_taken(&["stale", "fresh"]).await;
    assert_eq!(*moody.refused.lock().unwrap(), 3);
}

async fn a_receiver_that_never_answers_well_is_given_up(world: &World, moody: &Receiver) {
    moody.answers(&[StatusCode::BAD_GATEWAY; 4]);
    world.state("stale", 4_000).await;
    eventually("it is given up", || *moody.refused.lock().unwrap() == 7, String::new).await;
    world.state("fresh", 5_000).await;
    moody.has_taken(&["stale", "fresh", "fresh"]).await;
}

async fn a_restart_tells_what_was_not_told(world: &World, steady: &Receiver, moody: &Receiver) {
    steady.has_taken(&["stale", "fresh", "stale", "fresh"]).await;
    world.state("stale", 6_000).await;
    world.state("fresh", 7_000).await;
    world.state("stale", 8_000).await;
    let running = world.start();
    for (receiver, before) in
        [(steady, vec!["stale", "fresh", "stale", "fresh"]), (moody, vec!["stale", "fresh", "fresh"])]
    {
        let all: Vec<&str> = before.into_iter().chain(["stale", "fresh", "stale"]).collect();
        receiver.has_taken(&all).await;
    }
    world.write(FRESHNESS_TOPIC, None).await;
    steady.has_taken(&["stale", "fresh", "stale", "fresh", "stale", "fresh", "stale", "gone"]).await;
    running.abort();
}
