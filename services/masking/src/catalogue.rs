//! Follows `mesh.products`: which products there are, and under which revision of their contracts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mesh_contract::{AppliedProduct, GENERATION_PREFIX, OutputGeneration, topic::PRODUCTS_TOPIC};
use mesh_kafka::{ErrorKind, Record, Settings, log::LogReader};
use mesh_runtime::Latch;
use tokio::sync::watch;

use crate::{Config, Error, product::Product, remask::FIRST_GENERATION};

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
            return self.take_generation(product, record.value.as_deref());
        }
        if !is_newest_revision(key) {
            return false;
        }
        match &record.value {
            None => self.by_key.remove(key).is_some(),
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
        if self.by_key.get(key).is_some_and(|known| known.revision > applied.revision) {
            tracing::warn!(key, revision = applied.revision, "an older revision of a contract was published, ignored");
            return false;
        }
        let product = Product::new(applied);
        match &product.rules {
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
        true
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
    let mut products = Products::default();
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
    use super::*;

    #[test]
    fn only_newest_revisions_of_products_count() {
        assert!(is_newest_revision("7c9e6679-7425-40de-944b-e07fc1f90ae7/1"));
        for other in ["7c9e6679-7425-40de-944b-e07fc1f90ae7/1/2", "domain/crm", "domain/1", "x", ""] {
            assert!(!is_newest_revision(other), "{other}");
        }
    }
}
