//! From two schemas to nodes, pair of types by pair of types, without recursion.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::default;
use super::node::{Branch, Fields, Node, Piece, Promotion, Step};
use super::{Conversion, TooLarge};
use crate::compat::resolution::{Resolver, Source};
use crate::schema::{Kind, NodeId, Schema};

/// The most pairs of types.
const NODES_MAX: usize = 1 << 18;
/// The most bytes of defaults.
const DEFAULTS_MAX: usize = 16 << 20;
/// The node of what cannot be taken.
const REFUSED: u32 = 0;

/// A reader's type and the writer's that it reads; without a reader, the writer's own, to be left out in the end.
type Pair = (Option<NodeId>, NodeId);

pub(super) fn conversion(reader: &Schema, writer: &Schema) -> Result<Conversion, TooLarge> {
    let mut compiler = Compiler {
        reader,
        writer,
        resolver: Resolver::new(reader, writer),
        nodes: vec![Node::Refused],
        known: HashMap::default(),
        open: Vec::new(),
        defaults: Vec::new(),
    };
    let whole = (!Resolver::is_same(reader, writer)).then(|| reader.root());
    let root = compiler.node((whole, writer.root()));
    while let Some((at, pair)) = compiler.open.pop() {
        let node = compiler.expand(pair)?;
        compiler.nodes[at as usize] = node;
        if compiler.nodes.len() > NODES_MAX || compiler.defaults.len() > DEFAULTS_MAX {
            return Err(TooLarge);
        }
    }
    Ok(Conversion { nodes: compiler.nodes, root, defaults: compiler.defaults })
}

struct Compiler<'s> {
    reader: &'s Schema,
    writer: &'s Schema,
    resolver: Resolver<'s>,
    nodes: Vec<Node>,
    known: HashMap<Pair, u32, RandomState>,
    /// Nodes that are not filled yet.
    open: Vec<(u32, Pair)>,
    defaults: Vec<u8>,
}

impl Compiler<'_> {
    /// The node of a pair, to be filled if it is new.
    fn node(&mut self, pair: Pair) -> u32 {
        if let Some(node) = self.known.get(&pair) {
            return *node;
        }
        // fewer than are counted in 32 bits
        let node = self.nodes.len() as u32;
        self.nodes.push(Node::Refused);
        self.known.insert(pair, node);
        self.open.push((node, pair));
        node
    }

    fn expand(&mut self, (reader, writer): Pair) -> Result<Node, TooLarge> {
        let Some(reader) = reader else { return Ok(self.same(writer)) };
        let (reads, writes) = (&self.reader.node(reader).kind, &self.writer.node(writer).kind);
        Ok(match (reads, writes) {
            (_, Kind::Union { branches }) => {
                Node::Union(branches.iter().map(|branch| self.branch(reader, *branch)).collect())
            }
            (Kind::Union { .. }, _) => match self.branch(reader, writer) {
                Branch { to: None, .. } => Node::Refused,
                branch => Node::Into(branch),
            },
            (Kind::Array { items }, Kind::Array { items: written }) => Node::Array(self.node((Some(*items), *written))),
            (Kind::Map { values }, Kind::Map { values: written }) => Node::Map(self.node((Some(*values), *written))),
            (Kind::Record { .. }, Kind::Record { .. }) if self.resolver.is_called_like(reader, writer) => {
                return self.record(reader, writer);
            }
            (Kind::Enum { symbols, default }, Kind::Enum { symbols: written, .. })
                if self.resolver.is_called_like(reader, writer) =>
            {
                symbols_of(symbols, default.as_deref(), written)
            }
            (Kind::Fixed { size }, Kind::Fixed { size: written })
                if size == written && self.resolver.is_called_like(reader, writer) =>
            {
                Node::Fixed(*size)
            }
            (reads, writes) => primitive(reads, writes),
        })
    }

    /// What becomes of a value of the writer's that a union of the reader's may be read for.
    fn branch(&mut self, reader: NodeId, writer: NodeId) -> Branch {
        let Kind::Union { branches } = &self.reader.node(reader).kind else {
            return Branch { to: None, node: self.node((Some(reader), writer)) };
        };
        match self.resolver.branch(reader, branches, writer) {
            Some(index) => Branch { to: Some(index as u32), node: self.node((Some(branches[index]), writer)) },
            None => Branch { to: None, node: REFUSED },
        }
    }

    fn record(&mut self, reader: NodeId, writer: NodeId) -> Result<Node, TooLarge> {
        let Kind::Record { fields } = &self.reader.node(reader).kind else { return Ok(Node::Refused) };
        let Kind::Record { fields: written } = &self.writer.node(writer).kind else { return Ok(Node::Refused) };
        // for each of the reader's fields the writer's, or its default
        let mut sources = Vec::with_capacity(fields.len());
        for (field, source) in fields.iter().zip(self.resolver.sources(reader, writer)) {
            sources.push(match (source, &field.default) {
                (Source::Writer(index), _) => Err(index),
                (Source::Default | Source::Taken(_), Some(value)) => {
                    Ok(default::append(self.reader, field.node, value, &mut self.defaults)?)
                }
                _ => return Ok(Node::Refused),
            });
        }
        let mut feeds: Vec<Option<NodeId>> = vec![None; written.len()];
        for (field, source) in fields.iter().zip(&sources) {
            if let Err(index) = source {
                feeds[*index] = Some(field.node);
            }
        }
        let steps = written.iter().zip(&feeds).map(|(written, feeds)| match feeds {
            Some(field) => Step::Keep(self.node((Some(*field), written.node))),
            None => Step::Drop(self.node((None, written.node))),
        });
        let steps: Vec<Step> = steps.collect();
        let kept: Vec<usize> = sources.iter().filter_map(|source| source.as_ref().err().copied()).collect();
        if kept.is_sorted() {
            return Ok(Node::Record(Box::new(Fields { steps: in_order(steps, &sources), order: None })));
        }
        let mut by_place = kept.clone();
        by_place.sort_unstable();
        let order = sources.into_iter().map(|source| match source {
            Ok(default) => Piece::Default(default),
            Err(index) => Piece::Kept(by_place.partition_point(|kept| *kept < index)),
        });
        Ok(Node::Record(Box::new(Fields { steps: steps.into(), order: Some(order.collect()) })))
    }

    /// A value that stays what it is.
    fn same(&mut self, writer: NodeId) -> Node {
        match &self.writer.node(writer).kind {
            Kind::Union { branches } => {
                let branch = |(index, branch): (usize, &NodeId)| Branch {
                    to: Some(index as u32),
                    node: self.node((None, *branch)),
                };
                Node::Union(branches.iter().enumerate().map(branch).collect())
            }
            Kind::Array { items } => Node::Array(self.node((None, *items))),
            Kind::Map { values } => Node::Map(self.node((None, *values))),
            Kind::Record { fields } => {
                let steps = fields.iter().map(|field| Step::Keep(self.node((None, field.node)))).collect();
                Node::Record(Box::new(Fields { steps, order: None }))
            }
            Kind::Enum { symbols, .. } => Node::Enum((0..symbols.len() as u32).map(Some).collect()),
            Kind::Fixed { size } => Node::Fixed(*size),
            kind => primitive(kind, kind),
        }
    }
}

/// A record whose kept fields stand in the same order on both sides: defaults go between them.
fn in_order(steps: Vec<Step>, sources: &[Result<std::ops::Range<usize>, usize>]) -> Box<[Step]> {
    let mut all = Vec::with_capacity(steps.len() + sources.len());
    let mut steps = steps.into_iter().enumerate().peekable();
    for source in sources {
        match source {
            Ok(default) => all.push(Step::Default(default.clone())),
            Err(index) => {
                while let Some((_, step)) = steps.next_if(|(at, _)| at <= index) {
                    all.push(step);
                }
            }
        }
    }
    all.extend(steps.map(|(_, step)| step));
    all.into()
}

fn symbols_of(symbols: &[String], default: Option<&str>, written: &[String]) -> Node {
    let places: HashMap<&str, u32, RandomState> = symbols.iter().map(String::as_str).zip(0_u32..).collect();
    let otherwise = default.and_then(|symbol| places.get(symbol).copied());
    Node::Enum(written.iter().map(|symbol| places.get(symbol.as_str()).copied().or(otherwise)).collect())
}

fn primitive(reads: &Kind, writes: &Kind) -> Node {
    match (reads, writes) {
        (Kind::Null, Kind::Null) => Node::Null,
        (Kind::Boolean, Kind::Boolean) => Node::Boolean,
        (Kind::Int | Kind::Long, Kind::Int) => Node::Int,
        (Kind::Long, Kind::Long) => Node::Long,
        (Kind::Float, Kind::Float) => Node::Float,
        (Kind::Double, Kind::Double) => Node::Double,
        (Kind::Bytes, Kind::Bytes) => Node::Bytes,
        (Kind::String, Kind::String | Kind::Bytes) | (Kind::Bytes, Kind::String) => Node::Text,
        (Kind::Float, Kind::Int) => Node::Number(Promotion::IntToFloat),
        (Kind::Double, Kind::Int) => Node::Number(Promotion::IntToDouble),
        (Kind::Float, Kind::Long) => Node::Number(Promotion::LongToFloat),
        (Kind::Double, Kind::Long) => Node::Number(Promotion::LongToDouble),
        (Kind::Double, Kind::Float) => Node::Number(Promotion::FloatToDouble),
        _ => Node::Refused,
    }
}
