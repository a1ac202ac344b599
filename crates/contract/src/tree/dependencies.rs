//! Products are derived from products that exist, in no circle, and promise nothing that those cannot keep.

use std::collections::{BTreeMap, HashMap};

use super::{Tree, folders};
use crate::contract::Contract;
use crate::finding::Finding;
use crate::places::Declared;
use crate::product::{Product, ProductRef};
use crate::{rules, suggest};

/// The tree's products, each with its versions in order.
pub(super) struct Catalogue<'t> {
    pub(super) contracts: &'t [Declared<Contract>],
    versions: BTreeMap<Product, BTreeMap<u32, usize>>,
    /// Those that have a contract with errors.
    broken: Vec<Product>,
}

impl<'t> Catalogue<'t> {
    pub(super) fn of(tree: &'t Tree) -> Catalogue<'t> {
        let mut versions: BTreeMap<Product, BTreeMap<u32, usize>> = BTreeMap::new();
        for (index, contract) in tree.contracts.iter().enumerate() {
            versions.entry(contract.value.product()).or_default().insert(contract.value.version, index);
        }
        Catalogue { contracts: &tree.contracts, versions, broken: folders::broken_products(tree).collect() }
    }

    /// The contract that a dependency means: that of its major version, or of the newest.
    pub(super) fn resolve(&self, reference: &ProductRef) -> Option<usize> {
        let versions = self.versions.get(&reference.product)?;
        match reference.major {
            Some(major) => versions.get(&major).copied(),
            None => versions.last_key_value().map(|(_, index)| *index),
        }
    }

    /// Whether a contract of this product has errors, so that it is not among those that can be resolved.
    pub(super) fn is_broken(&self, product: &Product) -> bool {
        self.broken.contains(product)
    }

    fn dependencies(&self, index: usize) -> &'t [ProductRef] {
        &self.contracts[index].value.dependencies
    }
}

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let catalogue = Catalogue::of(tree);
    for contract in &tree.contracts {
        for (index, dependency) in contract.value.dependencies.iter().enumerate() {
            let path = format!("dependencies[{index}]");
            match catalogue.resolve(dependency) {
                Some(source) => check_pace(contract, &path, dependency, &tree.contracts[source].value, findings),
                None if catalogue.is_broken(&dependency.product) => {}
                None => findings.push(unknown(contract, &path, dependency, &catalogue)),
            }
        }
    }
    check_circles(&catalogue, findings);
}

fn check_pace(
    contract: &Declared<Contract>,
    path: &str,
    dependency: &ProductRef,
    source: &Contract,
    findings: &mut Vec<Finding>,
) {
    let (promised, sourced) = (contract.value.refresh_rate.every, source.refresh_rate.every);
    if promised.seconds() < sourced.seconds() {
        let message = format!("new facts are promised every {promised}, but `{dependency}` has them every {sourced}");
        let hint = format!("write `refresh_rate: {sourced}` or longer, or have `{dependency}` refreshed more often");
        findings.push(Finding::error(rules::DEPENDENCY_SLOWER, contract.places.at(path), message).hint(hint));
    }
}

fn unknown(contract: &Declared<Contract>, path: &str, dependency: &ProductRef, catalogue: &Catalogue<'_>) -> Finding {
    let hint = match catalogue.versions.get(&dependency.product) {
        Some(versions) => {
            let majors: Vec<String> = versions.keys().map(|major| format!("{}@{major}", dependency.product)).collect();
            Some(format!("there is {}", majors.join(", ")))
        }
        None => {
            let products: Vec<String> =
                catalogue.versions.keys().chain(&catalogue.broken).map(Product::to_string).collect();
            suggest::hint(&dependency.product.to_string(), products.iter().map(String::as_str))
        }
    };
    let message = format!("the dependency `{dependency}` does not exist");
    Finding::error(rules::DEPENDENCY_UNKNOWN, contract.places.at(path), message).maybe_hint(hint)
}

/// Walks depth first without recursion; a dependency on a product that is still being walked closes a circle.
fn check_circles(catalogue: &Catalogue<'_>, findings: &mut Vec<Finding>) {
    let mut walked: HashMap<usize, bool> = HashMap::new();
    for start in 0..catalogue.contracts.len() {
        if walked.contains_key(&start) {
            continue;
        }
        walked.insert(start, false);
        let mut path = vec![(start, 0)];
        while let Some((index, next)) = path.last_mut() {
            let (index, dependency) = (*index, *next);
            *next += 1;
            let Some(reference) = catalogue.dependencies(index).get(dependency) else {
                walked.insert(index, true);
                path.pop();
                continue;
            };
            let Some(source) = catalogue.resolve(reference) else { continue };
            match walked.get(&source) {
                Some(true) => {}
                Some(false) => findings.push(circle(catalogue, &path, source, dependency)),
                None => {
                    walked.insert(source, false);
                    path.push((source, 0));
                }
            }
        }
    }
}

fn circle(catalogue: &Catalogue<'_>, path: &[(usize, usize)], closing: usize, dependency: usize) -> Finding {
    let on_circle = path.iter().map(|(index, _)| *index).skip_while(|index| *index != closing);
    let members: Vec<usize> = on_circle.collect();
    let names = members.iter().chain([&closing]).map(|index| catalogue.contracts[*index].value.product().to_string());
    let names: Vec<String> = names.collect();
    let last = members.last().copied().unwrap_or(closing);
    let place = catalogue.contracts[last].places.at(&format!("dependencies[{dependency}]"));
    let message = format!("products are derived from each other in a circle: {}", names.join(" <- "));
    Finding::error(rules::DEPENDENCY_CYCLE, place, message)
}
