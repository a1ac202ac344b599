//! The steady load: records of every product, round and round, until told to stop.

use crate::workload::{DOMAIN, PRODUCTS, SCHEMAS, record};
use mesh_kafka::Settings;
use mesh_kafka::producer::Producer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

const TICK: Duration = Duration::from_millis(20);
/// How long what was sent may take to be stored at the end.
const FLUSH_DEADLINE: Duration = Duration::from_secs(60);

/// A product's input port.
pub fn input(product: &str) -> String {
    format!("{DOMAIN}.{product}.v1.in")
}

/// The ids of a product's schemas, by version.
pub type SchemaIds = [u32; SCHEMAS];

/// A running load.
pub struct Load {
    stop: Arc<AtomicBool>,
    version: Arc<AtomicUsize>,
    task: JoinHandle<u64>,
}

impl Load {
    /// Starts to send so many records a second to each product.
    pub fn start(settings: &Settings, ids: [SchemaIds; PRODUCTS.len()], per_second: u64) -> Self {
        let (stop, version) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let producer = Producer::new(settings).expect("the settings are right");
        let task = tokio::spawn(send(producer, ids, per_second, stop.clone(), version.clone()));
        Self { stop, version, task }
    }

    /// Writes with the next schema from now on; false if there is none.
    pub fn evolve(&self) -> bool {
        let next = |version| (version + 1 < SCHEMAS).then_some(version + 1);
        self.version.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// Stops, waits until everything is stored, and says how many records each product was sent.
    pub async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("the load does not panic")
    }
}

async fn send(
    producer: Producer,
    ids: [SchemaIds; PRODUCTS.len()],
    per_second: u64,
    stop: Arc<AtomicBool>,
    version: Arc<AtomicUsize>,
) -> u64 {
    let inputs = PRODUCTS.map(input);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let per_tick = per_second * TICK.as_millis() as u64 / 1000;
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let version = version.load(Ordering::Relaxed);
        for number in number..number + per_tick {
            for (input, ids) in inputs.iter().zip(&ids) {
                let delivery = producer.send(record(input, number, version, ids[version])).await;
                // whether it was stored is seen in the input port
                drop(delivery.expect("the producer takes it"));
            }
        }
        number += per_tick;
    }
    producer.flush(FLUSH_DEADLINE).await.expect("Kafka is there, and takes what was sent");
    number
}
