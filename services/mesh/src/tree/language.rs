//! The `term` of a schema's types and fields refers to a word that some domain defines.

use super::library::TreeSchema;
use super::schema::Schemas;
use mesh_avro::schema::Kind;
use mesh_contract::{Finding, Tree};
use serde_json::{Map, Value};

/// The attribute that refers to a term.
const TERM: &str = "term";

pub(super) fn check(tree: &Tree, schemas: &Schemas<'_>, findings: &mut Vec<Finding>) {
    for schema in schemas.valid() {
        for (attributes, pointer) in attributes(schema) {
            let Some(term) = attributes.get(TERM) else { continue };
            let place = schema.place(0, &format!("{pointer}/{TERM}"));
            // What is no text at all is shown as the JSON it is: no reference either.
            let reference = term.as_str().map_or_else(|| term.to_string(), str::to_owned);
            findings.extend(tree.check_term(&reference, place));
        }
    }
}

/// The attributes of every named type and every field of the file itself, with their pointers.
fn attributes(schema: &TreeSchema) -> Vec<(&Map<String, Value>, &str)> {
    let mut found = Vec::new();
    for (_, node) in schema.parsed().nodes().filter(|(_, node)| node.document == 0) {
        if node.name.is_some() {
            found.push((&node.attributes, node.pointer.as_str()));
        }
        if let Kind::Record { fields } = &node.kind {
            found.extend(fields.iter().map(|field| (&field.attributes, field.pointer.as_str())));
        }
    }
    found
}
