//! What holds but should be known: warnings.

use super::Tree;
use crate::contract::Contract;
use crate::finding::Finding;
use crate::places::Declared;
use crate::rules;
use crate::storage::Storage;

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for contract in &tree.contracts {
        check_storage(contract, findings);
        check_access(contract, findings);
    }
}

fn check_storage(contract: &Declared<Contract>, findings: &mut Vec<Finding>) {
    let storages = contract.value.storage.iter().enumerate();
    for (index, storage) in storages.filter(|(_, storage)| **storage != Storage::Stream) {
        let message = format!("`{storage}` is promised but not served yet: only `stream` is");
        let place = contract.places.at(&format!("storage[{index}]"));
        findings.push(Finding::warning(rules::STORAGE_NOT_SERVED, place, message));
    }
}

fn check_access(contract: &Declared<Contract>, findings: &mut Vec<Finding>) {
    if contract.value.access_group.is_empty() {
        let message = format!("no group may read `{}`", contract.value.product());
        findings.push(Finding::warning(rules::ACCESS_NONE, contract.places.at("access_group"), message));
    }
}
