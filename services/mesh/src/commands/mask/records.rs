//! One record before and after.

use super::preview::Job;
use super::rulebook::not_compiled;
use crate::failure::Failure;
use crate::output;
use mesh_avro::mask::{Program, Scratch};
use mesh_avro::schema::{Kind, Schema};
use mesh_client::json;
use serde_json::Value;
use std::collections::{HashSet, VecDeque};

/// Most places of a schema, recursion unrolled, that are looked at for columns to mark.
const PLACES_MAX: usize = 10_000;

/// Makes one view of records of one schema.
pub(super) struct Viewer<'a> {
    writer: &'a Schema,
    program: Program,
    view: usize,
    view_schema: Schema,
    /// The columns that the view masks.
    pub(super) masked: HashSet<String>,
    scratch: Scratch,
}

impl<'a> Viewer<'a> {
    pub(super) fn new(job: &Job<'_>, writer: &'a Schema) -> Result<Viewer<'a>, Failure> {
        let view = job.contract.view(job.view)?;
        let program = Program::compile(&job.contract.rules, writer, job.keys)
            .map_err(|error| Failure::findings(not_compiled(&error).message))?;
        for column in program.dropped() {
            output::talk(&format!("note: the contract's schema does not know {column}: it is in no view"));
        }
        let view_schema = Schema::parse_value(&program.views()[view].schema)
            .map_err(|error| Failure::internal("a view's derived schema is not valid").because(error))?;
        let masked = masked_columns(&view_schema);
        Ok(Viewer { writer, program, view, view_schema, masked, scratch: Scratch::new() })
    }

    /// A line of JSON as a datum of the writer. Why it is none never quotes it.
    pub(super) fn encode(&self, number: u64, line: &[u8]) -> Result<Vec<u8>, String> {
        let record: Value = serde_json::from_slice(line)
            .map_err(|error| format!("line {number} is not JSON at column {}", error.column()))?;
        let mut datum = Vec::new();
        json::encode(self.writer, &record, &mut datum).map_err(|error| format!("line {number}: {error}"))?;
        Ok(datum)
    }

    /// The first of the data that `rest` holds, as JSON before and after; goes on behind it.
    pub(super) fn view_first(&mut self, rest: &mut &[u8]) -> Result<(Value, Value), String> {
        let datum = self.run_first(rest)?;
        let before = json::decode(self.writer, datum).map_err(|error| error.to_string())?;
        let shown = self.scratch.output(self.view, datum);
        let after = json::decode(&self.view_schema, shown).map_err(|error| error.to_string())?;
        Ok((before, after))
    }

    /// The first of the data that `rest` holds, as the view has it; goes on behind it.
    pub(super) fn mask_first<'s, 'b: 's>(&'s mut self, rest: &mut &'b [u8]) -> Result<&'s [u8], String> {
        let datum = self.run_first(rest)?;
        Ok(self.scratch.output(self.view, datum))
    }

    /// The schema of the view's records.
    pub(super) fn view_schema(&self) -> &Value {
        &self.program.views()[self.view].schema
    }

    /// Runs the program on the first of the data and steps over it.
    fn run_first<'b>(&mut self, rest: &mut &'b [u8]) -> Result<&'b [u8], String> {
        let length =
            self.program.run_first(&mut self.scratch, rest).map_err(|error| format!("{}: {error}", error.code()))?;
        let (datum, behind) = rest.split_at(length);
        *rest = behind;
        Ok(datum)
    }
}

/// The fields that a view's schema calls masked, and what is directly in them. The nearest ones, where there are many.
fn masked_columns(schema: &Schema) -> HashSet<String> {
    let mut masked = HashSet::new();
    let mut open = VecDeque::from([(schema.root(), String::new())]);
    for _ in 0..PLACES_MAX {
        let Some((node, path)) = open.pop_front() else { break };
        match &schema.node(node).kind {
            Kind::Record { fields } => {
                for field in fields {
                    let path = if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
                    if field.attributes.contains_key("mesh.masked") {
                        masked.extend([path.clone(), format!("{path}[]")]);
                    }
                    open.push_back((field.node, path));
                }
            }
            Kind::Array { items } => open.push_back((*items, format!("{path}[]"))),
            Kind::Union { branches } => open.extend(branches.iter().map(|branch| (*branch, path.clone()))),
            _ => {}
        }
    }
    masked
}
