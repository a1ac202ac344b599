//! What principals may take of the cluster: as the domains say, and no more limited than that.

use super::{Change, LimitChange, Plan, Wishes};
use crate::apply::observed::{Limits, Observed};
use crate::tree::WorkingTree;
use mesh_contract::{Domain, Limit, Quota};
use std::collections::{BTreeMap, BTreeSet};

/// A principal is limited, and not by the mesh.
const TAKEN: &str = "quota-taken";
/// A domain that is none of this tree's says something else.
const DIFFERS: &str = "quota-differs";

pub(super) fn plan(plan: &mut Plan, tree: &WorkingTree, observed: &Observed, wishes: &Wishes) {
    let wanted = wanted(tree);
    plan.looked_at += wanted.len();
    let here: BTreeSet<&str> = tree.domains.iter().map(|domain| domain.value.domain.as_str()).collect();
    let (ours, others): (Vec<Domain>, Vec<Domain>) =
        observed.published.domains().partition(|domain| here.contains(domain.domain.as_str()));
    for (principal, quota) in &wanted {
        let contrary = others.iter().find(|domain| domain.quotas.get(*principal).is_some_and(|other| other != *quota));
        if let Some(domain) = contrary {
            let what = format!("the domain {} gives {principal} another quota, and is not of this tree", domain.domain);
            plan.refuse(DIFFERS, what, "agree on one: a principal has one quota at Kafka");
            continue;
        }
        let is_owned = ours.iter().chain(&others).any(|domain| domain.quotas.contains_key(*principal));
        limit(plan, principal, quota, observed, is_owned || wishes.adopt.contains(*principal));
    }
    let held: BTreeSet<&String> = others.iter().flat_map(|domain| domain.quotas.keys()).collect();
    let dropped: BTreeSet<&String> = ours.iter().flat_map(|domain| domain.quotas.keys()).collect();
    for principal in dropped.into_iter().filter(|it| !wanted.contains_key(it.as_str()) && !held.contains(*it)) {
        let limits = differences(observed.quotas.get(principal), &Quota::default());
        if !limits.is_empty() {
            plan.change(Change::Release { principal: principal.clone(), limits });
        }
    }
}

/// What the domains of a tree say; where two say it, they say the same.
fn wanted(tree: &WorkingTree) -> BTreeMap<&str, &Quota> {
    let quotas = tree.domains.iter().flat_map(|domain| &domain.value.quotas);
    quotas.map(|(principal, quota)| (principal.as_str(), quota)).collect()
}

fn limit(plan: &mut Plan, principal: &str, quota: &Quota, observed: &Observed, may_be_changed: bool) {
    let found = observed.quotas.get(principal);
    let limits = differences(found, quota);
    if limits.is_empty() {
        return;
    }
    if found.is_some() && !may_be_changed {
        let is: Vec<String> = found.into_iter().flatten().map(|(limit, is)| said(*limit, *is)).collect();
        let what = format!("{principal} has a quota already, and the mesh has not given it: {}", is.join(", "));
        plan.refuse(TAKEN, what, format!("if it is to become what the domain says, give --adopt {principal}"));
        return;
    }
    plan.change(Change::Limit { principal: principal.to_owned(), limits });
}

fn said(limit: Limit, value: f64) -> String {
    format!("{} {}", limit.name(), limit.text(value))
}

fn differences(found: Option<&Limits>, quota: &Quota) -> Vec<LimitChange> {
    let changes = Limit::ALL.into_iter().map(|limit| {
        let from = found.and_then(|found| found.get(&limit)).copied();
        LimitChange { limit, from, to: quota.value(limit) }
    });
    changes.filter(|change| change.from != change.to).collect()
}
