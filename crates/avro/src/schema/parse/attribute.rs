//! The attributes of a schema's objects: which must be there, and what they may say.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::error::{SchemaFault, shortened};
use super::super::name::{is_namespace, is_primitive, is_simple_name};
use super::super::{Logical, Name, Node};
use super::{Here, Parsed};

pub(super) fn with_attributes(mut node: Node, object: &Map<String, Value>, taken: &[&str]) -> Node {
    node.logical = Logical::of(&node.kind, object);
    node.attributes = others(object, taken);
    node
}

pub(super) fn others(object: &Map<String, Value>, taken: &[&str]) -> Map<String, Value> {
    object
        .iter()
        .filter(|(key, _)| !taken.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

pub(super) fn required<'v>(
    object: &'v Map<String, Value>,
    here: &Here,
    kind: &'static str,
    attribute: &'static str,
) -> Parsed<&'v Value> {
    object.get(attribute).map_or_else(|| here.fail(SchemaFault::Missing { kind, attribute }), Ok)
}

pub(super) fn full_name(object: &Map<String, Value>, here: &Here, kind: &'static str) -> Parsed<Name> {
    let at_name = here.child("name");
    let Value::String(name) = required(object, here, kind, "name")? else {
        return at_name.unexpected("a name", &object["name"]);
    };
    let at_namespace = here.child("namespace");
    let namespace = match object.get("namespace") {
        None | Some(Value::Null) => here.namespace.as_deref(),
        Some(Value::String(namespace)) if is_namespace(namespace) => Some(namespace.as_str()),
        Some(Value::String(namespace)) => {
            return at_namespace.fail(SchemaFault::InvalidName { name: shortened(namespace, 60) });
        }
        Some(other) => return at_namespace.unexpected("a namespace", other),
    };
    let Some(full) = Name::resolve(name, namespace) else {
        return at_name.fail(SchemaFault::InvalidName { name: shortened(name, 60) });
    };
    if is_primitive(full.simple()) {
        return at_name.fail(SchemaFault::PrimitiveName { name: full.to_string() });
    }
    Ok(full)
}

pub(super) fn type_aliases(object: &Map<String, Value>, here: &Here, name: &Name) -> Parsed<Vec<Name>> {
    let at_aliases = here.child("aliases");
    let list = match object.get("aliases") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return at_aliases.unexpected("an array of names", other),
    };
    let resolve = |(index, alias): (usize, &Value)| {
        let at_alias = at_aliases.child(index);
        let Value::String(text) = alias else { return at_alias.unexpected("a name", alias) };
        Name::resolve(text, name.namespace())
            .map_or_else(|| at_alias.fail(SchemaFault::InvalidName { name: shortened(text, 60) }), Ok)
    };
    list.iter().enumerate().map(resolve).collect()
}

/// A list of distinct simple names: an enum's symbols, a field's aliases.
pub(super) fn names(json: &Value, here: &Here, what: &'static str) -> Parsed<Vec<String>> {
    let Value::Array(list) = json else { return here.unexpected("an array of names", json) };
    let mut seen = HashSet::new();
    for (index, name) in list.iter().enumerate() {
        let at_name = here.child(index);
        match name {
            Value::String(name) if !is_simple_name(name) => {
                return at_name.fail(SchemaFault::InvalidName { name: shortened(name, 60) });
            }
            Value::String(name) if !seen.insert(name.clone()) && what == "symbol" => {
                return at_name.fail(SchemaFault::Duplicate { what, name: name.clone() });
            }
            Value::String(_) => {}
            other => return at_name.unexpected("a name", other),
        }
    }
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

pub(super) fn check_order(object: &Map<String, Value>, here: &Here) -> Parsed<()> {
    match object.get("order") {
        None => Ok(()),
        Some(Value::String(order)) if matches!(order.as_str(), "ascending" | "descending" | "ignore") => Ok(()),
        Some(other) => here.child("order").unexpected("\"ascending\", \"descending\" or \"ignore\"", other),
    }
}
