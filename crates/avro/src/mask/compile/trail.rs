//! The way to a single column through the writer's schema: to the key, to the event time.

use std::collections::HashSet;

use super::matching::Pair;
use crate::mask::slot::{Part, Slot, alternatives};
use crate::schema::{Kind, NodeId};

/// For each step, the places that it leads through; more than one where unions branch.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    steps: Vec<Vec<Slot>>,
    /// The types at the end, none of them a union.
    ends: Vec<NodeId>,
}

impl Trail {
    /// Follows the contract's field names. Empty if the writer does not have the column.
    pub(super) fn follow(pair: Pair<'_>, names: &[String]) -> Trail {
        let mut frontier = vec![(pair.contract.root(), pair.writer.root())];
        let mut steps = Vec::new();
        for name in names {
            let mut slots = Vec::new();
            let mut next = Vec::new();
            for (contract, writer) in frontier {
                for record in alternatives(pair.writer, writer) {
                    if let Some((slot, pair)) = step(pair, contract, record, name) {
                        slots.push(slot);
                        next.push(pair);
                    }
                }
            }
            if slots.is_empty() {
                return Trail::default();
            }
            steps.push(slots);
            let mut seen = HashSet::new();
            next.retain(|pair| seen.insert(*pair));
            frontier = next;
        }
        let ends = frontier.into_iter().flat_map(|(_, writer)| alternatives(pair.writer, writer)).collect();
        Trail { steps, ends }
    }

    /// Whether the writer does not have the column.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether step number `at` of the way leads through a place, and if so, whether it is the last.
    pub(super) fn leads(&self, at: usize, slot: Slot) -> Option<bool> {
        let on_it = self.steps.get(at)?.contains(&slot);
        on_it.then_some(at + 1 == self.steps.len())
    }

    /// The type at the end, if it is one.
    pub(super) fn end(&self) -> Option<NodeId> {
        match self.ends.as_slice() {
            [end] => Some(*end),
            _ => None,
        }
    }

    /// The place at the end, if it is one.
    pub(super) fn end_slot(&self) -> Option<Slot> {
        match self.steps.last().map(Vec::as_slice) {
            Some([slot]) => Some(*slot),
            _ => None,
        }
    }
}

fn step(pair: Pair<'_>, contract: NodeId, record: NodeId, name: &str) -> Option<(Slot, (NodeId, NodeId))> {
    let contract = pair.branch(contract, record)?;
    let Kind::Record { fields: known } = &pair.contract.node(contract).kind else { return None };
    let Kind::Record { fields: written } = &pair.writer.node(record).kind else { return None };
    let wanted = known.iter().position(|field| field.name == name)?;
    let index = pair.fields(contract, record).iter().position(|found| *found == Some(wanted))?;
    Some((Slot::new(record, Part::Field(index)), (known[wanted].node, written[index].node)))
}
