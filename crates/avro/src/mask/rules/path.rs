//! From a column's path to the places in a schema that it names.

use std::collections::HashSet;

use mesh_contract::{ColumnPath, Step};

use crate::mask::slot::{Part, Slot, alternatives};
use crate::schema::{Kind, NodeId, Schema};

/// Why a path names nothing.
#[derive(Debug, PartialEq)]
pub(super) struct Unresolved {
    /// What is missing, as part of a sentence: `` `address` has no field `stret` ``.
    pub(super) what: String,
    /// The name that was probably meant, or what to write instead.
    pub(super) hint: Option<String>,
}

/// The places that a path names: more than one where unions lead to several records.
pub(super) fn resolve(schema: &Schema, path: &ColumnPath) -> Result<Vec<(Slot, NodeId)>, Unresolved> {
    let mut found: Vec<(Slot, NodeId)> = Vec::new();
    let mut frontier = vec![schema.root()];
    for (index, step) in path.steps().iter().enumerate() {
        let candidates: Vec<NodeId> = frontier.iter().flat_map(|node| alternatives(schema, *node)).collect();
        let mut seen = HashSet::new();
        let followed = candidates.iter().filter_map(|node| follow(schema, *node, step));
        found = followed.filter(|(slot, _)| seen.insert(*slot)).collect();
        if found.is_empty() {
            return Err(unresolved(schema, path, index, &candidates));
        }
        frontier = distinct(found.iter().map(|(_, node)| *node));
    }
    Ok(found)
}

/// Each type once: unions of the same types one after another would otherwise double the work at each step.
pub(super) fn distinct(nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut seen = HashSet::new();
    nodes.filter(|node| seen.insert(*node)).collect()
}

/// One step from a type that is not a union.
pub(super) fn follow(schema: &Schema, node: NodeId, step: &Step) -> Option<(Slot, NodeId)> {
    match (step, &schema.node(node).kind) {
        (Step::Field(name), Kind::Record { fields }) => {
            let index = fields.iter().position(|field| field.name == *name)?;
            Some((Slot::new(node, Part::Field(index)), fields[index].node))
        }
        (Step::Items, Kind::Array { items }) => Some((Slot::new(node, Part::Items), *items)),
        (Step::Values, Kind::Map { values }) => Some((Slot::new(node, Part::Values), *values)),
        _ => None,
    }
}

fn unresolved(schema: &Schema, path: &ColumnPath, index: usize, candidates: &[NodeId]) -> Unresolved {
    let holder = match prefix(path, index) {
        None => "the record".to_owned(),
        Some(prefix) => format!("`{prefix}`"),
    };
    let kinds: Vec<&Kind> = candidates.iter().map(|node| &schema.node(*node).kind).collect();
    let kind = kinds.first().map_or("null", |kind| kind.word());
    let fields = kinds.iter().filter_map(|kind| match kind {
        Kind::Record { fields } => Some(fields.iter().map(|field| field.name.as_str())),
        _ => None,
    });
    match &path.steps()[index] {
        Step::Field(name) if kind == "record" => Unresolved {
            what: format!("{holder} has no field `{name}`"),
            hint: mesh_contract::did_you_mean(name, fields.flatten()).map(|near| format!("did you mean `{near}`?")),
        },
        Step::Field(name) => {
            let instead = match kind {
                "array" => Some(format!("an array's items are `[]`: {}[].{name}", holder.trim_matches('`'))),
                "map" => Some(format!("a map's values are `{{}}`: {}{{}}.{name}", holder.trim_matches('`'))),
                _ => None,
            };
            Unresolved { what: format!("{holder} is of type {kind}, which has no field `{name}`"), hint: instead }
        }
        Step::Items => Unresolved { what: format!("{holder} is of type {kind}, not an array"), hint: None },
        Step::Values => Unresolved { what: format!("{holder} is of type {kind}, not a map"), hint: None },
    }
}

/// The path's first steps as text.
fn prefix(path: &ColumnPath, steps: usize) -> Option<String> {
    let mut text = String::new();
    for step in &path.steps()[..steps] {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Items => text.push_str("[]"),
            Step::Values => text.push_str("{}"),
        }
    }
    (!text.is_empty()).then_some(text)
}
