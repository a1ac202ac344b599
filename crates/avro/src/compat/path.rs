//! How a datum gets from the schemas' roots to a pair of types.

use std::collections::VecDeque;

use super::graph::{Graph, ROOT, SAME};
use super::resolve::{Sides, Step};
use super::witness::Samples;
use crate::schema::Kind;

/// The longest path that is spelt out.
const SHOWN_STEPS: usize = 64;

/// For each pair the pair it is reached from by the fewest steps, and the step from there.
pub(super) struct Trails {
    from: Vec<Option<(usize, Step)>>,
}

impl Trails {
    /// The trails of a graph. Those that data take come first: what only lies inside a type without data is reached last.
    pub(super) fn of(graph: &Graph, samples: &Samples<'_>) -> Trails {
        let mut from = vec![None; graph.pairs.len()];
        let mut seen = vec![false; graph.pairs.len()];
        (seen[SAME], seen[ROOT]) = (true, true);
        let (mut next, mut last) = (VecDeque::from([ROOT]), VecDeque::new());
        while let Some(index) = next.pop_front().or_else(|| last.pop_front()) {
            for &(step, inner) in graph.reached(index) {
                if !std::mem::replace(&mut seen[inner], true) {
                    from[inner] = Some((index, step));
                    let queue = if samples.any(graph.pairs[inner].writer) { &mut next } else { &mut last };
                    queue.push_back(inner);
                }
            }
        }
        Trails { from }
    }

    /// The steps to a pair from its end to the root: each with the pair that it starts from.
    pub(super) fn back(&self, pair: usize) -> impl Iterator<Item = (usize, Step)> {
        std::iter::successors(self.from[pair], |(from, _)| self.from[*from])
    }

    /// The path in the reader's names, as contracts write columns: `contacts[].email`.
    pub(super) fn dotted(&self, graph: &Graph, sides: &Sides<'_>, pair: usize, field: Option<&str>) -> String {
        let steps: Vec<(usize, Step)> = self.back(pair).take(SHOWN_STEPS).collect();
        let mut path = String::from(if steps.len() == SHOWN_STEPS { "…" } else { "" });
        for (from, step) in steps.into_iter().rev() {
            match (step, &sides.reader.node(graph.pairs[from].reader).kind) {
                (Step::Field { reader, .. }, Kind::Record { fields }) => push_field(&mut path, &fields[reader].name),
                (Step::Items, _) => path.push_str("[]"),
                (Step::Values, _) => path.push_str("{}"),
                _ => {}
            }
        }
        if let Some(field) = field {
            push_field(&mut path, field);
        }
        path
    }
}

fn push_field(path: &mut String, field: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(field);
}
