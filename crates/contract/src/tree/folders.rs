//! Files lie where what they declare belongs.

use std::collections::BTreeSet;

use super::Tree;
use crate::contract::Contract;
use crate::domain::Domain;
use crate::finding::Finding;
use crate::places::Declared;
use crate::product::Product;
use crate::{rules, suggest};

/// The stem of the file that declares a folder's domain.
const DOMAIN_STEM: &str = "domain";

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    tree.contracts.iter().for_each(|contract| check_contract(contract, findings));
    tree.domains.iter().for_each(|domain| check_domain(domain, findings));
    check_domains_exist(tree, findings);
}

/// The domain's folder and the file's name without `.yaml`.
pub(super) fn location(file: &str) -> Option<(&str, &str)> {
    let mut parts = file.rsplit(['/', '\\']);
    let stem = parts.next()?.strip_suffix(".yaml")?;
    parts.next().map(|folder| (folder, stem))
}

fn check_contract(contract: &Declared<Contract>, findings: &mut Vec<Finding>) {
    let (places, contract) = (&contract.places, &contract.value);
    let Some((folder, stem)) = location(places.file()) else {
        let message = "a contract stands here".to_owned();
        let hint = format!("move it to topics/{}/{}.yaml", contract.owner, contract.name);
        findings.push(Finding::error(rules::FILE_PLACE, places.at(""), message).hint(hint));
        return;
    };
    if folder != contract.owner {
        let message = format!("the owner is `{}`, but the folder is `{folder}`", contract.owner);
        let hint = format!("write `owner: {folder}`, or move the file to topics/{}/", contract.owner);
        findings.push(Finding::error(rules::OWNER_FOLDER, places.at("owner"), message).hint(hint));
    }
    let versioned = format!("{}@{}", contract.name, contract.version);
    if stem == contract.name || stem == versioned {
        return;
    }
    let (path, message) = match stem.split_once('@') {
        Some((name, _)) if name == contract.name => {
            ("version", format!("the version is {}, but the file is `{stem}.yaml`", contract.version))
        }
        _ => ("name", format!("the name is `{}`, but the file is `{stem}.yaml`", contract.name)),
    };
    let hint = format!("name the file `{}.yaml`, or `{versioned}.yaml` beside another major version", contract.name);
    findings.push(Finding::error(rules::NAME_FILE, places.at(path), message).hint(hint));
}

fn check_domain(domain: &Declared<Domain>, findings: &mut Vec<Finding>) {
    let (places, domain) = (&domain.places, &domain.value);
    match location(places.file()) {
        Some((folder, DOMAIN_STEM)) if folder == domain.domain => {}
        Some((folder, DOMAIN_STEM)) => {
            let message = format!("the domain is `{}`, but the folder is `{folder}`", domain.domain);
            let hint = format!("write `domain: {folder}`, or rename the folder");
            findings.push(Finding::error(rules::DOMAIN_FOLDER, places.at("domain"), message).hint(hint));
        }
        _ => {
            let message = "a domain stands here".to_owned();
            let hint = format!("move it to topics/{}/domain.yaml", domain.domain);
            findings.push(Finding::error(rules::FILE_PLACE, places.at(""), message).hint(hint));
        }
    }
}

/// Each folder with contracts is reported once, at its first contract.
fn check_domains_exist(tree: &Tree, findings: &mut Vec<Finding>) {
    let mut known = domain_names(tree);
    let declared: Vec<&str> = known.iter().copied().collect();
    let mut contracts: Vec<&Declared<Contract>> = tree.contracts.iter().collect();
    contracts.sort_by_key(|contract| contract.places.file());
    for contract in contracts {
        let folder = location(contract.places.file()).map_or(contract.value.owner.as_str(), |(folder, _)| folder);
        if known.insert(folder) {
            let message = format!("the domain `{folder}` has no domain.yaml");
            let hint = suggest::hint(folder, declared.iter().copied());
            let hint = hint.unwrap_or_else(|| format!("add topics/{folder}/domain.yaml"));
            findings.push(Finding::error(rules::DOMAIN_MISSING, contract.places.at("owner"), message).hint(hint));
        }
    }
}

/// Every domain that a file declares, readable or not.
pub(super) fn domain_names(tree: &Tree) -> BTreeSet<&str> {
    let folders = tree.domains.iter().filter_map(|domain| location(domain.places.file())).map(|(folder, _)| folder);
    tree.domains.iter().map(|domain| domain.value.domain.as_str()).chain(folders).chain(broken_domains(tree)).collect()
}

/// The domains whose file could not be read.
pub(super) fn broken_domains(tree: &Tree) -> impl Iterator<Item = &str> {
    let locations = tree.broken.iter().filter_map(|file| location(file));
    locations.filter(|(_, stem)| *stem == DOMAIN_STEM).map(|(folder, _)| folder)
}

/// The products whose file could not be read, by the file's name.
pub(super) fn broken_products(tree: &Tree) -> impl Iterator<Item = Product> {
    let locations = tree.broken.iter().filter_map(|file| location(file)).filter(|(_, stem)| *stem != DOMAIN_STEM);
    locations.map(|(folder, stem)| {
        let name = stem.split_once('@').map_or(stem, |(name, _)| name);
        Product { domain: folder.to_owned(), name: name.to_owned() }
    })
}
