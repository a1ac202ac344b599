//! No two products are taken for one another.

use std::collections::HashMap;

use uuid::Uuid;

use super::Tree;
use crate::contract::Contract;
use crate::finding::Finding;
use crate::places::Declared;
use crate::product::Product;
use crate::{rules, topic};

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let mut contracts: Vec<&Declared<Contract>> = tree.contracts.iter().collect();
    contracts.sort_by_key(|contract| contract.places.file());
    check_duplicates(&contracts, findings);
    check_unique_ids(&contracts, findings);
    check_topics(&contracts, findings);
}

fn check_duplicates(contracts: &[&Declared<Contract>], findings: &mut Vec<Finding>) {
    let mut first: HashMap<(Product, u32), &str> = HashMap::new();
    for contract in contracts {
        let (product, version) = (contract.value.product(), contract.value.version);
        let file = contract.places.file();
        if let Some(other) = first.get(&(product.clone(), version)) {
            let message = format!("`{product}` version {version} is declared here and in {other}");
            findings.push(Finding::error(rules::PRODUCT_DUPLICATE, contract.places.at("version"), message));
        } else {
            first.insert((product, version), file);
        }
    }
}

fn check_unique_ids(contracts: &[&Declared<Contract>], findings: &mut Vec<Finding>) {
    let mut by_id: HashMap<Uuid, Product> = HashMap::new();
    let mut by_product: HashMap<Product, Uuid> = HashMap::new();
    for contract in contracts {
        let (id, product) = (contract.value.unique_id, contract.value.product());
        let place = contract.places.at("unique_id");
        let owner = by_id.entry(id).or_insert_with(|| product.clone());
        if *owner != product {
            let message = format!("{id} is already the unique_id of `{owner}`");
            findings.push(Finding::error(rules::UNIQUE_ID_REUSED, place.clone(), message));
        }
        let expected = by_product.entry(product.clone()).or_insert(id);
        if *expected != id {
            let message = format!("{id} is not the unique_id of `{product}`'s other version");
            let hint = format!("write {expected}: it never changes, also across versions");
            findings.push(Finding::error(rules::UNIQUE_ID_CHANGED, place, message).hint(hint));
        }
    }
}

fn check_topics(contracts: &[&Declared<Contract>], findings: &mut Vec<Finding>) {
    let mut taken: HashMap<String, (Product, u32, String)> = HashMap::new();
    for contract in contracts {
        let (product, version) = (contract.value.product(), contract.value.version);
        for name in contract.value.topics().all() {
            let form = topic::collision_form(name);
            let Some((other, other_version, other_name)) = taken.get(&form) else {
                taken.insert(form, (product.clone(), version, name.to_owned()));
                continue;
            };
            if (other, other_version) == (&product, &version) && other_name == name {
                continue;
            }
            let message = format!("the topic `{name}` collides with `{other_name}` of `{other}`");
            findings.push(Finding::error(rules::TOPIC_COLLISION, contract.places.at("name"), message));
        }
    }
}
