//! Topics that are named to be deleted. Each reason against it is told.

use super::{Change, Plan, Step, Wishes};
use crate::apply::observed::Observed;
use crate::apply::topics;
use crate::tree::WorkingTree;
use mesh_contract::topic::RESERVED_DOMAIN;
use std::collections::BTreeSet;

/// A topic that is to be deleted must stay.
const REFUSED: &str = "delete-refused";

pub(super) fn plan(plan: &mut Plan, tree: &WorkingTree, observed: &Observed, wishes: &Wishes) {
    let wanted: BTreeSet<String> = topics::names(tree).into_iter().collect();
    let in_tree: BTreeSet<String> = tree
        .products
        .iter()
        .map(|product| format!("{}/{}", product.contract.value.unique_id, product.contract.value.version))
        .collect();
    let owned = observed.published.owned();
    for topic in &wishes.delete {
        if !observed.topics.contains_key(topic) {
            plan.left.push(format!("topic {topic}: it is to be deleted, and is not there"));
            continue;
        }
        let published =
            observed.published.products().filter(|(key, _)| !in_tree.contains(*key)).find_map(|(_, applied)| {
                applied
                    .contract
                    .topics()
                    .all()
                    .any(|name| name == topic)
                    .then(|| applied.contract.product().to_string())
            });
        let mut why: Vec<String> = observed.read.get(topic).cloned().unwrap_or_default();
        if topic.split('.').next() == Some(RESERVED_DOMAIN) {
            why.push("it is the backbone's own".to_owned());
        } else if wanted.contains(topic) {
            why.push("a contract of this tree asks for it".to_owned());
        } else if !owned.contains(topic) {
            why.push("the mesh has not made it".to_owned());
        }
        if let Some(product) = published {
            why.push(format!("the product {product} is published, and its sidecars use it"));
        }
        if !wishes.is_pinned {
            why.push(
                "it is not certain that this is the cluster that is meant (cluster.yaml, or --cluster-id)".to_owned(),
            );
        }
        if !why.is_empty() {
            let hint = "see docs/operations.md, \"Plans and applies\"";
            plan.refuse(REFUSED, format!("the topic {topic} is not deleted: {}", why.join("; ")), hint);
            continue;
        }
        // naming it is the confirmation
        plan.steps.push(Step { change: Change::DeleteTopic { topic: topic.clone() }, asks: None });
    }
}
