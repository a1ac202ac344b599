//! What is deprecated has a successor that is there, and is depended on by nobody who does not know.

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
        check_successor(contract, &catalogue, findings);
        check_sources(contract, &catalogue, findings);
    }
}

fn check_successor(contract: &Declared<Contract>, catalogue: &Catalogue<'_>, findings: &mut Vec<Finding>) {
    let deprecated = contract.value.deprecated.as_ref();
    let Some(successor) = deprecated.and_then(|deprecated| deprecated.successor.as_ref()) else { return };
    let found = catalogue.resolve(successor).map(|index| &catalogue.contracts[index].value);
    let why = match found {
        // a contract with errors may be the one that is meant
        None if catalogue.is_broken(&successor.product) => return,
        None => "does not exist".to_owned(),
        Some(found) if found.product() == contract.value.product() && found.version == contract.value.version => {
            "is this version itself".to_owned()
        }
        Some(found) => match &found.deprecated {
            Some(deprecated) => format!("is deprecated itself, until {}", deprecated.until),
            None => return,
        },
    };
    let message = format!("the successor `{successor}` {why}");
    findings.push(Finding::error(rules::SUCCESSOR_UNKNOWN, contract.places.at("deprecated.successor"), message));
}

/// Whoever is derived from what goes away has to know, until when, and what to do.
fn check_sources(contract: &Declared<Contract>, catalogue: &Catalogue<'_>, findings: &mut Vec<Finding>) {
    for (index, dependency) in contract.value.dependencies.iter().enumerate() {
        let Some(source) = catalogue.resolve(dependency).map(|index| &catalogue.contracts[index].value) else {
            continue;
        };
        let Some(deprecated) = &source.deprecated else { continue };
        let named = ProductRef { product: source.product(), major: Some(source.version) };
        let message = format!("`{named}`, which this is derived from, is {deprecated}");
        let hint = deprecated.successor.as_ref().map(|successor| format!("depend on `{successor}`"));
        let place = contract.places.at(&format!("dependencies[{index}]"));
        findings.push(Finding::warning(rules::DEPENDENCY_DEPRECATED, place, message).maybe_hint(hint));
    }
}
