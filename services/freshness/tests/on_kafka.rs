//! The monitor on a real Kafka: output ports written in transactions, heartbeats, restarts.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use mesh_client::heartbeat::{beat, sidecar_group};
use mesh_contract::AppliedProduct;
use mesh_contract::topic::{FRESHNESS_TOPIC, HEARTBEATS_TOPIC, PRODUCTS_TOPIC};
use mesh_freshness::{Config, ProductReport, State, report};
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::log::{FencedLogWriter, LogWriter};
use mesh_kafka::{Offsets, OutgoingRecord, Settings, TopicPartition};
use mesh_runtime::Shutdown;
use serde_json::json;

const DEADLINE: Duration = Duration::from_secs(30);
const INPUT: &str = "crm.customers.v1.in";
const OUTPUT: &str = "crm.customers.v1";
const KEY: &str = "5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a01/1";

fn product(every: &str) -> AppliedProduct {
    let contract = json!({
        "unique_id": "5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a01", "owner": "crm", "name": "customers", "version": 1,
        "description": "d", "schema": "s.avsc", "compatibility": "backward",
        "refresh_rate": {"every": every, "event_time": "updated_at", "objective": 0.995, "over": "30 days"},
        "history": "latest", "storage": ["stream"], "sensitive_columns": [], "views": {}, "access_group": [],
        "dependencies": [],
    });
    let contract = serde_json::from_value(contract).unwrap();
    AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: json!("string") }
}

struct World {
    settings: Settings,
    admin: Admin,
    log: LogWriter,
}

impl World {
    async fn new(kafka: &EmbeddedKafka) -> Self {
        let settings = kafka.settings();
        let admin = Admin::new(&settings).unwrap();
        let compacted = |topic| TopicSpec::new(topic).partitions(1).config("cleanup.policy", "compact");
        let control = [PRODUCTS_TOPIC, HEARTBEATS_TOPIC, FRESHNESS_TOPIC].map(compacted);
        admin.create_topics(&control).await.unwrap();
        admin.create_topics(&[INPUT, OUTPUT].map(|topic| TopicSpec::new(topic).partitions(1))).await.unwrap();
        let log = LogWriter::new(&settings).unwrap();
        Self { settings, admin, log }
    }

    async fn apply(&self, product: Option<&AppliedProduct>) {
        let record = OutgoingRecord::to(PRODUCTS_TOPIC).key(KEY);
        let record = match product {
            Some(product) => record.value(serde_json::to_vec(product).unwrap()),
            None => record,
        };
        self.log.append(record).await.unwrap();
    }

    /// A record in a transaction of its own, so that the output port ends with a marker that carries the broker's time.
    async fn publish(&self, event_ms: i64) {
        let mut sidecar = FencedLogWriter::open(&self.settings, "sidecar").await.unwrap();
        let record = OutgoingRecord::to(OUTPUT).key("k").value("v").timestamp_ms(1);
        sidecar.append(record.header("mesh-event-time", event_ms.to_string())).await.unwrap();
    }

    fn start(&self) -> (Shutdown, tokio::task::JoinHandle<Result<(), mesh_freshness::Error>>) {
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let mut config = Config::new(self.settings.clone());
        (config.interval, config.publish_every) = (Duration::from_millis(100), Duration::from_millis(300));
        (shutdown.clone(), tokio::spawn(mesh_freshness::run(config, shutdown)))
    }

    /// The product's report, once it is as wanted.
    async fn eventually(&self, what: &str, wanted: impl Fn(Option<&ProductReport>) -> bool) -> Option<ProductReport> {
        let started = Instant::now();
        loop {
            let found = report::read(&self.settings).await.unwrap().remove(KEY);
            if wanted(found.as_ref()) {
                return found;
            }
            assert!(started.elapsed() < DEADLINE, "{what}: {found:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn becomes(&self, state: State) -> ProductReport {
        let what = format!("it becomes {state}");
        self.eventually(&what, |report| report.is_some_and(|report| report.state == state)).await.unwrap()
    }
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_kafka() {
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let world = World::new(&kafka).await;
    let (shutdown, running) = world.start();
    nothing_is_said_without_data(&world).await;
    event_time_is_read_behind_the_marker(&world).await;
    silence_makes_it_stale(&world).await;
    neither_history_nor_the_future_makes_it_fresh(&world).await;
    shutdown.trigger();
    running.await.unwrap().unwrap();
    let (shutdown, running) = a_restart_tells_nothing_anew(&world).await;
    a_proven_heartbeat_makes_it_fresh(&world).await;
    what_is_no_longer_applied_is_forgotten(&world).await;
    shutdown.trigger();
    running.await.unwrap().unwrap();
    kafka.stop().await;
}

async fn nothing_is_said_without_data(world: &World) {
    world.apply(Some(&product("1 hour"))).await;
    let report = world.becomes(State::Unknown).await;
    assert_eq!((report.age_seconds(), report.views[0].newest_ms), (None, None));
}

async fn event_time_is_read_behind_the_marker(world: &World) {
    let event_ms = now_ms() - 600_000;
    world.publish(event_ms).await;
    let report = world.becomes(State::Fresh).await;
    assert_eq!(report.views[0].newest_ms, Some(event_ms));
    assert!((600..660).contains(&report.age_seconds().unwrap()), "{report:?}");
    assert_eq!(report.views[0].partitions[0].end_offset, 2, "a record and its marker");
}

async fn silence_makes_it_stale(world: &World) {
    world.apply(Some(&product("5 minutes"))).await;
    let report = world.becomes(State::Stale).await;
    assert_eq!(report.promise, "5 minutes");
}

async fn neither_history_nor_the_future_makes_it_fresh(world: &World) {
    let newest_ms = world.becomes(State::Stale).await.views[0].newest_ms;
    world.publish(now_ms() - 86_400_000).await;
    world.publish(now_ms() + 86_400_000).await;
    let seen = |report: Option<&ProductReport>| report.is_some_and(|it| it.views[0].partitions[0].end_offset == 6);
    let report = world.eventually("both records are seen", seen).await.unwrap();
    assert_eq!((report.state, report.views[0].newest_ms), (State::Stale, newest_ms));
}

async fn a_restart_tells_nothing_anew(
    world: &World,
) -> (Shutdown, tokio::task::JoinHandle<Result<(), mesh_freshness::Error>>) {
    let before = world.becomes(State::Stale).await;
    let started = world.start();
    let evaluated =
        |report: Option<&ProductReport>| report.is_some_and(|it| it.evaluated_at_ms > before.evaluated_at_ms);
    let after = world.eventually("the new process evaluates", evaluated).await.unwrap();
    assert_eq!((after.state, after.since_ms), (State::Stale, before.since_ms));
    assert_eq!(after.views[0].newest_ms, before.views[0].newest_ms);
    started
}

async fn a_proven_heartbeat_makes_it_fresh(world: &World) {
    world.log.append(OutgoingRecord::to(INPUT).key("k").value("v")).await.unwrap();
    let contract = product("5 minutes").contract;
    let heartbeat = beat(&world.admin, &world.log, &contract, "crm-service").await.unwrap();
    assert_eq!(heartbeat.offsets[&0], 1);
    let later = |report: Option<&ProductReport>| report.is_some_and(|it| it.evaluated_at_ms > heartbeat.at_ms + 500);
    let unproven = world.eventually("it is evaluated after the heartbeat", later).await.unwrap();
    assert_eq!(unproven.state, State::Stale, "the sidecar has not caught up");

    let mut sidecar = Consumer::join(&world.settings, &sidecar_group("crm"), INPUT, Start::Beginning).unwrap();
    sidecar.next().await.unwrap();
    sidecar.commit(&Offsets::from([(TopicPartition::new(INPUT, 0), 1)])).await.unwrap();
    sidecar.close().await;
    let report = world.becomes(State::Fresh).await;
    assert_eq!(report.heartbeat_ms, Some(heartbeat.at_ms));
}

async fn what_is_no_longer_applied_is_forgotten(world: &World) {
    world.apply(None).await;
    world.eventually("its state goes", |report| report.is_none()).await;
}
