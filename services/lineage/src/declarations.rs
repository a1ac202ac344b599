//! The contracts through time, as `mesh.products` has them: the newest revision of each product, and those before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_client::Catalogue;
use mesh_client::lineage::KafkaCluster;
use mesh_contract::AppliedProduct;
use mesh_kafka::Record;

use crate::graph::Declaration;

/// How many superseded revisions are kept of one product; the oldest go first.
const REVISIONS_MAX: usize = 32;

/// Products and domains as they are, and the revisions of products as they were.
#[derive(Debug, Clone, Default)]
pub struct Declarations {
    catalogue: Catalogue,
    /// By `<unique_id>/<major>`, then by revision.
    revisions: BTreeMap<String, BTreeMap<u64, Arc<AppliedProduct>>>,
    /// When a product was gone, by `<unique_id>/<major>`.
    gone_ms: BTreeMap<String, i64>,
}

impl Declarations {
    /// What holds now.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Takes one record of `mesh.products` in; whether that changed what is declared.
    pub fn take(&mut self, record: &Record) -> bool {
        self.catalogue.take(record);
        let Some(key) = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()) else { return false };
        if KafkaCluster::id_in(key).is_some() {
            return true;
        }
        let parts: Vec<&str> = key.split('/').collect();
        let [id, major, ..] = parts[..] else { return false };
        if parts.len() > 3 || uuid::Uuid::try_parse(id).is_err() {
            return false;
        }
        let product = format!("{id}/{major}");
        let applied = record.value.as_deref().and_then(|value| serde_json::from_slice::<AppliedProduct>(value).ok());
        match applied {
            Some(applied) => self.keep(product, applied),
            None if parts.len() == 2 => _ = self.gone_ms.insert(product, record.timestamp_ms.unwrap_or_default()),
            None => {}
        }
        true
    }

    fn keep(&mut self, product: String, applied: AppliedProduct) {
        self.gone_ms.remove(&product);
        let revisions = self.revisions.entry(product).or_default();
        revisions.insert(applied.revision, Arc::new(applied));
        if revisions.len() > REVISIONS_MAX {
            revisions.pop_first();
        }
    }

    /// Every revision that is known, with when it stopped to hold.
    pub fn all(&self) -> Vec<Declaration<'_>> {
        let of_product = |(product, revisions): (&String, &'_ BTreeMap<u64, Arc<AppliedProduct>>)| {
            let gone_ms = self.gone_ms.get(product).copied();
            let next = revisions.values().skip(1).map(|next| Some(next.applied_at_ms)).chain([gone_ms]);
            next.collect::<Vec<_>>()
        };
        let until = self.revisions.iter().flat_map(of_product);
        let applied = self.revisions.values().flat_map(BTreeMap::values);
        applied.zip(until).map(|(applied, until_ms)| Declaration { applied, until_ms }).collect()
    }
}
