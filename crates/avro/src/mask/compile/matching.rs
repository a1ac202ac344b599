//! Which part of the contract's schema a part of a writer's stands for.

use std::collections::HashMap;

use crate::schema::{Field, Kind, Name, Node, NodeId, Schema};

/// The contract's and the writer's schema.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) contract: &'a Schema,
    pub(super) writer: &'a Schema,
}

impl Pair<'_> {
    /// The contract's field for each of a writer's: by name, else by an alias of either side. A field of the contract
    /// stands for one of the writer's only; what is left over is unknown.
    pub(super) fn fields(self, contract: NodeId, writer: NodeId) -> Vec<Option<usize>> {
        let Kind::Record { fields: written } = &self.writer.node(writer).kind else { return Vec::new() };
        let Kind::Record { fields: known } = &self.contract.node(contract).kind else {
            return vec![None; written.len()];
        };
        let by_name: HashMap<&str, usize> =
            known.iter().enumerate().map(|(index, field)| (field.name.as_str(), index)).collect();
        let mut found: Vec<Option<usize>> =
            written.iter().map(|field| by_name.get(field.name.as_str()).copied()).collect();
        let mut taken = vec![false; known.len()];
        found.iter().flatten().for_each(|index| taken[*index] = true);
        for (index, field) in written.iter().enumerate() {
            if found[index].is_none() {
                let alias = known.iter().enumerate().position(|(at, other)| !taken[at] && is_alias(field, other));
                alias.into_iter().for_each(|at| taken[at] = true);
                found[index] = alias;
            }
        }
        found
    }

    /// The contract's type for a writer's that is not a union: itself, or the branch that fits best.
    pub(super) fn branch(self, contract: NodeId, writer: NodeId) -> Option<NodeId> {
        let written = self.writer.node(writer);
        let candidates = match &self.contract.node(contract).kind {
            Kind::Union { branches } => branches.as_slice(),
            _ => std::slice::from_ref(&contract),
        };
        let of = |id: &NodeId| self.contract.node(*id);
        let namesake = written.name.as_ref().and_then(|name| self.contract.named(name.as_str()));
        if let Some(namesake) = namesake.filter(|id| candidates.contains(id) && is_same_kind(of(id), written)) {
            return Some(namesake);
        }
        let same_kind: Vec<NodeId> = candidates.iter().copied().filter(|id| is_same_kind(of(id), written)).collect();
        let is_named = written.name.is_some();
        let aliased = || same_kind.iter().find(|id| is_named && is_named_alias(of(id), written));
        let simple = || same_kind.iter().find(|id| is_named && simple_name(of(id)) == simple_name(written));
        let only = || same_kind.first().filter(|_| same_kind.len() == 1);
        let promoted = || candidates.iter().find(|id| is_promotable(&of(id).kind, &written.kind));
        aliased().or_else(simple).or_else(only).or_else(promoted).copied()
    }

    /// Whether the contract knows the shape of what the writer writes: every kind of value, down to records' fields.
    pub(super) fn is_known(self, contract: NodeId, writer: NodeId) -> bool {
        let matches = |node: NodeId| self.branch(contract, node);
        match &self.writer.node(writer).kind {
            Kind::Null => true,
            Kind::Union { branches } => branches.iter().all(|branch| {
                self.writer.node(*branch).kind == Kind::Null
                    || matches(*branch).is_some_and(|c| self.is_known(c, *branch))
            }),
            Kind::Array { items } => match matches(writer).map(|c| &self.contract.node(c).kind) {
                Some(Kind::Array { items: known }) => self.is_known(*known, *items),
                _ => false,
            },
            Kind::Map { values } => match matches(writer).map(|c| &self.contract.node(c).kind) {
                Some(Kind::Map { values: known }) => self.is_known(*known, *values),
                _ => false,
            },
            _ => matches(writer).is_some(),
        }
    }
}

fn is_alias(written: &Field, known: &Field) -> bool {
    known.aliases.contains(&written.name) || written.aliases.contains(&known.name)
}

fn is_named_alias(known: &Node, written: &Node) -> bool {
    let is = |aliases: &[Name], name: Option<&Name>| name.is_some_and(|name| aliases.contains(name));
    is(&known.aliases, written.name.as_ref()) || is(&written.aliases, known.name.as_ref())
}

fn simple_name(node: &Node) -> Option<&str> {
    node.name.as_ref().map(Name::simple)
}

fn is_same_kind(known: &Node, written: &Node) -> bool {
    std::mem::discriminant(&known.kind) == std::mem::discriminant(&written.kind)
}

/// Whether one side's values can be read as the other's, whichever is newer.
fn is_promotable(one: &Kind, other: &Kind) -> bool {
    let numbers = |kind: &Kind| matches!(kind, Kind::Int | Kind::Long | Kind::Float | Kind::Double);
    let texts = |kind: &Kind| matches!(kind, Kind::String | Kind::Bytes);
    (numbers(one) && numbers(other)) || (texts(one) && texts(other))
}
