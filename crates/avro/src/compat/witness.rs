//! Concrete data of a writer, in Avro's JSON encoding.

use serde_json::{Map, Value, json};

use super::resolve::Step;
use crate::schema::{Kind, Name, NodeId, Schema};

/// The deepest datum that is built.
const MAX_HEIGHT: u32 = 64;

/// The most values in one datum.
const MAX_VALUES: usize = 2_000;

/// The longest fixed that is spelt out.
const MAX_FIXED_BYTES: usize = 256;

/// The smallest data of a schema's types.
pub(super) struct Samples<'s> {
    schema: &'s Schema,
    /// How deep each type's shallowest datum is; `None` where it has none: an infinite record, an enum without symbols.
    heights: Vec<Option<u32>>,
}

impl<'s> Samples<'s> {
    pub(super) fn of(schema: &'s Schema) -> Samples<'s> {
        let mut samples = Samples { schema, heights: vec![None; schema.len()] };
        // A few rounds do; what is deeper than the limit is not built.
        for _ in 0..MAX_HEIGHT {
            if !samples.raise() {
                break;
            }
        }
        samples
    }

    /// The smallest datum of a type.
    pub(super) fn smallest(&self, id: NodeId) -> Option<Value> {
        self.build(id, &mut 0)
    }

    /// The smallest datum that has `datum` at the end of the steps, which come innermost first, each with the writer's
    /// type that it starts from.
    pub(super) fn around(&self, datum: Value, steps: impl Iterator<Item = (NodeId, Step)>) -> Option<Value> {
        let mut values = 0;
        steps.take(MAX_HEIGHT as usize * 2).try_fold(datum, |datum, (id, step)| {
            match (step, &self.schema.node(id).kind) {
                (Step::Field { writer, .. }, Kind::Record { fields }) => {
                    let mut record = Map::new();
                    for (index, field) in fields.iter().enumerate() {
                        let value = if index == writer { datum.clone() } else { self.build(field.node, &mut values)? };
                        record.insert(field.name.clone(), value);
                    }
                    Some(Value::Object(record))
                }
                (Step::WriterBranch(branch), Kind::Union { branches }) => Some(self.tagged(branches[branch], datum)),
                (Step::Items, _) => Some(json!([datum])),
                (Step::Values, _) => Some(json!({"key": datum})),
                (Step::ReaderBranch(_), _) => Some(datum),
                _ => None,
            }
        })
    }

    /// Lowers every height that can be known now; whether any changed.
    fn raise(&mut self) -> bool {
        let mut changed = false;
        // Inner types stand after the types that they are defined in.
        for index in (0..self.heights.len()).rev() {
            let height = self.height(&self.schema.node_at(index).kind);
            changed |= height != self.heights[index];
            self.heights[index] = height;
        }
        changed
    }

    fn height(&self, kind: &Kind) -> Option<u32> {
        let of = |id: &NodeId| self.heights[id.index()];
        match kind {
            Kind::Record { fields } => {
                let highest =
                    fields.iter().map(|field| of(&field.node)).try_fold(0, |most, height| Some(height?.max(most)));
                highest.map(|height| height.saturating_add(1))
            }
            Kind::Union { branches } => branches.iter().filter_map(of).min().map(|height| height.saturating_add(1)),
            Kind::Enum { symbols, .. } if symbols.is_empty() => None,
            _ => Some(0),
        }
    }

    fn build(&self, id: NodeId, values: &mut usize) -> Option<Value> {
        *values += 1;
        self.heights[id.index()].filter(|height| *height <= MAX_HEIGHT && *values <= MAX_VALUES)?;
        Some(match &self.schema.node(id).kind {
            Kind::Null => Value::Null,
            Kind::Boolean => json!(false),
            Kind::Int | Kind::Long => json!(0),
            Kind::Float | Kind::Double => json!(0.0),
            Kind::Bytes | Kind::String => json!(""),
            Kind::Fixed { size } if *size > MAX_FIXED_BYTES => return None,
            Kind::Fixed { size } => json!("\u{0}".repeat(*size)),
            Kind::Enum { symbols, .. } => json!(symbols.first()?),
            Kind::Array { .. } => json!([]),
            Kind::Map { .. } => json!({}),
            Kind::Union { branches } => {
                let height = |branch: &&NodeId| self.heights[branch.index()].unwrap_or(u32::MAX);
                let lowest = *branches.iter().min_by_key(height)?;
                self.tagged(lowest, self.build(lowest, values)?)
            }
            Kind::Record { fields } => {
                let mut record = Map::new();
                for field in fields {
                    record.insert(field.name.clone(), self.build(field.node, values)?);
                }
                Value::Object(record)
            }
        })
    }

    /// A branch's datum as a union's: `{"string": "..."}`, or null itself.
    fn tagged(&self, branch: NodeId, datum: Value) -> Value {
        let node = self.schema.node(branch);
        match &node.kind {
            Kind::Null => Value::Null,
            kind => json!({ node.name.as_ref().map_or(kind.word(), Name::as_str): datum }),
        }
    }
}
