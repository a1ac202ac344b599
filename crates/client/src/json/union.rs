//! Unions: plain values, and Avro's `{"<type>": value}`.

use mesh_avro::schema::{Kind, Node, NodeId};
use serde_json::Value;

use super::encode::Encoder;
use super::fault::{JsonError, Step};
use crate::binary::write_long;

impl Encoder<'_> {
    pub(super) fn union(&mut self, branches: &[NodeId], value: &Value, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let mut tagged_fault = None;
        if let Some((branch, inner)) = self.tagged(branches, value) {
            match self.branch(branches, branch, inner, out) {
                Ok(()) => return Ok(()),
                // a record may have a single field of that name
                Err(fault) => tagged_fault = Some(fault),
            }
        }
        let fitting = |this: &Self, close: bool| -> Vec<usize> {
            let fits = |index: &usize| fit(this.schema.node(branches[*index]), value) == Some(close);
            (0..branches.len()).filter(fits).collect()
        };
        let candidates = [fitting(self, true), fitting(self, false)].concat();
        let mut faults = Vec::new();
        for branch in &candidates {
            match self.branch(branches, *branch, value, out) {
                Ok(()) => return Ok(()),
                Err(fault) => faults.push(fault),
            }
        }
        match (tagged_fault, faults.pop()) {
            (Some(fault), _) => Err(fault),
            (None, Some(fault)) if faults.is_empty() => Err(fault),
            _ => Err(self.trail.fault(format!("fits none of the union's types: {}", self.names(branches)))),
        }
    }

    fn branch(
        &mut self,
        branches: &[NodeId],
        branch: usize,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        let (start, depth) = (out.len(), self.trail.depth());
        write_long(i64::try_from(branch).unwrap_or(i64::MAX), out);
        self.trail.push(Step::Inside);
        let written = self.value(branches[branch], value, out);
        if written.is_err() {
            out.truncate(start);
        }
        self.trail.cut(depth);
        written
    }

    /// The branch that a value's only key names.
    fn tagged<'v>(&self, branches: &[NodeId], value: &'v Value) -> Option<(usize, &'v Value)> {
        let object = value.as_object().filter(|object| object.len() == 1)?;
        let (tag, inner) = object.iter().next()?;
        let branch = branches.iter().position(|branch| tag_of(self.schema.node(*branch)) == tag)?;
        Some((branch, inner))
    }

    fn names(&self, branches: &[NodeId]) -> String {
        let names: Vec<&str> = branches.iter().map(|branch| tag_of(self.schema.node(*branch))).collect();
        names.join(", ")
    }
}

/// What Avro's JSON encoding calls a union's type: the full name, or the type's word.
pub(super) fn tag_of(node: &Node) -> &str {
    node.name.as_ref().map_or_else(|| node.kind.word(), |name| name.as_str())
}

/// Whether a JSON value may be of a type: closely (true), or with some goodwill (false).
fn fit(node: &Node, value: &Value) -> Option<bool> {
    let is_logical = node.logical.is_some();
    match (&node.kind, value) {
        (Kind::Null, Value::Null)
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::String | Kind::Enum { .. }, Value::String(_))
        | (Kind::Array { .. }, Value::Array(_))
        | (Kind::Record { .. }, Value::Object(_)) => Some(true),
        (Kind::Int | Kind::Long, Value::Number(number)) => Some(!number.is_f64()),
        (Kind::Float | Kind::Double, Value::Number(number)) => Some(number.is_f64()),
        (Kind::Map { .. }, Value::Object(_)) => Some(false),
        (Kind::Int | Kind::Long, Value::String(_)) => is_logical.then_some(true),
        (Kind::Bytes | Kind::Fixed { .. }, Value::String(_)) => Some(is_logical),
        (Kind::Bytes | Kind::Fixed { .. }, Value::Number(_) | Value::Object(_)) => is_logical.then_some(false),
        (Kind::Float | Kind::Double, Value::String(_)) => Some(false),
        _ => None,
    }
}
