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

/// For a machine that has much else to do.
const DEADLINE: Duration = Duration::from_secs(180);
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

/// A port that keeps records however old they say they are.
fn port(topic: &str) -> TopicSpec {
    TopicSpec::new(topic).partitions(1).config("retention.ms", "-1")
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
        admin.create_topics(&[INPUT, OUTPUT].map(port)).await.unwrap();
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

    /// A record goes its way: into the input port, through the sidecar, out in a transaction.
    async fn pass(&self, event_ms: i64, recorded_ms: i64) {
        let input = OutgoingRecord::to(INPUT).key("k").value("v").timestamp_ms(recorded_ms);
        let position = self.log.append(input).await.unwrap();
        // a sidecar does both in one transaction: what is seen in the output port is committed
        self.commit(&sidecar_group("crm"), INPUT, position.offset + 1).await;
        let mut sidecar = FencedLogWriter::open(&self.settings, "sidecar").await.unwrap();
        let output = OutgoingRecord::to(OUTPUT).key("k").value("v").timestamp_ms(recorded_ms);
        sidecar.append(output.header("mesh-event-time", event_ms.to_string())).await.unwrap();
    }

    async fn commit(&self, group: &str, topic: &str, offset: i64) {
        let mut member = Consumer::join(&self.settings, group, topic, Start::Beginning).unwrap();
        let assigned = async {
            while member.assignment().is_empty() {
                let _ = tokio::time::timeout(Duration::from_millis(20), member.next()).await;
            }
        };
        tokio::time::timeout(DEADLINE, assigned).await.unwrap();
        member.commit(&Offsets::from([(TopicPartition::new(topic, 0), offset)])).await.unwrap();
        member.close().await;
    }

    /// Deletes a topic and makes another of its name.
    async fn make_anew(&self, topic: &str) {
        self.admin.delete_topics(&[topic]).await.unwrap();
        let started = Instant::now();
        while let Err(error) = self.admin.create_topics(&[port(topic)]).await {
            assert!(started.elapsed() < DEADLINE, "{error:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn start(&self) -> (Shutdown, tokio::task::JoinHandle<Result<(), mesh_freshness::Error>>) {
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let mut config = Config::new(self.settings.clone());
        (config.interval, config.publish_every) = (Duration::from_millis(100), Duration::from_millis(300));
        config.subscribers_every = Duration::from_millis(200);
        (shutdown.clone(), tokio::spawn(mesh_freshness::run(config, shutdown)))
    }

    /// The product's report, once it is as wanted.
    async fn eventually(&self, what: &str, wanted: impl Fn(Option<&ProductReport>) -> bool) -> Option<ProductReport> {
        let started = Instant::now();
        loop {
            let found = report::read(&self.settings).await.map(|mut reports| reports.remove(KEY));
            match found {
                Ok(found) if wanted(found.as_ref()) => return found,
                // a broker that is back does not know every topic at once, and ends what it stopped within later still
                found => assert!(started.elapsed() < DEADLINE, "{what}: {found:#?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the input port to end there for readers of what is committed: markers follow an answered commit a little later.
    async fn settles(&self, end: i64) {
        let started = Instant::now();
        loop {
            let ends = self.admin.settled_end_offsets(&[INPUT]).await.unwrap();
            if ends.values().copied().eq([end]) {
                return;
            }
            assert!(started.elapsed() < DEADLINE, "{INPUT} ends at {ends:?}, not {end}");
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
    let data = tempfile::tempdir().unwrap();
    let options = Options { data: Some(data.path().to_owned()), ..Options::default() };
    let kafka = EmbeddedKafka::start(options.clone()).await.unwrap();
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
    a_heartbeat_of_a_producer_with_transactions_is_proven(&world).await;
    the_way_of_a_record_is_measured(&world).await;
    subscribers_are_as_far_behind_as_the_record_they_stand_before(&world).await;
    a_port_made_anew_is_another(&world).await;
    a_port_of_two_contracts_keeps_nobody_from_being_judged(&world).await;
    let kafka = a_broker_that_is_away_makes_nothing_stale_or_fresh(&world, kafka, options).await;
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

async fn a_heartbeat_of_a_producer_with_transactions_is_proven(world: &World) {
    let mut producer = FencedLogWriter::open(&world.settings, "producer").await.unwrap();
    producer.append(OutgoingRecord::to(INPUT).key("k").value("v")).await.unwrap();
    world.settles(3).await;
    let contract = product("5 minutes").contract;
    let heartbeat = beat(&world.admin, &world.log, &contract, "a-service-with-transactions").await.unwrap();
    assert_eq!(heartbeat.offsets[&0], 3);
    let later = |report: Option<&ProductReport>| report.is_some_and(|it| it.evaluated_at_ms > heartbeat.at_ms + 500);
    let unproven = world.eventually("it is evaluated after the heartbeat", later).await.unwrap();
    assert_ne!(unproven.heartbeat_ms, Some(heartbeat.at_ms), "a record waits before the marker");

    world.commit(&sidecar_group("crm"), INPUT, 2).await;
    let proven = |report: Option<&ProductReport>| report.is_some_and(|it| it.heartbeat_ms == Some(heartbeat.at_ms));
    world.eventually("nothing but the marker is left", proven).await;
}

async fn the_way_of_a_record_is_measured(world: &World) {
    let recorded_ms = now_ms();
    world.pass(recorded_ms - 5_000, recorded_ms).await;
    let sampled = |report: Option<&ProductReport>| {
        let view = report.map(|report| &report.views[0]);
        view.is_some_and(|view| view.newest_ms == Some(recorded_ms - 5_000) && view.delivery_delay_ms.is_some())
    };
    let report = world.eventually("its delays are measured", sampled).await.unwrap();
    let view = &report.views[0];
    let took_ms = now_ms() - recorded_ms;
    assert!((5_000..5_000 + took_ms).contains(&view.source_delay_ms.unwrap()), "{report:#?}");
    assert!((0..=took_ms).contains(&view.delivery_delay_ms.unwrap()), "{report:#?}");

    // two years old, written now: no delay of two years, since the port was seen to grow only now
    world.pass(1, recorded_ms - 63_072_000_000).await;
    let end_offset = view.partitions[0].end_offset + 2;
    let seen =
        |report: Option<&ProductReport>| report.is_some_and(|it| it.views[0].partitions[0].end_offset == end_offset);
    let report = world.eventually("back-dated history is seen", seen).await.unwrap();
    let took_ms = now_ms() - recorded_ms;
    assert_eq!(report.views[0].newest_ms, Some(recorded_ms - 5_000), "it makes nothing older");
    assert!(report.views[0].delivery_delay_ms.unwrap() <= took_ms, "{report:#?}");
}

async fn subscribers_are_as_far_behind_as_the_record_they_stand_before(world: &World) {
    let end = world.admin.settled_end_offsets(&[OUTPUT]).await.unwrap()[&TopicPartition::new(OUTPUT, 0)];
    let stands = |report: Option<&ProductReport>| report?.views[0].subscribers.first().cloned();
    world.commit("bi", OUTPUT, end - 2).await;
    let behind = |report: Option<&ProductReport>| stands(report).is_some_and(|it| it.stands_before_ms.is_some());
    let report = world.eventually("a subscriber is behind", behind).await;
    let subscriber = stands(report.as_ref()).unwrap();
    assert_eq!((subscriber.group.as_str(), subscriber.offsets_behind), ("bi", 2), "a record and its marker");
    let lag_ms = subscriber.lag_ms(now_ms());
    assert!((0..120_000).contains(&lag_ms), "the record became visible just now, however old it says it is: {lag_ms}");

    world.commit("bi", OUTPUT, end - 1).await;
    let caught_up = |report: Option<&ProductReport>| stands(report).is_some_and(|it| it.offsets_behind == 0);
    let report = world.eventually("only a marker is left", caught_up).await;
    assert_eq!(stands(report.as_ref()).unwrap().stands_before_ms, None);
}

/// Output and input ports are deleted and made anew while they are looked at: nothing of what they held counts for what they hold.
async fn a_port_made_anew_is_another(world: &World) {
    let newest_ms = |report: Option<&ProductReport>| report.and_then(|it| it.views[0].newest_ms);
    let known = world.eventually("something is known", |report| newest_ms(report).is_some()).await;
    world.make_anew(OUTPUT).await;
    let event_ms = newest_ms(known.as_ref()).unwrap() - 60_000;
    world.publish(event_ms).await;
    let anew = |report: Option<&ProductReport>| newest_ms(report) == Some(event_ms);
    let report = world.eventually("what the other port holds counts", anew).await.unwrap();
    assert_eq!(report.views[0].partitions[0].end_offset, 2, "{report:#?}");

    world.make_anew(INPUT).await;
    let ends_at = |report: Option<&ProductReport>, end| report.is_some_and(|it| it.input[0].end_offset == end);
    world.eventually("the other input port is empty", |report| ends_at(report, 0)).await;
    let contract = product("5 minutes").contract;
    let heartbeat = beat(&world.admin, &world.log, &contract, "crm-service").await.unwrap();
    assert_eq!(heartbeat.offsets[&0], 0);
    let proven = |report: Option<&ProductReport>| report.is_some_and(|it| it.heartbeat_ms == Some(heartbeat.at_ms));
    world.eventually("a heartbeat of the other port counts", proven).await;
}

/// Someone gave the product another id, and the contract of before was never taken back.
async fn a_port_of_two_contracts_keeps_nobody_from_being_judged(world: &World) {
    const OTHER: &str = "5b1c3f0e-8a0d-4f64-9f0b-6d2f3c8f1a02/1";
    let mut other = product("1 hour");
    other.contract.unique_id = OTHER.trim_end_matches("/1").parse().unwrap();
    let contract = OutgoingRecord::to(PRODUCTS_TOPIC).key(OTHER);
    world.log.append(contract.value(serde_json::to_vec(&other).unwrap())).await.unwrap();
    let event_ms = now_ms();
    world.publish(event_ms).await;
    let started = Instant::now();
    loop {
        let reports = report::read(&world.settings).await.unwrap();
        let newest_ms = [KEY, OTHER].map(|key| reports.get(key).and_then(|report| report.views[0].newest_ms));
        if newest_ms == [Some(event_ms); 2] {
            break;
        }
        assert!(started.elapsed() < DEADLINE, "{reports:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.log.append(OutgoingRecord::to(PRODUCTS_TOPIC).key(OTHER)).await.unwrap();
}

async fn a_broker_that_is_away_makes_nothing_stale_or_fresh(
    world: &World,
    kafka: EmbeddedKafka,
    options: Options,
) -> EmbeddedKafka {
    world.apply(Some(&product("1 hour"))).await;
    let before = world.becomes(State::Fresh).await;
    let port = world.settings.bootstrap().rsplit_once(':').unwrap().1.parse().unwrap();
    kafka.stop().await;
    let kafka = EmbeddedKafka::start(Options { port: Some(port), ..options }).await.unwrap();
    let since_ms = now_ms();
    let again = |report: Option<&ProductReport>| report.is_some_and(|it| it.evaluated_at_ms > since_ms);
    let after = world.eventually("it is looked at again", again).await.unwrap();
    assert_eq!((after.state, after.since_ms), (State::Fresh, before.since_ms), "nobody was told anything");
    assert_eq!(after.views[0].newest_ms, before.views[0].newest_ms);
    assert!(after.looked_at_ms > before.looked_at_ms);
    kafka
}

async fn what_is_no_longer_applied_is_forgotten(world: &World) {
    world.apply(None).await;
    world.eventually("its state goes", |report| report.is_none()).await;
}
