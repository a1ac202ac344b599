//! Schema resolution of one datum, written from the specification alone: slow, recursive, and about data, not schemas.
//! Where the datum comes to mean something else by it, that is noticed.

use std::cell::RefCell;
use std::collections::BTreeSet;

use mesh_avro::schema::{Field, Kind, Logical, Name, Node, NodeId, Schema};
use serde_json::{Map, Value, json};

use crate::data::{untagged, without_tags};

pub(crate) struct Reference<'s> {
    reader: &'s Schema,
    writer: &'s Schema,
    /// Of a union's branches that differ in their namespaces alone: whether the first is meant, as the specification has
    /// it, rather than whichever reads the datum.
    first_namesake: bool,
    /// What changed its meaning in what was read.
    noticed: RefCell<BTreeSet<&'static str>>,
}

type Read = Result<Value, String>;

impl<'s> Reference<'s> {
    pub(crate) fn new(reader: &'s Schema, writer: &'s Schema) -> Reference<'s> {
        Reference { reader, writer, first_namesake: false, noticed: RefCell::default() }
    }

    /// The same where a union's first branch of a name without its namespace is meant.
    pub(crate) fn of_first_namesakes(reader: &'s Schema, writer: &'s Schema) -> Reference<'s> {
        Reference { first_namesake: true, ..Reference::new(reader, writer) }
    }

    /// What changes its meaning where a datum is read: rules of the checker that say so.
    pub(crate) fn changes(&self, datum: &Value) -> BTreeSet<&'static str> {
        self.noticed.borrow_mut().clear();
        // What was noticed before a datum is refused counts, too.
        let _ = self.read(datum);
        self.noticed.take()
    }

    fn notice(&self, rule: &'static str) {
        self.noticed.borrow_mut().insert(rule);
    }

    pub(crate) fn read(&self, datum: &Value) -> Read {
        if self.reader == self.writer {
            return without_tags(self.writer, self.writer.root(), datum).ok_or("no datum of the writer".into());
        }
        self.at(self.reader.root(), self.writer.root(), datum)
    }

    fn at(&self, reader_id: NodeId, writer_id: NodeId, datum: &Value) -> Read {
        let (reader, writer) = (self.reader.node(reader_id), self.writer.node(writer_id));
        let is_union = |node: &Node| matches!(node.kind, Kind::Union { .. });
        // A text that happens to be a UUID is the same text.
        let plain = reader.logical.is_none() && writer.logical == Some(Logical::Uuid);
        if !is_union(reader) && !is_union(writer) && reader.logical != writer.logical && !plain {
            self.notice("logical type");
        }
        match (&reader.kind, &writer.kind) {
            (_, Kind::Union { branches }) => {
                let (index, inner) = untagged(self.writer, branches, datum).ok_or("not of the union")?;
                self.at(reader_id, branches[index], inner)
            }
            (Kind::Union { branches }, _) => self.first_branch(branches, writer_id, datum),
            (Kind::Array { items }, Kind::Array { items: written }) => {
                let list = datum.as_array().ok_or("not an array")?;
                list.iter().map(|item| self.at(*items, *written, item)).collect()
            }
            (Kind::Map { values }, Kind::Map { values: written }) => {
                let map = datum.as_object().ok_or("not a map")?;
                map.iter().map(|(key, value)| Ok((key.clone(), self.at(*values, *written, value)?))).collect()
            }
            (Kind::Record { fields }, Kind::Record { fields: written }) => {
                self.named_alike(reader_id, writer_id)?;
                self.record(fields, written, datum)
            }
            (Kind::Enum { symbols, default }, Kind::Enum { .. }) => {
                self.named_alike(reader_id, writer_id)?;
                let known = datum.as_str().is_some_and(|symbol| symbols.iter().any(|known| known == symbol));
                if known {
                    Ok(datum.clone())
                } else {
                    self.notice("enum-symbol-defaulted");
                    default.as_ref().map(|symbol| json!(symbol)).ok_or("unknown symbol".into())
                }
            }
            (Kind::Fixed { size }, Kind::Fixed { size: written }) => {
                self.named_alike(reader_id, writer_id)?;
                if size == written { Ok(datum.clone()) } else { Err("another size".into()) }
            }
            (reads, writes) => match (writes.word(), reads.word()) {
                (writes, reads) if writes == reads => Ok(datum.clone()),
                ("int" | "long", "float") => self.rounded(datum, |number| f64::from(number as f32)),
                ("int" | "long", "double") => self.rounded(datum, |number| number as f64),
                ("int", "long") | ("float", "double") | ("string", "bytes") => Ok(datum.clone()),
                ("bytes", "string") => {
                    if !datum.as_str().is_some_and(str::is_ascii) {
                        self.notice("bytes-as-text");
                    }
                    Ok(datum.clone())
                }
                (writes, reads) => Err(format!("{writes} is no {reads}")),
            },
        }
    }

    /// A whole number as one of floating point.
    fn rounded(&self, datum: &Value, round: fn(i64) -> f64) -> Read {
        let number = datum.as_i64().ok_or("not a whole number")?;
        // Back and forth: only that tells 2^53 + 1, which no comparison of two floating-point numbers does.
        if round(number) as i128 != i128::from(number) {
            self.notice("promotion-lossy");
        }
        Ok(json!(round(number)))
    }

    /// The writer's name as the reader's aliases rename it.
    fn name_of(&self, writer_id: NodeId) -> Option<Name> {
        let name = self.writer.node(writer_id).name.clone()?;
        if without_aliases(self.reader.json()) == without_aliases(self.writer.json()) {
            return Some(name);
        }
        let renamed = self.reader.nodes().filter(|(_, node)| node.aliases.contains(&name)).last();
        Some(renamed.and_then(|(_, node)| node.name.clone()).unwrap_or(name))
    }

    fn named_alike(&self, reader_id: NodeId, writer_id: NodeId) -> Result<(), String> {
        let (reads, writes) = (self.reader.node(reader_id).name.clone(), self.name_of(writer_id));
        let own = self.writer.node(writer_id).name.clone();
        let record = matches!(self.reader.node(reader_id).kind, Kind::Record { .. });
        let simple = |name: &Option<Name>| name.as_ref().map(|name| name.simple().to_owned());
        // Java compares a record's own name, too.
        let alike = simple(&reads) == simple(&writes) || (record && simple(&reads) == simple(&own));
        if alike { Ok(()) } else { Err(format!("{writes:?} is no {reads:?}")) }
    }

    fn first_branch(&self, branches: &[NodeId], writer_id: NodeId, datum: &Value) -> Read {
        let word = self.writer.node(writer_id).kind.word();
        let same: Vec<NodeId> =
            branches.iter().copied().filter(|branch| self.reader.node(*branch).kind.word() == word).collect();
        let name = self.name_of(writer_id);
        let exact = same.iter().find(|branch| name.is_some() && self.reader.node(**branch).name == name);
        if let Some(exact) = exact {
            return self.at(*exact, writer_id, datum);
        }
        if name.is_none()
            && let Some(same) = same.first()
        {
            return self.at(*same, writer_id, datum);
        }
        if self.first_namesake && name.is_some() {
            let namesake = same.iter().find(|branch| self.named_alike(**branch, writer_id).is_ok());
            return self.at(*namesake.ok_or("no branch of that name")?, writer_id, datum);
        }
        for branch in branches {
            let noticed = self.noticed.borrow().clone();
            match self.at(*branch, writer_id, datum) {
                Ok(read) => return Ok(read),
                Err(_) => *self.noticed.borrow_mut() = noticed,
            }
        }
        Err("no branch reads it".into())
    }

    fn record(&self, fields: &[Field], written: &[Field], datum: &Value) -> Read {
        let mut record = Map::new();
        for field in fields {
            let called_so =
                written.iter().filter(|other| other.name == field.name || field.aliases.contains(&other.name));
            if called_so.count() > 1 {
                return Err(format!("{} is ambiguous", field.name));
            }
            let renamed = |other: &&Field| {
                let claimant = fields.iter().rev().find(|claimant| claimant.aliases.contains(&other.name));
                claimant.map_or(other.name == field.name, |claimant| claimant.name == field.name)
            };
            let source = written.iter().find(renamed);
            let called_so =
                written.iter().find(|other| other.name == field.name || field.aliases.contains(&other.name));
            // Decoders differ in which field takes what is called like several.
            if let (None, Some(other)) = (source, called_so) {
                self.at(field.node, other.node, datum.get(&other.name).ok_or("not written")?)?;
            }
            let value = match (source, &field.default) {
                (Some(other), _) => self.at(field.node, other.node, datum.get(&other.name).ok_or("not written")?)?,
                (None, Some(default)) => default.clone(),
                (None, None) => return Err(format!("{} has no default", field.name)),
            };
            record.insert(field.name.clone(), value);
        }
        Ok(Value::Object(record))
    }
}

/// A schema's JSON without aliases and documentation.
pub(crate) fn without_aliases(schema: &Value) -> Value {
    match schema {
        Value::Array(list) => list.iter().map(without_aliases).collect(),
        Value::Object(object) => {
            let kept = object.iter().filter(|(key, _)| !matches!(key.as_str(), "aliases" | "doc"));
            kept.map(|(key, value)| (key.clone(), without_aliases(value))).collect()
        }
        other => other.clone(),
    }
}
