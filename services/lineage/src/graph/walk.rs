//! The neighbourhood of a node: breadth first, each node once, so that a cycle is walked once and no more.

use std::collections::{BTreeSet, VecDeque};

use super::{Direction, Moment, NodeId};

/// Nodes within a number of hops of one, in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbourhood {
    /// The nodes.
    pub nodes: BTreeSet<NodeId>,
    /// Whether there were more than was asked for.
    pub truncated: bool,
}

impl Moment<'_> {
    /// The nodes within `depth` hops of `start`, at most `nodes_max` of them; `None` if there is no such node.
    pub fn neighbourhood(&self, start: &str, depth: usize, nodes_max: usize) -> Option<Neighbourhood> {
        let start = self.id_of(start)?.clone();
        let mut found = Neighbourhood { nodes: BTreeSet::from([start.clone()]), truncated: false };
        let mut waiting = VecDeque::from([(start, 0)]);
        while let Some((id, hops)) = waiting.pop_front() {
            let next = if hops < depth { self.neighbours(&id) } else { Vec::new() };
            for neighbour in next {
                if found.nodes.contains(&neighbour) {
                    continue;
                }
                if found.nodes.len() >= nodes_max {
                    found.truncated = true;
                    return Some(found);
                }
                found.nodes.insert(neighbour.clone());
                waiting.push_back((neighbour, hops + 1));
            }
        }
        Some(found)
    }

    fn neighbours(&self, id: &str) -> Vec<NodeId> {
        let both = [Direction::Input, Direction::Output];
        if let Some(job) = self.job(id) {
            return both.into_iter().flat_map(|way| self.links(job, way)).map(|link| link.dataset.clone()).collect();
        }
        both.into_iter().flat_map(|way| self.jobs_of(id, way)).map(|(job, _)| job.clone()).collect()
    }
}
