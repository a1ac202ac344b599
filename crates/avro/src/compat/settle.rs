//! Which pairs of types hold: those that are broken break what needs them.

use super::graph::{Graph, Pair, ROOT};
use super::resolve::Step;

/// Up to so many pairs are gone through until nothing changes, which takes no memory.
const FEW_PAIRS: usize = 16;

/// Spreads from each broken pair to those that need it.
pub(super) fn settle(graph: &mut Graph) {
    let is_broken = |index: &usize| !graph.pairs[*index].faults.is_empty();
    let broken: Vec<usize> = (ROOT..graph.pairs.len()).filter(is_broken).collect();
    for index in &broken {
        graph.pairs[*index].holds = false;
    }
    match graph.pairs.len() {
        _ if broken.is_empty() => {}
        ..=FEW_PAIRS => settle_few(graph),
        _ => settle_many(graph, broken),
    }
}

fn settle_few(graph: &mut Graph) {
    let mut changed = true;
    while std::mem::take(&mut changed) {
        // What a pair needs was mostly met after it.
        for index in (ROOT..graph.pairs.len()).rev() {
            let pair = &graph.pairs[index];
            let holds = |&(_, inner): &(Step, usize)| graph.pairs[inner].holds;
            let needed = graph.inner(pair);
            let sound = if pair.any { needed.iter().any(holds) } else { needed.iter().all(holds) };
            if pair.holds && !sound {
                graph.pairs[index].holds = false;
                changed = true;
            }
        }
    }
}

fn settle_many(graph: &mut Graph, mut broken: Vec<usize>) {
    let needed_by = NeededBy::of(graph);
    let to_lose = |pair: &Pair| if pair.any { graph.inner(pair).len() } else { 1 };
    let mut left: Vec<usize> = graph.pairs.iter().map(to_lose).collect();
    while let Some(index) = broken.pop() {
        for &outer in needed_by.at(index) {
            left[outer] = left[outer].saturating_sub(1);
            if graph.pairs[outer].holds && left[outer] == 0 {
                graph.pairs[outer].holds = false;
                broken.push(outer);
            }
        }
    }
}

/// For each pair those that need it, in one list.
struct NeededBy {
    starts: Vec<usize>,
    pairs: Vec<usize>,
}

impl NeededBy {
    fn of(graph: &Graph) -> NeededBy {
        let needed = |pair: &'_ Pair| graph.inner(pair).iter().map(|(_, inner)| *inner);
        let mut starts = vec![0; graph.pairs.len() + 1];
        for inner in graph.pairs.iter().flat_map(needed) {
            starts[inner + 1] += 1;
        }
        for index in 0..graph.pairs.len() {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut pairs = vec![0; starts[graph.pairs.len()]];
        for (outer, pair) in graph.pairs.iter().enumerate() {
            for inner in needed(pair) {
                pairs[next[inner]] = outer;
                next[inner] += 1;
            }
        }
        NeededBy { starts, pairs }
    }

    fn at(&self, index: usize) -> &[usize] {
        &self.pairs[self.starts[index]..self.starts[index + 1]]
    }
}
