//! What changed, and who was told of it. Pure: records of `mesh.freshness` in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mesh_kafka::Record;
use serde_json::{Map, Value};

use super::event;
use super::progress::{self, Told};
use super::target::Target;
use crate::{ProductReport, State};

/// So many changes of a product are remembered for a target that is behind; older ones are superseded.
const CHANGES_MAX: usize = 16;

/// A product's state became another, or the product is gone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    /// The product's key.
    pub(super) key: String,
    pub(super) product: String,
    pub(super) version: u32,
    pub(super) owner: String,
    /// None: nobody watches the product any more.
    pub(super) state: Option<State>,
    /// None: this is the first that is known of the product.
    pub(super) before: Option<State>,
    /// Since when it is in that state.
    pub(super) since_ms: i64,
    /// Further properties of the event's data.
    pub(super) details: Map<String, Value>,
}

impl Change {
    /// What is remembered once it is told.
    pub(super) fn told(&self) -> Option<Told> {
        let Self { product, version, owner, since_ms, .. } = self;
        let (product, version, owner, since_ms) = (product.clone(), *version, owner.clone(), *since_ms);
        self.state.map(|state| Told { product, version, owner, state, since_ms })
    }

    fn is(&self, told: &Told) -> bool {
        self.state == Some(told.state) && self.since_ms == told.since_ms
    }
}

/// What changed, by product, and what each target was told.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    products: BTreeMap<String, VecDeque<Change>>,
    told: BTreeMap<(String, String), Told>,
    /// Who is about to be told of which product.
    begun: BTreeSet<(String, String)>,
}

impl Ledger {
    /// Takes in a record of `mesh.freshness`; says what changed by it, if anything did.
    pub(super) fn take(&mut self, record: &Record) -> Option<Change> {
        let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
        if let Some((target, product)) = progress::parse(key) {
            self.take_told(target, product, record.value.as_deref());
            return None;
        }
        match record.value.as_deref().map(serde_json::from_slice::<ProductReport>) {
            Some(Ok(report)) => self.take_report(key, &report),
            None => self.forget(key),
            // another kind of record, or one that whoever keeps the states has complained of
            Some(Err(_)) => None,
        }
    }

    /// What a target has still to be told, oldest first.
    pub(super) fn untold(&mut self, target: &Target) -> Vec<Change> {
        let of_products = self.products.iter().flat_map(|(key, all)| self.untold_of(target, key, all));
        let of_target = self.told.iter().filter(|((name, _), _)| *name == target.name);
        let gone = of_target.filter(|((_, key), _)| !self.products.contains_key(key));
        let mut untold: Vec<Change> = of_products.chain(gone.map(|((_, key), told)| forgotten(key, told))).collect();
        untold.sort_by_key(|change| change.since_ms);
        self.begun.extend(untold.iter().map(|change| (target.name.clone(), change.key.clone())));
        untold
    }

    /// Whether a change that has just been taken in is to be told to this target: one that never heard of the product wants
    /// to hear only that it is stale.
    pub(super) fn concerns(&mut self, target: &Target, change: &Change) -> bool {
        let pair = (target.name.clone(), change.key.clone());
        let is_known = self.told.contains_key(&pair) || self.begun.contains(&pair);
        let concerns = target.wants(&change.owner) && (is_known || is_news(change));
        match change.state {
            // once gone it is a new product if it comes back
            None => drop(self.begun.remove(&pair)),
            Some(_) if concerns => drop(self.begun.insert(pair)),
            Some(_) => {}
        }
        concerns
    }

    fn untold_of(&self, target: &Target, key: &str, all: &VecDeque<Change>) -> Vec<Change> {
        let Some(last) = all.back().filter(|last| target.wants(&last.owner)) else { return Vec::new() };
        let Some(told) = self.told.get(&(target.name.clone(), key.to_owned())) else {
            return if is_news(last) { vec![last.clone()] } else { Vec::new() };
        };
        let after = match all.iter().position(|change| change.is(told)) {
            Some(at) => at + 1,
            // what was told is compacted away, or was superseded: so is all before the last
            None => all.len() - 1,
        };
        all.iter().skip(after).cloned().collect()
    }

    fn take_told(&mut self, target: &str, product: &str, value: Option<&[u8]>) {
        let key = (target.to_owned(), product.to_owned());
        match value.map(serde_json::from_slice) {
            Some(Ok(told)) => drop(self.told.insert(key, told)),
            Some(Err(error)) => {
                tracing::warn!(target_name = target, %error, "what a webhook was told cannot be read, left out")
            }
            None => drop(self.told.remove(&key)),
        }
    }

    fn take_report(&mut self, key: &str, report: &ProductReport) -> Option<Change> {
        let changes = self.products.entry(key.to_owned()).or_default();
        let last = changes.back();
        if last.is_some_and(|last| last.state == Some(report.state) && last.since_ms == report.since_ms) {
            return None;
        }
        let change = Change {
            key: key.to_owned(),
            product: report.product.clone(),
            version: report.version,
            owner: report.owner.clone(),
            state: Some(report.state),
            before: last.and_then(|last| last.state),
            since_ms: report.since_ms,
            details: event::details(report),
        };
        if changes.len() == CHANGES_MAX {
            changes.pop_front();
        }
        changes.push_back(change.clone());
        Some(change)
    }

    fn forget(&mut self, key: &str) -> Option<Change> {
        let last = self.products.remove(key)?.pop_back()?;
        Some(Change { state: None, before: last.state, details: Map::new(), ..last })
    }
}

/// Whether somebody who never heard of the product wants to hear this.
fn is_news(change: &Change) -> bool {
    change.state == Some(State::Stale)
}

fn forgotten(key: &str, told: &Told) -> Change {
    Change {
        key: key.to_owned(),
        product: told.product.clone(),
        version: told.version,
        owner: told.owner.clone(),
        state: None,
        before: Some(told.state),
        since_ms: told.since_ms,
        details: Map::new(),
    }
}

#[cfg(test)]
mod tests;
