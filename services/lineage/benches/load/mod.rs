//! What benchmarks tell the graph, and how they look at memory.

use jiff::Timestamp;
use mesh_client::lineage::{KafkaNamespace, ProductDatasets};
use mesh_contract::{AppliedProduct, parse_contract};
use serde_json::Value;
use uuid::Uuid;

/// How many products tell snapshots.
pub(crate) const PRODUCTS: u64 = 1_000;
const CONTRACT: &str = include_str!("../../../../topics/crm/customers.yaml");
const SCHEMA: &str = include_str!("../../../../schemas/crm/customer.avsc");
/// Stand in the place of what differs from event to event.
const TIME: &str = "1970-01-01T00:00:00Z";
const RECORDS: &str = "\"records\":4242424242";

/// A thousand products, each telling a snapshot of its run again and again.
pub(crate) struct Snapshots(Vec<String>);

impl Snapshots {
    /// One of each product's masking run.
    pub(crate) fn new() -> Self {
        Self(templates())
    }

    /// Writes one event, which says more each time it is its product's turn.
    pub(crate) fn write(&self, index: u64, event: &mut String) {
        let template = &self.0[(index % PRODUCTS) as usize];
        let at = Timestamp::from_second(1_767_225_600 + (index / PRODUCTS * 30) as i64).unwrap();
        let records = format!("\"records\":{}", 1_000 * (index / PRODUCTS + 1));
        event.clear();
        event.push_str(&template.replace(TIME, &at.to_string()).replace(RECORDS, &records));
    }
}

fn templates() -> Vec<String> {
    let cluster = KafkaNamespace::of("broker:9092").into();
    let customers = parse_contract("topics/crm/customers.yaml", CONTRACT).unwrap().value;
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let of = |index: u64| {
        let mut contract = customers.clone();
        contract.name = format!("customers{index}");
        let applied = AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: schema.clone() };
        let mut run = ProductDatasets::new(&cluster, &applied).masking_run(Uuid::now_v7());
        let topics = applied.contract.topics();
        run.wrote_records(&topics.quarantine, 4_242_424_242, 0);
        topics.views.iter().for_each(|(_, topic)| run.wrote_records(topic, 4_242_424_242, 0));
        run.read(&topics.input, 0, 0, 1);
        serde_json::to_string(&run.snapshot(Timestamp::UNIX_EPOCH).unwrap()).unwrap()
    };
    (0..PRODUCTS).map(of).collect()
}

/// Memory that the process holds now, in MiB.
pub(crate) fn resident_mb() -> u64 {
    status_mb("VmRSS:")
}

/// A line of what the kernel says of this process.
pub(crate) fn status_mb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kb: u64 = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or_default();
    kb / 1_024
}
