//! The reference's view of a value in Avro's JSON encoding, without what tells unions' branches: what other libraries can be
//! asked for.

use mesh_contract::MaskRule;
use serde_json::{Map, Value, json};

use super::{Column, Encoder, Type, Val, leaf, masked_key, masked_leaf};

impl Encoder<'_> {
    /// What a reader of the view sees.
    pub(crate) fn json(&self, ty: &Type, val: &Val) -> Value {
        self.seen(ty, val, None, None)
    }

    /// `place` is the field that a container is directly in.
    fn seen(&self, ty: &Type, val: &Val, column: Option<&Column>, place: Option<(&str, &str)>) -> Value {
        match (ty, val) {
            (Type::Again(name), _) => self.seen(self.record(name), val, column, None),
            (Type::Record { name, fields }, Val::Record(values)) => self.record_seen(name, fields, values, column),
            (Type::Union(branches), Val::Union(index, value)) => {
                let is_null = self.active(column).is_some_and(|column| column.rule == Some(MaskRule::Null));
                if is_null { Value::Null } else { self.seen(&branches[*index], value, column, place) }
            }
            (Type::Array(items), Val::Array(blocks)) => {
                let column = place.and_then(|(record, field)| self.column(record, field, "[]")).or(column);
                let values = blocks.iter().flat_map(|(_, values)| values);
                values.map(|value| self.seen(items, value, column, None)).collect()
            }
            (Type::Map(items), Val::Map(blocks)) => {
                let values_column = place.and_then(|(record, field)| self.column(record, field, "{}")).or(column);
                let entries = blocks.iter().flat_map(|(_, entries)| entries);
                let shown = entries.map(|(key, value)| {
                    let key = self.active(column).map_or_else(|| key.clone(), |column| masked_key(column, key));
                    (key, self.seen(items, value, values_column, None))
                });
                Value::Object(shown.collect())
            }
            _ => {
                let mut bytes = Vec::new();
                match self.active(column) {
                    Some(column) => masked_leaf(&mut bytes, ty, val, column),
                    None => leaf(&mut bytes, val),
                }
                leaf_seen(ty, &bytes)
            }
        }
    }

    fn record_seen(&self, name: &str, fields: &[(String, Type)], values: &[Val], column: Option<&Column>) -> Value {
        let mut seen = Map::new();
        for ((field, ty), value) in fields.iter().zip(values) {
            let own = self.column(name, field, "");
            if !self.active(own).is_some_and(|column| column.rule == Some(MaskRule::Drop)) {
                seen.insert(field.clone(), self.seen(ty, value, own.or(column), Some((name, field))));
            }
        }
        Value::Object(seen)
    }
}

/// A leaf's JSON, from its encoding.
fn leaf_seen(ty: &Type, bytes: &[u8]) -> Value {
    // Avro's JSON has a character for each byte.
    let characters = |bytes: &[u8]| Value::from(bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
    match ty {
        Type::Null => Value::Null,
        Type::Boolean => json!(bytes == [1]),
        Type::Int(_) | Type::Long(_) => json!(number(bytes).0),
        Type::Float => json!(f32::from_le_bytes(bytes.try_into().unwrap())),
        Type::Double => json!(f64::from_le_bytes(bytes.try_into().unwrap())),
        Type::Bytes { .. } => characters(&bytes[number(bytes).1..]),
        Type::Text { .. } => json!(std::str::from_utf8(&bytes[number(bytes).1..]).unwrap()),
        Type::Fixed { .. } => characters(bytes),
        Type::Enum { .. } => json!(format!("S{}", number(bytes).0)),
        other => panic!("{other:?} is no leaf"),
    }
}

/// The number that bytes begin with, and how many bytes it has.
fn number(bytes: &[u8]) -> (i64, usize) {
    let length = 1 + bytes.iter().position(|byte| *byte < 0x80).unwrap();
    let bits = bytes[..length].iter().rev().fold(0_u64, |bits, byte| bits << 7 | u64::from(byte & 0x7f));
    ((bits >> 1) as i64 ^ -((bits & 1) as i64), length)
}
