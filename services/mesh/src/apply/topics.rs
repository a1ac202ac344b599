//! A product's topics: the input port, an output port for each view, the quarantine.

use super::refused;
use super::report::{Change, Difference, TopicChange};
use crate::failure::Failure;
use crate::tree::WorkingProduct;
use mesh_contract::{Contract, output_config, topic_config};
use mesh_kafka::admin::{Admin, Creation, TopicSpec};
use std::collections::BTreeMap;

/// How long a refused record waits to be looked at and replayed.
const QUARANTINE_RETENTION_MS: u64 = 90 * 86_400_000;
/// What headers and an envelope add to a record, at most.
const OVERHEAD_BYTES: u64 = 64 * 1024;
/// How many times its size masking may make of a record; what grows more goes to the quarantine.
const GROWTH: u64 = 4;
/// The largest record that the sidecar writes.
const RECORD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Kafka's default, for a cluster that does not tell its own.
const INPUT_BYTES_DEFAULT: u64 = 1_048_588;

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
const PARTITIONS: &str = "partitions";

/// Creates the topics that are not there; says where those that are differ from the contract.
pub(super) async fn create(admin: &Admin, products: &[WorkingProduct]) -> Result<Vec<TopicChange>, Failure> {
    let contracts: Vec<&Contract> = products.iter().map(|product| &product.contract.value).collect();
    let mut changes = ensure(admin, contracts.iter().map(|contract| input_spec(contract)).collect()).await?;
    let mut outputs = Vec::new();
    for contract in contracts {
        let input = Actual::look(admin, &contract.topics().input).await?;
        outputs.extend(output_specs(contract, &input));
    }
    changes.extend(ensure(admin, outputs).await?);
    Ok(changes)
}

/// An input port as it is: what its outputs derive from.
struct Actual {
    partitions: u32,
    bytes_max: u64,
}

impl Actual {
    async fn look(admin: &Admin, topic: &str) -> Result<Self, Failure> {
        let failed = |error| refused(format!("cannot look at the topic {topic}"), error);
        let partitions = admin.partitions(topic).await.map_err(failed)?.unwrap_or(1);
        let config = admin.config(topic).await.map_err(failed)?;
        let bytes_max = config.get(MAX_MESSAGE_BYTES).and_then(|bytes| bytes.parse().ok());
        Ok(Self { partitions, bytes_max: bytes_max.unwrap_or(INPUT_BYTES_DEFAULT) })
    }
}

fn input_spec(contract: &Contract) -> TopicSpec {
    let spec = TopicSpec::new(contract.topics().input);
    let spec = match contract.partitions {
        Some(partitions) => spec.partitions(partitions),
        None => spec,
    };
    configured(replicated(spec, contract), topic_config(contract.history))
}

/// The outputs have the input's partitions, because a record keeps its partition.
fn output_specs(contract: &Contract, input: &Actual) -> Vec<TopicSpec> {
    let topics = contract.topics();
    let views = topics.views.into_iter().map(|(_, topic)| {
        let bytes_max = view_bytes_max(contract, input.bytes_max).to_string();
        let spec = TopicSpec::new(topic).partitions(input.partitions).config(MAX_MESSAGE_BYTES, bytes_max);
        configured(replicated(spec, contract), output_config(contract.history))
    });
    let bytes_max = input.bytes_max.saturating_add(OVERHEAD_BYTES).to_string();
    let quarantine = TopicSpec::new(topics.quarantine)
        .partitions(input.partitions)
        .config("cleanup.policy", "delete")
        .config("retention.ms", QUARANTINE_RETENTION_MS.to_string())
        .config(MAX_MESSAGE_BYTES, bytes_max);
    views.chain([replicated(quarantine, contract)]).collect()
}

fn configured(spec: TopicSpec, settings: Vec<(&'static str, String)>) -> TopicSpec {
    settings.into_iter().fold(spec, |spec, (setting, value)| spec.config(setting, value))
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

async fn ensure(admin: &Admin, specs: Vec<TopicSpec>) -> Result<Vec<TopicChange>, Failure> {
    let created = admin.create_topics(&specs).await;
    let created = created.map_err(|error| refused("cannot create the products' topics", error))?;
    let mut changes = Vec::new();
    for (spec, creation) in specs.into_iter().zip(created) {
        changes.push(match creation {
            Creation::Created => TopicChange { topic: spec.name, change: Change::Created, differs: Vec::new() },
            Creation::Existed => compare(admin, spec).await?,
        });
    }
    Ok(changes)
}

async fn compare(admin: &Admin, spec: TopicSpec) -> Result<TopicChange, Failure> {
    let failed = |error| refused(format!("cannot look at the topic {}", spec.name), error);
    let partitions = admin.partitions(&spec.name).await.map_err(failed)?;
    let config = admin.config(&spec.name).await.map_err(failed)?;
    let differs = differences(&spec, partitions, &config);
    Ok(TopicChange { topic: spec.name, change: Change::Unchanged, differs })
}

/// Where a topic is not what it should be. Settings that are not asked for may be anything.
fn differences(spec: &TopicSpec, partitions: Option<u32>, config: &BTreeMap<String, String>) -> Vec<Difference> {
    let difference = |setting: &str, is: Option<String>, wanted: String| {
        let is = is.unwrap_or_else(|| "unknown".to_owned());
        (is != wanted).then(|| Difference { setting: setting.to_owned(), is, wanted })
    };
    let partitions = spec.partitions.and_then(|wanted| {
        difference(PARTITIONS, partitions.map(|partitions| partitions.to_string()), wanted.to_string())
    });
    let settings = spec.config.iter();
    let settings =
        settings.filter_map(|(setting, wanted)| difference(setting, config.get(setting).cloned(), wanted.clone()));
    partitions.into_iter().chain(settings).collect()
}

#[cfg(test)]
#[path = "topics_tests.rs"]
mod tests;
