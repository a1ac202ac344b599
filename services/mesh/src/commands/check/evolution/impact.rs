//! Whom a break reaches: the readers of views, and the products that are derived from the changed one.

use super::reference;
use crate::commands::check::reported::Reach;
use mesh_contract::{Contract, Declared, Product, ProductRef};
use std::collections::{HashMap, HashSet, VecDeque};

/// Who depends on what.
pub(super) struct Dependants<'t> {
    by_product: HashMap<&'t Product, Vec<(Option<u32>, &'t Contract)>>,
    newest: HashMap<Product, u32>,
}

impl<'t> Dependants<'t> {
    pub(super) fn of(contracts: &'t [Declared<Contract>]) -> Self {
        let mut dependants = Self { by_product: HashMap::new(), newest: HashMap::new() };
        for contract in contracts.iter().map(|contract| &contract.value) {
            let newest = dependants.newest.entry(contract.product()).or_default();
            *newest = contract.version.max(*newest);
            for dependency in &contract.dependencies {
                dependants.by_product.entry(&dependency.product).or_default().push((dependency.major, contract));
            }
        }
        dependants
    }

    /// The products that depend on `product`, and those on them, nearest first: each with what it would see.
    pub(super) fn reached(&self, product: &ProductRef, sees: &str) -> Vec<Reach> {
        let mut seen = HashSet::from([product.clone()]);
        let mut open = VecDeque::from([product.clone()]);
        let mut reached = Vec::new();
        while let Some(next) = open.pop_front() {
            for contract in self.on(&next) {
                let dependant = reference(contract);
                if !seen.insert(dependant.clone()) {
                    continue;
                }
                let sees = match next == *product {
                    true => format!("depends on {product}: {sees}"),
                    false => format!("is derived from {next}, which this reaches"),
                };
                let groups = groups(contract);
                reached.push(Reach { product: dependant.clone(), view: None, groups, sees });
                open.push_back(dependant);
            }
        }
        reached
    }

    /// A dependency without a version means the newest.
    fn on(&self, product: &ProductRef) -> impl Iterator<Item = &'t Contract> {
        let is_newest = self.newest.get(&product.product).is_none_or(|newest| product.major >= Some(*newest));
        let dependants = self.by_product.get(&product.product).into_iter().flatten();
        let major = product.major;
        dependants
            .filter(move |(wanted, _)| wanted.map_or(is_newest, |_| *wanted == major))
            .map(|(_, contract)| *contract)
    }
}

/// The readers of a view.
pub(super) fn view(contract: &Contract, view: &str, sees: &str) -> Reach {
    Reach {
        product: reference(contract),
        view: Some(view.to_owned()),
        groups: contract.groups(view).map(str::to_owned).collect(),
        sees: sees.to_owned(),
    }
}

/// The readers of every view.
pub(super) fn views(contract: &Contract, sees: &str) -> Vec<Reach> {
    contract.view_names().iter().map(|name| view(contract, name, sees)).collect()
}

fn groups(contract: &Contract) -> Vec<String> {
    let mut groups: Vec<String> = contract.access_group.iter().map(|grant| grant.group.clone()).collect();
    groups.sort();
    groups.dedup();
    groups
}
