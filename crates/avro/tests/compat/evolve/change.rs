//! Random changes to a schema, some compatible, some not.

use serde_json::{Value, json};

use super::PRIMITIVES;
use super::draw::Draw;

/// The schema after one to three changes. It may not be valid any more.
pub(crate) fn evolve(draw: &mut Draw, schema: &Value) -> Value {
    let mut schema = schema.clone();
    for _ in 0..1 + draw.below(3) {
        let mut places = Vec::new();
        collect(&schema, String::new(), &mut places);
        // Records have the most that can change.
        let records: Vec<String> = places.iter().filter(|place| is_record(&schema, place)).cloned().collect();
        let from = if draw.chance(2) && !records.is_empty() { &records } else { &places };
        let place = draw.one(from).clone();
        let renamed = schema.pointer_mut(&place).and_then(|at| change(draw, at));
        if let Some((old, new)) = renamed {
            rename(&mut schema, &old, &new);
        }
    }
    schema
}

pub(crate) fn logical_types() -> Vec<Value> {
    vec![
        json!({"type": "long", "logicalType": "timestamp-millis"}),
        json!({"type": "long", "logicalType": "timestamp-micros"}),
        json!({"type": "int", "logicalType": "date"}),
        json!({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}),
        json!({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 3}),
        json!({"type": "string", "logicalType": "uuid"}),
    ]
}

/// A default for a type, where one is simple to write.
pub(crate) fn default_of(kind: &Value) -> Option<Value> {
    let word = kind.get("type").unwrap_or(kind);
    Some(match word.as_str()? {
        "null" => Value::Null,
        "boolean" => json!(true),
        "int" | "long" => json!(7),
        "float" | "double" => json!(1.5),
        "bytes" | "string" => json!("x"),
        "array" => json!([]),
        "map" => json!({}),
        "enum" => kind["symbols"][0].clone(),
        _ => return None,
    })
}

/// The JSON pointers of every type in a schema.
pub(crate) fn collect(schema: &Value, pointer: String, places: &mut Vec<String>) {
    places.push(pointer.clone());
    match schema {
        Value::Array(branches) => {
            for (index, branch) in branches.iter().enumerate() {
                collect(branch, format!("{pointer}/{index}"), places);
            }
        }
        Value::Object(object) => {
            for (index, field) in object.get("fields").and_then(Value::as_array).into_iter().flatten().enumerate() {
                collect(&field["type"], format!("{pointer}/fields/{index}/type"), places);
            }
            for inner in ["items", "values"] {
                if let Some(schema) = object.get(inner) {
                    collect(schema, format!("{pointer}/{inner}"), places);
                }
            }
        }
        _ => {}
    }
}

fn is_record(schema: &Value, place: &str) -> bool {
    schema.pointer(place).is_some_and(|at| at["type"] == "record")
}

/// Changes one type; where it gets another name, the old and the new one.
fn change(draw: &mut Draw, at: &mut Value) -> Option<(String, String)> {
    match at {
        Value::String(_) => at_reference(draw, at),
        Value::Array(branches) => at_union(draw, branches),
        Value::Object(object) if object.contains_key("name") && draw.chance(5) => return renamed(draw, at),
        _ if draw.chance(8) => *at = json!(["null", at.clone()]),
        Value::Object(object) => match object["type"].as_str() {
            Some("record") => at_record(draw, at),
            Some("enum") => at_enum(draw, at),
            Some("fixed") => at["size"] = json!(1 + draw.below(3)),
            Some("array" | "map") => {}
            _ => *at = draw.one(&logical_types()).clone(),
        },
        _ => {}
    }
    None
}

fn at_reference(draw: &mut Draw, at: &mut Value) {
    *at = match draw.below(4) {
        0 => json!(["null", at]),
        1 => json!([at]),
        _ => json!(draw.one(&PRIMITIVES)),
    };
}

fn at_union(draw: &mut Draw, branches: &mut Vec<Value>) {
    match draw.below(4) {
        0 if !branches.is_empty() => drop(branches.remove(draw.below(branches.len()))),
        1 => branches.push(json!(draw.one(&PRIMITIVES))),
        2 => branches.reverse(),
        _ => {}
    }
}

fn renamed(draw: &mut Draw, at: &mut Value) -> Option<(String, String)> {
    let old = at["name"].as_str()?.to_owned();
    let new = match draw.below(3) {
        0 => format!("c.{}", old.rsplit('.').next()?),
        1 => format!("{old}x"),
        _ => format!("b.N{}", draw.below(4)),
    };
    at["name"] = json!(new);
    if draw.chance(2) {
        at["aliases"] = json!([old]);
    }
    // What moves is often tidied up as well.
    if draw.chance(2)
        && let Some(fields @ [_, ..]) = at["fields"].as_array_mut().map(Vec::as_mut_slice)
    {
        let index = draw.below(fields.len());
        rename_field(draw, &mut fields[index], index);
    }
    Some((old, new))
}

fn rename(schema: &mut Value, old: &str, new: &str) {
    match schema {
        Value::String(name) if name == old => new.clone_into(name),
        Value::Array(list) => list.iter_mut().for_each(|inner| rename(inner, old, new)),
        Value::Object(object) => {
            for (key, inner) in object.iter_mut() {
                if matches!(key.as_str(), "type" | "items" | "values" | "fields") {
                    rename(inner, old, new);
                }
            }
        }
        _ => {}
    }
}

fn at_record(draw: &mut Draw, at: &mut Value) {
    let Some(fields) = at["fields"].as_array_mut() else { return };
    let index = draw.below(fields.len());
    match (draw.below(12), fields.len()) {
        (0, count) => fields.push(json!({"name": format!("g{count}"), "type": "int"})),
        (1, count) => fields.push(json!({"name": format!("g{count}"), "type": "string", "default": "new"})),
        (2, _) => fields.insert(0, json!({"name": "first", "type": ["null", "long"], "default": null})),
        (_, 0) => {}
        (3, _) => drop(fields.remove(index)),
        (4, _) => fields.reverse(),
        (5 | 6, _) => rename_field(draw, &mut fields[index], index),
        (7, count) => fields[index]["aliases"] = json!([format!("f{}", draw.below(count))]),
        (8, count) => fields[index]["aliases"] = json!([format!("old{}", draw.below(count))]),
        (9, _) => {
            if let Some(default) = default_of(&fields[index]["type"]) {
                fields[index]["default"] = default;
            }
        }
        (10, _) => change_default(&mut fields[index]),
        _ => change_class(draw, &mut fields[index]),
    }
}

/// Renames a field, more often than not with an alias, and sometimes past its class.
fn rename_field(draw: &mut Draw, field: &mut Value, index: usize) {
    let old = field["name"].clone();
    field["name"] = json!(format!("h{index}"));
    if !draw.chance(3) {
        field["aliases"] = json!([old]);
    }
    if draw.chance(3) {
        change_class(draw, field);
    }
}

fn change_default(field: &mut Value) {
    let other = match field.get("default") {
        Some(Value::Bool(value)) => json!(!value),
        Some(Value::Number(_)) => json!(8),
        Some(Value::String(_)) => json!("y"),
        _ => return,
    };
    field["default"] = other;
}

fn change_class(draw: &mut Draw, field: &mut Value) {
    match (field.as_object_mut(), draw.below(3)) {
        (Some(field), 0) => field.insert("mesh.class".to_owned(), json!("pii.name")),
        (Some(field), _) => field.remove("mesh.class"),
        (None, _) => None,
    };
}

fn at_enum(draw: &mut Draw, at: &mut Value) {
    match draw.below(5) {
        0 => at["symbols"] = json!(["A", "B", "C", "D", "E"]),
        1 => at["symbols"] = json!(["B", "A"]),
        2 | 3 => {
            let symbols = at["symbols"].as_array().cloned().unwrap_or_default();
            at["default"] = draw.one(&symbols).clone();
        }
        _ => at["symbols"] = json!(["A"]),
    }
}
