//! The branch of a reader's union that a writer's type is meant for.

use super::resolve::promotes;
use super::sides::Sides;
use crate::schema::NodeId;

/// Which branch of a reader's union is meant: of several, the first that can read the data.
pub(super) enum Branch {
    None,
    Only(usize),
    Several(Vec<usize>),
}

impl Sides<'_> {
    /// The branch of a reader's union that a writer's type is meant for.
    pub(super) fn branch(&self, branches: &[NodeId], writer_id: NodeId) -> Branch {
        let writer = self.writer.node(writer_id);
        let kind = std::mem::discriminant(&writer.kind);
        let node = |branch: &NodeId| self.reader.node(*branch);
        let same_kind = |branch: &NodeId| std::mem::discriminant(&node(branch).kind) == kind;
        let only = |index: usize| Branch::Only(index);
        if writer.name.is_none() {
            let promoted = || branches.iter().position(|branch| promotes(&writer.kind, &node(branch).kind));
            return branches.iter().position(same_kind).or_else(promoted).map_or(Branch::None, only);
        }
        let claimant = self.claimant(writer_id);
        let claims = |branch: &NodeId| claimant == Some(*branch) && same_kind(branch);
        let claimed = claimant.and_then(|_| branches.iter().position(claims));
        let exact = || branches.iter().position(|branch| node(branch).name == writer.name && same_kind(branch));
        if let Some(index) = claimed.or_else(exact) {
            return Branch::Only(index);
        }
        let matching = |index: &usize| same_kind(&branches[*index]) && self.names_match(branches[*index], writer_id);
        let mut candidates = (0..branches.len()).filter(matching);
        match (candidates.next(), candidates.next()) {
            (None, _) => Branch::None,
            (Some(index), None) => Branch::Only(index),
            (Some(first), Some(second)) => Branch::Several([first, second].into_iter().chain(candidates).collect()),
        }
    }
}
