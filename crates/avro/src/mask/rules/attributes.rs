//! What a schema itself says of its fields: `mesh.class`, `mesh.sensitive`.

use std::collections::HashSet;
use std::sync::Arc;

use mesh_contract::{Finding, Places};
use serde_json::{Map, Value};

use super::{Mask, Rules, id, leaves, step_text};
use crate::mask::slot::{Slot, parts};
use crate::schema::{Field, Kind, NodeId, Schema};

/// The class of a field that the schema calls sensitive without naming one.
const CLASS_DEFAULT: &str = "pii";

/// What a field's attributes say of it: its class if it is sensitive, `Some(None)` if it is not, `None` if nothing.
pub(in crate::mask) fn class_of(attributes: &Map<String, Value>) -> Option<Option<&str>> {
    let class = attributes.get("mesh.class").and_then(Value::as_str);
    match attributes.get("mesh.sensitive").and_then(Value::as_bool) {
        Some(false) => Some(None),
        Some(true) => Some(class.or(Some(CLASS_DEFAULT))),
        None => class.map(Some),
    }
}

/// Marks the fields that the schema calls sensitive and the contract says nothing of.
pub(super) fn mark(rules: &mut Rules, findings: &mut Vec<Finding>, places: &Places) {
    let schema = Arc::clone(&rules.schema);
    let covered = covered(rules, &schema);
    let mut open = vec![(schema.root(), String::new())];
    let mut seen = HashSet::from([schema.root()]);
    while let Some((node, path)) = open.pop() {
        for (slot, child) in parts(&schema, node) {
            let step = step_text(&schema, slot);
            let path = if path.is_empty() { step.trim_start_matches('.').to_owned() } else { format!("{path}{step}") };
            if let Some(field) = field(&schema, slot) {
                mark_field(rules, findings, places, slot, field, &path, &covered);
            }
            if seen.insert(child) {
                open.push((child, path));
            }
        }
    }
}

fn mark_field(
    rules: &mut Rules,
    findings: &mut Vec<Finding>,
    places: &Places,
    slot: Slot,
    field: &Field,
    path: &str,
    covered: &HashSet<Slot>,
) {
    let class = match class_of(&field.attributes) {
        None => return,
        Some(None) => {
            rules.insensitive.insert(slot);
            return;
        }
        Some(Some(class)) => class,
    };
    if !is_class(class) {
        let message = format!("the schema's field `{path}` has the `mesh.class` {class:?}, which is no class");
        let finding = Finding::error(id::CLASS_INVALID, places.at("schema"), message);
        findings.push(finding.hint("classes are lower-case names with `.` between: pii.contact"));
        return;
    }
    if !covered.contains(&slot) {
        let masked_in = rules.masked_in(path, class);
        rules.masks.push(Mask { column: path.to_owned(), class: class.to_owned(), rule: None, masked_in });
        rules.marks.insert(slot, rules.masks.len() - 1);
    }
}

fn field(schema: &Schema, slot: Slot) -> Option<&Field> {
    match (slot.part, &schema.node(slot.parent).kind) {
        (crate::mask::slot::Part::Field(index), Kind::Record { fields }) => fields.get(index),
        _ => None,
    }
}

/// Every place that a column of the contract covers.
fn covered(rules: &Rules, schema: &Schema) -> HashSet<Slot> {
    let node_of = |slot: &Slot| -> Option<NodeId> {
        parts(schema, slot.parent).into_iter().find(|(part, _)| part == slot).map(|(_, node)| node)
    };
    let marked = rules.marks.keys().filter_map(|slot| node_of(slot).map(|node| (*slot, node)));
    marked.flat_map(|(slot, node)| leaves::slots_under(rules, slot, node)).collect()
}

/// Whether a text has the form of a class: lower-case names with `.` between.
fn is_class(text: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
    };
    text.len() <= 128 && text.split('.').all(is_name)
}
