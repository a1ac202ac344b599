//! What lies under a place in a schema.

use std::collections::{HashMap, HashSet};

use super::{Rules, step_text};
use crate::mask::slot::{Part, Slot, null_branch, parts};
use crate::schema::{Kind, NodeId, Schema};

/// Something under a column that its rule has to mask.
pub(super) enum Reach {
    /// A leaf other than null.
    Leaf {
        /// The path from the column to it.
        path: String,
        node: NodeId,
        /// Whether it is a branch of a union with null.
        nullable: bool,
    },
    /// A map's keys.
    MapKeys,
}

/// Everything under a place that no inner column masks by a rule of its own.
pub(super) fn under(rules: &Rules, start: Slot, node: NodeId) -> Vec<Reach> {
    let mut found = Vec::new();
    walk(rules, start, node, |_, reach| found.extend(reach));
    found
}

/// The places under a place, itself included, that no inner column masks by a rule of its own.
pub(super) fn slots_under(rules: &Rules, start: Slot, node: NodeId) -> HashSet<Slot> {
    let mut found = HashSet::new();
    walk(rules, start, node, |slot, _| {
        found.insert(slot);
    });
    found
}

fn walk(rules: &Rules, start: Slot, node: NodeId, mut visit: impl FnMut(Slot, Option<Reach>)) {
    let schema = &rules.schema;
    let mut open = vec![(start, node, String::new(), false)];
    let mut seen = HashSet::new();
    while let Some((slot, node, path, nullable)) = open.pop() {
        if !seen.insert(slot) || (slot != start && rules.marks.contains_key(&slot)) {
            continue;
        }
        let inner = parts(schema, node);
        let is_leaf = inner.is_empty() && !matches!(schema.node(node).kind, Kind::Record { .. } | Kind::Null);
        visit(slot, is_leaf.then(|| Reach::Leaf { path: path.clone(), node, nullable }));
        if matches!(schema.node(node).kind, Kind::Map { .. }) {
            visit(Slot::new(node, Part::Keys), Some(Reach::MapKeys));
        }
        let nullable = null_branch(schema, node).is_some();
        let children = inner.into_iter().rev();
        open.extend(
            children.map(|(slot, child)| (slot, child, format!("{path}{}", step_text(schema, slot)), nullable)),
        );
    }
}

/// How often records are used by other types than those they contain themselves; the root's own use counts.
pub(super) struct Uses<'a> {
    schema: &'a Schema,
    users: HashMap<NodeId, Vec<NodeId>>,
    known: HashMap<NodeId, usize>,
}

impl<'a> Uses<'a> {
    pub(super) fn of(schema: &'a Schema) -> Uses<'a> {
        let mut users: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
        for (id, _) in schema.nodes() {
            for (_, child) in parts(schema, id) {
                users.entry(child).or_default().push(id);
            }
        }
        Uses { schema, users, known: HashMap::new() }
    }

    pub(super) fn count(&mut self, record: NodeId) -> usize {
        if let Some(known) = self.known.get(&record) {
            return *known;
        }
        let own = usize::from(record == self.schema.root());
        let users = self.users.get(&record).map_or(&[][..], Vec::as_slice);
        let outside = match users.len() + own {
            0 | 1 => users.len(),
            _ => {
                let inside = reachable(self.schema, record);
                users.iter().filter(|user| !inside.contains(user)).count()
            }
        };
        self.known.insert(record, own + outside);
        own + outside
    }
}

/// A type and everything that it contains.
fn reachable(schema: &Schema, from: NodeId) -> HashSet<NodeId> {
    let mut seen = HashSet::from([from]);
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for (_, child) in parts(schema, node) {
            if seen.insert(child) {
                open.push(child);
            }
        }
    }
    seen
}
