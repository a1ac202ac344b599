//! Defaults that do not leak: what a masked place had for one is replaced by one that says nothing.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::render::{Renderer, Shown};
use crate::mask::rules::{Leaf, keeps_logical};
use crate::mask::slot::{Part, Slot, parts};
use crate::mask::transform::constant;
use crate::schema::{Kind, NodeId};

/// The default of a field in a view.
pub(super) fn of_field(view: &Renderer<'_>, shown: Shown, node: NodeId, default: &Value) -> Value {
    // A scalar is decided where it stands; only what has parts is worth a search.
    let has_parts = default.as_object().is_some() || default.as_array().is_some_and(|items| !items.is_empty());
    if shown == Shown::Clear && has_parts && !anything_hidden(view, node) {
        return default.clone();
    }
    of_type(view, shown, node, default)
}

fn of_type(view: &Renderer<'_>, shown: Shown, node: NodeId, default: &Value) -> Value {
    let schema = view.schema;
    match &schema.node(node).kind {
        Kind::Union { branches } => of_union(view, shown, node, branches, default),
        Kind::Record { fields } => {
            let mut members = Map::new();
            for (index, field) in fields.iter().enumerate() {
                let inner = view.shown(Slot::new(node, Part::Field(index)));
                // What the default leaves out takes the field's own, in the view as well; to spell it out may have no end.
                let value = default.get(&field.name);
                if let Some(value) = value.filter(|_| inner != Shown::Removed) {
                    members.insert(field.name.clone(), of_field(view, inner, field.node, value));
                }
            }
            Value::Object(members)
        }
        Kind::Array { .. } => Value::Array(Vec::new()),
        Kind::Map { .. } => Value::Object(Map::new()),
        _ => match shown {
            Shown::Masked(mask) => {
                let leaf = Leaf::of(schema.node(node));
                let keeps = view.masked_rule(mask, node).is_none_or(|rule| keeps_logical(&rule, leaf));
                constant::neutral_default(leaf, keeps)
            }
            _ => default.clone(),
        },
    }
}

/// A union's default is of its first branch; where it is null that says nothing already.
fn of_union(view: &Renderer<'_>, shown: Shown, union: NodeId, branches: &[NodeId], default: &Value) -> Value {
    let schema = view.schema;
    let Some(first) = branches.first() else { return Value::Null };
    let has_null = branches.iter().any(|branch| schema.node(*branch).kind == Kind::Null);
    if default.is_null() && has_null {
        return Value::Null;
    }
    if schema.node(*first).kind == Kind::Null {
        let is_clear = shown == Shown::Clear && !anything_hidden(view, union);
        return if is_clear { default.clone() } else { Value::Null };
    }
    let inner = match (shown, view.shown(Slot::new(union, Part::Branch(0)))) {
        (Shown::Nulled(mask), Shown::Clear) => Shown::Masked(mask),
        (_, inner) => inner,
    };
    of_type(view, inner, *first, default)
}

/// Whether anything inside a type is masked or left out in this view.
fn anything_hidden(view: &Renderer<'_>, node: NodeId) -> bool {
    let mut open = vec![node];
    let mut seen = HashSet::new();
    while let Some(node) = open.pop() {
        if !seen.insert(node) {
            continue;
        }
        if view.shown(Slot::new(node, Part::Keys)) != Shown::Clear {
            return true;
        }
        for (slot, child) in parts(view.schema, node) {
            if view.shown(slot) != Shown::Clear {
                return true;
            }
            open.push(child);
        }
    }
    false
}
