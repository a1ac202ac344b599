//! Contracts and domains on `mesh.products`: what every service follows.

use super::refused;
use super::report::{Applied, Change, DomainChange, ProductChange};
use crate::failure::Failure;
use crate::tree::{WorkingProduct, WorkingTree};
use mesh_client::lineage::KafkaCluster;
use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_contract::{AppliedProduct, Domain, domain_key};
use mesh_kafka::admin::Admin;
use mesh_kafka::log::{FencedLogWriter, LogReader};
use mesh_kafka::{OutgoingRecord, Record, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// One apply at a time: another one takes over, and the first can write nothing any more.
const TRANSACTIONAL_ID: &str = "mesh.apply";

/// What of a tree is to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Domains, and products that are published already.
    Known,
    /// New products as well.
    All,
}

/// Publishes what is not published as it is, and adds to the report what that was.
pub(super) async fn publish(
    kafka: &Settings,
    tree: &WorkingTree,
    part: Part,
    applied: &mut Applied,
) -> Result<(), Failure> {
    let published = Published::read(kafka).await?;
    let now_ms = now_ms();
    let domains: Vec<(DomainChange, Vec<Entry>)> =
        tree.domains.iter().map(|domain| plan_domain(&published, &domain.value)).collect::<Result<_, _>>()?;
    let products = tree.products.iter().map(|product| plan_product(&published, product, now_ms));
    let mut products = products.collect::<Result<Vec<(ProductChange, Vec<Entry>)>, Failure>>()?;
    products.retain(|(change, _)| part == Part::All || change.revision > 1 || change.change == Change::Unchanged);
    let entries = domains.iter().flat_map(|(_, entries)| entries);
    let entries: Vec<&Entry> = entries.chain(products.iter().flat_map(|(_, entries)| entries)).collect();
    if !entries.is_empty() {
        append(kafka, published, &entries).await?;
    }
    report(&mut applied.domains, domains, |one, other| one.domain == other.domain);
    report(&mut applied.products, products, |one, other| (&one.product, one.major) == (&other.product, other.major));
    Ok(())
}

/// Writes down what the cluster is called in lineage, unless that is known, and other addresses that it is seen at.
pub(super) async fn name_cluster(kafka: &Settings, admin: &Admin) -> Result<(), Failure> {
    let failed = |error| refused("cannot ask the cluster what it is called", error);
    let id = admin.cluster_id().await.map_err(failed)?;
    let brokers = admin.brokers().await.map_err(failed)?;
    let published = Published::read(kafka).await?;
    let key = KafkaCluster::key(&id);
    let known = published.get::<KafkaCluster>(&key)?;
    let named = match &known {
        Some(known) => known.clone().also_at(kafka.bootstrap(), &brokers),
        None => KafkaCluster::new(kafka.bootstrap(), &brokers),
    };
    if known.as_ref() == Some(&named) {
        return Ok(());
    }
    append(kafka, published, &[&Entry::new(key, &named)?]).await
}

/// Adds to a report what it does not tell of yet: what was published a moment ago is no news that it is.
fn report<T>(told: &mut Vec<T>, changes: Vec<(T, Vec<Entry>)>, same: impl Fn(&T, &T) -> bool) {
    let earlier = std::mem::take(told);
    let mut earlier: Vec<Option<T>> = earlier.into_iter().map(Some).collect();
    for (change, _) in changes {
        let known = earlier.iter_mut().find(|told| told.as_ref().is_some_and(|told| same(told, &change)));
        told.push(known.and_then(Option::take).unwrap_or(change));
    }
}

/// A record to be written.
#[derive(Debug, PartialEq)]
struct Entry {
    key: String,
    value: Vec<u8>,
}

impl Entry {
    fn new(key: String, value: &impl Serialize) -> Result<Self, Failure> {
        let json = serde_json::to_vec(value);
        let value = json.map_err(|error| Failure::internal(format!("{key} has no JSON form")).because(error))?;
        Ok(Self { key, value })
    }
}

/// What is on `mesh.products`, by key.
#[derive(Debug, Default, PartialEq)]
struct Published(HashMap<Vec<u8>, Vec<u8>>);

impl Published {
    async fn read(kafka: &Settings) -> Result<Self, Failure> {
        let failed = |error| refused(format!("cannot read {PRODUCTS_TOPIC}"), error);
        let mut published = HashMap::new();
        let mut keep = |record: Record| {
            let Some(key) = record.key else { return };
            match record.value {
                Some(value) => drop(published.insert(key.to_vec(), value.to_vec())),
                None => drop(published.remove(key.as_ref())),
            }
        };
        let mut reader = LogReader::open(kafka, PRODUCTS_TOPIC).await.map_err(failed)?;
        reader.read_to_end(&mut keep).await.map_err(failed)?;
        Ok(Self(published))
    }

    /// What is published under a key. What cannot be read is not written over.
    fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        let parsed = self.0.get(key.as_bytes()).map(|value| serde_json::from_slice(value)).transpose();
        parsed.map_err(|error| {
            Failure::usage(format!("cannot read {key} on {PRODUCTS_TOPIC}"))
                .because(error)
                .hint("it was applied by another version of mesh: apply with that one, or a newer one")
        })
    }
}

fn plan_domain(published: &Published, domain: &Domain) -> Result<(DomainChange, Vec<Entry>), Failure> {
    let key = domain_key(&domain.domain);
    let unchanged = published.get::<Domain>(&key)?.is_some_and(|current| current == *domain);
    let change = if unchanged { Change::Unchanged } else { Change::Published };
    let entries = if unchanged { Vec::new() } else { vec![Entry::new(key, domain)?] };
    Ok((DomainChange { domain: domain.domain.clone(), change }, entries))
}

fn plan_product(
    published: &Published,
    product: &WorkingProduct,
    now_ms: i64,
) -> Result<(ProductChange, Vec<Entry>), Failure> {
    let contract = &product.contract.value;
    let mut next = AppliedProduct {
        revision: 1,
        applied_at_ms: now_ms,
        contract: contract.clone(),
        schema: product.schema.json().clone(),
    };
    let current = published.get::<AppliedProduct>(&next.key())?;
    let unchanged = current.as_ref().filter(|it| it.contract == next.contract && it.schema == next.schema);
    let (revision, change) = match (unchanged, &current) {
        (Some(current), _) => (current.revision, Change::Unchanged),
        (None, current) => (current.as_ref().map_or(0, |current| current.revision) + 1, Change::Published),
    };
    next.revision = revision;
    let change = ProductChange { product: contract.product().to_string(), major: contract.version, revision, change };
    if unchanged.is_some() {
        return Ok((change, Vec::new()));
    }
    // The superseded revision first: partitions may still stand at it.
    let superseded = current.iter().map(|current| Entry::new(current.revision_key(), current));
    let entries = superseded.chain([Entry::new(next.key(), &next)]).collect::<Result<_, _>>()?;
    Ok((change, entries))
}

/// Writes entries, if what they were planned on is still there.
async fn append(kafka: &Settings, planned_on: Published, entries: &[&Entry]) -> Result<(), Failure> {
    let failed = |error| refused(format!("cannot write to {PRODUCTS_TOPIC}"), error);
    let mut writer = FencedLogWriter::open(kafka, TRANSACTIONAL_ID).await.map_err(failed)?;
    // From here on nobody else writes; somebody may have, before.
    if Published::read(kafka).await? != planned_on {
        return Err(Failure::usage("another apply changed the catalogue meanwhile").hint("apply again"));
    }
    for entry in entries {
        writer.append(record(entry)).await.map_err(failed)?;
    }
    Ok(())
}

fn record(entry: &Entry) -> OutgoingRecord {
    OutgoingRecord {
        topic: PRODUCTS_TOPIC.into(),
        partition: None,
        timestamp_ms: None,
        key: Some(entry.key.clone().into_bytes().into()),
        value: Some(entry.value.clone().into()),
        headers: Vec::new(),
    }
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
