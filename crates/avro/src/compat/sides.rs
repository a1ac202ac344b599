//! The two schemas that are compared, and which of their types are called alike.

use crate::schema::{Kind, Name, Node, NodeId, Outline, Schema};

/// The two schemas, and what the reader's aliases claim.
pub(super) struct Sides<'s> {
    pub(super) reader: &'s Schema,
    pub(super) writer: &'s Schema,
    /// For each of the writer's types the reader's type that has its name as an alias; empty where none has.
    claims: Vec<Option<NodeId>>,
}

impl<'s> Sides<'s> {
    pub(super) fn new(reader: &'s Schema, writer: &'s Schema) -> Sides<'s> {
        let mut claims = Vec::new();
        for &id in reader.aliased() {
            for written in reader.node(id).aliases.iter().filter_map(|alias| writer.named(alias.as_str())) {
                claims.resize(writer.len(), None);
                claims[written.index()] = Some(id);
            }
        }
        if !claims.is_empty() && reader.same_but_for_aliases(writer) {
            claims.clear();
        }
        Sides { reader, writer, claims }
    }

    /// Whether the reader's aliases claim anything.
    pub(super) fn has_claims(&self) -> bool {
        !self.claims.is_empty()
    }

    /// The reader's type that takes the name of the writer's type by an alias.
    pub(super) fn claimant(&self, writer: NodeId) -> Option<NodeId> {
        self.claims.get(writer.index()).copied().flatten()
    }

    /// Whether two types are plainly the same: nothing about them can be found.
    pub(super) fn is_same(&self, reader_id: NodeId, writer_id: NodeId, (reads, writes): (Outline, Outline)) -> bool {
        if reads.is_named() && writes.is_named() {
            let records = reads.is_record() || writes.is_record();
            return !records
                && self.claims.is_empty()
                && self.reader.essence(reader_id) == self.writer.essence(writer_id);
        }
        reads.reads_as_is(writes)
    }

    /// Whether two named types are called alike.
    pub(super) fn is_called_like(&self, reader_id: NodeId, writer_id: NodeId) -> bool {
        let plainly = self.claims.is_empty() && self.reader.essence(reader_id) == self.writer.essence(writer_id);
        plainly || self.names_match(reader_id, writer_id)
    }

    pub(super) fn names_match(&self, reader_id: NodeId, writer_id: NodeId) -> bool {
        let (reader, writer) = (self.reader.node(reader_id), self.writer.node(writer_id));
        let is_called = |named: &Node| simple_name(reader) == simple_name(named);
        match self.claimant(writer_id) {
            // Java compares no names of records outside unions, so that one whose name is taken away still reads.
            Some(claimant) => {
                is_called(self.reader.node(claimant))
                    || (matches!(reader.kind, Kind::Record { .. }) && is_called(writer))
            }
            None => is_called(writer),
        }
    }
}

fn simple_name(node: &Node) -> Option<&str> {
    node.name.as_ref().map(Name::simple)
}
