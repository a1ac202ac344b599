//! Follows `mesh.products`: which products there are, and under which revision of their contracts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mesh_contract::{AppliedProduct, GENERATION_PREFIX, OutputGeneration, topic::PRODUCTS_TOPIC};
use mesh_kafka::{ErrorKind, Record, Settings, log::LogReader};
use mesh_runtime::Latch;
use tokio::sync::watch;

use crate::{Config, Duty, Error, product::Product, remask::FIRST_GENERATION};

/// How often to look for newer keys.
const KEYS_POLL: Duration = Duration::from_millis(500);
/// How often to look for a control topic that is not there yet.
const TOPIC_POLL: Duration = Duration::from_secs(1);

/// The products as of some moment. Cheap to clone and compare.
#[derive(Debug, Default, Clone)]
pub(crate) struct Products {
    /// By `<unique_id>/<major>`.
    by_key: BTreeMap<String, Arc<Product>>,
    /// The output generations that are asked for, by the same.
    generations: BTreeMap<String, u64>,
    duty: Duty,
    /// Every version as applied, by the same: one may feed another. Of a feed alone.
    versions: BTreeMap<String, Arc<AppliedProduct>>,
}

impl Products {
    /// The product that reads this input topic.
    pub(crate) fn by_input(&self, topic: &str) -> Option<&Arc<Product>> {
        self.by_key.values().find(|product| product.topics.input == topic)
    }

    /// The output generation that is asked for of a product.
    pub(crate) fn generation(&self, product: &Product) -> u64 {
        self.generations.get(&product.applied.key()).copied().unwrap_or(FIRST_GENERATION)
    }

    /// The input topics of a domain, in order.
    pub(crate) fn inputs(&self, domain: &str) -> Vec<&str> {
        let own = self.by_key.values().filter(|product| product.domain == domain);
        let mut inputs: Vec<&str> = own.map(|product| product.topics.input.as_str()).collect();
        inputs.sort_unstable();
        inputs
    }

    /// The domains that have products.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &str> {
        self.by_key.values().map(|product| product.domain.as_str())
    }

    /// Whether a value made for this product (see [`Product::identity`]) may still be asked for.
    pub(crate) fn has(&self, identity: u64) -> bool {
        self.by_key.values().any(|product| product.identity == identity)
    }

    /// Takes one record of the control topic in; whether anything changed.
    fn take(&mut self, record: &Record, serves: impl Fn(&str) -> bool) -> bool {
        let Some(key) = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()) else { return false };
        if let Some(product) = key.strip_prefix(GENERATION_PREFIX) {
            // what is asked to be made anew are views
            return self.duty == Duty::Mask && self.take_generation(product, record.value.as_deref());
        }
        if !is_newest_revision(key) {
            return false;
        }
        match &record.value {
            None => self.withdraw(key),
            Some(value) => match serde_json::from_slice::<AppliedProduct>(value) {
                Ok(applied) => self.apply(key, applied, serves),
                Err(error) => self.hold(key, &error),
            },
        }
    }

    /// Newer keys are there: everything that was made with the ones before is made anew, between two batches, as after a change of
    /// the contract.
    fn renew(&mut self) -> bool {
        tracing::info!(products = self.by_key.len(), "newer keys are there, masking programs are made anew");
        self.by_key.values_mut().for_each(|product| *product = Arc::new(Product::renewed(product)));
        !self.by_key.is_empty()
    }

    /// Generations only ever count up: what is asked for twice, or late, asks for nothing.
    fn take_generation(&mut self, product: &str, value: Option<&[u8]>) -> bool {
        let Some(value) = value else { return false };
        match serde_json::from_slice::<OutputGeneration>(value) {
            Ok(asked) => {
                let known = self.generations.entry(product.to_owned()).or_insert(FIRST_GENERATION);
                let is_news = asked.generation > *known;
                *known = asked.generation.max(*known);
                is_news
            }
            Err(error) => {
                tracing::error!(product, %error, "an output generation cannot be read, ignored; is this sidecar older than mesh remask?");
                false
            }
        }
    }

    fn apply(&mut self, key: &str, applied: AppliedProduct, serves: impl Fn(&str) -> bool) -> bool {
        if !serves(&applied.contract.owner) {
            return false;
        }
        if self.revision(key).is_some_and(|known| known > applied.revision) {
            tracing::warn!(key, revision = applied.revision, "an older revision of a contract was published, ignored");
            return false;
        }
        match self.duty {
            Duty::Mask => self.put_in_force(key, Product::new(applied)),
            Duty::Feed => self.learn(key, applied),
        }
        true
    }

    /// The newest revision that is known of a version.
    fn revision(&self, key: &str) -> Option<u64> {
        let learnt = || self.versions.get(key).map(|version| version.revision);
        self.by_key.get(key).map(|known| known.revision).or_else(learnt)
    }

    fn withdraw(&mut self, key: &str) -> bool {
        let was_known = self.versions.remove(key).is_some();
        self.by_key.remove(key).is_some() || was_known
    }

    /// A version is fed by another as both were applied last: what it feeds is made anew with it.
    fn learn(&mut self, key: &str, applied: AppliedProduct) {
        let applied = Arc::new(applied);
        self.versions.insert(key.to_owned(), applied.clone());
        if applied.contract.fed_by.is_none() {
            self.by_key.remove(key);
        }
        let of_product = |other: &&Arc<AppliedProduct>| other.contract.unique_id == applied.contract.unique_id;
        let concerned = |other: &&Arc<AppliedProduct>| {
            other.contract.version == applied.contract.version
                || other.contract.fed_by == Some(applied.contract.version)
        };
        let versions: Vec<_> = self.versions.values().filter(of_product).filter(concerned).cloned().collect();
        for version in versions {
            let source = version.contract.fed_by.map(|major| format!("{}/{major}", version.contract.unique_id));
            let source = source.and_then(|key| self.versions.get(&key).cloned());
            if let Some(product) = Product::fed((*version).clone(), source) {
                self.put_in_force(&version.key(), product);
            }
        }
    }

    fn put_in_force(&mut self, key: &str, product: Product) {
        match &product.work {
            Ok(_) => {
                tracing::info!(product = %product.name, major = product.major, revision = product.revision, "contract in force")
            }
            Err(why) => tracing::error!(
                product = %product.name,
                revision = product.revision,
                why,
                "contract cannot be enforced, so its records are held; apply one that can"
            ),
        }
        self.by_key.insert(key.to_owned(), Arc::new(product));
    }

    /// What was applied cannot be read: going on under the old contract might show what the new one masks.
    fn hold(&mut self, key: &str, error: &serde_json::Error) -> bool {
        tracing::error!(key, %error, "a contract as applied cannot be read, so its records are held; is this sidecar older than mesh apply?");
        let Some(known) = self.by_key.get(key) else { return false };
        let unreadable = Product::unreadable(known, error.to_string());
        self.by_key.insert(key.to_owned(), Arc::new(unreadable));
        true
    }
}

/// `<unique_id>/<major>`; superseded revisions and domains have other keys.
fn is_newest_revision(key: &str) -> bool {
    let mut parts = key.split('/');
    let (id, major) = (parts.next(), parts.next());
    id != Some("domain") && major.is_some_and(|major| major.parse::<u32>().is_ok()) && parts.next().is_none()
}

/// Follows the control topic for ever; opens the latch once it has caught up.
pub(crate) async fn follow(
    config: &Config,
    latch: &Latch,
    published: &watch::Sender<Arc<Products>>,
) -> Result<(), Error> {
    latch.close("reading mesh.products");
    let mut reader = open(&config.kafka, latch).await?;
    let mut products = Products { duty: config.duty, ..Products::default() };
    let serves = |domain: &str| config.serves(domain);
    read_to_end(&mut reader, &mut products, serves).await?;
    // before anything is made with keys, so that none of it goes on with those of before
    let mut epoch = config.keys.epoch();
    published.send_replace(Arc::new(products.clone()));
    latch.open();
    loop {
        let changed = tokio::select! {
            record = reader.next() => products.take(&record.map_err(Error::FollowCatalogue)?, serves),
            () = tokio::time::sleep(KEYS_POLL) => {
                let before = std::mem::replace(&mut epoch, config.keys.epoch());
                before != epoch && products.renew()
            }
        };
        if changed {
            published.send_replace(Arc::new(products.clone()));
        }
    }
}

async fn open(settings: &Settings, latch: &Latch) -> Result<LogReader, Error> {
    loop {
        match LogReader::open(settings, PRODUCTS_TOPIC).await {
            Ok(reader) => return Ok(reader),
            Err(error) if error.kind() == ErrorKind::UnknownTopic => {
                latch.close("waiting for mesh.products: nothing was applied yet");
            }
            Err(error) if error.is_retriable() => {
                latch.close("waiting for Kafka");
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot read mesh.products, retrying");
            }
            Err(error) => return Err(Error::FollowCatalogue(error)),
        }
        tokio::time::sleep(TOPIC_POLL).await;
    }
}

async fn read_to_end(
    reader: &mut LogReader,
    products: &mut Products,
    serves: impl Fn(&str) -> bool + Copy,
) -> Result<(), Error> {
    loop {
        match reader.read_to_end(|record| _ = products.take(&record, serves)).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_retriable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot read mesh.products, retrying");
                tokio::time::sleep(TOPIC_POLL).await;
            }
            Err(error) => return Err(Error::FollowCatalogue(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_contract::{OutputGeneration, generation_key, parse_contract};
    use serde_json::json;

    use super::*;

    fn applied(version: u32, revision: u64, fed_by: &str) -> AppliedProduct {
        let text = format!(
            "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: {version}\n\
             description: Who buys.\nschema: schemas/shop/buyer.avsc\nkey: id\nrefresh_rate: hour\n\
             history: 2 days\nstorage: stream\nsensitive_columns: []\naccess_group: analysts\ndependencies: []\n{fed_by}"
        );
        let contract = parse_contract("topics/shop/buyers.yaml", &text).unwrap().value;
        let schema = json!({"type": "record", "name": "Buyer", "fields": [{"name": "id", "type": "string"}]});
        AppliedProduct { revision, applied_at_ms: 0, contract, schema }
    }

    fn record(key: String, value: Option<Vec<u8>>) -> Record {
        let (key, value) = (Some(key.into_bytes().into()), value.map(Into::into));
        let (topic, headers) = (PRODUCTS_TOPIC.into(), Vec::new());
        Record { topic, partition: 0, offset: 0, timestamp_ms: None, key, value, headers }
    }

    fn take(products: &mut Products, applied: &AppliedProduct) -> bool {
        let value = serde_json::to_vec(applied).unwrap();
        products.take(&record(applied.key(), Some(value)), |_| true)
    }

    #[test]
    fn a_feed_serves_versions_that_are_fed_and_no_others() {
        let mut products = Products { duty: Duty::Feed, ..Products::default() };
        let (old, new) = (applied(1, 1, "fed_by: 2\n"), applied(2, 1, ""));
        assert!(take(&mut products, &old));
        let alone = products.by_input("shop.buyers.v2.in").unwrap().clone();
        assert!(alone.source.is_none());
        assert!(take(&mut products, &new));
        let fed = products.by_input("shop.buyers.v2.in").unwrap().clone();
        assert_eq!((fed.major, fed.topics.view("in")), (1, Some("shop.buyers.v1.in")));
        assert_eq!(fed.topics.quarantine, "shop.buyers.v1.quarantine");
        assert_eq!(fed.source.as_deref(), Some(&new));
        assert!(fed.identity != alone.identity && fed.passing(b"anything") == Some("anything"));
        assert_eq!(products.inputs("shop"), ["shop.buyers.v2.in"]);

        // a remask empties views; this output is somebody's input
        let asked = serde_json::to_vec(&OutputGeneration { generation: 2, requested_at_ms: 0 }).unwrap();
        assert!(!products.take(&record(generation_key(&old), Some(asked)), |_| true));
        assert_eq!(products.generation(&fed), FIRST_GENERATION);

        assert!(!take(&mut products, &applied(1, 0, "")), "an older revision is ignored");
        assert!(take(&mut products, &applied(1, 2, "")));
        assert!(products.by_input("shop.buyers.v2.in").is_none(), "it is fed no more");
        assert!(take(&mut products, &applied(1, 3, "fed_by: 2\n")));
        assert!(products.take(&record(old.key(), None), |_| true));
        assert!(products.inputs("shop").is_empty(), "it is retired");
    }

    #[test]
    fn a_sidecar_masks_fed_versions_as_any_other() {
        let mut products = Products::default();
        assert!(take(&mut products, &applied(1, 1, "fed_by: 2\n")));
        assert_eq!(products.inputs("shop"), ["shop.buyers.v1.in"]);
    }

    #[test]
    fn only_newest_revisions_of_products_count() {
        assert!(is_newest_revision("7c9e6679-7425-40de-944b-e07fc1f90ae7/1"));
        for other in ["7c9e6679-7425-40de-944b-e07fc1f90ae7/1/2", "domain/crm", "domain/1", "x", ""] {
            assert!(!is_newest_revision(other), "{other}");
        }
    }
}
