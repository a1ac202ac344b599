//! A reader's default as binary.

use std::ops::Range;

use serde_json::Value;

use super::TooLarge;
use crate::mask::varint;
use crate::schema::{Kind, NodeId, Schema};

/// How deep a default may be, those of fields that it leaves out included.
const DEPTH_MAX: usize = 200;
/// How many values one default may have, those of branches that were tried included.
const STEPS_MAX: usize = 1 << 20;

/// Appends a field's default, which fits its type as the schema was parsed; where it stands in `out`.
pub(super) fn append(
    schema: &Schema,
    field: NodeId,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<Range<usize>, TooLarge> {
    let start = out.len();
    let mut encoder = Encoder { schema, out, steps: 0 };
    encoder.value(field, value, DEPTH_MAX).ok_or(TooLarge)?;
    Ok(start..out.len())
}

struct Encoder<'a> {
    schema: &'a Schema,
    out: &'a mut Vec<u8>,
    steps: usize,
}

impl Encoder<'_> {
    /// None where the value does not fit the type, or is too deep.
    fn value(&mut self, node: NodeId, value: &Value, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return None;
        }
        match (&self.schema.node(node).kind, value) {
            (Kind::Null, Value::Null) => {}
            (Kind::Boolean, Value::Bool(it)) => self.out.push(u8::from(*it)),
            (Kind::Int, Value::Number(number)) => {
                varint::write(self.out, i32::try_from(number.as_i64()?).ok()?.into());
            }
            (Kind::Long, Value::Number(number)) => varint::write(self.out, number.as_i64()?),
            (Kind::Float, Value::Number(number)) => {
                self.out.extend_from_slice(&(number.as_f64()? as f32).to_le_bytes());
            }
            (Kind::Double, Value::Number(number)) => self.out.extend_from_slice(&number.as_f64()?.to_le_bytes()),
            (Kind::String, Value::String(text)) => self.item(text.as_bytes()),
            (Kind::Bytes, Value::String(text)) => self.item(&bytes(text)?),
            (Kind::Fixed { size }, Value::String(text)) => {
                let bytes = bytes(text).filter(|bytes| bytes.len() == *size)?;
                self.out.extend_from_slice(&bytes);
            }
            (Kind::Enum { symbols, .. }, Value::String(symbol)) => {
                let index = symbols.iter().position(|known| known == symbol)?;
                varint::write_length(self.out, index);
            }
            (Kind::Array { items }, Value::Array(list)) => {
                self.count(list.len());
                list.iter().try_for_each(|item| self.value(*items, item, depth))?;
                self.out.push(0);
            }
            (Kind::Map { values }, Value::Object(map)) => {
                self.count(map.len());
                for (key, value) in map {
                    self.item(key.as_bytes());
                    self.value(*values, value, depth)?;
                }
                self.out.push(0);
            }
            (Kind::Union { branches }, value) => self.first_that_fits(branches, value, depth)?,
            (Kind::Record { fields }, Value::Object(object)) => {
                for field in fields {
                    let value = object.get(&field.name).or(field.default.as_ref())?;
                    self.value(field.node, value, depth)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Avro 1.12: a union's default may be of any of its branches.
    fn first_that_fits(&mut self, branches: &[NodeId], value: &Value, depth: usize) -> Option<()> {
        let start = self.out.len();
        for (index, branch) in branches.iter().enumerate() {
            varint::write_length(self.out, index);
            if self.value(*branch, value, depth).is_some() {
                return Some(());
            }
            self.out.truncate(start);
        }
        None
    }

    fn item(&mut self, bytes: &[u8]) {
        varint::write_length(self.out, bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// A block of so many items; of none there is no block.
    fn count(&mut self, items: usize) {
        if items > 0 {
            varint::write_length(self.out, items);
        }
    }
}

/// In defaults of bytes and fixed each character stands for the byte of its code point.
fn bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect()
}
