//! The attributes of a schema's objects: which must be there, and what they may say.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use serde_json::{Map, Value};

use super::super::error::{SchemaFault, shortened};
use super::super::json::{Json, Object};
use super::super::name::{is_namespace, is_primitive, is_simple_name};
use super::super::{Logical, Name, Node};
use super::{Here, Parsed};

/// Up to so many names are compared with one another; more go into a set.
const FEW_NAMES: usize = 16;

/// Gives a type what its object says of it beyond what was `taken`.
pub(super) fn annotate(node: &mut Node, object: &Object<'_>, taken: &[&str]) {
    node.logical = Logical::of(&node.kind, object);
    node.attributes = others(object, taken);
}

pub(super) fn others(object: &Object<'_>, taken: &[&str]) -> Map<String, Value> {
    object.map(|key| !taken.contains(&key))
}

/// The index of the first of so many names that stood before.
pub(super) fn first_repeated<'n>(count: usize, name: impl Fn(usize) -> &'n str) -> Option<usize> {
    if count <= FEW_NAMES {
        return (0..count).find(|index| (0..*index).any(|before| name(before) == name(*index)));
    }
    let mut seen = HashSet::with_capacity_and_hasher(count, RandomState::default());
    (0..count).find(|index| !seen.insert(name(*index)))
}

pub(super) fn required<'o, 't>(
    object: &'o Object<'t>,
    here: &Here<'_>,
    kind: &'static str,
    attribute: &'static str,
) -> Parsed<&'o Json<'t>> {
    object.get(attribute).map_or_else(|| here.fail(SchemaFault::Missing { kind, attribute }), Ok)
}

pub(super) fn full_name(object: &Object<'_>, here: &Here<'_>, kind: &'static str) -> Parsed<Name> {
    let at_name = here.key("name");
    let name = match required(object, here, kind, "name")? {
        Json::String(name) => name,
        other => return at_name.unexpected("a name", other),
    };
    let at_namespace = here.key("namespace");
    let namespace = match object.get("namespace") {
        None | Some(Json::Null) => here.namespace,
        Some(Json::String(namespace)) if is_namespace(namespace) => Some(namespace.as_ref()),
        Some(Json::String(namespace)) => {
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

pub(super) fn type_aliases(object: &Object<'_>, here: &Here<'_>, name: &Name) -> Parsed<Vec<Name>> {
    let at_aliases = here.key("aliases");
    let list = match object.get("aliases") {
        None => return Ok(Vec::new()),
        Some(Json::Array(list)) => list,
        Some(other) => return at_aliases.unexpected("an array of names", other),
    };
    let resolve = |(index, alias): (usize, &Json<'_>)| {
        let at_alias = at_aliases.index(index);
        let Json::String(text) = alias else { return at_alias.unexpected("a name", alias) };
        Name::resolve(text, name.namespace())
            .map_or_else(|| at_alias.fail(SchemaFault::InvalidName { name: shortened(text, 60) }), Ok)
    };
    list.iter().enumerate().map(resolve).collect()
}

/// A list of simple names: an enum's symbols, which are distinct, or a field's aliases.
pub(super) fn names(json: &Json<'_>, here: &Here<'_>, what: &'static str) -> Parsed<Vec<String>> {
    let Json::Array(list) = json else { return here.unexpected("an array of names", json) };
    let mut names = Vec::with_capacity(list.len());
    for (index, name) in list.iter().enumerate() {
        match name {
            Json::String(name) if is_simple_name(name) => names.push(name.as_ref().to_owned()),
            Json::String(name) => {
                return here.index(index).fail(SchemaFault::InvalidName { name: shortened(name, 60) });
            }
            other => return here.index(index).unexpected("a name", other),
        }
    }
    match first_repeated(names.len(), |index| &names[index]) {
        Some(index) if what == "symbol" => {
            here.index(index).fail(SchemaFault::Duplicate { what, name: names.swap_remove(index) })
        }
        _ => Ok(names),
    }
}

/// How a field's values are compared, where it says so.
pub(super) fn order(object: &Object<'_>, here: &Here<'_>) -> Parsed<Option<String>> {
    match object.get("order") {
        None => Ok(None),
        Some(Json::String(order)) if matches!(order.as_ref(), "ascending" | "descending" | "ignore") => {
            Ok(Some(order.as_ref().to_owned()))
        }
        Some(other) => here.key("order").unexpected("\"ascending\", \"descending\" or \"ignore\"", other),
    }
}
