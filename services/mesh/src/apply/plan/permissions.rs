//! Whether one may do all of it, before any of it is done.

use super::{Change, Plan, Wishes};
use crate::apply::observed::Observed;
use mesh_contract::acl::{Acl, Operation, Resource};
use mesh_contract::topic::AUDIT_TOPIC;
use std::collections::BTreeMap;

/// Something has to be done that one may not do.
const NOT_ALLOWED: &str = "not-allowed";

/// Whether the plan itself gives a right on the cluster, before it is needed.
fn is_given(plan: &Plan, wishes: &Wishes, operation: Operation) -> bool {
    let is_it = |rule: &Acl| {
        let is_own = wishes.principal.as_ref() == Some(&rule.principal);
        is_own && rule.resource == Resource::Cluster && rule.operation == operation
    };
    plan.steps.iter().any(|step| matches!(&step.change, Change::Grant { rule } if is_it(rule)))
}

pub(super) fn check(plan: &mut Plan, observed: &Observed, wishes: &Wishes) {
    let granted = |topic: &str, operation: Operation| {
        wishes.principal.as_ref().is_some_and(|principal| {
            plan.steps.iter().any(|step| match &step.change {
                Change::Grant { rule } => {
                    rule.principal == *principal
                        && rule.resource == Resource::Topic(topic.to_owned())
                        && rule.operation == operation
                }
                _ => false,
            })
        })
    };
    // by what is lacking, on how many topics, and on which first
    let mut lacking: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for step in &plan.steps {
        let (operation, what) = match &step.change {
            Change::Revoke { .. } | Change::Grant { .. } => (Operation::Alter, "the cluster"),
            Change::CreateTopic { .. } => (Operation::Create, "the cluster"),
            Change::AddPartitions { .. } => (Operation::Alter, "topics"),
            Change::Configure { .. } => (Operation::AlterConfigs, "topics"),
            Change::DeleteTopic { .. } => (Operation::Delete, "topics"),
            Change::Limit { .. } | Change::Release { .. } => (Operation::AlterConfigs, "the cluster"),
            _ => continue,
        };
        let topic = step.change.topic().unwrap_or_default();
        let may = match what {
            "topics" => {
                let allowed = observed.allowed_on.get(topic).is_some_and(|allowed| allowed.contains(&operation));
                allowed || granted(topic, operation)
            }
            _ => observed.allowed.contains(&operation) || is_given(plan, wishes, operation),
        };
        if !may {
            let lack = lacking.entry(format!("{} {what}", operation.name())).or_insert((0, topic.to_owned()));
            lack.0 += 1;
        }
    }
    // each change goes on record before it is made
    let audit = observed.allowed_on.get(AUDIT_TOPIC).filter(|_| !plan.steps.is_empty());
    for operation in [Operation::Read, Operation::Write] {
        if audit.is_some_and(|allowed| !allowed.contains(&operation)) && !granted(AUDIT_TOPIC, operation) {
            lacking.insert(format!("{} topics", operation.name()), (1, AUDIT_TOPIC.to_owned()));
        }
    }
    for (lack, (count, first)) in lacking {
        let whom = wishes.principal.as_deref().unwrap_or("this client");
        let more = match (first.as_str(), count) {
            ("", count) => format!("{count} changes need it"),
            (first, 1) => first.to_owned(),
            (first, count) => format!("{first} and {} more", count - 1),
        };
        plan.refuse(
            NOT_ALLOWED,
            format!("{whom} may not {lack} ({more})"),
            "be a principal that may (--kafka-config): mesh-apply has what it takes",
        );
    }
}

/// A plan for whoever may only look: somebody else applies it, and what that one may do is not known here.
pub(super) fn leave_to_others(plan: &mut Plan, observed: &Observed) {
    let changes = |operation| matches!(operation, &Operation::Alter | &Operation::Create | &Operation::All);
    let refused = plan.refused.len();
    if !observed.allowed.iter().any(changes) {
        plan.refused.retain(|refusal| refusal.rule != NOT_ALLOWED);
    }
    if plan.refused.len() < refused {
        plan.left.push("whether whoever applies it may do all of it: who looks here may only look".to_owned());
    }
}
