//! Concrete data of a writer, in Avro's JSON encoding, no deeper than what JSON parsers take.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::resolve::Step;
use crate::schema::{Kind, Name, NodeId, Schema};

/// The most steps that are built around the smallest datum of a type.
const MAX_STEPS: usize = 72;

/// The longest datum.
const MAX_BYTES: usize = 1 << 20;

/// What the data of one report may take together.
const MAX_BYTES_OF_ALL: usize = 16 << 20;

/// A datum in Avro's JSON encoding. It is kept as text: all that most are made for is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness(String);

impl Witness {
    /// The datum as JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).expect("it was written as JSON, and less deep than is read")
    }

    pub(super) fn of(datum: impl Into<Value>) -> Witness {
        Witness(datum.into().to_string())
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// As the JSON that it is.
impl Serialize for Witness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// The smallest data of a schema's types.
pub(super) struct Samples<'s> {
    schema: &'s Schema,
    /// How many bytes the data of this report may still take.
    left: usize,
}

impl<'s> Samples<'s> {
    pub(super) fn of(schema: &'s Schema) -> Samples<'s> {
        Samples { schema, left: MAX_BYTES_OF_ALL }
    }

    /// Whether a type has any data, of those that are built.
    pub(super) fn any(&self, id: NodeId) -> bool {
        self.schema.outline(id).is_all() || self.schema.height(id).is_some()
    }

    /// The smallest datum of a type.
    pub(super) fn smallest(&mut self, id: NodeId) -> Option<Witness> {
        self.write_new(|samples, text| samples.write(id, text))
    }

    /// The smallest datum of a union that is of that branch.
    pub(super) fn of_branch(&mut self, union: NodeId, branch: usize) -> Option<Witness> {
        let Kind::Union { branches } = &self.schema.node(union).kind else { return None };
        let branch = branches[branch];
        self.write_new(|samples, text| samples.write_tagged(branch, text, |samples, text| samples.write(branch, text)))
    }

    /// The smallest datum that has `datum` at the end of the steps, which come innermost first, each with the writer's
    /// type that it starts from.
    pub(super) fn around(&mut self, datum: Witness, steps: impl Iterator<Item = (NodeId, Step)>) -> Option<Witness> {
        let mut whole = datum;
        for (count, (id, step)) in steps.enumerate() {
            if count == MAX_STEPS {
                return None;
            }
            whole = self.write_new(|samples, text| samples.write_step(&whole.0, id, step, text))?;
        }
        Some(whole)
    }

    fn write_new(&mut self, write: impl FnOnce(&mut Self, &mut String) -> Option<()>) -> Option<Witness> {
        let mut text = String::with_capacity(64);
        write(self, &mut text)?;
        self.left = self.left.checked_sub(text.len())?;
        Some(Witness(text))
    }

    fn write_step(&mut self, datum: &str, id: NodeId, step: Step, text: &mut String) -> Option<()> {
        match (step, &self.schema.node(id).kind) {
            (Step::Field { writer, .. }, Kind::Record { .. }) => {
                return self.write_record(id, Some((writer, datum)), text);
            }
            (Step::WriterBranch(branch), Kind::Union { branches }) => {
                return self.write_tagged(branches[branch], text, |_, text| {
                    text.push_str(datum);
                    Some(())
                });
            }
            (Step::Items, _) => text.extend(["[", datum, "]"]),
            (Step::Values, _) => text.extend(["{\"key\":", datum, "}"]),
            (Step::ReaderBranch(_), _) => text.push_str(datum),
            _ => return None,
        }
        Some(())
    }

    fn write(&mut self, id: NodeId, text: &mut String) -> Option<()> {
        if !self.any(id) || text.len() > MAX_BYTES.min(self.left) {
            return None;
        }
        match &self.schema.node(id).kind {
            Kind::Null => text.push_str("null"),
            Kind::Boolean => text.push_str("false"),
            Kind::Int | Kind::Long => text.push('0'),
            Kind::Float | Kind::Double => text.push_str("0.0"),
            Kind::Bytes | Kind::String => text.push_str("\"\""),
            Kind::Fixed { size } => text.extend(["\"", &"\\u0000".repeat(*size), "\""]),
            Kind::Enum { symbols, .. } => text.extend(["\"", symbols.first()?, "\""]),
            Kind::Array { .. } => text.push_str("[]"),
            Kind::Map { .. } => text.push_str("{}"),
            Kind::Union { .. } if self.schema.outline(id).is_nullable() => text.push_str("null"),
            Kind::Union { branches } => {
                let height = |branch: &&NodeId| self.schema.height(**branch).unwrap_or(u32::MAX);
                let lowest = *branches.iter().min_by_key(height)?;
                self.write_tagged(lowest, text, |samples, text| samples.write(lowest, text))?;
            }
            Kind::Record { .. } => self.write_record(id, None, text)?,
        }
        Some(())
    }

    /// A record whose fields are the smallest, but for the one that is given.
    fn write_record(&mut self, id: NodeId, given: Option<(usize, &str)>, text: &mut String) -> Option<()> {
        let record = self.schema.record(id);
        text.push('{');
        for index in 0..record.len() {
            // A name is letters, digits and underscores.
            text.extend([if index > 0 { ",\"" } else { "\"" }, record.name(index), "\":"]);
            match given {
                Some((field, datum)) if field == index => text.push_str(datum),
                _ => self.write(record.node(index), text)?,
            }
        }
        text.push('}');
        Some(())
    }

    /// A branch's datum as a union's: `{"string": "..."}`, or null itself.
    fn write_tagged(
        &mut self,
        branch: NodeId,
        text: &mut String,
        datum: impl FnOnce(&mut Self, &mut String) -> Option<()>,
    ) -> Option<()> {
        if self.schema.node(branch).kind == Kind::Null {
            text.push_str("null");
            return Some(());
        }
        text.extend(["{\"", tag(self.schema, branch), "\":"]);
        datum(self, text)?;
        text.push('}');
        Some(())
    }
}

/// What a union's datum names a branch by.
pub(super) fn tag(schema: &Schema, branch: NodeId) -> &str {
    let node = schema.node(branch);
    node.name.as_ref().map_or(node.kind.word(), Name::as_str)
}
