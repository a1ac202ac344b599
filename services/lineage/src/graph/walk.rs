//! The neighbourhood of a node: breadth first, each node once, so that a cycle is walked once and no more.

use std::collections::{BTreeSet, VecDeque};

use super::{Graph, NodeId};

/// Nodes within a number of hops of one, in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbourhood {
    /// The nodes.
    pub nodes: BTreeSet<NodeId>,
    /// Whether there were more than was asked for.
    pub truncated: bool,
}

impl Graph {
    /// The nodes within `depth` hops of `start`, at most `nodes_max` of them; `None` if there is no such node.
    pub fn neighbourhood(&self, start: &str, depth: usize, nodes_max: usize) -> Option<Neighbourhood> {
        let start = self.id_of(start)?;
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

    fn id_of(&self, id: &str) -> Option<NodeId> {
        let dataset = self.datasets.get_key_value(id).map(|(id, _)| id);
        dataset.or_else(|| self.jobs.get_key_value(id).map(|(id, _)| id)).cloned()
    }

    fn neighbours(&self, id: &str) -> Vec<NodeId> {
        let of_dataset = self.datasets.get(id).into_iter().flat_map(|node| node.writers.iter().chain(&node.readers));
        let of_job = self.jobs.get(id).into_iter().flat_map(|node| node.inputs.keys().chain(node.outputs.keys()));
        of_dataset.chain(of_job).cloned().collect()
    }
}
