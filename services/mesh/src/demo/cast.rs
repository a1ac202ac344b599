//! The products that the demo plays, as they were applied.

use super::event::ChangeEvent;
use super::failed;
use crate::failure::Failure;
use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_contract::{AppliedProduct, Contract, Topics};
use mesh_kafka::log::LogReader;
use mesh_kafka::{Record, Settings};
use std::collections::BTreeMap;

/// The domains of the example.
pub const DOMAINS: [&str; 3] = ["crm", "web", "upselling"];
/// The products of the example.
pub const PRODUCTS: [&str; 4] = ["crm.customers", "crm.orders", "upselling.offers", "web.page_views"];

/// The products, by name.
#[derive(Debug)]
pub struct Cast(BTreeMap<&'static str, AppliedProduct>);

impl Cast {
    /// Reads what was applied.
    ///
    /// # Errors
    /// Kafka does not answer, or a product of the example is not there.
    pub async fn read(kafka: &Settings) -> Result<Self, Failure> {
        let read = failed::kafka("read which products there are");
        let mut found = BTreeMap::new();
        let mut log = LogReader::open(kafka, PRODUCTS_TOPIC).await.map_err(&read)?;
        log.read_to_end(|record| found.extend(current(&record))).await.map_err(&read)?;
        let missing: Vec<&str> = PRODUCTS.into_iter().filter(|name| !found.contains_key(name)).collect();
        if !missing.is_empty() {
            return Err(missing_products(&missing));
        }
        Ok(Self(found))
    }

    /// One of [`PRODUCTS`].
    pub fn product(&self, name: &str) -> &AppliedProduct {
        self.0.get(name).expect("every product was there when the cast was read")
    }

    /// The product of an event.
    pub fn of<E: ChangeEvent>(&self) -> &AppliedProduct {
        self.product(E::PRODUCT)
    }

    /// The topics of one of [`PRODUCTS`].
    pub fn topics(&self, name: &str) -> Topics {
        self.product(name).contract.topics()
    }

    /// All contracts.
    pub fn contracts(&self) -> impl Iterator<Item = &Contract> {
        self.0.values().map(|product| &product.contract)
    }

    /// The product of every quarantine topic.
    pub fn quarantines(&self) -> BTreeMap<String, &'static str> {
        self.0.iter().map(|(name, product)| (product.contract.topics().quarantine, *name)).collect()
    }

    /// Every topic in which something is to turn up.
    pub fn outputs(&self) -> Vec<String> {
        let topics = self.contracts().map(Contract::topics);
        topics.flat_map(|topics| topics.views.into_iter().map(|(_, topic)| topic).chain([topics.quarantine])).collect()
    }
}

/// The demo cannot be played without these.
pub fn missing_products(missing: &[&str]) -> Failure {
    let missing = missing.join(", ");
    Failure::usage(format!("the demo plays products that are not in this working tree: {missing}"))
        .hint("run it in the project's own working tree, or name that with --root")
}

/// A product of the example at its newest revision; superseded ones lie at other keys.
fn current(record: &Record) -> Option<(&'static str, AppliedProduct)> {
    let applied: AppliedProduct = serde_json::from_slice(record.value.as_deref()?).ok()?;
    let is_newest = record.key.as_deref() == Some(applied.key().as_bytes());
    let name = applied.contract.product().to_string();
    let name = PRODUCTS.into_iter().find(|product| *product == name)?;
    (is_newest && applied.contract.version == 1).then_some((name, applied))
}
