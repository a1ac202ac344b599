//! Resolution's single steps, for whoever converts data rather than judges schemas.

use std::cell::OnceCell;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::branch::Branch;
use super::graph::{Graph, ROOT};
use super::resolve::Step;
use super::sides::Sides;
pub(crate) use super::source::Source;
use super::source::{Sources, find_sources};
use crate::schema::{NodeId, Schema};

/// The steps between two schemas.
pub(crate) struct Resolver<'s> {
    sides: Sides<'s>,
    /// Of reader's unions of several namesakes the branch that can read a type of the writer's; few schemas need it.
    namesakes: OnceCell<HashMap<(NodeId, NodeId), usize, RandomState>>,
}

impl<'s> Resolver<'s> {
    pub(crate) fn new(reader: &'s Schema, writer: &'s Schema) -> Resolver<'s> {
        Resolver { sides: Sides::new(reader, writer), namesakes: OnceCell::new() }
    }

    /// Whether a schema is to read its own data: as they are, without resolution, even where its aliases would be in its own
    /// way.
    pub(crate) fn is_same(reader: &Schema, writer: &Schema) -> bool {
        reader.has_text_of(writer) || reader == writer
    }

    /// Whether two named types are called alike.
    pub(crate) fn is_called_like(&self, reader: NodeId, writer: NodeId) -> bool {
        self.sides.is_called_like(reader, writer)
    }

    /// For each field of the reader's record its source.
    pub(crate) fn sources(&self, reader: NodeId, writer: NodeId) -> Sources {
        let mut sources = Sources::new();
        find_sources(self.sides.reader.record(reader), self.sides.writer.record(writer), &mut sources);
        sources
    }

    /// The branch of the reader's union that a type of the writer's is meant for.
    pub(crate) fn branch(&self, union: NodeId, branches: &[NodeId], writer: NodeId) -> Option<usize> {
        match self.sides.branch(branches, writer) {
            Branch::None => None,
            Branch::Only(index) => Some(index),
            Branch::Several(indexes) => {
                let namesakes = self.namesakes.get_or_init(|| self.read_namesakes());
                namesakes.get(&(union, writer)).copied().or_else(|| indexes.first().copied())
            }
        }
    }

    fn read_namesakes(&self) -> HashMap<(NodeId, NodeId), usize, RandomState> {
        let mut graph = Graph::default();
        if graph.build(&self.sides).is_err() {
            // more pairs than are compared count as incompatible
            return HashMap::default();
        }
        let several = graph.pairs.iter().enumerate().skip(ROOT).filter(|(_, pair)| pair.any);
        let chosen = several.filter_map(|(index, pair)| match graph.reached(index) {
            [(Step::ReaderBranch(branch), _)] => Some(((pair.reader, pair.writer), *branch)),
            _ => None,
        });
        chosen.collect()
    }
}
