use serde_json::Value;

use super::super::finding::{Direction, Draft};
use super::super::phrase::named;
use super::super::rule::{DEFAULT_CHANGED, ENUM_DEFAULT_CHANGED};
use super::{Matched, by_age, draft};
use crate::schema::{Kind, Node};

/// A field whose default is another: a record without the field would mean another value from now on.
pub(super) fn field(matched: &Matched<'_>) -> Option<Draft> {
    let (reads, writes) = (matched.reader.default.as_ref()?, matched.writer.default.as_ref()?);
    if same(reads, writes) {
        return None;
    }
    let (old, new) = by_age(matched.direction, reads, writes);
    let message = format!("the default changes from {} to {}", shown(old), shown(new));
    let hint = "keep the default; records that lack the field were written when it had that meaning";
    let mut draft = matched.draft(DEFAULT_CHANGED, message, hint);
    draft.reader_pointer.push_str("/default");
    draft.writer_pointer.push_str("/default");
    Some(draft)
}

/// An enum whose default symbol is another.
pub(super) fn enumeration(reader: &Node, writer: &Node, direction: Direction) -> Option<Draft> {
    let default = |node: &Node| match &node.kind {
        Kind::Enum { default, .. } => default.clone(),
        _ => None,
    };
    let (reads, writes) = (default(reader)?, default(writer)?);
    if reads == writes {
        return None;
    }
    let (old, new) = by_age(direction, reads, writes);
    let message = format!("the default symbol of enum {} changes from {old:?} to {new:?}", named(reader));
    let hint = "keep the default symbol; unknown symbols would mean another one from now on";
    let mut draft = draft(ENUM_DEFAULT_CHANGED, message, hint, reader, writer);
    draft.reader_pointer.push_str("/default");
    draft.writer_pointer.push_str("/default");
    Some(draft)
}

/// Whether two defaults are the same value; `1` and `1.0` are.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64() && !both_whole(one, other)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

fn both_whole(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    one.as_i64().is_some() && other.as_i64().is_some()
}

fn shown(value: &Value) -> String {
    crate::schema::quoted(value)
}
