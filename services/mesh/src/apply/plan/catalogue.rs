//! Contracts and domains on `mesh.products`: what every service follows.

use super::{Change, Plan, Wishes};
use crate::apply::observed::Observed;
use crate::tree::{WorkingProduct, WorkingTree};
use mesh_client::lineage::KafkaCluster;
use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_contract::{AppliedProduct, Domain, domain_key};
use std::collections::BTreeSet;

/// Something is published that cannot be read.
const UNREADABLE: &str = "catalogue-unreadable";
const NEWER: &str = "it was applied by another version of mesh: apply with that one, or a newer one";

pub(super) fn plan(plan: &mut Plan, tree: &WorkingTree, observed: &Observed, wishes: &Wishes) {
    name_cluster(plan, observed, wishes);
    for domain in &tree.domains {
        plan.looked_at += 1;
        let key = domain_key(&domain.value.domain);
        match observed.published.get::<Domain>(&key) {
            Ok(Some(current)) if current == domain.value => {}
            Ok(_) => plan.change(Change::PublishDomain { domain: Box::new(domain.value.clone()) }),
            Err(error) => unreadable(plan, &key, &error),
        }
    }
    for product in &tree.products {
        plan.looked_at += 1;
        publish(plan, product, observed);
    }
    let keys: BTreeSet<String> = tree.products.iter().map(|product| draft(product).key()).collect();
    let others = observed.published.products().filter(|(key, _)| !keys.contains(*key));
    let names: BTreeSet<String> =
        others.map(|(_, applied)| format!("{}@{}", applied.contract.product(), applied.contract.version)).collect();
    plan.left.extend(names.into_iter().map(|name| format!("product {name}: this tree has no contract of it")));
}

fn unreadable(plan: &mut Plan, key: &str, error: &serde_json::Error) {
    plan.refuse(UNREADABLE, format!("cannot read {key} on {PRODUCTS_TOPIC}: {error}"), NEWER);
}

/// A product as the tree has it, before it is known which revision that is.
pub(super) fn draft(product: &WorkingProduct) -> AppliedProduct {
    let contract = product.contract.value.clone();
    AppliedProduct { revision: 0, applied_at_ms: 0, contract, schema: product.schema.json().clone() }
}

fn publish(plan: &mut Plan, product: &WorkingProduct, observed: &Observed) {
    let mut next = draft(product);
    let key = next.key();
    let current = match observed.published.get::<AppliedProduct>(&key) {
        Ok(current) => current,
        Err(error) => return unreadable(plan, &key, &error),
    };
    if current.as_ref().is_some_and(|current| current.contract == next.contract && current.schema == next.schema) {
        return;
    }
    next.revision = observed.published.highest_revision(&key) + 1;
    plan.change(Change::PublishProduct { product: Box::new(next), is_new: current.is_none() });
}

/// What the cluster is called in lineage, unless that is known, and other addresses that it is seen at.
fn name_cluster(plan: &mut Plan, observed: &Observed, wishes: &Wishes) {
    let key = KafkaCluster::key(&observed.cluster_id);
    let known = match observed.published.get::<KafkaCluster>(&key) {
        Ok(known) => known,
        Err(error) => return unreadable(plan, &key, &error),
    };
    let named = match &known {
        Some(known) => known.clone().also_at(&wishes.bootstrap, &observed.addresses),
        None => KafkaCluster::new(&wishes.bootstrap, &observed.addresses),
    };
    if known.as_ref() != Some(&named) {
        plan.change(Change::NameCluster { key, cluster: named });
    }
}
