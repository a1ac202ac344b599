//! A cluster with many products.

use std::time::{Duration, Instant};

use mesh_client::heartbeat::sidecar_group;
use mesh_contract::AppliedProduct;
use mesh_contract::topic::{FRESHNESS_TOPIC, HEARTBEATS_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_kafka::producer::Producer;
use mesh_kafka::{Offsets, OutgoingRecord, Settings, TopicPartition};
use serde_json::json;

/// How many products a domain has.
const PER_DOMAIN: usize = 50;
/// How many topics are made at once.
const TOPICS_AT_ONCE: usize = 100;
const DEADLINE: Duration = Duration::from_secs(120);

pub struct Bed {
    kafka: EmbeddedKafka,
    settings: Settings,
    producer: Producer,
    products: usize,
    partitions: u32,
    members: Vec<Consumer>,
}

/// The name of a product's domain.
pub fn domain(number: usize) -> String {
    format!("d{}", number / PER_DOMAIN)
}

/// A product's output port.
pub fn output(number: usize) -> String {
    format!("{}.p{number}.v1", domain(number))
}

fn input(number: usize) -> String {
    format!("{}.in", output(number))
}

impl Bed {
    /// So many products of so many partitions; so many contracts name each of them, by ids of their own.
    pub async fn start(products: usize, partitions: u32, contracts: usize) -> Self {
        let started = Instant::now();
        let kafka = EmbeddedKafka::start(Options::default()).await.unwrap();
        let settings = kafka.settings();
        let admin = Admin::new(&settings).unwrap();
        let compacted = |topic| TopicSpec::new(topic).partitions(1).config("cleanup.policy", "compact");
        admin.create_topics(&[PRODUCTS_TOPIC, HEARTBEATS_TOPIC, FRESHNESS_TOPIC].map(compacted)).await.unwrap();
        let ports = (0..products).flat_map(|number| [input(number), output(number)]);
        let specs: Vec<TopicSpec> = ports.map(|topic| TopicSpec::new(topic).partitions(partitions)).collect();
        for specs in specs.chunks(TOPICS_AT_ONCE) {
            create(&admin, specs).await;
        }
        let producer = Producer::new(&settings).unwrap();
        for id in 0..products * contracts {
            let product = product(id, id % products);
            let record = OutgoingRecord::to(PRODUCTS_TOPIC).key(product.key());
            drop(producer.send(record.value(serde_json::to_vec(&product).unwrap())).await.unwrap());
        }
        producer.flush(DEADLINE).await.unwrap();
        let mut bed = Bed { kafka, settings, producer, products, partitions, members: Vec::new() };
        for number in (0..products).step_by(PER_DOMAIN) {
            let group = sidecar_group(&domain(number));
            bed.members.push(Consumer::join(&bed.settings, &group, &input(number), Start::Beginning).unwrap());
        }
        bed.write(1).await;
        println!("set up in {:.0} s", started.elapsed().as_secs_f64());
        bed
    }

    pub fn bootstrap(&self) -> &str {
        self.settings.bootstrap()
    }

    /// Writes a record of 200 bytes to each partition of one in so many products, in and out, and commits them as their
    /// sidecars do.
    pub async fn write(&self, one_in: usize) {
        for number in (0..self.products).step_by(one_in) {
            for partition in 0..self.partitions {
                for topic in [input(number), output(number)] {
                    let record = OutgoingRecord::to(topic).partition(i32::try_from(partition).unwrap());
                    let record = record.key("k").value(vec![7; 200]);
                    drop(self.producer.send(record.header("mesh-event-time", now_ms().to_string())).await.unwrap());
                }
            }
        }
        self.producer.flush(DEADLINE).await.unwrap();
        let admin = Admin::new(&self.settings).unwrap();
        for (member, first) in self.members.iter().zip((0..self.products).step_by(PER_DOMAIN)) {
            let inputs = (first..(first + PER_DOMAIN).min(self.products)).map(input);
            let number = |partition| i32::try_from(partition).unwrap();
            let asked = inputs.flat_map(|topic| {
                (0..self.partitions).map(move |partition| TopicPartition::new(topic.clone(), number(partition)))
            });
            let ends = admin.visible_ends(asked.collect()).await.unwrap();
            let offsets: Offsets = ends.found.into_iter().map(|(at, listed)| (at, listed.offset)).collect();
            member.commit(&offsets).await.unwrap();
        }
    }

    pub async fn stop(self) {
        self.kafka.stop().await;
    }
}

/// A busy broker may not answer in time, and make the topics all the same.
async fn create(admin: &Admin, specs: &[TopicSpec]) {
    let started = Instant::now();
    while let Err(error) = admin.create_topics(specs).await {
        assert!(started.elapsed() < DEADLINE, "{error:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn product(id: usize, number: usize) -> AppliedProduct {
    let contract = json!({
        "unique_id": format!("5b1c3f0e-8a0d-4f64-9f0b-{id:012}"), "owner": domain(number), "name": format!("p{number}"),
        "version": 1, "description": "d", "schema": "s.avsc", "compatibility": "backward",
        "refresh_rate": {"every": "1 hour", "event_time": "at", "objective": 0.995, "over": "30 days"},
        "history": "latest", "storage": ["stream"], "sensitive_columns": [], "views": {}, "access_group": [],
        "dependencies": [],
    });
    let contract = serde_json::from_value(contract).unwrap();
    AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: json!("string") }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
