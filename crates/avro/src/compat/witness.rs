//! Concrete data of a writer, in Avro's JSON encoding, no deeper than what JSON parsers take.

use serde_json::{Map, Value, json};

use super::resolve::Step;
use crate::schema::{Kind, Name, NodeId, Outline, Schema};

/// The deepest smallest datum that is built.
const MAX_HEIGHT: u32 = 48;

/// The most steps that are built around it.
const MAX_STEPS: usize = 72;

/// The most values in one datum.
const MAX_VALUES: usize = 1 << 16;

/// The most values in the data of one report.
const MAX_VALUES_OF_ALL: usize = 1 << 18;

/// The longest fixed that is spelt out.
const MAX_FIXED_BYTES: usize = 4096;

/// The smallest data of a schema's types.
pub(super) struct Samples<'s> {
    schema: &'s Schema,
    /// How deep each type's shallowest datum is; `None` where it has none: an infinite record, an enum without symbols.
    /// Known once a record or a union is met.
    heights: Vec<Option<u32>>,
    /// How many values may still be built for this datum, and for all.
    left: [usize; 2],
}

impl<'s> Samples<'s> {
    pub(super) fn of(schema: &'s Schema) -> Samples<'s> {
        Samples { schema, heights: Vec::new(), left: [0, MAX_VALUES_OF_ALL] }
    }

    /// Whether a type has any data, of those that are built.
    pub(super) fn any(&mut self, id: NodeId) -> bool {
        match &self.schema.node(id).kind {
            _ if self.schema.outline(id).is_all() => true,
            Kind::Record { .. } | Kind::Union { .. } => self.heights()[id.index()].is_some(),
            Kind::Enum { symbols, .. } => !symbols.is_empty(),
            Kind::Fixed { size } => *size <= MAX_FIXED_BYTES,
            _ => true,
        }
    }

    fn heights(&mut self) -> &[Option<u32>] {
        if self.heights.is_empty() {
            let primitive = |outline: &Outline| outline.is_all().then_some(u32::from(outline.is_nullable()));
            self.heights = self.schema.outlines().iter().map(primitive).collect();
            // A few rounds do; what is deeper than the limit is not built.
            for _ in 0..=MAX_HEIGHT {
                if !self.raise() {
                    break;
                }
            }
        }
        &self.heights
    }

    /// The smallest datum of a type.
    pub(super) fn smallest(&mut self, id: NodeId) -> Option<Value> {
        self.left[0] = MAX_VALUES;
        self.build(id)
    }

    /// The smallest datum of a union that is of that branch.
    pub(super) fn of_branch(&mut self, union: NodeId, branch: usize) -> Option<Value> {
        let Kind::Union { branches } = &self.schema.node(union).kind else { return None };
        let datum = self.smallest(branches[branch])?;
        Some(self.tagged(branches[branch], datum))
    }

    /// The smallest datum that has `datum` at the end of the steps, which come innermost first, each with the writer's
    /// type that it starts from.
    pub(super) fn around(&mut self, datum: Value, steps: impl Iterator<Item = (NodeId, Step)>) -> Option<Value> {
        self.left[0] = MAX_VALUES;
        let mut whole = datum;
        for (count, (id, step)) in steps.enumerate() {
            whole = if count < MAX_STEPS { self.step(whole, id, step)? } else { return None };
        }
        Some(whole)
    }

    fn step(&mut self, datum: Value, id: NodeId, step: Step) -> Option<Value> {
        match (step, &self.schema.node(id).kind) {
            (Step::Field { writer, .. }, Kind::Record { fields }) => {
                let mut inner = Some(datum);
                let mut record = Map::with_capacity(fields.len());
                for (index, field) in fields.iter().enumerate() {
                    let value = if index == writer { inner.take() } else { self.build(field.node) };
                    record.insert(field.name.clone(), value?);
                }
                Some(Value::Object(record))
            }
            (Step::WriterBranch(branch), Kind::Union { branches }) => Some(self.tagged(branches[branch], datum)),
            (Step::Items, _) => Some(json!([datum])),
            (Step::Values, _) => Some(json!({"key": datum})),
            (Step::ReaderBranch(_), _) => Some(datum),
            _ => None,
        }
    }

    /// Lowers every height that can be known now; whether any changed.
    fn raise(&mut self) -> bool {
        let mut changed = false;
        // Inner types stand after the types that they are defined in.
        for index in (0..self.heights.len()).rev().filter(|index| !self.schema.outlines()[*index].is_all()) {
            let height = self.height(&self.schema.node_at(index).kind).filter(|height| *height <= MAX_HEIGHT);
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
                highest.map(|height| height + 1)
            }
            Kind::Union { branches } => branches.iter().filter_map(of).min().map(|height| height + 1),
            Kind::Enum { symbols, .. } if symbols.is_empty() => None,
            Kind::Fixed { size } if *size > MAX_FIXED_BYTES => None,
            _ => Some(0),
        }
    }

    fn build(&mut self, id: NodeId) -> Option<Value> {
        for left in &mut self.left {
            *left = left.checked_sub(1)?;
        }
        if !self.any(id) {
            return None;
        }
        Some(match &self.schema.node(id).kind {
            Kind::Null => Value::Null,
            Kind::Boolean => json!(false),
            Kind::Int | Kind::Long => json!(0),
            Kind::Float | Kind::Double => json!(0.0),
            Kind::Bytes | Kind::String => json!(""),
            Kind::Fixed { size } => json!("\u{0}".repeat(*size)),
            Kind::Enum { symbols, .. } => json!(symbols.first()?),
            Kind::Array { .. } => json!([]),
            Kind::Map { .. } => json!({}),
            Kind::Union { .. } if self.schema.outline(id).is_nullable() => Value::Null,
            Kind::Union { branches } => {
                let height = |branch: &&NodeId| self.heights[branch.index()].unwrap_or(u32::MAX);
                let lowest = *branches.iter().min_by_key(height)?;
                let datum = self.build(lowest)?;
                self.tagged(lowest, datum)
            }
            Kind::Record { fields } => {
                let mut record = Map::with_capacity(fields.len());
                for field in fields {
                    record.insert(field.name.clone(), self.build(field.node)?);
                }
                Value::Object(record)
            }
        })
    }

    /// A branch's datum as a union's: `{"string": "..."}`, or null itself.
    fn tagged(&self, branch: NodeId, datum: Value) -> Value {
        match self.schema.node(branch).kind {
            Kind::Null => Value::Null,
            _ => json!({ tag(self.schema, branch): datum }),
        }
    }
}

/// What a union's datum names a branch by.
pub(super) fn tag(schema: &Schema, branch: NodeId) -> &str {
    let node = schema.node(branch);
    node.name.as_ref().map_or(node.kind.word(), Name::as_str)
}
