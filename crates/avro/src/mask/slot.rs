//! Where a rule is attached: a place in a schema, which all uses of a named type share.

use crate::schema::{Kind, NodeId, Schema};

/// A place in a schema that holds a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot {
    /// The type whose part it is.
    pub(super) parent: NodeId,
    /// Which part.
    pub(super) part: Part,
}

/// A part of a record, array, map or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Part {
    Field(usize),
    Items,
    /// A map's keys: strings that have no type of their own in a schema.
    Keys,
    Values,
    Branch(usize),
}

impl Slot {
    pub(super) fn new(parent: NodeId, part: Part) -> Slot {
        Slot { parent, part }
    }
}

/// The parts of a type that have types, in the order in which they are written.
pub(super) fn parts(schema: &Schema, node: NodeId) -> Vec<(Slot, NodeId)> {
    let slot = |part| Slot::new(node, part);
    match &schema.node(node).kind {
        Kind::Record { fields } => {
            fields.iter().enumerate().map(|(index, field)| (slot(Part::Field(index)), field.node)).collect()
        }
        Kind::Array { items } => vec![(slot(Part::Items), *items)],
        Kind::Map { values } => vec![(slot(Part::Values), *values)],
        Kind::Union { branches } => {
            branches.iter().enumerate().map(|(index, branch)| (slot(Part::Branch(index)), *branch)).collect()
        }
        _ => Vec::new(),
    }
}

/// The branches of a union, or the type itself; null left out.
pub(super) fn alternatives(schema: &Schema, node: NodeId) -> Vec<NodeId> {
    match &schema.node(node).kind {
        Kind::Union { branches } => {
            branches.iter().copied().filter(|branch| schema.node(*branch).kind != Kind::Null).collect()
        }
        _ => vec![node],
    }
}

/// The index of a union's null branch.
pub(super) fn null_branch(schema: &Schema, node: NodeId) -> Option<usize> {
    match &schema.node(node).kind {
        Kind::Union { branches } => branches.iter().position(|branch| schema.node(*branch).kind == Kind::Null),
        _ => None,
    }
}
