//! The plan: what the contracts ask for beside what is there, as an ordered list of changes, with everything that speaks
//! against it, and with who comes to see more by it. Pure.

mod access;
mod catalogue;
mod change;
mod deletions;
mod loss;
mod permissions;
mod quotas;
mod sight;
mod subjects;
#[cfg(test)]
mod tests;
mod topics;

use super::observed::{Facts, Observed};
use super::schemas::Subject;
use super::scope::Scope;
use crate::tree::WorkingTree;
use mesh_access::sight::Gain;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub(super) use change::{Change, LimitChange, Port, Row, SettingChange};

/// A change, and what has to be confirmed before it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) change: Change,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asks: Option<Ask>,
}

/// What cannot be undone, and has to be confirmed by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ask {
    /// The name that confirms it: a product, or a topic of no product.
    pub(super) name: String,
    /// What happens.
    pub(super) what: String,
}

/// Why nothing is to be changed at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    pub(super) rule: &'static str,
    pub(super) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

/// What differs from the contracts, and cannot be mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Remains {
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// How it differs.
    pub(super) what: String,
    /// Why apply leaves it.
    pub(super) why: String,
}

/// What an operator asks for besides the contracts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Topics to delete.
    pub(super) delete: BTreeSet<String>,
    /// Topics that are there, and principals that are limited, and become the mesh's.
    pub(super) adopt: BTreeSet<String>,
    /// Whether it is certain that this is the cluster that is meant.
    pub(super) is_pinned: bool,
    /// As whom one speaks to Kafka, where that is known.
    pub(super) principal: Option<String>,
    /// Where the cluster was looked for.
    pub(super) bootstrap: String,
}

/// What would be done, and what speaks against it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    /// The cluster's id.
    pub(super) cluster_id: String,
    /// The changes, in order.
    pub(super) steps: Vec<Step>,
    /// Why nothing is to be changed at all.
    pub(super) refused: Vec<Refusal>,
    /// What differs and cannot be mended.
    pub(super) remains: Vec<Remains>,
    /// What is left alone, and worth a word.
    pub(super) left: Vec<String>,
    /// Who comes to see which sensitive column.
    pub(super) gains: Vec<Gain>,
    /// How many things were looked at.
    pub(super) looked_at: usize,
    /// What it was made on.
    pub(super) facts: Facts,
}

impl Plan {
    /// Compares what the contracts ask for with what is there.
    pub(super) fn of(
        tree: &WorkingTree,
        subjects: &[Subject],
        scope: &Scope,
        observed: &Observed,
        wishes: &Wishes,
    ) -> Self {
        let mut plan =
            Self { cluster_id: observed.cluster_id.clone(), facts: observed.facts(scope), ..Self::default() };
        access::plan(&mut plan, scope, observed);
        topics::plan(&mut plan, tree, observed, wishes);
        subjects::plan(&mut plan, subjects, observed);
        catalogue::plan(&mut plan, tree, observed, wishes);
        quotas::plan(&mut plan, tree, observed, wishes);
        deletions::plan(&mut plan, tree, observed, wishes);
        sight::plan(&mut plan, tree, scope, observed);
        permissions::check(&mut plan, observed, wishes);
        plan.steps.sort_by_key(|step| step.change.stage());
        plan
    }

    /// The same for whoever may look at the cluster and not change it: what they may not do speaks against nothing.
    #[must_use]
    pub(super) fn shown(mut self, observed: &Observed) -> Self {
        permissions::leave_to_others(&mut self, observed);
        self
    }

    /// Whether the cluster is what the contracts say, as far as that can be.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether the cluster differs from the contracts.
    pub(super) fn is_drift(&self) -> bool {
        !self.is_empty() || !self.remains.is_empty() || !self.refused.is_empty()
    }

    fn change(&mut self, change: Change) {
        self.steps.push(Step { change, asks: None });
    }

    pub(super) fn refuse(&mut self, rule: &'static str, what: String, hint: impl Into<String>) {
        self.refused.push(Refusal { rule, what, hint: Some(hint.into()) });
    }
}
