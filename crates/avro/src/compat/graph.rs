//! Every pair of types that resolution compares, and which of them hold: a greatest fixpoint.
//!
//! A pair holds unless something is wrong with it or with what it needs; recursion is no reason to fail. A checker that
//! recurses with a memo of results can keep a verdict that was reached under an assumption dropped later; this one cannot,
//! nor can a deep schema overflow its stack.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::resolve::{Edge, Faults, Resolution, Step};
use super::settle::settle;
use super::sides::Sides;
use crate::schema::NodeId;

/// The most pairs that are compared.
pub(super) const MAX_PAIRS: usize = 1 << 18;

/// The most names that are looked at on the way.
const MAX_WORK: usize = 1 << 27;

/// The most pairs that are made room for before they are met.
const EXPECTED_PAIRS: usize = 256;

/// Up to so many pairs are gone through one by one; more are indexed.
const FEW_PAIRS: usize = 16;

/// The pair that stands for all whose types are plainly the same; nothing is to be said of it.
pub(super) const SAME: usize = 0;

/// The pair of the schemas' roots.
pub(super) const ROOT: usize = 1;

/// The pairs that data can get to, and some more. Those of small schemas need no memory of their own.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) pairs: SmallVec<[Pair; 6]>,
    edges: SmallVec<[(Step, usize); 12]>,
}

/// A reader's type and the writer's type that feeds it.
pub(super) struct Pair {
    pub(super) reader: NodeId,
    pub(super) writer: NodeId,
    pub(super) faults: Faults,
    inner: Range<usize>,
    contested: usize,
    pub(super) moves_aliases: bool,
    pub(super) any: bool,
    /// Whether the reader can read every datum that the writer writes here.
    pub(super) holds: bool,
}

/// The schemas need more pairs compared than are.
pub(super) struct TooManyPairs;

impl Graph {
    /// Fills an empty graph; in its place, as it is large where it holds small schemas.
    pub(super) fn build(&mut self, sides: &Sides<'_>) -> Result<(), TooManyPairs> {
        let (reader, writer) = (sides.reader.root(), sides.writer.root());
        self.pairs.reserve(sides.reader.beyond_outlines().min(EXPECTED_PAIRS) + ROOT);
        let mut builder = Builder { graph: self, known: HashMap::default() };
        builder.add(reader, writer);
        builder.pair(sides, reader, writer);
        let mut resolution = Resolution::default();
        let (mut next, mut work) = (ROOT, 0);
        while next < builder.graph.pairs.len() {
            builder.expand(sides, next, &mut resolution);
            work += resolution.work;
            if builder.graph.pairs.len() > MAX_PAIRS || work > MAX_WORK {
                return Err(TooManyPairs);
            }
            next += 1;
        }
        settle(self);
        Ok(())
    }

    /// The pairs inside one, each with the step to it, the contested ones last.
    pub(super) fn inner(&self, pair: &Pair) -> &[(Step, usize)] {
        &self.edges[pair.inner.clone()]
    }

    /// The pairs inside one that data take.
    pub(super) fn taken(&self, pair: &Pair) -> &[(Step, usize)] {
        &self.edges[pair.inner.start..pair.inner.end - pair.contested]
    }

    /// The pairs inside one that another of the reader's fields takes away.
    pub(super) fn contested(&self, pair: &Pair) -> &[(Step, usize)] {
        &self.edges[pair.inner.end - pair.contested..pair.inner.end]
    }

    /// The pairs inside one that data reach: of several branches of a reader's union the first that can read them.
    pub(super) fn reached(&self, index: usize) -> &[(Step, usize)] {
        let pair = &self.pairs[index];
        if !pair.any {
            return self.taken(pair);
        }
        let branches = self.inner(pair);
        let first = branches.iter().position(|(_, inner)| self.pairs[*inner].holds);
        first.map_or(&[], |first| &branches[first..=first])
    }
}

struct Builder<'g> {
    graph: &'g mut Graph,
    /// The pairs of which a type has a name, and some more, once there are many: only these can be met again, by another
    /// way.
    known: HashMap<(NodeId, NodeId), usize, RandomState>,
}

impl Builder<'_> {
    fn add(&mut self, reader: NodeId, writer: NodeId) -> usize {
        let (faults, inner) = (Faults::new(), 0..0);
        self.graph.pairs.push(Pair {
            reader,
            writer,
            faults,
            inner,
            contested: 0,
            moves_aliases: false,
            any: false,
            holds: true,
        });
        self.graph.pairs.len() - 1
    }

    fn pair(&mut self, sides: &Sides<'_>, reader: NodeId, writer: NodeId) -> usize {
        if !sides.reader.outline(reader).is_named() && !sides.writer.outline(writer).is_named() {
            return self.add(reader, writer);
        }
        if let Some(index) = self.met(reader, writer) {
            return index;
        }
        let index = self.add(reader, writer);
        if !self.known.is_empty() {
            self.known.insert((reader, writer), index);
        }
        index
    }

    fn met(&mut self, reader: NodeId, writer: NodeId) -> Option<usize> {
        if self.graph.pairs.len() <= FEW_PAIRS {
            let is_it = |pair: &Pair| pair.reader == reader && pair.writer == writer;
            return self.graph.pairs.iter().skip(ROOT).position(is_it).map(|index| index + ROOT);
        }
        if self.known.is_empty() {
            let pairs = self.graph.pairs.iter().enumerate().skip(ROOT);
            self.known.extend(pairs.map(|(index, pair)| ((pair.reader, pair.writer), index)));
        }
        self.known.get(&(reader, writer)).copied()
    }

    fn expand(&mut self, sides: &Sides<'_>, index: usize, resolution: &mut Resolution) {
        let Pair { reader, writer, .. } = self.graph.pairs[index];
        sides.resolve(reader, writer, resolution);
        let start = self.graph.edges.len();
        for &Edge { step, reader, writer, same } in &resolution.inner {
            let inner = if same { SAME } else { self.pair(sides, reader, writer) };
            self.graph.edges.push((step, inner));
        }
        let pair = &mut self.graph.pairs[index];
        pair.faults = std::mem::take(&mut resolution.faults);
        pair.inner = start..self.graph.edges.len();
        (pair.contested, pair.any) = (resolution.contested, resolution.any);
        pair.moves_aliases = resolution.moves_aliases;
    }
}
