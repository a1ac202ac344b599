//! Random damage to schemas: what a schema's text may have wrong, and what only looks wrong.

use serde_json::{Value, json};

use crate::evolve::PRIMITIVES;
use crate::evolve::change::collect;
use crate::evolve::draw::Draw;

/// The schema with one thing changed that may be wrong.
pub(crate) fn damaged(draw: &mut Draw, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let mut places = Vec::new();
    collect(&schema, String::new(), &mut places);
    // Records have the most that can be wrong.
    let place = if draw.chance(2) { String::new() } else { draw.one(&places).clone() };
    if let Some(at) = schema.pointer_mut(&place) {
        match at {
            Value::Object(object) => match object.get("type").and_then(Value::as_str) {
                Some("record") if draw.chance(8) => named(draw, at),
                Some("record") => record(draw, at),
                Some("enum") => enumeration(draw, at),
                Some("fixed") => fixed(draw, at),
                _ => container(draw, at),
            },
            Value::Array(branches) => union(draw, branches),
            other if draw.chance(2) => *other = kind(draw, 99),
            other => *other = draw.one(&[json!("Unknown"), json!("strin"), json!(7), json!({}), json!("")]).clone(),
        }
    }
    schema
}

/// Values for defaults, of all kinds.
fn value(draw: &mut Draw) -> Value {
    draw.one(&[
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(2_147_483_648_i64),
        json!(1.5),
        json!(""),
        json!("A"),
        json!("zz"),
        json!("\u{ff}"),
        json!([]),
        json!([1]),
        json!(["a", null]),
        json!({}),
        json!({"a": 1}),
        json!({"f0": 1}),
        json!({"f0": "x", "f1": 0}),
    ])
    .clone()
}

/// Types whose defaults are told apart by more than a word.
fn kind(draw: &mut Draw, number: usize) -> Value {
    match draw.below(9) {
        0 => json!({"type": "array", "items": draw.one(&PRIMITIVES)}),
        1 => json!({"type": "map", "values": draw.one(&PRIMITIVES)}),
        2 => json!({"type": "fixed", "name": format!("d.F{number}"), "size": draw.below(3)}),
        3 => json!({"type": "enum", "name": format!("d.E{number}"), "symbols": ["A", "B"]}),
        4 => json!(["null", "int"]),
        5 => json!([draw.one(&["string", "int"]), "null", {"type": "array", "items": "int"}]),
        6 => json!({"type": "record", "name": format!("d.R{number}"), "fields": [
            {"name": "f0", "type": draw.one(&["int", "string"])},
            {"name": "f1", "type": "int", "default": 7}]}),
        7 => {
            json!(["null", {"type": "record", "name": format!("d.R{number}"), "fields": [{"name": "a", "type": "int"}]}])
        }
        _ => json!(draw.one(&PRIMITIVES)),
    }
}

fn record(draw: &mut Draw, at: &mut Value) {
    let Some(fields) = at["fields"].as_array_mut() else { return };
    let number = fields.len();
    match (draw.below(14), fields.len()) {
        (0, _) => drop(at.as_object_mut().map(|record| record.remove("fields"))),
        (1, 1..) => fields.push(fields[0].clone()),
        (2, 1..) => {
            let field = draw.below(number);
            let key = *draw.one(&["name", "type"]);
            fields[field].as_object_mut().map(|field| field.remove(key));
        }
        (3, 1..) => {
            fields[0]["name"] = draw.one(&[json!("1x"), json!("a-b"), json!("a.b"), json!(""), json!(7)]).clone()
        }
        (4, 1..) => fields[0]["aliases"] = draw.one(&[json!(["ok"]), json!("x"), json!(["a b"]), json!([7])]).clone(),
        (5, 1..) => fields[0]["order"] = draw.one(&[json!("ignore"), json!("up"), json!(1)]).clone(),
        (6 | 7, 1..) => fields[draw.below(number)]["default"] = value(draw),
        _ => {
            let (kind, default) = (kind(draw, number), value(draw));
            fields.push(json!({"name": format!("d{number}"), "type": kind, "default": default}));
        }
    }
}

fn named(draw: &mut Draw, at: &mut Value) {
    match draw.below(4) {
        0 => {
            at["name"] = draw.one(&[json!("int"), json!("x.string"), json!("9"), json!("a..b"), json!("a.N0")]).clone()
        }
        1 => at["namespace"] = draw.one(&[json!("a.b"), json!(""), json!("a-b"), json!("a..b"), json!(7)]).clone(),
        2 => at["aliases"] = draw.one(&[json!(["x.Old"]), json!(["-"]), json!("Old"), json!([1])]).clone(),
        _ => drop(at.as_object_mut().map(|record| record.remove("name"))),
    }
}

fn enumeration(draw: &mut Draw, at: &mut Value) {
    match draw.below(7) {
        0 => at["symbols"] = json!(["A", "B", "A"]),
        1 => at["symbols"] = json!([]),
        2 => at["symbols"] = json!(["A", draw.one(&["1", "a-b", "", "a.b"])]),
        3 => at["symbols"] = draw.one(&[json!("A"), json!([1]), json!(null)]).clone(),
        4 => at["default"] = draw.one(&[json!("A"), json!("Z"), json!(1), json!(null)]).clone(),
        5 => drop(at.as_object_mut().map(|object| object.remove("symbols"))),
        _ => named(draw, at),
    }
}

fn fixed(draw: &mut Draw, at: &mut Value) {
    match draw.below(3) {
        0 => at["size"] = draw.one(&[json!(0), json!(-1), json!("3"), json!(1.5), json!(4_294_967_296_i64)]).clone(),
        1 => drop(at.as_object_mut().map(|object| object.remove("size"))),
        _ => named(draw, at),
    }
}

fn container(draw: &mut Draw, at: &mut Value) {
    match at["type"].as_str() {
        Some("array") => drop(at.as_object_mut().map(|object| object.remove("items"))),
        Some("map") => drop(at.as_object_mut().map(|object| object.remove("values"))),
        _ => at["logicalType"] = draw.one(&[json!("made-up"), json!(7), json!("date"), json!("decimal")]).clone(),
    }
}

fn union(draw: &mut Draw, branches: &mut Vec<Value>) {
    match draw.below(4) {
        0 if !branches.is_empty() => branches.push(branches[0].clone()),
        1 => branches.push(json!(["int"])),
        2 => branches.push(json!({"type": "array", "items": "int"})),
        _ => branches.clear(),
    }
}
