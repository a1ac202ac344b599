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

use std::collections::{BTreeSet, HashMap};

use crate::schema::{Field, Kind, Name, Node, NodeId, Schema};

/// The two schemas, and what the reader's aliases claim.
pub(super) struct Sides<'s> {
    pub(super) reader: &'s Schema,
    pub(super) writer: &'s Schema,
    /// Full name in the writer -> the reader's type that has it as an alias.
    claims: HashMap<&'s Name, NodeId>,
}

/// What one pair of types asks for.
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

/// Where a reader's field takes its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Writer(usize),
    Default,
    /// From its default, although the writer's field is called like it: another of the reader's fields takes that.
    Taken(usize),
    Nothing,
    Ambiguous(Vec<usize>),
}

impl<'s> Sides<'s> {
    pub(super) fn new(reader: &'s Schema, writer: &'s Schema) -> Sides<'s> {
        let mut claims: HashMap<&Name, NodeId> =
            reader.nodes().flat_map(|(id, node)| node.aliases.iter().map(move |alias| (alias, id))).collect();
        if !claims.is_empty() && reader.same_but_for_aliases(writer) {
            claims.clear();
        }
        Sides { reader, writer, claims }
    }

    /// The reader's type that takes the writer's name by an alias.
    pub(super) fn claimant(&self, writer: &Node) -> Option<NodeId> {
        self.claims.get(writer.name.as_ref()?).copied()
    }

    /// What the pair asks for.
    pub(super) fn resolve(&self, reader_id: NodeId, writer_id: NodeId) -> Resolution {
        let (reader, writer) = (self.reader.node(reader_id), self.writer.node(writer_id));
        match (&reader.kind, &writer.kind) {
            (_, Kind::Union { branches }) => writer_union(reader_id, branches),
            (Kind::Union { branches }, _) => self.reader_union(branches, writer_id),
            (Kind::Array { items: reader }, Kind::Array { items: writer }) => {
                Resolution::of(Edge { step: Step::Items, reader: *reader, writer: *writer })
            }
            (Kind::Map { values: reader }, Kind::Map { values: writer }) => {
                Resolution::of(Edge { step: Step::Values, reader: *reader, writer: *writer })
            }
            (reads, writes) if std::mem::discriminant(reads) != std::mem::discriminant(writes) => {
                if promotes(writes, reads) { Resolution::default() } else { Resolution::broken(Fault::Type) }
            }
            _ if reader.name.is_some() && !self.names_match(reader_id, writer) => Resolution::broken(Fault::Name),
            (Kind::Fixed { size: reads }, Kind::Fixed { size: writes }) if reads != writes => {
                Resolution::broken(Fault::FixedSize)
            }
            (Kind::Enum { symbols, default }, Kind::Enum { symbols: written, .. }) => {
                enumeration(symbols, default.as_deref(), written)
            }
            (Kind::Record { fields }, Kind::Record { fields: written }) => record(fields, written),
            _ => Resolution::default(),
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

    fn reader_union(&self, branches: &[NodeId], writer_id: NodeId) -> Resolution {
        let edge = |index: usize| Edge { step: Step::ReaderBranch(index), reader: branches[index], writer: writer_id };
        let candidates = self.candidates(branches, self.writer.node(writer_id));
        match candidates.as_slice() {
            [] => Resolution::broken(Fault::NoBranch),
            [only] => Resolution::of(edge(*only)),
            several => {
                Resolution { inner: several.iter().copied().map(edge).collect(), any: true, ..Resolution::default() }
            }
        }
    }

    /// The branches of a reader's union that a writer's type may be meant for.
    fn candidates(&self, branches: &[NodeId], writer: &Node) -> Vec<usize> {
        let kind_of = |branch: &NodeId| &self.reader.node(*branch).kind;
        let same_kind =
            |branch: &NodeId| std::mem::discriminant(kind_of(branch)) == std::mem::discriminant(&writer.kind);
        let first = |wanted: &dyn Fn(&NodeId) -> bool| branches.iter().position(wanted).into_iter().collect::<Vec<_>>();
        if writer.name.is_none() {
            let same = first(&same_kind);
            return if same.is_empty() { first(&|branch| promotes(&writer.kind, kind_of(branch))) } else { same };
        }
        let claimed = first(&|branch| same_kind(branch) && self.claimant(writer) == Some(*branch));
        if !claimed.is_empty() {
            return claimed;
        }
        let exact = first(&|branch| same_kind(branch) && self.reader.node(*branch).name == writer.name);
        if !exact.is_empty() {
            return exact;
        }
        let matching = |branch: &NodeId| same_kind(branch) && self.names_match(*branch, writer);
        (0..branches.len()).filter(|index| matching(&branches[*index])).collect()
    }
}

impl Resolution {
    fn of(edge: Edge) -> Resolution {
        Resolution { inner: vec![edge], ..Resolution::default() }
    }

    fn broken(fault: Fault) -> Resolution {
        Resolution { faults: vec![fault], ..Resolution::default() }
    }
}

fn writer_union(reader: NodeId, branches: &[NodeId]) -> Resolution {
    let edge = |(index, branch): (usize, &NodeId)| Edge { step: Step::WriterBranch(index), reader, writer: *branch };
    Resolution { inner: branches.iter().enumerate().map(edge).collect(), ..Resolution::default() }
}

fn enumeration(symbols: &[String], default: Option<&str>, written: &[String]) -> Resolution {
    let unknown = unknown_symbols(symbols, written);
    if unknown.is_empty() || default.is_some() {
        return Resolution::default();
    }
    Resolution::broken(Fault::Symbols(unknown))
}

/// The indexes of the writer's symbols that the reader does not know.
pub(super) fn unknown_symbols(symbols: &[String], written: &[String]) -> Vec<usize> {
    if symbols.starts_with(written) {
        return Vec::new();
    }
    let known: std::collections::HashSet<&String> = symbols.iter().collect();
    (0..written.len()).filter(|index| !known.contains(&written[*index])).collect()
}

fn record(fields: &[Field], written: &[Field]) -> Resolution {
    let mut resolution = Resolution::default();
    let mut contested = Vec::new();
    for (index, (field, source)) in fields.iter().zip(sources(fields, written)).enumerate() {
        let edge = |writer: usize| Edge {
            step: Step::Field { reader: index, writer },
            reader: field.node,
            writer: written[writer].node,
        };
        match source {
            Source::Writer(writer) => resolution.inner.push(edge(writer)),
            Source::Taken(writer) => contested.push(edge(writer)),
            Source::Default => {}
            Source::Nothing => resolution.faults.push(Fault::NoDefault(index)),
            Source::Ambiguous(writers) => resolution.faults.push(Fault::Ambiguous(index, writers)),
        }
    }
    resolution.contested = contested.len();
    resolution.inner.append(&mut contested);
    resolution
}

/// Where each of the reader's fields takes its value from.
pub(super) fn sources(fields: &[Field], written: &[Field]) -> Vec<Source> {
    let same_name = |(reads, writes): (&Field, &Field)| reads.name == writes.name && reads.aliases.is_empty();
    if fields.len() == written.len() && fields.iter().zip(written).all(same_name) {
        return (0..fields.len()).map(Source::Writer).collect();
    }
    let own = index(fields, |field| std::slice::from_ref(&field.name));
    let aliased = index(fields, |field| &field.aliases);
    let written_as = index(written, |field| std::slice::from_ref(&field.name));
    let mut sources: Vec<Source> = fields.iter().map(|field| unwritten(field, &written_as)).collect();
    for (writer, field) in written.iter().enumerate() {
        let reader = aliased.get(field.name.as_str()).or_else(|| own.get(field.name.as_str()));
        if let Some(source) = reader.map(|reader| &mut sources[*reader])
            && !matches!(source, Source::Ambiguous(_))
        {
            *source = Source::Writer(writer);
        }
    }
    sources
}

/// What feeds a reader's field if no field of the writer is read as it; ambiguous where several are called like it.
fn unwritten(field: &Field, written_as: &HashMap<&str, usize>) -> Source {
    let named = field.aliases.iter().chain([&field.name]).filter_map(|name| written_as.get(name.as_str()).copied());
    let called_so: BTreeSet<usize> = named.collect();
    match (&field.default, called_so.first()) {
        _ if called_so.len() > 1 => Source::Ambiguous(called_so.into_iter().collect()),
        (Some(_), Some(writer)) => Source::Taken(*writer),
        (Some(_), None) => Source::Default,
        (None, _) => Source::Nothing,
    }
}

fn index(fields: &[Field], names: impl Fn(&Field) -> &[String]) -> HashMap<&str, usize> {
    fields.iter().enumerate().flat_map(|(at, field)| names(field).iter().map(move |name| (name.as_str(), at))).collect()
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
