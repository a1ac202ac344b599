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

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::source::{Source, sources};
use crate::schema::{Field, Kind, Name, Node, NodeId, Schema};

/// Up to so many branches of a union are looked at to see whether they are the same.
const FEW_BRANCHES: usize = 8;

/// The two schemas, and what the reader's aliases claim.
pub(super) struct Sides<'s> {
    pub(super) reader: &'s Schema,
    pub(super) writer: &'s Schema,
    /// Full name in the writer -> the reader's type that has it as an alias.
    claims: HashMap<&'s Name, NodeId, RandomState>,
}

/// What one pair of types asks for. Filled again and again, so that only findings allocate.
#[derive(Debug, Default)]
pub(super) struct Resolution {
    /// What is wrong with the pair itself.
    pub(super) faults: Vec<Fault>,
    /// The pairs inside it, the contested ones last.
    pub(super) inner: Vec<Edge>,
    /// How many of them data do not take, as another of the reader's fields takes the writer's field; they must hold all
    /// the same.
    pub(super) contested: usize,
    /// Whether one sound pair inside is enough: several branches of a reader's union may be meant.
    pub(super) any: bool,
    /// How many names were looked at.
    pub(super) work: usize,
    sources: Vec<Source>,
}

/// A pair of types inside another, and how a datum gets there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) step: Step,
    pub(super) reader: NodeId,
    pub(super) writer: NodeId,
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

impl<'s> Sides<'s> {
    pub(super) fn new(reader: &'s Schema, writer: &'s Schema) -> Sides<'s> {
        let mut claims = HashMap::default();
        if !reader.aliased().is_empty() && !reader.same_but_for_aliases(writer) {
            for id in reader.aliased() {
                claims.extend(reader.node(*id).aliases.iter().map(|alias| (alias, *id)));
            }
        }
        Sides { reader, writer, claims }
    }

    /// The reader's type that takes the writer's name by an alias.
    pub(super) fn claimant(&self, writer: &Node) -> Option<NodeId> {
        if self.claims.is_empty() {
            return None;
        }
        self.claims.get(writer.name.as_ref()?).copied()
    }

    /// Whether two types are plainly the same: nothing about them, nor inside them, can be found.
    pub(super) fn is_same(&self, reader_id: NodeId, writer_id: NodeId) -> bool {
        let (reads, writes) = (self.reader.leaf(reader_id), self.writer.leaf(writer_id));
        if reads != 0 {
            return reads == writes;
        }
        let Kind::Union { branches } = &self.reader.node(reader_id).kind else { return false };
        let known = |leaf: u8| leaf != 0 && branches.iter().any(|branch| self.reader.leaf(*branch) == leaf);
        match &self.writer.node(writer_id).kind {
            _ if branches.len() > FEW_BRANCHES => false,
            Kind::Union { branches: written } if written.len() > FEW_BRANCHES => false,
            Kind::Union { branches: written } => written.iter().all(|branch| known(self.writer.leaf(*branch))),
            _ => known(writes),
        }
    }

    /// What the pair asks for.
    pub(super) fn resolve(&self, reader_id: NodeId, writer_id: NodeId, to: &mut Resolution) {
        to.clear();
        let (reader, writer) = (self.reader.node(reader_id), self.writer.node(writer_id));
        match (&reader.kind, &writer.kind) {
            (_, Kind::Union { branches }) => to.writer_union(reader_id, branches),
            (Kind::Union { branches }, _) => self.reader_union(branches, writer_id, to),
            (Kind::Array { items: reader }, Kind::Array { items: writer }) => {
                to.inner.push(Edge { step: Step::Items, reader: *reader, writer: *writer });
            }
            (Kind::Map { values: reader }, Kind::Map { values: writer }) => {
                to.inner.push(Edge { step: Step::Values, reader: *reader, writer: *writer });
            }
            (reads, writes) if std::mem::discriminant(reads) != std::mem::discriminant(writes) => {
                if !promotes(writes, reads) {
                    to.faults.push(Fault::Type);
                }
            }
            _ if reader.name.is_some() && !self.names_match(reader_id, writer) => to.faults.push(Fault::Name),
            (Kind::Fixed { size: reads }, Kind::Fixed { size: writes }) if reads != writes => {
                to.faults.push(Fault::FixedSize);
            }
            (Kind::Enum { symbols, default }, Kind::Enum { symbols: written, .. }) => {
                to.enumeration(symbols, default.as_deref(), written);
            }
            (Kind::Record { fields }, Kind::Record { fields: written }) => to.record(fields, written),
            _ => {}
        }
    }

    fn names_match(&self, reader_id: NodeId, writer: &Node) -> bool {
        let reader = self.reader.node(reader_id);
        let same = reader.name.as_ref().map(Name::simple) == writer.name.as_ref().map(Name::simple);
        match self.claimant(writer) {
            Some(claimant) if claimant == reader_id => true,
            // The name is taken away. Java compares no names of records outside unions, so that one still reads.
            Some(_) => same && matches!(reader.kind, Kind::Record { .. }),
            None => same,
        }
    }

    fn reader_union(&self, branches: &[NodeId], writer_id: NodeId, to: &mut Resolution) {
        let edge = |index: usize| Edge { step: Step::ReaderBranch(index), reader: branches[index], writer: writer_id };
        to.work += branches.len();
        match self.branch(branches, self.writer.node(writer_id)) {
            Branch::Only(index) => to.inner.push(edge(index)),
            Branch::None => to.faults.push(Fault::NoBranch),
            Branch::Several(indexes) => {
                to.inner.extend(indexes.into_iter().map(edge));
                to.any = true;
            }
        }
    }

    /// The branch of a reader's union that a writer's type is meant for.
    fn branch(&self, branches: &[NodeId], writer: &Node) -> Branch {
        let kind = std::mem::discriminant(&writer.kind);
        let node = |branch: &NodeId| self.reader.node(*branch);
        let same_kind = |branch: &NodeId| std::mem::discriminant(&node(branch).kind) == kind;
        let only = |index: usize| Branch::Only(index);
        if writer.name.is_none() {
            let promoted = || branches.iter().position(|branch| promotes(&writer.kind, &node(branch).kind));
            return branches.iter().position(same_kind).or_else(promoted).map_or(Branch::None, only);
        }
        let claimant = self.claimant(writer);
        let claims = |branch: &NodeId| claimant == Some(*branch) && same_kind(branch);
        let claimed = claimant.and_then(|_| branches.iter().position(claims));
        let exact = || branches.iter().position(|branch| node(branch).name == writer.name && same_kind(branch));
        if let Some(index) = claimed.or_else(exact) {
            return Branch::Only(index);
        }
        let matching = |index: &usize| same_kind(&branches[*index]) && self.names_match(branches[*index], writer);
        let mut candidates = (0..branches.len()).filter(matching);
        match (candidates.next(), candidates.next()) {
            (None, _) => Branch::None,
            (Some(index), None) => Branch::Only(index),
            (Some(first), Some(second)) => Branch::Several([first, second].into_iter().chain(candidates).collect()),
        }
    }
}

/// Which branch of a reader's union is meant: of several, the first that can read the data.
enum Branch {
    None,
    Only(usize),
    Several(Vec<usize>),
}

impl Resolution {
    fn clear(&mut self) {
        self.faults.clear();
        self.inner.clear();
        self.contested = 0;
        self.any = false;
        self.work = 0;
    }

    fn writer_union(&mut self, reader: NodeId, branches: &[NodeId]) {
        let edge =
            |(index, writer): (usize, &NodeId)| Edge { step: Step::WriterBranch(index), reader, writer: *writer };
        self.inner.extend(branches.iter().enumerate().map(edge));
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

    fn record(&mut self, fields: &[Field], written: &[Field]) {
        self.work += fields.len() + written.len();
        let mut found = std::mem::take(&mut self.sources);
        sources(fields, written, &mut found);
        let edge = |reader: usize, writer: usize| {
            let step = Step::Field { reader, writer };
            Edge { step, reader: fields[reader].node, writer: written[writer].node }
        };
        for (index, source) in found.iter().enumerate() {
            match source {
                Source::Writer(writer) => self.inner.push(edge(index, *writer)),
                Source::Default => {}
                Source::Taken(_) => self.contested += 1,
                Source::Nothing => self.faults.push(Fault::NoDefault(index)),
                Source::Ambiguous(writers) => self.faults.push(Fault::Ambiguous(index, writers.clone())),
            }
        }
        if self.contested > 0 {
            let taken = |(index, source): (usize, &Source)| match source {
                Source::Taken(writer) => Some(edge(index, *writer)),
                _ => None,
            };
            self.inner.extend(found.iter().enumerate().filter_map(taken));
        }
        self.sources = found;
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
