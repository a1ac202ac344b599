//! A Kafka, a registry, a product and a sidecar, for tests.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_avro::keys::{KeyRing, RootKeys};
use mesh_contract::{AppliedProduct, Contract, parse_contract, topic::PRODUCTS_TOPIC, value_subject};
use mesh_kafka::{
    OutgoingRecord, Record, Settings,
    admin::{Admin, TopicSpec},
    embedded::{EmbeddedKafka, Options},
    log::{LogReader, LogWriter},
    producer::Producer,
};
use mesh_masking::Config;
use mesh_registry::Registry;
use mesh_runtime::{Readiness, Shutdown};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub const DEADLINE: Duration = Duration::from_secs(60);
pub const PARTITIONS: i32 = 3;

/// The cluster and the registry that everything stands on.
pub struct Bed {
    kafka: EmbeddedKafka,
    pub settings: Settings,
    pub registry_url: String,
    pub http: reqwest::Client,
    pub producer: Producer,
}

impl Bed {
    pub async fn start() -> Self {
        Self::start_on(EmbeddedKafka::start(Options::default()).await.unwrap()).await
    }

    pub async fn start_on(kafka: EmbeddedKafka) -> Self {
        let settings = kafka.settings();
        let config = mesh_registry::Config::new("127.0.0.1:0", settings.clone());
        let readiness = config.readiness.clone();
        let registry = Registry::bind(config).await.unwrap();
        let registry_url = format!("http://{}", registry.address());
        tokio::spawn(registry.serve(Shutdown::new(Duration::from_secs(1))));
        tokio::time::timeout(DEADLINE, readiness.ready()).await.unwrap();
        let products = TopicSpec::new(PRODUCTS_TOPIC).partitions(1).config("cleanup.policy", "compact");
        let lineage = TopicSpec::new("mesh.lineage").partitions(1);
        Admin::new(&settings).unwrap().create_topics(&[products, lineage]).await.unwrap();
        let producer = Producer::new(&settings).unwrap();
        Bed { kafka, settings, registry_url, http: reqwest::Client::new(), producer }
    }

    pub async fn stop(self) {
        self.kafka.stop().await;
    }

    /// Stops the broker, and starts it again on the same data and port.
    pub async fn restart_broker(self, options: Options) -> Self {
        self.kafka.stop().await;
        Bed { kafka: EmbeddedKafka::start(options).await.unwrap(), ..self }
    }

    pub async fn register(&self, subject: &str, schema: &Value) -> u32 {
        let url = format!("{}/subjects/{subject}/versions", self.registry_url);
        let answer = self.http.post(url).json(&json!({ "schema": schema.to_string() })).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        u32::try_from(body["id"].as_u64().unwrap_or_else(|| panic!("{body}"))).unwrap()
    }

    pub async fn create(&self, topics: impl IntoIterator<Item = String>, config: &[(&str, &str)]) {
        let specs = topics.into_iter().map(|topic| {
            config.iter().fold(TopicSpec::new(topic).partitions(PARTITIONS as u32), |spec, (k, v)| spec.config(*k, *v))
        });
        Admin::new(&self.settings).unwrap().create_topics(&specs.collect::<Vec<_>>()).await.unwrap();
    }

    /// Creates a product's topics, registers its schema and applies it as revision 1.
    pub async fn product(&self, name: &str) -> Product {
        let product = Product::new(name);
        self.create(product.contract(HASH).topics().all().map(str::to_owned), &[]).await;
        self.apply(&product, HASH, 1).await;
        let id = self.register(&product.subject(), &schema()).await;
        Product { id, ..product }
    }

    pub async fn apply(&self, product: &Product, mask: &str, revision: u64) {
        let contract = product.contract(mask);
        let applied = AppliedProduct { revision, applied_at_ms: 0, contract, schema: schema() };
        let record = OutgoingRecord::to(PRODUCTS_TOPIC).key(applied.key()).value(serde_json::to_vec(&applied).unwrap());
        LogWriter::new(&self.settings).unwrap().append(record).await.unwrap();
    }

    pub async fn send(&self, record: OutgoingRecord) {
        self.producer.send(record).await.unwrap().await.unwrap();
    }

    /// Sends buyers to the product's input, round and round its partitions.
    pub async fn buyers(&self, product: &Product, numbers: std::ops::Range<i64>) {
        for number in numbers {
            let record = product.buyer(number).partition(i32::try_from(number).unwrap() % PARTITIONS);
            drop(self.producer.send(record).await.unwrap());
        }
        self.producer.flush(DEADLINE).await.unwrap();
    }

    /// What a reader of committed records sees.
    pub async fn read(&self, topic: &str) -> Vec<Record> {
        let mut reader = LogReader::open(&self.settings, topic).await.unwrap();
        let mut records = Vec::new();
        reader.read_to_end(|record| records.push(record)).await.unwrap();
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    /// The records of a topic once there are so many.
    pub async fn wait_for(&self, topic: &str, count: usize) -> Vec<Record> {
        let started = Instant::now();
        loop {
            let records = self.read(topic).await;
            if records.len() >= count {
                return records;
            }
            assert!(started.elapsed() < DEADLINE, "{topic} has {} of {count} records", records.len());
        }
    }

    pub fn config(&self) -> Config {
        let mut config = Config::new(self.settings.clone(), &self.registry_url, keys());
        config.lineage_interval = Some(Duration::from_millis(200));
        config
    }

    pub fn sidecar(&self, config: Config) -> Sidecar {
        let (shutdown, readiness) = (Shutdown::new(Duration::from_secs(30)), config.readiness.clone());
        let task = tokio::spawn(mesh_masking::run(config, shutdown.clone()));
        Sidecar { shutdown, readiness, task }
    }
}

/// A running sidecar.
pub struct Sidecar {
    shutdown: Shutdown,
    pub readiness: Readiness,
    task: JoinHandle<Result<(), mesh_masking::Error>>,
}

impl Sidecar {
    pub async fn stop(self) {
        self.shutdown.trigger();
        tokio::time::timeout(self.shutdown.grace(), self.task).await.unwrap().unwrap().unwrap();
    }

    /// Waits until `/readyz` would say this.
    pub async fn until_held_by(&self, reason: &str) {
        self.until(reason, |missing| missing.values().any(|why| why.contains(reason))).await;
    }

    pub async fn until_nothing_is_held(&self) {
        self.until("nothing held", |missing| !missing.contains_key("masking partitions")).await;
    }

    async fn until(&self, what: &str, holds: impl Fn(&BTreeMap<String, String>) -> bool) {
        let started = Instant::now();
        while !holds(&self.readiness.missing()) {
            assert!(started.elapsed() < DEADLINE, "waited for {what}: {:?}", self.readiness.missing());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub const HASH: &str = "hash";
pub const REDACT: &str = "redact";

/// A product of the domain `shop` with two views, keyed by `id`.
#[derive(Clone)]
pub struct Product {
    pub name: String,
    pub id: u32,
    pub unique_id: uuid::Uuid,
    pub history: &'static str,
}

impl Product {
    pub fn new(name: &str) -> Self {
        Product { name: name.to_owned(), id: 0, unique_id: uuid::Uuid::new_v4(), history: "2 days" }
    }

    pub fn contract(&self, mask: &str) -> Contract {
        let text = format!(
            "unique_id: {}\nowner: shop\nname: {}\nversion: 1\ndescription: Who buys.\nschema: schemas/shop/buyer.avsc\n\
             key: id\nrefresh_rate: {{ every: hour, event_time: at }}\nhistory: {}\nstorage: stream\n\
             sensitive_columns:\n  - {{ column: email, class: pii.contact, mask: {mask} }}\n\
             views:\n  stewards: {{ clear: all }}\n\
             access_group:\n  - {{ group: analysts }}\n  - {{ group: stewards, view: stewards }}\n\
             dependencies: []\npartitions: 3\n",
            self.unique_id, self.name, self.history
        );
        let file = format!("topics/shop/{}.yaml", self.name);
        parse_contract(&file, &text).unwrap_or_else(|findings| panic!("{findings:?}")).value
    }

    pub fn input(&self) -> String {
        self.contract(HASH).topics().input
    }

    pub fn masked(&self) -> String {
        self.contract(HASH).topics().view("masked").unwrap().to_owned()
    }

    pub fn stewards(&self) -> String {
        self.contract(HASH).topics().view("stewards").unwrap().to_owned()
    }

    pub fn quarantine(&self) -> String {
        self.contract(HASH).topics().quarantine
    }

    pub fn subject(&self) -> String {
        value_subject(&self.input())
    }

    /// A good record.
    pub fn buyer(&self, number: i64) -> OutgoingRecord {
        OutgoingRecord::to(self.input()).key(format!("b{number}")).value(framed(self.id, &datum(number)))
    }
}

pub fn schema() -> Value {
    json!({"type": "record", "name": "Buyer", "namespace": "shop", "fields": [
        {"name": "id", "type": "string"},
        {"name": "email", "type": "string"},
        {"name": "n", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ]})
}

pub fn email(number: i64) -> String {
    format!("buyer.{number}@example.org")
}

pub fn datum(number: i64) -> Vec<u8> {
    let mut out = Vec::new();
    string(&mut out, &format!("b{number}"));
    string(&mut out, &email(number));
    long(&mut out, number);
    long(&mut out, 1_700_000_000_000 + number);
    out
}

pub fn framed(id: u32, datum: &[u8]) -> Vec<u8> {
    [&mesh_avro::wire::header(id)[..], datum].concat()
}

pub fn string(out: &mut Vec<u8>, text: &str) {
    long(out, i64::try_from(text.len()).unwrap());
    out.extend_from_slice(text.as_bytes());
}

pub fn long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A buyer as a view shows it: its id, e-mail address and number.
pub fn read_buyer(value: &[u8]) -> (String, String, i64) {
    let mut rest = &value[mesh_avro::wire::HEADER_BYTES..];
    let (id, email) = (read_string(&mut rest), read_string(&mut rest));
    (id, email, read_long(&mut rest))
}

fn read_string(rest: &mut &[u8]) -> String {
    let length = usize::try_from(read_long(rest)).unwrap();
    let (text, after) = rest.split_at(length);
    *rest = after;
    String::from_utf8(text.to_vec()).unwrap()
}

fn read_long(rest: &mut &[u8]) -> i64 {
    let mut value = 0_u64;
    for shift in (0..).step_by(7) {
        let (byte, after) = rest.split_first().unwrap();
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub fn keys() -> Arc<dyn KeyRing> {
    Arc::new(RootKeys::new([(1, [42; 32].into())]).unwrap())
}

/// The numbers of the buyers in a topic, partition by partition, in order.
pub fn numbers(records: &[Record]) -> BTreeMap<i32, Vec<i64>> {
    let mut partitions: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for record in records {
        partitions.entry(record.partition).or_default().push(read_buyer(record.value.as_deref().unwrap()).2);
    }
    partitions
}

/// That the topic has these buyers: each once, in order per partition.
pub fn assert_all(records: &[Record], range: std::ops::Range<i64>) {
    let mut expected: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for number in range {
        expected.entry(i32::try_from(number).unwrap() % PARTITIONS).or_default().push(number);
    }
    let found = numbers(records);
    for (partition, numbers) in &expected {
        let own = found.get(partition).map_or(0, Vec::len);
        assert!(found.get(partition) == Some(numbers), "partition {partition}: {own} records of {}", numbers.len());
    }
}
