//! How long the service takes to rebuild the graph from a real Kafka when it starts, what that costs, and how much memory it takes.
//!
//! `cargo bench -p mesh-lineage --bench catch_up`; `MESH_LINEAGE_EVENTS` for another number of events than a million. They are
//! snapshots of a thousand products with three views, some 28 KB each: compressed a million of them are a few gigabytes on disk.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

mod load;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use load::{PRODUCTS, Snapshots, resident_mb, status_mb};
use mesh_contract::topic::{LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::producer::Producer;
use mesh_kafka::{OutgoingRecord, Settings};
use mesh_lineage::{Config, State};
use mesh_runtime::{Readiness, Shutdown};
use serde_json::json;

/// As many as `mesh apply` makes.
const PARTITIONS: u32 = 1;
/// How many records may be on their way.
const IN_FLIGHT_MAX: usize = 1_000;
const DEADLINE: Duration = Duration::from_secs(60 * 60);

#[tokio::main]
async fn main() {
    let events = std::env::var("MESH_LINEAGE_EVENTS").map_or(1_000_000, |text| text.parse().unwrap());
    let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
    let settings = kafka.settings();
    let topics = [LINEAGE_TOPIC, PRODUCTS_TOPIC].map(|topic| TopicSpec::new(topic).partitions(PARTITIONS));
    Admin::new(&settings).unwrap().create_topics(&topics).await.unwrap();
    let bytes = publish(&settings, events).await;
    println!("{}", catch_up(&settings, events, bytes).await);
    kafka.stop().await;
}

/// How many bytes the events have.
async fn publish(settings: &Settings, events: u64) -> u64 {
    let (producer, snapshots) = (Producer::new(settings).unwrap(), Snapshots::new());
    let (mut on_their_way, mut bytes, mut event) = (VecDeque::new(), 0, String::new());
    for index in 0..events {
        snapshots.write(index, &mut event);
        bytes += event.len() as u64;
        let record = OutgoingRecord::to(LINEAGE_TOPIC).key(format!("run:mesh/{}", index % PRODUCTS));
        on_their_way.push_back(producer.send(record.value(event.clone())).await.unwrap());
        if on_their_way.len() > IN_FLIGHT_MAX {
            on_their_way.pop_front().unwrap().await.unwrap();
        }
    }
    for delivery in on_their_way {
        delivery.await.unwrap();
    }
    bytes
}

async fn catch_up(settings: &Settings, events: u64, bytes: u64) -> serde_json::Value {
    // what was the most until now is forgotten
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (idle_mb, cpu_before, started) = (resident_mb(), cpu_seconds(), Instant::now());
    let (state, readiness) = (State::default(), Readiness::default());
    let shutdown = Shutdown::new(Duration::from_secs(5));
    let config = Config { kafka: settings.clone(), readiness: readiness.clone(), state: state.clone() };
    let running = tokio::spawn(mesh_lineage::run(config, shutdown.clone()));
    // its latch is there once it has begun
    tokio::task::yield_now().await;
    tokio::time::timeout(DEADLINE, readiness.ready()).await.unwrap();
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    let found = json!({
        "events": events, "bytes_per_event": bytes / events,
        "seconds": seconds, "cpu_seconds": cpu, "cpu_us_per_event": cpu * 1e6 / events as f64,
        "idle_mb": idle_mb, "resident_mb": resident_mb(), "peak_mb": status_mb("VmHWM:"),
        "jobs": state.read(|graph| graph.job_count()), "datasets": state.read(|graph| graph.dataset_count()),
    });
    shutdown.trigger();
    running.await.unwrap().unwrap();
    found
}

/// User and system time of this process; Kafka is another.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: f64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}
