//! The products and domains of a mesh, as applied: the content of `mesh.products`, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_contract::{AppliedProduct, Domain, ProductRef, did_you_mean};
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};

use crate::lineage::KafkaCluster;

/// Products in their newest revisions, and domains.
#[derive(Debug, Default, Clone)]
pub struct Catalogue {
    /// By the key they have on the topic: `<unique_id>/<major>`.
    products: BTreeMap<String, Arc<AppliedProduct>>,
    domains: BTreeMap<String, Arc<Domain>>,
    /// By cluster id.
    clusters: BTreeMap<String, KafkaCluster>,
}

/// What one record of `mesh.products` changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A product is new, or has a new revision.
    Product(Arc<AppliedProduct>),
    /// A product is gone.
    ProductGone(Arc<AppliedProduct>),
    /// A domain is new, or has changed.
    Domain(Arc<Domain>),
    /// A domain is gone.
    DomainGone(Arc<Domain>),
    /// No product and no domain: a superseded revision, say.
    Nothing,
}

/// The catalogue could not be read, or does not hold what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No contract has ever been applied to this cluster.
    #[error("this cluster has no products: the topic {PRODUCTS_TOPIC} is not there")]
    NotThere,
    /// `mesh.products` could not be read.
    #[error("cannot read the products")]
    Read(#[source] mesh_kafka::Error),
    /// There is no such product.
    #[error("there is no product {asked}{hint}", hint = hint.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    NoSuchProduct {
        /// What was asked for.
        asked: ProductRef,
        /// The nearest there is.
        hint: Option<String>,
    },
}

impl Catalogue {
    /// Reads the catalogue as it is now.
    pub async fn read(settings: &Settings) -> Result<Self, CatalogueError> {
        let mut follower = Follower::open(settings).await?;
        follower.catch_up().await?;
        Ok(follower.catalogue)
    }

    /// A product in its newest revision; of the newest major version, if none is named.
    pub fn product(&self, asked: &ProductRef) -> Result<&Arc<AppliedProduct>, CatalogueError> {
        let named = self.products.values().filter(|applied| applied.contract.product() == asked.product);
        let of_major = named.filter(|applied| asked.major.is_none_or(|major| major == applied.contract.version));
        let newest = of_major.max_by_key(|applied| applied.contract.version);
        newest.ok_or_else(|| CatalogueError::NoSuchProduct { asked: asked.clone(), hint: self.nearest(asked) })
    }

    /// All products in their newest revisions, every major version, by name.
    pub fn products(&self) -> Vec<&Arc<AppliedProduct>> {
        let mut products: Vec<&Arc<AppliedProduct>> = self.products.values().collect();
        products.sort_by_key(|applied| (applied.contract.product(), applied.contract.version));
        products
    }

    /// All domains, by name.
    pub fn domains(&self) -> impl Iterator<Item = &Arc<Domain>> {
        self.domains.values()
    }

    /// A domain.
    pub fn domain(&self, name: &str) -> Option<&Arc<Domain>> {
        self.domains.get(name)
    }

    /// What the Kafka cluster of this id is called in lineage.
    pub fn cluster(&self, id: &str) -> Option<&KafkaCluster> {
        self.clusters.get(id)
    }

    /// Takes one record of `mesh.products` in. What cannot be read is logged and changes nothing.
    pub fn take(&mut self, record: &Record) -> Change {
        let Some(key) = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()) else {
            return Change::Nothing;
        };
        let change = match (key.strip_prefix("domain/"), key.matches('/').count()) {
            (Some(name), _) => self.take_domain(name, record.value.as_deref()),
            (None, 1) => self.take_product(key, record.value.as_deref()),
            _ => self.take_cluster(key, record.value.as_deref()),
        };
        change.unwrap_or_else(|error| {
            tracing::error!(key, %error, offset = record.offset, "an entry of the catalogue cannot be read, ignored");
            Change::Nothing
        })
    }

    fn take_domain(&mut self, name: &str, value: Option<&[u8]>) -> Result<Change, serde_json::Error> {
        let Some(value) = value else {
            return Ok(self.domains.remove(name).map_or(Change::Nothing, Change::DomainGone));
        };
        let domain: Arc<Domain> = Arc::new(serde_json::from_slice(value)?);
        self.domains.insert(name.to_owned(), Arc::clone(&domain));
        Ok(Change::Domain(domain))
    }

    fn take_cluster(&mut self, key: &str, value: Option<&[u8]>) -> Result<Change, serde_json::Error> {
        let (Some(id), Some(value)) = (KafkaCluster::id_in(key), value) else { return Ok(Change::Nothing) };
        let cluster: KafkaCluster = serde_json::from_slice(value)?;
        self.clusters.insert(id.to_owned(), cluster);
        Ok(Change::Nothing)
    }

    fn take_product(&mut self, key: &str, value: Option<&[u8]>) -> Result<Change, serde_json::Error> {
        let Some(value) = value else {
            return Ok(self.products.remove(key).map_or(Change::Nothing, Change::ProductGone));
        };
        let applied: Arc<AppliedProduct> = Arc::new(serde_json::from_slice(value)?);
        if self.products.get(key).is_some_and(|known| known.revision > applied.revision) {
            return Ok(Change::Nothing);
        }
        self.products.insert(key.to_owned(), Arc::clone(&applied));
        Ok(Change::Product(applied))
    }

    fn nearest(&self, asked: &ProductRef) -> Option<String> {
        let names: Vec<String> = self.products.values().map(|applied| applied.contract.product().to_string()).collect();
        let wanted = asked.product.to_string();
        // the name may be right, and the major version wrong
        let versions = self.products.values().filter(|applied| applied.contract.product() == asked.product);
        let version = versions.map(|applied| applied.contract.version).max().map(|major| format!("{wanted}@{major}"));
        version.or_else(|| did_you_mean(&wanted, names.iter().map(String::as_str)).map(str::to_owned))
    }
}

/// A catalogue that is kept up to date.
pub struct Follower {
    reader: LogReader,
    catalogue: Catalogue,
    taken: u64,
}

impl Follower {
    /// Prepares to follow `mesh.products`; the catalogue is empty until [`Follower::catch_up`].
    pub async fn open(settings: &Settings) -> Result<Self, CatalogueError> {
        match LogReader::open(settings, PRODUCTS_TOPIC).await {
            Ok(reader) => Ok(Follower { reader, catalogue: Catalogue::default(), taken: 0 }),
            Err(error) if error.kind() == ErrorKind::UnknownTopic => Err(CatalogueError::NotThere),
            Err(error) => Err(CatalogueError::Read(error)),
        }
    }

    /// The catalogue as of what has been read.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// How many records have been taken in: while this stays, so does the catalogue.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Takes in all that has been applied before this call.
    pub async fn catch_up(&mut self) -> Result<(), CatalogueError> {
        let (catalogue, taken) = (&mut self.catalogue, &mut self.taken);
        let take = |record| {
            *taken += 1;
            catalogue.take(&record);
        };
        self.reader.read_to_end(take).await.map_err(CatalogueError::Read)
    }

    /// Waits for the next record and takes it in. Nothing is lost if the caller goes away while waiting.
    pub async fn next(&mut self) -> Result<Change, CatalogueError> {
        let record = self.reader.next().await.map_err(CatalogueError::Read)?;
        self.taken += 1;
        Ok(self.catalogue.take(&record))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const CONTRACT: &str = "
unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7
owner: crm
name: orders
version: 1
description: Orders.
schema: schemas/crm/order.avsc
key: order_id
refresh_rate: hour
history: latest
storage: stream
sensitive_columns: []
access_group: analysts
dependencies: []
";

    fn applied(major: u32, revision: u64) -> AppliedProduct {
        let text = CONTRACT.replace("version: 1", &format!("version: {major}"));
        let contract = mesh_contract::parse_contract("topics/crm/orders.yaml", &text).unwrap().value;
        AppliedProduct { revision, applied_at_ms: 0, contract, schema: serde_json::json!("string") }
    }

    fn record(key: &str, value: Option<Vec<u8>>) -> Record {
        Record {
            topic: PRODUCTS_TOPIC.into(),
            partition: 0,
            offset: 0,
            timestamp_ms: None,
            key: Some(key.to_owned().into()),
            value: value.map(Into::into),
            headers: Vec::new(),
        }
    }

    fn take(catalogue: &mut Catalogue, applied: &AppliedProduct) -> Change {
        catalogue.take(&record(&applied.key(), Some(serde_json::to_vec(applied).unwrap())))
    }

    #[test]
    fn the_newest_revision_of_each_major_is_kept() {
        let mut catalogue = Catalogue::default();
        let (first, second, major) = (applied(1, 1), applied(1, 2), applied(2, 1));
        take(&mut catalogue, &second);
        assert_eq!(take(&mut catalogue, &first), Change::Nothing);
        take(&mut catalogue, &major);
        let superseded = record(&first.revision_key(), Some(serde_json::to_vec(&first).unwrap()));
        assert_eq!(catalogue.take(&superseded), Change::Nothing);
        let found = |asked: &str| {
            catalogue.product(&asked.parse().unwrap()).map(|found| (found.contract.version, found.revision))
        };
        assert_eq!(found("crm.orders").unwrap(), (2, 1));
        assert_eq!(found("crm.orders@1").unwrap(), (1, 2));
        assert_eq!(
            found("crm.order").unwrap_err().to_string(),
            "there is no product crm.order; did you mean crm.orders?"
        );
        assert_eq!(
            found("crm.orders@3").unwrap_err().to_string(),
            "there is no product crm.orders@3; did you mean crm.orders@2?"
        );
        assert_eq!(catalogue.products().len(), 2);
        assert_eq!(catalogue.take(&record(&major.key(), None)), Change::ProductGone(Arc::new(major)));
        assert_eq!(catalogue.products().len(), 1);
    }

    #[test]
    fn it_knows_what_clusters_are_called() {
        let mut catalogue = Catalogue::default();
        let cluster = KafkaCluster::new("a:9092,b:9092", &[]);
        let key = KafkaCluster::key("id-1");
        catalogue.take(&record(&key, Some(serde_json::to_vec(&cluster).unwrap())));
        assert_eq!((catalogue.cluster("id-1"), catalogue.cluster("id-2")), (Some(&cluster), None));
    }

    #[test]
    fn what_cannot_be_read_changes_nothing() {
        let mut catalogue = Catalogue::default();
        assert_eq!(catalogue.take(&record("a/1", Some(b"{}".to_vec()))), Change::Nothing);
        assert_eq!(catalogue.take(&record("domain/crm", Some(b"[]".to_vec()))), Change::Nothing);
        assert!(catalogue.products().is_empty() && catalogue.domains().next().is_none());
    }
}
