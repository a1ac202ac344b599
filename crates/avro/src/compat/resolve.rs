//! One step of Avro 1.12's schema resolution: what one reader type asks of one writer type, and of which pairs inside.
//!
//! Where the specification leaves room this is what is done, and why:
//! - **Names** of records, enums and fixed match by their unqualified part, as the specification and Java's checker have it.
//! - **Aliases** rename the writer's types and fields before anything is compared ("as though Foo were named Bar"), so an
//!   alias takes a writer's name away even from a reader's type or field of that very name. Java's decoder does the same;
//!   its checker matches both, and so passes schemas whose data its decoder then refuses. Where several of the writer's
//!   fields are called like one of the reader's, by its name and its aliases, nothing says which is meant: incompatible.
//!   Where several of the reader's fields are called like one of the writer's, decoders differ in which takes it (Java's
//!   the last alias, Java's checker all, others the name): each must be able to read it.
//!   Schemas that are the same but for aliases read each other as they are, as in Java.
//! - **A reader's union** takes the branch that an alias names, else the one with the writer's full name, else, of several
//!   with its unqualified name, the first that can read it. For other types: the same type, else the first promotion.
//!   Java's decoder also takes a record of any other name whose fields happen to fit: the specification does not.

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::branch::Branch;
use super::sides::Sides;
use super::source::{Source, Sources, find_sources};
use crate::schema::{Kind, NodeId, Record};

/// What one pair of types asks for. Filled again and again, so that only findings allocate.
#[derive(Debug, Default)]
pub(super) struct Resolution {
    /// What is wrong with the pair itself.
    pub(super) faults: Faults,
    /// The pairs inside it, the contested ones last; without fields of the same type of which nothing can be found.
    pub(super) inner: SmallVec<[Edge; 8]>,
    /// How many of them data do not take, as another of the reader's fields takes the writer's field; they must hold all
    /// the same.
    pub(super) contested: usize,
    /// Whether one sound pair inside is enough: several branches of a reader's union may be meant.
    pub(super) any: bool,
    /// Whether fields have aliases that are not the same on both sides.
    pub(super) moves_aliases: bool,
    /// How many names were looked at.
    pub(super) work: usize,
    sources: Sources,
}

/// A pair of types inside another, and how a datum gets there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) step: Step,
    pub(super) reader: NodeId,
    pub(super) writer: NodeId,
    /// Whether the types are plainly the same.
    pub(super) same: bool,
}

/// How a datum gets from a pair to one inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// By the reader's field, which the writer's field feeds; indexes into both.
    Field {
        reader: usize,
        writer: usize,
    },
    Items,
    Values,
    /// By a branch of the writer's union.
    WriterBranch(usize),
    /// By a branch of the reader's union; the datum stays where it is.
    ReaderBranch(usize),
}

/// What is wrong with one pair: mostly nothing or one thing, so that no memory is needed.
pub(super) type Faults = SmallVec<[Fault; 1]>;

/// Why the reader cannot read the writer's data, at one pair of types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Type,
    Name,
    FixedSize,
    /// The writer's symbols that the reader has not, by index.
    Symbols(Vec<usize>),
    NoBranch,
    /// The reader's field that the writer does not write.
    NoDefault(usize),
    /// The reader's field, and the writer's fields that all feed it.
    Ambiguous(usize, Vec<usize>),
}

impl Sides<'_> {
    /// What the pair asks for.
    pub(super) fn resolve(&self, reader_id: NodeId, writer_id: NodeId, to: &mut Resolution) {
        to.clear();
        if self.reader.outline(reader_id).is_record() && self.writer.outline(writer_id).is_record() {
            return self.records(reader_id, writer_id, to);
        }
        let (reader, writer) = (self.reader.node(reader_id), self.writer.node(writer_id));
        match (&reader.kind, &writer.kind) {
            (_, Kind::Union { branches }) => {
                let edge = |(index, branch): (usize, &NodeId)| self.edge(Step::WriterBranch(index), reader_id, *branch);
                to.inner.extend(branches.iter().enumerate().map(edge));
            }
            (Kind::Union { branches }, _) => self.reader_union(branches, writer_id, to),
            (Kind::Array { items: reader }, Kind::Array { items: writer }) => {
                to.inner.push(self.edge(Step::Items, *reader, *writer));
            }
            (Kind::Map { values: reader }, Kind::Map { values: writer }) => {
                to.inner.push(self.edge(Step::Values, *reader, *writer));
            }
            (reads, writes) if promotes(writes, reads) => {}
            (reads, writes) if std::mem::discriminant(reads) != std::mem::discriminant(writes) => {
                to.faults.push(Fault::Type);
            }
            _ if reader.name.is_some() && !self.is_called_like(reader_id, writer_id) => to.faults.push(Fault::Name),
            (Kind::Fixed { size: reads }, Kind::Fixed { size: writes }) if reads != writes => {
                to.faults.push(Fault::FixedSize);
            }
            (Kind::Enum { symbols, default }, Kind::Enum { symbols: written, .. }) => {
                to.enumeration(symbols, default.as_deref(), written);
            }
            _ => {}
        }
    }

    fn edge(&self, step: Step, reader: NodeId, writer: NodeId) -> Edge {
        let outlines = (self.reader.outline(reader), self.writer.outline(writer));
        Edge { step, reader, writer, same: self.is_same(reader, writer, outlines) }
    }

    fn records(&self, reader_id: NodeId, writer_id: NodeId, to: &mut Resolution) {
        if !self.is_called_like(reader_id, writer_id) {
            return to.faults.push(Fault::Name);
        }
        let (reader, writer) = (self.reader.record(reader_id), self.writer.record(writer_id));
        to.work += reader.len() + writer.len();
        find_sources(reader, writer, &mut to.sources);
        for (index, source) in to.sources.iter().enumerate() {
            match source {
                Source::Writer(written) => {
                    let edge = self.field(reader, index, writer, *written);
                    let may_change = || {
                        reader.may_change_default(index, &writer, *written)
                            || reader.class(index) != writer.class(*written)
                    };
                    if !edge.same || may_change() {
                        to.inner.push(edge);
                    }
                    let aliases = || reader.fields()[index].aliases != writer.fields()[*written].aliases;
                    to.moves_aliases |= reader.has_aliases(index) && aliases();
                }
                Source::Default => to.moves_aliases |= reader.has_aliases(index),
                Source::Taken(_) => to.contested += 1,
                Source::Nothing => to.faults.push(Fault::NoDefault(index)),
                Source::Ambiguous(writers) => to.faults.push(Fault::Ambiguous(index, writers.clone())),
            }
        }
        if to.contested > 0 {
            to.moves_aliases = true;
            let contested = to.sources.iter().enumerate().filter_map(|(index, source)| match source {
                Source::Taken(written) => Some(self.field(reader, index, writer, *written)),
                _ => None,
            });
            to.inner.extend(contested);
        }
    }

    fn field(&self, reader: Record<'_>, index: usize, writer: Record<'_>, written: usize) -> Edge {
        let step = Step::Field { reader: index, writer: written };
        let outlines = (reader.outline(index), writer.outline(written));
        let (reader, writer) = (reader.node(index), writer.node(written));
        Edge { step, reader, writer, same: self.is_same(reader, writer, outlines) }
    }

    fn reader_union(&self, branches: &[NodeId], writer_id: NodeId, to: &mut Resolution) {
        let edge = |index: usize| self.edge(Step::ReaderBranch(index), branches[index], writer_id);
        to.work += branches.len();
        match self.branch(branches, writer_id) {
            Branch::Only(index) => to.inner.push(edge(index)),
            Branch::None => to.faults.push(Fault::NoBranch),
            Branch::Several(indexes) => {
                to.inner.extend(indexes.into_iter().map(edge));
                to.any = true;
            }
        }
    }
}

impl Resolution {
    fn clear(&mut self) {
        self.faults.clear();
        self.inner.clear();
        self.contested = 0;
        self.any = false;
        self.moves_aliases = false;
        self.work = 0;
    }

    fn enumeration(&mut self, symbols: &[String], default: Option<&str>, written: &[String]) {
        if default.is_some() {
            return;
        }
        let unknown = unknown_symbols(symbols, written);
        if !unknown.is_empty() {
            self.faults.push(Fault::Symbols(unknown));
        }
    }
}

/// The indexes of the writer's symbols that the reader does not know.
pub(super) fn unknown_symbols(symbols: &[String], written: &[String]) -> Vec<usize> {
    if symbols.starts_with(written) {
        return Vec::new();
    }
    let known: std::collections::HashSet<&String, RandomState> = symbols.iter().collect();
    (0..written.len()).filter(|index| !known.contains(&written[*index])).collect()
}

/// Whether Avro reads data of one type as another, larger one.
pub(super) fn promotes(writer: &Kind, reader: &Kind) -> bool {
    matches!(
        (writer, reader),
        (Kind::Int, Kind::Long | Kind::Float | Kind::Double)
            | (Kind::Long, Kind::Float | Kind::Double)
            | (Kind::Float, Kind::Double)
            | (Kind::String, Kind::Bytes)
            | (Kind::Bytes, Kind::String)
    )
}
