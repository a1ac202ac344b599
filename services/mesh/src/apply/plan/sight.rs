//! Who gains sight of which sensitive column: what is published and Kafka's rules as they are, beside the same as they are to be.

use super::Plan;
use super::catalogue::draft;
use crate::apply::observed::Observed;
use crate::apply::scope::Scope;
use crate::tree::WorkingTree;
use mesh_access::sight::{Readers, Seen, State, gains};
use mesh_contract::AppliedProduct;
use mesh_contract::acl::{Acl, AclTable, Resource};
use std::collections::{BTreeMap, BTreeSet};

/// Where Kafka's rules are known and kept, people are told; elsewhere the groups of the contracts.
pub(super) fn plan(plan: &mut Plan, tree: &WorkingTree, scope: &Scope, observed: &Observed) {
    let mut before: BTreeMap<String, AppliedProduct> =
        observed.published.products().map(|(key, applied)| (key.to_owned(), applied)).collect();
    let mut after = before.clone();
    after.extend(tree.products.iter().map(draft).map(|applied| (applied.key(), applied)));
    let rules = observed.rights.as_ref().zip(scope.rights.as_ref());
    let rules = rules.map(|(rights, wanted)| {
        let stale = wanted.stale(&rights.table);
        let next = rights.table.iter().filter(|rule| !stale.contains(*rule)).chain(&wanted.table);
        (reads(&rights.table), reads(next))
    });
    let granted = rules.as_ref().map(|(was, is)| is.difference(was).map(|rule| &rule.resource).collect());
    let granted: BTreeSet<&Resource> = granted.unwrap_or_default();
    // nobody gains anything by what stays as it is
    after.retain(|key, applied| {
        let is_same = |was: &AppliedProduct| was.contract == applied.contract && was.schema == applied.schema;
        let views = applied.contract.topics().views.into_iter().map(|(_, topic)| Resource::Topic(topic));
        !before.get(key).is_some_and(is_same) || views.into_iter().any(|view| granted.contains(&view))
    });
    before.retain(|key, _| after.contains_key(key));
    let (was, is) = (seen(&before), seen(&after));
    let (was_read, is_read) = match &rules {
        Some((was, is)) => (Readers::Rules(was), Readers::Rules(is)),
        None => (Readers::Groups, Readers::Groups),
    };
    plan.gains = gains(&State { products: &was, readers: was_read }, &State { products: &is, readers: is_read });
}

/// The rules that let somebody read a topic.
fn reads<'r>(rules: impl IntoIterator<Item = &'r Acl>) -> AclTable {
    let reads = |rule: &&Acl| rule.operation.is_reading() && matches!(rule.resource, Resource::Topic(_));
    rules.into_iter().filter(reads).cloned().collect()
}

fn seen(products: &BTreeMap<String, AppliedProduct>) -> Vec<Seen<'_>> {
    products.values().map(|applied| Seen::of(&applied.contract, &applied.schema)).collect()
}
