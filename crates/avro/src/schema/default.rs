//! Whether a JSON value is a default of a type. Avro 1.12: a union's default may be of any of its branches.

use serde_json::Value;

use super::error::{SchemaFault, quoted};
use super::{Kind, Node, NodeId};

/// How many comparisons one schema's defaults may take: unions of records inside unions could ask for exponentially many.
const MAX_STEPS: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Steps(usize);

/// Checks a field's default.
pub(super) fn check(nodes: &[Node], id: NodeId, value: &Value, steps: &mut Steps) -> Result<(), SchemaFault> {
    let fits = fits(nodes, id, value, steps);
    if steps.0 >= MAX_STEPS {
        return Err(SchemaFault::TooLarge { limit: MAX_STEPS, unit: "comparisons to check its defaults" });
    }
    if fits {
        return Ok(());
    }
    Err(SchemaFault::Default { value: quoted(value), expected: expected(nodes, id) })
}

fn fits(nodes: &[Node], id: NodeId, value: &Value, steps: &mut Steps) -> bool {
    steps.0 += 1;
    if steps.0 >= MAX_STEPS {
        return false;
    }
    match (&nodes[id.index()].kind, value) {
        (Kind::Null, Value::Null) | (Kind::Boolean, Value::Bool(_)) | (Kind::String, Value::String(_)) => true,
        (Kind::Int, Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        (Kind::Long, Value::Number(number)) => number.as_i64().is_some(),
        (Kind::Float | Kind::Double, Value::Number(_)) => true,
        (Kind::Bytes, Value::String(text)) => byte_count(text).is_some(),
        (Kind::Fixed { size }, Value::String(text)) => byte_count(text) == Some(*size),
        (Kind::Enum { symbols, .. }, Value::String(symbol)) => symbols.contains(symbol),
        (Kind::Array { items }, Value::Array(list)) => list.iter().all(|item| fits(nodes, *items, item, steps)),
        (Kind::Map { values }, Value::Object(map)) => map.values().all(|value| fits(nodes, *values, value, steps)),
        (Kind::Union { branches }, value) => branches.iter().any(|branch| fits(nodes, *branch, value, steps)),
        // A field that the default leaves out takes its own default, which is checked where it stands.
        (Kind::Record { fields }, Value::Object(object)) => fields.iter().all(|field| match object.get(&field.name) {
            Some(value) => fits(nodes, field.node, value, steps),
            None => field.default.is_some(),
        }),
        _ => false,
    }
}

/// In defaults of bytes and fixed each character stands for the byte of its code point.
fn byte_count(text: &str) -> Option<usize> {
    text.chars().all(|char| u32::from(char) <= 0xff).then(|| text.chars().count())
}

fn expected(nodes: &[Node], id: NodeId) -> String {
    match &nodes[id.index()].kind {
        Kind::Null => "null".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Int => "a whole number of 32 bits".to_owned(),
        Kind::Long => "a whole number of 64 bits".to_owned(),
        Kind::Float | Kind::Double => "a number".to_owned(),
        Kind::Bytes => "a string of characters up to \\u00ff, one for each byte".to_owned(),
        Kind::Fixed { size } => format!("a string of {size} characters up to \\u00ff, one for each byte"),
        Kind::String => "a string".to_owned(),
        Kind::Enum { symbols, .. } => format!("one of the symbols {}", symbols.join(", ")),
        Kind::Array { .. } => "an array whose items fit the items' type".to_owned(),
        Kind::Map { .. } => "an object whose values fit the values' type".to_owned(),
        Kind::Union { branches } => {
            let words: Vec<&str> = branches.iter().map(|branch| nodes[branch.index()].kind.word()).collect();
            format!("a value of one of the union's branches ({})", words.join(", "))
        }
        Kind::Record { fields } => {
            let needed: Vec<&str> =
                fields.iter().filter(|field| field.default.is_none()).map(|field| field.name.as_str()).collect();
            format!("an object that has, each of its type, the fields [{}]", needed.join(", "))
        }
    }
}
