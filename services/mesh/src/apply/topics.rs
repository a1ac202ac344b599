//! The topics that contracts ask for: the backbone's own, and each product's input port, output ports and quarantine.

use super::control;
use super::observed::Observed;
use super::plan::Port;
use crate::tree::WorkingTree;
use mesh_contract::{Contract, output_config, topic_config};
use mesh_kafka::admin::TopicSpec;

/// How long a refused record waits to be looked at and replayed.
const QUARANTINE_RETENTION_MS: u64 = 90 * 86_400_000;
/// What headers and an envelope add to a record, at most.
const OVERHEAD_BYTES: u64 = 64 * 1024;
/// How many times its size masking may make of a record; what grows more goes to the quarantine.
const GROWTH: u64 = 4;
/// The largest record that the sidecar writes.
const RECORD_BYTES_MAX: u64 = 64 * 1024 * 1024;

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";

/// The settings that promises rest on: they are kept as the contracts say, and at their defaults where these say nothing.
/// All others are their operators' to tune.
pub(super) const MANAGED: [&str; 9] = [
    "cleanup.policy",
    "delete.retention.ms",
    MAX_MESSAGE_BYTES,
    "message.timestamp.after.max.ms",
    "message.timestamp.before.max.ms",
    "message.timestamp.type",
    "retention.bytes",
    "retention.ms",
    "unclean.leader.election.enable",
];

/// A topic as it is to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    pub(super) spec: TopicSpec,
    pub(super) port: Port,
    /// The product that it belongs to: none of the backbone's own.
    pub(super) product: Option<String>,
    /// That product's key on `mesh.products`.
    pub(super) key: Option<String>,
    /// Whether its records have keys.
    pub(super) keyed: bool,
}

impl Wanted {
    fn control(spec: TopicSpec) -> Self {
        Self { spec, port: Port::Other, product: None, key: None, keyed: true }
    }

    fn of(contract: &Contract, spec: TopicSpec, port: Port) -> Self {
        let key = format!("{}/{}", contract.unique_id, contract.version);
        let product = Some(contract.product().to_string());
        Self { spec, port, product, key: Some(key), keyed: contract.key.is_some() }
    }

    /// Whether a setting that no contract asks for is put back. How large records may be is for whoever runs the input port to
    /// say, and for the backbone's own topics: what their outputs admit follows.
    pub(super) fn keeps(&self, setting: &str) -> bool {
        setting != MAX_MESSAGE_BYTES || (self.port == Port::Other && self.product.is_some())
    }
}

/// An input port as it is, or will be: what its outputs derive from.
struct Input {
    /// None: the cluster's default.
    partitions: Option<u32>,
    bytes_max: u64,
}

/// Every topic as it is to be, the backbone's own first, input ports before what derives from them.
pub(super) fn wanted(tree: &WorkingTree, observed: &Observed) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = control::specs().into_iter().map(Wanted::control).collect();
    let contracts: Vec<&Contract> = tree.products.iter().map(|product| &product.contract.value).collect();
    wanted.extend(contracts.iter().map(|contract| Wanted::of(contract, input_spec(contract), Port::Input)));
    for contract in contracts {
        let specs = output_specs(contract, &input(contract, observed));
        wanted.extend(specs.into_iter().map(|spec| Wanted::of(contract, spec, Port::Other)));
    }
    wanted
}

/// The names of all topics that a tree asks for.
pub(super) fn names(tree: &WorkingTree) -> Vec<String> {
    let products = tree
        .products
        .iter()
        .flat_map(|product| product.contract.value.topics().all().map(str::to_owned).collect::<Vec<_>>());
    control::specs().into_iter().map(|spec| spec.name).chain(products).collect()
}

fn input(contract: &Contract, observed: &Observed) -> Input {
    match observed.topics.get(&contract.topics().input) {
        Some(state) => Input {
            partitions: Some(contract.partitions.map_or(state.partitions, |wanted| wanted.max(state.partitions))),
            bytes_max: bytes_max(&state.settings).unwrap_or(observed.record_bytes),
        },
        None => Input { partitions: contract.partitions, bytes_max: observed.record_bytes },
    }
}

fn bytes_max(settings: &std::collections::BTreeMap<String, String>) -> Option<u64> {
    settings.get(MAX_MESSAGE_BYTES)?.parse().ok()
}

fn input_spec(contract: &Contract) -> TopicSpec {
    let spec = partitioned(TopicSpec::new(contract.topics().input), contract.partitions);
    configured(replicated(spec, contract), topic_config(contract.history))
}

/// The outputs have the input's partitions, because a record keeps its partition.
fn output_specs(contract: &Contract, input: &Input) -> Vec<TopicSpec> {
    let topics = contract.topics();
    let views = topics.views.into_iter().map(|(_, topic)| {
        let bytes_max = view_bytes_max(contract, input.bytes_max).to_string();
        let spec = partitioned(TopicSpec::new(topic), input.partitions).config(MAX_MESSAGE_BYTES, bytes_max);
        configured(replicated(spec, contract), output_config(contract.history))
    });
    let bytes_max = input.bytes_max.saturating_add(OVERHEAD_BYTES).to_string();
    let quarantine = partitioned(TopicSpec::new(topics.quarantine), input.partitions)
        .config("cleanup.policy", "delete")
        .config("retention.ms", QUARANTINE_RETENTION_MS.to_string())
        .config(MAX_MESSAGE_BYTES, bytes_max);
    views.chain([replicated(quarantine, contract)]).collect()
}

fn configured(spec: TopicSpec, settings: Vec<(&'static str, String)>) -> TopicSpec {
    settings.into_iter().fold(spec, |spec, (setting, value)| spec.config(setting, value))
}

fn partitioned(spec: TopicSpec, partitions: Option<u32>) -> TopicSpec {
    match partitions {
        Some(partitions) => spec.partitions(partitions),
        None => spec,
    }
}

fn replicated(spec: TopicSpec, contract: &Contract) -> TopicSpec {
    match contract.replication {
        Some(replication) => spec.replication(replication),
        None => spec,
    }
}

fn view_bytes_max(contract: &Contract, input_bytes_max: u64) -> u64 {
    let growth = if contract.sensitive_columns.is_empty() { 1 } else { GROWTH };
    let grown = input_bytes_max.saturating_mul(growth).saturating_add(OVERHEAD_BYTES);
    grown.min(RECORD_BYTES_MAX.max(input_bytes_max))
}

#[cfg(test)]
#[path = "topics_tests.rs"]
mod tests;
