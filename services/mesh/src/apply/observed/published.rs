//! What is on `mesh.products`, and what the mesh owns by it.

use crate::apply::refused;
use crate::failure::Failure;
use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_contract::{AppliedProduct, Domain, GENERATION_PREFIX};
use mesh_kafka::admin::ClusterState;
use mesh_kafka::log::LogReader;
use mesh_kafka::{OutgoingRecord, Record, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// What stands before `<unique_id>/<major>` where topics are claimed for a product that is not published yet.
const CLAIM_PREFIX: &str = "claim/";
const DOMAIN_PREFIX: &str = "domain/";
const CLUSTER_PREFIX: &str = "cluster/";

/// The record key of the claim of a product's topics.
pub(in crate::apply) fn claim_key(product: &str) -> String {
    format!("{CLAIM_PREFIX}{product}")
}

/// A record to be written; a tombstone, if it has no value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::apply) struct Entry {
    pub(in crate::apply) key: String,
    pub(in crate::apply) value: Option<Vec<u8>>,
}

impl Entry {
    pub(in crate::apply) fn new(key: String, value: &impl Serialize) -> Result<Self, Failure> {
        let json = serde_json::to_vec(value);
        let value = json.map_err(|error| Failure::internal(format!("{key} has no JSON form")).because(error))?;
        Ok(Self { key, value: Some(value) })
    }

    pub(in crate::apply) fn tombstone(key: String) -> Self {
        Self { key, value: None }
    }

    pub(in crate::apply) fn record(self) -> OutgoingRecord {
        OutgoingRecord {
            topic: PRODUCTS_TOPIC.into(),
            partition: None,
            timestamp_ms: None,
            key: Some(self.key.into_bytes().into()),
            value: self.value.map(Into::into),
            headers: Vec::new(),
        }
    }
}

/// What is on `mesh.products`, by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::apply) struct Published {
    values: BTreeMap<String, Vec<u8>>,
    /// The highest revision that any product's record had, one that was taken away included: revisions never go back.
    revisions: BTreeMap<String, u64>,
}

impl Published {
    /// Reads it; empty if there is no such topic.
    pub(in crate::apply) async fn read(kafka: &Settings, cluster: &ClusterState) -> Result<Self, Failure> {
        match cluster.topics.contains_key(PRODUCTS_TOPIC) {
            true => Self::read_topic(kafka).await,
            false => Ok(Self::default()),
        }
    }

    /// Reads it from the topic, which is there.
    pub(in crate::apply) async fn read_topic(kafka: &Settings) -> Result<Self, Failure> {
        let failed = |error| refused(format!("cannot read {PRODUCTS_TOPIC}"), error);
        let mut published = Self::default();
        let mut reader = LogReader::open(kafka, PRODUCTS_TOPIC).await.map_err(failed)?;
        reader.read_to_end(|record| published.take(&record)).await.map_err(failed)?;
        Ok(published)
    }

    fn take(&mut self, record: &Record) {
        let key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
        // what has no such key is none of ours
        let Some(key) = key else { return };
        self.put(key, record.value.as_deref());
    }

    pub(in crate::apply) fn put(&mut self, key: &str, value: Option<&[u8]>) {
        let Some(value) = value else {
            self.values.remove(key);
            return;
        };
        if let Some(product) = product_of(key) {
            let revision = serde_json::from_slice::<serde_json::Value>(value).ok();
            let revision = revision.and_then(|applied| applied.get("revision")?.as_u64()).unwrap_or(0);
            let highest = self.revisions.entry(product.to_owned()).or_default();
            *highest = revision.max(*highest);
        }
        self.values.insert(key.to_owned(), value.to_vec());
    }

    /// Whether it is the same, down to who applied last: so another apply in between shows, whatever it did.
    pub(in crate::apply) fn is_as(&self, other: &Published) -> bool {
        self.values == other.values
    }

    /// The bytes under a key.
    pub(in crate::apply) fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// What is published under a key. What cannot be read is not written over.
    pub(in crate::apply) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, serde_json::Error> {
        self.values.get(key).map(|value| serde_json::from_slice(value)).transpose()
    }

    /// The highest revision that a product ever had.
    pub(in crate::apply) fn highest_revision(&self, product: &str) -> u64 {
        self.revisions.get(product).copied().unwrap_or(0)
    }

    /// The products in force that can be read, by key.
    pub(in crate::apply) fn products(&self) -> impl Iterator<Item = (&str, AppliedProduct)> {
        let newest = self.values.iter().filter(|(key, _)| product_of(key) == Some(key.as_str()));
        newest.filter_map(|(key, value)| Some((key.as_str(), serde_json::from_slice(value).ok()?)))
    }

    /// The domains that can be read.
    pub(in crate::apply) fn domains(&self) -> impl Iterator<Item = Domain> {
        let domains = self.values.iter().filter(|(key, _)| key.starts_with(DOMAIN_PREFIX));
        domains.filter_map(|(_, value)| serde_json::from_slice(value).ok())
    }

    /// The revisions of a product, the one in force and those before it.
    pub(in crate::apply) fn revisions(&self, product: &str) -> impl Iterator<Item = AppliedProduct> {
        let own = self.values.iter().filter(move |(key, _)| product_of(key) == Some(product));
        own.filter_map(|(_, value)| serde_json::from_slice(value).ok())
    }

    /// The topics that the mesh owns: of every product that is or was published, and those that are claimed.
    pub(in crate::apply) fn owned(&self) -> BTreeSet<String> {
        let revisions = self.values.iter().filter(|(key, _)| product_of(key).is_some());
        let revisions = revisions.filter_map(|(_, value)| serde_json::from_slice::<AppliedProduct>(value).ok());
        let mut owned: BTreeSet<String> = revisions
            .flat_map(|applied| applied.contract.topics().all().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let claims = self.values.iter().filter(|(key, _)| key.starts_with(CLAIM_PREFIX));
        owned.extend(claims.filter_map(|(_, value)| serde_json::from_slice::<Vec<String>>(value).ok()).flatten());
        owned
    }

    /// What says that something was published: keys and values but for claims, superseded revisions and what applies say of
    /// themselves.
    pub(in crate::apply) fn in_force(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let entries = self.values.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
        entries.filter(|(key, _)| key.starts_with(DOMAIN_PREFIX) || product_of(key) == Some(*key))
    }
}

/// The product that a record is about, `<unique_id>/<major>`, if it is a revision of one.
fn product_of(key: &str) -> Option<&str> {
    let others = [CLAIM_PREFIX, DOMAIN_PREFIX, CLUSTER_PREFIX, GENERATION_PREFIX];
    if others.iter().any(|prefix| key.starts_with(prefix)) {
        return None;
    }
    let (id, rest) = key.split_once('/')?;
    let major = rest.split('/').next()?;
    Some(&key[..id.len() + 1 + major.len()])
}
