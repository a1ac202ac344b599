//! Every pair of types that resolution compares, and which of them hold: a greatest fixpoint.
//!
//! A pair holds unless something is wrong with it or with what it needs; recursion is no reason to fail. A checker that
//! recurses with a memo of results can keep a verdict that was reached under an assumption dropped later; this one cannot,
//! nor can a deep schema overflow its stack.

use std::collections::{HashMap, VecDeque};

use super::resolve::{Fault, Sides, Step};
use crate::schema::NodeId;

/// The most pairs that are compared.
pub(super) const MAX_PAIRS: usize = 1 << 18;

/// The pairs, from the schemas' roots, which are pair 0.
pub(super) struct Graph {
    pub(super) pairs: Vec<Pair>,
}

/// A reader's type and the writer's type that feeds it.
pub(super) struct Pair {
    pub(super) reader: NodeId,
    pub(super) writer: NodeId,
    pub(super) faults: Vec<Fault>,
    /// The pairs inside, each with the step to it, the contested ones last.
    pub(super) inner: Vec<(Step, usize)>,
    /// How many of them data do not take.
    contested: usize,
    pub(super) any: bool,
    /// Whether the reader can read every datum that the writer writes here.
    pub(super) holds: bool,
}

impl Pair {
    /// The pairs inside that data take, and the contested ones.
    pub(super) fn divided(&self) -> (&[(Step, usize)], &[(Step, usize)]) {
        self.inner.split_at(self.inner.len() - self.contested)
    }
}

/// The schemas need more pairs compared than are.
pub(super) struct TooManyPairs;

impl Graph {
    pub(super) fn build(sides: &Sides<'_>) -> Result<Graph, TooManyPairs> {
        let mut builder = Builder::default();
        builder.pair(sides.reader.root(), sides.writer.root());
        let mut next = 0;
        while next < builder.pairs.len() {
            if builder.pairs.len() > MAX_PAIRS {
                return Err(TooManyPairs);
            }
            builder.expand(sides, next);
            next += 1;
        }
        let mut graph = Graph { pairs: builder.pairs };
        graph.settle();
        Ok(graph)
    }

    /// The pairs inside one that data reach: of several branches of a reader's union the first that can read them.
    pub(super) fn reached(&self, index: usize) -> &[(Step, usize)] {
        let pair = &self.pairs[index];
        if !pair.any {
            return pair.divided().0;
        }
        let first = pair.inner.iter().position(|(_, inner)| self.pairs[*inner].holds);
        first.map_or(&[], |first| &pair.inner[first..=first])
    }

    /// Spreads from each broken pair to those that need it.
    fn settle(&mut self) {
        let mut broken: VecDeque<usize> =
            (0..self.pairs.len()).filter(|index| !self.pairs[*index].faults.is_empty()).collect();
        if broken.is_empty() {
            return;
        }
        let needed_by = self.needed_by();
        let mut left: Vec<usize> = self.pairs.iter().map(|pair| if pair.any { pair.inner.len() } else { 1 }).collect();
        for index in &broken {
            self.pairs[*index].holds = false;
        }
        while let Some(index) = broken.pop_front() {
            for &outer in &needed_by[index] {
                left[outer] = left[outer].saturating_sub(1);
                if self.pairs[outer].holds && left[outer] == 0 {
                    self.pairs[outer].holds = false;
                    broken.push_back(outer);
                }
            }
        }
    }

    fn needed_by(&self) -> Vec<Vec<usize>> {
        let mut needed_by = vec![Vec::new(); self.pairs.len()];
        for (outer, pair) in self.pairs.iter().enumerate() {
            for (_, inner) in &pair.inner {
                needed_by[*inner].push(outer);
            }
        }
        needed_by
    }
}

#[derive(Default)]
struct Builder {
    pairs: Vec<Pair>,
    known: HashMap<(NodeId, NodeId), usize>,
}

impl Builder {
    fn pair(&mut self, reader: NodeId, writer: NodeId) -> usize {
        *self.known.entry((reader, writer)).or_insert_with(|| {
            let pair =
                Pair { reader, writer, faults: Vec::new(), inner: Vec::new(), contested: 0, any: false, holds: true };
            self.pairs.push(pair);
            self.pairs.len() - 1
        })
    }

    fn expand(&mut self, sides: &Sides<'_>, index: usize) {
        let Pair { reader, writer, .. } = self.pairs[index];
        let resolution = sides.resolve(reader, writer);
        let inner = resolution.inner.iter().map(|edge| (edge.step, self.pair(edge.reader, edge.writer))).collect();
        let pair = &mut self.pairs[index];
        (pair.faults, pair.inner, pair.any) = (resolution.faults, inner, resolution.any);
        pair.contested = resolution.contested;
    }
}
