//! Fields that look as if they held personal data, though nobody has said whether they do.
//!
//! A field's name, or the name of a logical type that Avro does not know, is read word by word ([`SensitiveNames`]). A
//! field that looks sensitive has to be listed in the contract's `sensitive_columns`, or to say of itself what it is:
//! `mesh.class`, or `"mesh.sensitive": false`. The registry and `mesh check` ask the same question here.

mod names;

use std::collections::HashSet;

use mesh_contract::{SensitiveColumn, Step};

use crate::schema::{Field, Kind, NodeId, Schema};
pub use names::{NameError, SensitiveNames};

/// The rule that an unexplained field breaks; `docs/rules/sensitive-unmarked.md` explains it.
pub const RULE: (&str, &str) = ("sensitive-unmarked", "A field looks sensitive, and nobody has said whether it is.");

/// A field that looks sensitive, and nobody has said whether it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The field's path: `contacts[].email`.
    pub column: String,
    /// The words that give it away.
    pub looks_like: String,
    /// The field's JSON pointer.
    pub pointer: String,
    /// The document that it is a pointer into: 0 is the schema itself, n the n-th reference that it was parsed with.
    pub document: usize,
}

impl Suspect {
    /// What is wrong, naming the field.
    #[must_use]
    pub fn message(&self) -> String {
        format!(
            "the field `{}` looks sensitive (\"{}\"), and neither the contract nor the schema says whether it is",
            self.column, self.looks_like
        )
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        format!(
            "list `{}` under the contract's `sensitive_columns` and apply it, or give the field a `mesh.class`; \
             if it holds nothing about anybody, mark it `\"mesh.sensitive\": false`",
            self.column
        )
    }
}

/// The fields of a schema that look sensitive and are neither among the columns nor marked in the schema, in its order.
#[must_use]
pub fn suspects(schema: &Schema, columns: &[SensitiveColumn], names: &SensitiveNames) -> Vec<Suspect> {
    let covered = Covered::by(schema, columns);
    let mut search = Search { schema, names, covered, seen: HashSet::new(), found: Vec::new() };
    search.run();
    search.found
}

/// A record's field: every use of a named type shares it, as masking rules do.
type Place = (NodeId, usize);

/// The fields that a contract's columns name or contain.
struct Covered(HashSet<Place>);

impl Covered {
    fn by(schema: &Schema, columns: &[SensitiveColumn]) -> Self {
        let mut covered = HashSet::new();
        for column in columns {
            let (named, ends) = follow(schema, column.column.steps());
            covered.extend(named);
            covered.extend(fields_under(schema, ends));
        }
        Self(covered)
    }
}

/// The fields that a column's path ends in, and the types at its end. Nothing where the schema has no such column.
fn follow(schema: &Schema, steps: &[Step]) -> (HashSet<Place>, Vec<NodeId>) {
    let (mut places, mut frontier) = (HashSet::new(), vec![schema.root()]);
    for step in steps {
        let nodes = alternatives(schema, &frontier);
        let followed: Vec<(Option<Place>, NodeId)> = nodes.iter().filter_map(|node| one(schema, *node, step)).collect();
        // `tags[]` names the items of `tags`: the field itself is explained as well.
        if matches!(step, Step::Field(_)) {
            places = followed.iter().filter_map(|(place, _)| *place).collect();
        }
        frontier = followed.into_iter().map(|(_, node)| node).collect();
    }
    if frontier.is_empty() { (HashSet::new(), frontier) } else { (places, frontier) }
}

fn one(schema: &Schema, node: NodeId, step: &Step) -> Option<(Option<Place>, NodeId)> {
    match (step, &schema.node(node).kind) {
        (Step::Field(name), Kind::Record { fields }) => {
            let index = fields.iter().position(|field| field.name == *name)?;
            Some((Some((node, index)), fields[index].node))
        }
        (Step::Items, Kind::Array { items }) => Some((None, *items)),
        (Step::Values, Kind::Map { values }) => Some((None, *values)),
        _ => None,
    }
}

/// Types, with unions replaced by their branches; each once.
fn alternatives(schema: &Schema, nodes: &[NodeId]) -> Vec<NodeId> {
    let branches = nodes.iter().flat_map(|node| match &schema.node(*node).kind {
        Kind::Union { branches } => branches.clone(),
        _ => vec![*node],
    });
    let mut seen = HashSet::new();
    branches.filter(|node| seen.insert(*node)).collect()
}

fn fields_under(schema: &Schema, starts: Vec<NodeId>) -> HashSet<Place> {
    let (mut places, mut seen, mut open) = (HashSet::new(), HashSet::new(), starts);
    while let Some(node) = open.pop() {
        if !seen.insert(node) {
            continue;
        }
        if let Kind::Record { fields } = &schema.node(node).kind {
            places.extend((0..fields.len()).map(|index| (node, index)));
        }
        open.extend(inner(schema, node));
    }
    places
}

fn inner(schema: &Schema, node: NodeId) -> Vec<NodeId> {
    match &schema.node(node).kind {
        Kind::Array { items: inner } | Kind::Map { values: inner } => vec![*inner],
        Kind::Union { branches } => branches.clone(),
        Kind::Record { fields } => fields.iter().map(|field| field.node).collect(),
        _ => Vec::new(),
    }
}

struct Search<'a> {
    schema: &'a Schema,
    names: &'a SensitiveNames,
    covered: Covered,
    /// Records, and whether they were looked at as part of something that looks sensitive.
    seen: HashSet<(NodeId, bool)>,
    found: Vec<Suspect>,
}

/// A record to be looked at.
struct Open {
    record: NodeId,
    path: String,
    /// What a field that holds it looks like: then each of its fields does.
    within: Option<String>,
}

impl Search<'_> {
    fn run(&mut self) {
        let mut open = self.records_at(self.schema.root(), String::new(), None);
        open.reverse();
        while let Some(next) = open.pop() {
            let Kind::Record { fields } = &self.schema.node(next.record).kind else { continue };
            let mut deeper = Vec::new();
            for (index, field) in fields.iter().enumerate() {
                deeper.extend(self.look_at(&next, index, field));
            }
            open.extend(deeper.into_iter().rev());
        }
        // What was found by name and again within something is one finding.
        let mut once = HashSet::new();
        self.found.retain(|suspect| once.insert((suspect.document, suspect.pointer.clone())));
    }

    /// Looks at a field; the records within it are still to be looked at.
    fn look_at(&mut self, holder: &Open, index: usize, field: &Field) -> Vec<Open> {
        let path = if holder.path.is_empty() { field.name.clone() } else { format!("{}.{}", holder.path, field.name) };
        if self.covered.0.contains(&(holder.record, index)) || is_marked(field) {
            return Vec::new();
        }
        let leaves = Leaves::of(self.schema, field.node);
        let looks_like = self.looks_like(field, &leaves).or_else(|| holder.within.clone());
        if let Some(looks_like) = looks_like.clone().filter(|_| leaves.text || leaves.number) {
            let (pointer, document) = (field.pointer.clone(), self.schema.node(holder.record).document);
            self.found.push(Suspect { column: path.clone(), looks_like, pointer, document });
        }
        self.records_at(field.node, path, looks_like)
    }

    fn looks_like(&self, field: &Field, leaves: &Leaves) -> Option<String> {
        // Nobody is called by a number; a record may hold anything.
        let only_numbers = leaves.number && !leaves.text && !leaves.record;
        let by_name = self.names.find(&field.name, only_numbers);
        by_name.or_else(|| leaves.logical.iter().find_map(|logical| self.names.find(logical, false)))
    }

    /// The records at a type, through unions, arrays and maps.
    fn records_at(&mut self, node: NodeId, path: String, within: Option<String>) -> Vec<Open> {
        let (mut records, mut open, mut seen) = (Vec::new(), vec![(node, path)], HashSet::new());
        while let Some((node, path)) = open.pop() {
            if !seen.insert(node) {
                continue;
            }
            match &self.schema.node(node).kind {
                Kind::Array { items } => open.push((*items, format!("{path}[]"))),
                Kind::Map { values } => open.push((*values, format!("{path}{{}}"))),
                Kind::Union { branches } => open.extend(branches.iter().rev().map(|branch| (*branch, path.clone()))),
                Kind::Record { .. } if self.seen.insert((node, within.is_some())) => {
                    records.push(Open { record: node, path, within: within.clone() });
                }
                _ => {}
            }
        }
        records
    }
}

/// Whether a field says of itself what it is.
fn is_marked(field: &Field) -> bool {
    let says = |name: &str| field.attributes.get(name);
    says("mesh.sensitive").is_some_and(serde_json::Value::is_boolean)
        || says("mesh.class").is_some_and(serde_json::Value::is_string)
}

/// What a field's type holds, records' own fields left out.
#[derive(Default)]
struct Leaves {
    text: bool,
    number: bool,
    record: bool,
    /// Logical types that Avro does not know.
    logical: Vec<String>,
}

impl Leaves {
    fn of(schema: &Schema, node: NodeId) -> Self {
        let (mut leaves, mut open, mut seen) = (Self::default(), vec![node], HashSet::new());
        while let Some(node) = open.pop() {
            if !seen.insert(node) {
                continue;
            }
            match &schema.node(node).kind {
                Kind::String | Kind::Bytes | Kind::Fixed { .. } => leaves.text = true,
                Kind::Int | Kind::Long => leaves.number = true,
                Kind::Record { .. } => leaves.record = true,
                // Yes and no, measures, and words from a list of a few say little about anybody.
                Kind::Boolean | Kind::Enum { .. } | Kind::Float | Kind::Double | Kind::Null => {}
                Kind::Array { .. } | Kind::Map { .. } | Kind::Union { .. } => open.extend(inner(schema, node)),
            }
            let known = schema.node(node).logical.is_some();
            let logical = schema.node(node).attributes.get("logicalType").filter(|_| !known);
            leaves.logical.extend(logical.and_then(serde_json::Value::as_str).map(str::to_owned));
        }
        leaves
    }
}

#[cfg(test)]
mod tests;
