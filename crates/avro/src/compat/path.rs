//! How a datum gets from the schemas' roots to a pair of types.

use smallvec::SmallVec;

use super::graph::{Graph, ROOT, SAME};
use super::resolve::Step;
use super::sides::Sides;
use super::witness::Samples;
use crate::schema::Kind;

/// The longest path that is spelt out.
const SHOWN_STEPS: usize = 64;

/// For each pair the pair it is reached from by the fewest steps, and the step from there.
pub(super) struct Trails {
    from: SmallVec<[Option<(usize, Step)>; 8]>,
}

/// Pairs to go through, first in first out; each is in it once.
#[derive(Default)]
struct Queue {
    pairs: SmallVec<[usize; 8]>,
    popped: usize,
}

impl Queue {
    fn pop(&mut self) -> Option<usize> {
        let next = self.pairs.get(self.popped).copied();
        self.popped += usize::from(next.is_some());
        next
    }
}

impl Trails {
    /// The trails of a graph. Those that data take come first: what only lies inside a type without data is reached last.
    pub(super) fn of(graph: &Graph, samples: &Samples<'_>) -> Trails {
        let mut from: SmallVec<[_; 8]> = SmallVec::from_elem(None, graph.pairs.len());
        let (mut next, mut last) = (Queue::default(), Queue::default());
        next.pairs.push(ROOT);
        while let Some(index) = next.pop().or_else(|| last.pop()) {
            for &(step, inner) in graph.reached(index) {
                if inner != SAME && inner != ROOT && from[inner].is_none() {
                    from[inner] = Some((index, step));
                    let queue = if samples.any(graph.pairs[inner].writer) { &mut next } else { &mut last };
                    queue.pairs.push(inner);
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
        let steps: SmallVec<[(usize, Step); 8]> = self.back(pair).take(SHOWN_STEPS).collect();
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
