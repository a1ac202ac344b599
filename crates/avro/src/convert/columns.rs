//! Which of the reader's columns each of the writer's feeds.

use super::TooLarge;
use crate::compat::resolution::{Resolver, Source};
use crate::schema::{Kind, NodeId, Schema};

/// The most columns that are told of.
const COLUMNS_MAX: usize = 10_000;
/// How deep a column may be; deeper ones, of types that hold themselves, are told of no more.
const DEPTH_MAX: usize = 32;

/// A column of the reader's and the writer's column that feeds it, as contracts write them: `address.street`,
/// `contacts[].email`, `attributes{}.ssn`. Containers are columns, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPair {
    /// As the reader calls it.
    pub reader: String,
    /// As the writer calls it.
    pub writer: String,
}

/// Every column of the reader's that some column of the writer's feeds, in the order of the reader's; what has a default of the
/// reader's is fed by none.
///
/// # Errors
/// There are too many.
pub fn columns(reader: &Schema, writer: &Schema) -> Result<Vec<ColumnPair>, TooLarge> {
    let mut walk = Walk { reader, writer, resolver: Resolver::new(reader, writer), pairs: Vec::new() };
    walk.at(reader.root(), writer.root(), &ColumnPair { reader: String::new(), writer: String::new() }, DEPTH_MAX)?;
    walk.pairs.dedup();
    Ok(walk.pairs)
}

struct Walk<'s> {
    reader: &'s Schema,
    writer: &'s Schema,
    resolver: Resolver<'s>,
    pairs: Vec<ColumnPair>,
}

impl Walk<'_> {
    fn at(&mut self, reader: NodeId, writer: NodeId, place: &ColumnPair, depth: usize) -> Result<(), TooLarge> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        let (reads, writes) = (&self.reader.node(reader).kind, &self.writer.node(writer).kind);
        match (reads, writes) {
            (_, Kind::Union { branches }) => {
                branches.iter().try_for_each(|branch| self.at(reader, *branch, place, depth))
            }
            (Kind::Union { branches }, _) => match self.resolver.branch(reader, branches, writer) {
                Some(index) => self.at(branches[index], writer, place, depth),
                None => Ok(()),
            },
            (Kind::Array { items }, Kind::Array { items: written }) => {
                self.inside((*items, *written), place.with("[]", "[]"), depth)
            }
            (Kind::Map { values }, Kind::Map { values: written }) => {
                self.inside((*values, *written), place.with("{}", "{}"), depth)
            }
            (Kind::Record { fields }, Kind::Record { fields: written })
                if self.resolver.is_called_like(reader, writer) =>
            {
                for (field, source) in fields.iter().zip(self.resolver.sources(reader, writer)) {
                    if let Source::Writer(index) = source {
                        let other = &written[index];
                        self.inside((field.node, other.node), place.field(&field.name, &other.name), depth)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn inside(&mut self, (reader, writer): (NodeId, NodeId), place: ColumnPair, depth: usize) -> Result<(), TooLarge> {
        if self.pairs.len() == COLUMNS_MAX {
            return Err(TooLarge);
        }
        self.pairs.push(place.clone());
        self.at(reader, writer, &place, depth)
    }
}

impl ColumnPair {
    fn with(&self, reader: &str, writer: &str) -> ColumnPair {
        ColumnPair { reader: format!("{}{reader}", self.reader), writer: format!("{}{writer}", self.writer) }
    }

    fn field(&self, reader: &str, writer: &str) -> ColumnPair {
        let dot = |place: &str| if place.is_empty() { "" } else { "." };
        self.with(&format!("{}{reader}", dot(&self.reader)), &format!("{}{writer}", dot(&self.writer)))
    }
}
