//! Changes to a schema, as its next version might make them.

use serde_json::{Value, json};

use crate::Draw;
use crate::schema::{default_of, unnamed};

/// The most changes between two versions.
const CHANGES_MAX: usize = 6;

/// A schema after a few changes.
pub fn changed(draw: &mut Draw, schema: &Value) -> Value {
    let mut schema = schema.clone();
    for _ in 0..draw.below(CHANGES_MAX + 1) {
        let mut pointers = Vec::new();
        collect(&schema, String::new(), &mut pointers);
        let pointer = draw.one(&pointers).clone();
        if let Some(place) = schema.pointer_mut(&pointer) {
            change(draw, place);
        }
    }
    schema
}

/// The pointers of all types, fields and lists.
fn collect(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for key in ["type", "items", "values", "fields"] {
                if let Some(inner) = object.get(key) {
                    collect(inner, format!("{pointer}/{key}"), found);
                }
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                collect(inner, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(pointer);
}

fn change(draw: &mut Draw, place: &mut Value) {
    match place {
        Value::Array(list) if list.iter().all(|item| item.get("name").is_some()) => change_fields(draw, list),
        Value::Array(branches) => change_union(draw, branches),
        Value::Object(object) if object.contains_key("symbols") => change_enum(draw, place),
        Value::Object(object) if object.contains_key("name") => change_named(draw, place),
        _ => change_type(draw, place),
    }
}

fn change_fields(draw: &mut Draw, fields: &mut Vec<Value>) {
    let at = draw.below(fields.len() + 1);
    if draw.chance(2) && at < fields.len() {
        fields.remove(at);
        return;
    }
    let kind = unnamed(draw);
    let mut field = json!({"name": format!("g{}", draw.below(4)), "type": kind});
    if draw.chance(2) {
        field["default"] = default_of(draw, &kind);
    }
    fields.insert(at, field);
}

fn change_union(draw: &mut Draw, branches: &mut Vec<Value>) {
    match draw.below(3) {
        0 => branches.push(unnamed(draw)),
        1 => drop(branches.pop()),
        _ => branches.reverse(),
    }
}

fn change_enum(draw: &mut Draw, place: &mut Value) {
    match draw.below(3) {
        0 => place["symbols"] = json!(["RED", "GREEN", "WHITE"]),
        1 => place["default"] = place["symbols"][0].clone(),
        _ => change_named(draw, place),
    }
}

/// A named type or a field.
fn change_named(draw: &mut Draw, place: &mut Value) {
    match draw.below(7) {
        0 => {
            let old = place["name"].clone();
            place["name"] = json!(draw.one(&["renamed", "n.Renamed", "f0"]));
            place["aliases"] = json!([old]);
        }
        1 => place["name"] = json!("other"),
        2 => place["size"] = json!(8),
        3 => place["default"] = default_of(draw, &place["type"].clone()),
        4 => place["mesh.class"] = json!("pii.contact"),
        5 => place["aliases"] = json!([draw.one(&["f0", "f1", "A0", "n.B1"])]),
        _ => place["doc"] = json!("changed"),
    }
}

fn change_type(draw: &mut Draw, place: &mut Value) {
    *place = match draw.below(4) {
        0 => unnamed(draw),
        1 => json!(["null", place.clone()]),
        2 => json!("long"),
        _ => json!("double"),
    };
}
