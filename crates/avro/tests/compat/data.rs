//! Random data of a schema in Avro's JSON encoding, and from there to apache-avro's values.

use apache_avro::types::Value as Datum;
use mesh_avro::schema::{Kind, NodeId, Schema};
use serde_json::{Map, Value, json};

use crate::evolve::draw::Draw;

/// A random datum; `None` where it would have to be too deep.
pub(crate) fn random(draw: &mut Draw, schema: &Schema, id: NodeId, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    Some(match &schema.node(id).kind {
        Kind::Null => Value::Null,
        Kind::Boolean => json!(draw.chance(2)),
        Kind::Int => json!(draw.next() as i32 >> draw.below(32)),
        Kind::Long => json!(draw.next() as i64 >> draw.below(64)),
        // Values that single and double hold alike.
        Kind::Float | Kind::Double => json!(f64::from(draw.next() as i16) / 8.0),
        Kind::Bytes | Kind::String => json!("abcdefgh"[..draw.below(9)]),
        Kind::Fixed { size } => json!("z".repeat(*size)),
        Kind::Enum { symbols, .. } if symbols.is_empty() => return None,
        Kind::Enum { symbols, .. } => json!(draw.one(symbols)),
        Kind::Array { items } => {
            let items: Option<Vec<Value>> = (0..draw.below(3)).map(|_| random(draw, schema, *items, depth)).collect();
            json!(items?)
        }
        Kind::Map { values } => {
            let mut map = Map::new();
            for key in 0..draw.below(3) {
                map.insert(format!("k{key}"), random(draw, schema, *values, depth)?);
            }
            Value::Object(map)
        }
        Kind::Union { branches } if branches.is_empty() => return None,
        Kind::Union { branches } => {
            let first = draw.below(branches.len());
            let rotated = (0..branches.len()).map(|index| branches[(first + index) % branches.len()]);
            rotated.into_iter().find_map(|id| random(draw, schema, id, depth).map(|datum| tagged(schema, id, datum)))?
        }
        Kind::Record { fields } => {
            let mut record = Map::new();
            for field in fields {
                record.insert(field.name.clone(), random(draw, schema, field.node, depth)?);
            }
            Value::Object(record)
        }
    })
}

fn tagged(schema: &Schema, branch: NodeId, datum: Value) -> Value {
    if datum.is_null() { datum } else { json!({ tag(schema, branch): datum }) }
}

pub(crate) fn tag(schema: &Schema, branch: NodeId) -> String {
    let node = schema.node(branch);
    node.name.as_ref().map_or(node.kind.word().to_owned(), ToString::to_string)
}

/// The branch of a union that a datum is of, and the datum itself.
pub(crate) fn untagged<'v>(schema: &Schema, branches: &[NodeId], datum: &'v Value) -> Option<(usize, &'v Value)> {
    let (word, inner) = match datum {
        Value::Null => ("null", datum),
        Value::Object(object) => object.iter().next().map(|(tag, inner)| (tag.as_str(), inner))?,
        _ => return None,
    };
    branches.iter().position(|branch| tag(schema, *branch) == word).map(|index| (index, inner))
}

/// A datum as apache-avro's value, without logical types, which `plain` takes from the schema's text.
pub(crate) fn datum(schema: &Schema, id: NodeId, value: &Value) -> Option<Datum> {
    let bytes = |value: &Value| value.as_str().map(|text| text.chars().map(|char| char as u8).collect::<Vec<u8>>());
    Some(match &schema.node(id).kind {
        Kind::Null => Datum::Null,
        Kind::Boolean => Datum::Boolean(value.as_bool()?),
        Kind::Int => Datum::Int(i32::try_from(value.as_i64()?).ok()?),
        Kind::Long => Datum::Long(value.as_i64()?),
        Kind::Float => Datum::Float(value.as_f64()? as f32),
        Kind::Double => Datum::Double(value.as_f64()?),
        Kind::Bytes => Datum::Bytes(bytes(value)?),
        Kind::String => Datum::String(value.as_str()?.to_owned()),
        Kind::Fixed { size } => Datum::Fixed(*size, bytes(value)?),
        Kind::Enum { symbols, .. } => {
            let index = symbols.iter().position(|symbol| Some(symbol.as_str()) == value.as_str())?;
            Datum::Enum(u32::try_from(index).ok()?, symbols[index].clone())
        }
        Kind::Array { items } => {
            Datum::Array(value.as_array()?.iter().map(|item| datum(schema, *items, item)).collect::<Option<_>>()?)
        }
        Kind::Map { values } => {
            let entry = |(key, value): (&String, &Value)| Some((key.clone(), datum(schema, *values, value)?));
            Datum::Map(value.as_object()?.iter().map(entry).collect::<Option<_>>()?)
        }
        Kind::Union { branches } => {
            let (index, inner) = untagged(schema, branches, value)?;
            Datum::Union(u32::try_from(index).ok()?, Box::new(datum(schema, branches[index], inner)?))
        }
        Kind::Record { fields } => Datum::Record(
            fields
                .iter()
                .map(|field| Some((field.name.clone(), datum(schema, field.node, value.get(&field.name)?)?)))
                .collect::<Option<_>>()?,
        ),
    })
}

/// A datum in Avro's binary encoding.
pub(crate) fn encode(schema: &Schema, id: NodeId, value: &Value, to: &mut Vec<u8>) -> Option<()> {
    match &schema.node(id).kind {
        Kind::Null => {}
        Kind::Boolean => to.push(u8::from(value.as_bool()?)),
        Kind::Int | Kind::Long => varint(value.as_i64()?, to),
        Kind::Float => to.extend((value.as_f64()? as f32).to_le_bytes()),
        Kind::Double => to.extend(value.as_f64()?.to_le_bytes()),
        Kind::String => sized(value.as_str()?.bytes(), to),
        Kind::Bytes => sized(value.as_str()?.chars().map(|char| char as u8), to),
        Kind::Fixed { .. } => to.extend(value.as_str()?.chars().map(|char| char as u8)),
        Kind::Enum { symbols, .. } => {
            let index = symbols.iter().position(|symbol| Some(symbol.as_str()) == value.as_str())?;
            varint(i64::try_from(index).ok()?, to);
        }
        Kind::Array { items } => {
            for item in value.as_array()? {
                varint(1, to);
                encode(schema, *items, item, to)?;
            }
            varint(0, to);
        }
        Kind::Map { values } => {
            for (key, value) in value.as_object()? {
                varint(1, to);
                sized(key.bytes(), to);
                encode(schema, *values, value, to)?;
            }
            varint(0, to);
        }
        Kind::Union { branches } => {
            let (index, inner) = untagged(schema, branches, value)?;
            varint(i64::try_from(index).ok()?, to);
            encode(schema, branches[index], inner, to)?;
        }
        Kind::Record { fields } => {
            for field in fields {
                encode(schema, field.node, value.get(&field.name)?, to)?;
            }
        }
    }
    Some(())
}

fn sized(bytes: impl Iterator<Item = u8>, to: &mut Vec<u8>) {
    let bytes: Vec<u8> = bytes.collect();
    varint(i64::try_from(bytes.len()).unwrap(), to);
    to.extend(bytes);
}

fn varint(number: i64, to: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

/// A datum without what tells its unions' branches.
pub(crate) fn without_tags(schema: &Schema, id: NodeId, value: &Value) -> Option<Value> {
    Some(match (&schema.node(id).kind, value) {
        (Kind::Union { branches }, _) => {
            let (index, inner) = untagged(schema, branches, value)?;
            without_tags(schema, branches[index], inner)?
        }
        (Kind::Array { items }, Value::Array(list)) => {
            Value::Array(list.iter().map(|item| without_tags(schema, *items, item)).collect::<Option<_>>()?)
        }
        (Kind::Map { values }, Value::Object(map)) => {
            let entry = |(key, value): (&String, &Value)| Some((key.clone(), without_tags(schema, *values, value)?));
            Value::Object(map.iter().map(entry).collect::<Option<_>>()?)
        }
        (Kind::Record { fields }, Value::Object(record)) => {
            let field = |(name, value): (&String, &Value)| {
                let field = fields.iter().find(|field| field.name == *name)?;
                Some((name.clone(), without_tags(schema, field.node, value)?))
            };
            Value::Object(record.iter().map(field).collect::<Option<_>>()?)
        }
        (_, value) => value.clone(),
    })
}

/// Whether two data without tags are the same: numbers by their value, records and maps in any order.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one == other,
            // serde_json reads the last digit of a float now and then otherwise than Java wrote it.
            _ => matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other))
                if (one - other).abs() <= 4.0 * f64::EPSILON * one.abs()),
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_in = |(key, value): (&String, &Value)| other.get(key).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(is_in)
        }
        (one, other) => one == other,
    }
}

/// A schema's text without logical types: they change what apache-avro's values are, not what is written.
pub(crate) fn plain(schema: &Value) -> Value {
    match schema {
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "logicalType" | "precision" | "scale"))
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect(),
        other => other.clone(),
    }
}
