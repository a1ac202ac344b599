//! What an apply looks at: whatever it may change, and whatever says whether it may.

use super::references::WantedSchemas;
use super::rights::Wanted;
use super::schemas::Subject;
use crate::tree::WorkingTree;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The topics, subjects and rules that a plan is about. A saved plan carries it, so that the same is looked at again before it
/// is applied. Topics that the mesh owns by what is published are looked at whether or not they are named here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Scope {
    /// The topics that the contracts ask for, and those that are to be deleted.
    pub(super) topics: BTreeSet<String>,
    /// The subjects that the contracts ask for, with the schemas that they are to have.
    pub(super) subjects: WantedSchemas,
    /// The access rules that the contracts ask for; none if they are to be left as they are.
    pub(super) rights: Option<Wanted>,
    /// The principals that the domains limit.
    #[serde(default)]
    pub(super) quotas: BTreeSet<String>,
    /// The topics that are to be deleted.
    pub(super) deletions: BTreeSet<String>,
}

impl Scope {
    pub(super) fn new(
        topics: impl IntoIterator<Item = String>,
        subjects: &[Subject],
        rights: Option<&Wanted>,
        deletions: &BTreeSet<String>,
    ) -> Self {
        Self {
            topics: topics.into_iter().chain(deletions.iter().cloned()).collect(),
            subjects: subjects.iter().map(|subject| (subject.name.clone(), subject.wanted())).collect(),
            rights: rights.cloned(),
            deletions: deletions.clone(),
            ..Self::default()
        }
    }

    /// The same with what principals may take.
    #[must_use]
    pub(super) fn with_quotas(mut self, tree: &WorkingTree) -> Self {
        self.quotas = tree.domains.iter().flat_map(|domain| domain.value.quotas.keys().cloned()).collect();
        self
    }
}
