//! What feeds a version is another of the same product, fed by it in no way, and as many partitions.

use super::Tree;
use super::dependencies::Catalogue;
use crate::contract::Contract;
use crate::finding::Finding;
use crate::places::Declared;
use crate::product::ProductRef;
use crate::rules;

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let catalogue = Catalogue::of(tree);
    for contract in &tree.contracts {
        let Some(major) = contract.value.fed_by else { continue };
        let source = ProductRef { product: contract.value.product(), major: Some(major) };
        match catalogue.resolve(&source).map(|index| &catalogue.contracts[index].value) {
            Some(found) if is_fed_by(found, contract.value.version, &catalogue) => {
                let why = format!("`{source}`, which is to feed this version, is fed by it itself");
                findings.push(unknown(contract, why));
            }
            Some(found) if feeds_another(found, &contract.value, &catalogue) => {
                let why = format!("`{source}`, which is to feed this version, feeds another one already");
                findings.push(unknown(contract, why));
            }
            Some(found) => check_partitions(contract, &source, found, findings),
            // a contract with errors may be the one that is meant
            None if catalogue.is_broken(&source.product) => {}
            None => {
                findings.push(unknown(contract, format!("`{source}`, which is to feed this version, does not exist")))
            }
        }
    }
}

fn unknown(contract: &Declared<Contract>, why: String) -> Finding {
    Finding::error(rules::FEED_UNKNOWN, contract.places.at("fed_by"), why)
}

/// Whether a version is this one, or is fed by it, by however many in between.
fn is_fed_by(contract: &Contract, version: u32, catalogue: &Catalogue<'_>) -> bool {
    let mut at = contract;
    // in a circle that this version is not part of, one comes back to where one was
    for _ in 0..=catalogue.contracts.len() {
        if at.version == version {
            return true;
        }
        let next = at.fed_by.map(|major| ProductRef { product: contract.product(), major: Some(major) });
        let Some(next) = next.and_then(|next| catalogue.resolve(&next)) else { return false };
        at = &catalogue.contracts[next].value;
    }
    false
}

/// Whether a version feeds one that comes before `fed`: a version feeds one other, which may feed the next.
fn feeds_another(source: &Contract, fed: &Contract, catalogue: &Catalogue<'_>) -> bool {
    let others = catalogue.contracts.iter().map(|contract| &contract.value);
    others.into_iter().any(|other| {
        other.product() == source.product() && other.fed_by == Some(source.version) && other.version < fed.version
    })
}

fn check_partitions(contract: &Declared<Contract>, named: &ProductRef, source: &Contract, findings: &mut Vec<Finding>) {
    if contract.value.partitions == source.partitions {
        return;
    }
    let shown = |partitions: Option<u32>| partitions.map_or("the cluster's number of".to_owned(), |n| n.to_string());
    let (own, other) = (shown(contract.value.partitions), shown(source.partitions));
    let message = format!("this version has {own} partitions, `{named}`, which feeds it, {other}");
    findings.push(Finding::error(rules::FEED_PARTITIONS, contract.places.at("fed_by"), message));
}
