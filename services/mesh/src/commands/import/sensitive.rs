//! Which columns are sensitive: as the schema says, as tags of other tools say, and as names suggest.

use super::said::{Said, Weight};
use mesh_avro::mask::Rules;
use mesh_avro::schema::{Field, Kind, NodeId, Schema};
use mesh_avro::sensitivity::{self, SensitiveNames};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

const KEY: &str = "sensitive_columns";
const CLASS: &str = "pii";
/// Where Confluent's registry and its tools keep what a field is.
const TAGS: &str = "confluent:tags";
/// Those of its tags that say that a field is sensitive.
const SENSITIVE_TAGS: [&str; 3] = ["PII", "PRIVATE", "SENSITIVE"];

/// The contract's `sensitive_columns`.
pub(super) fn of(schema: &Schema, names: &SensitiveNames) -> Said {
    let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
    for suspect in sensitivity::suspects(schema, &[], names) {
        found.insert(suspect.column, (CLASS.to_owned(), format!("its name: {}", suspect.looks_like)));
    }
    for (column, tag) in tagged(schema) {
        found.insert(column, (CLASS.to_owned(), format!("the schema's tag {tag}")));
    }
    // what the schema itself is wrong about, `mesh check` says
    let declared = Rules::of_columns(&[], schema).ok();
    for (column, class) in declared.iter().flat_map(Rules::columns) {
        found.insert(column.to_owned(), (class.to_owned(), "the schema's mesh.class".to_owned()));
    }
    if found.is_empty() {
        return Said::guess(KEY, "[]", "no column's name looks sensitive, which proves nothing: look at each");
    }
    let lines = found.iter().map(|(column, (class, why))| {
        let column = Value::from(column.as_str());
        // a class comes from the schema's text
        let class = Value::from(class.as_str());
        format!("\n  - {{ column: {column}, class: {class} }}   # {}", one_line(why))
    });
    let why = "what is not seen in clear, each masked by its type's rule unless `mask` says how; take out what is not sensitive, \
               and say so in the schema: \"mesh.sensitive\": false";
    let yaml = format!("{KEY}:{}", lines.collect::<String>());
    let brief = found.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    Said { key: KEY, yaml, brief, weight: Weight::Guess, why: why.to_owned() }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The columns that a tag calls sensitive, with the tag.
fn tagged(schema: &Schema) -> Vec<(String, &'static str)> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut open = vec![(schema.root(), String::new())];
    while let Some((node, path)) = open.pop() {
        match &schema.node(node).kind {
            Kind::Array { items } => open.push((*items, format!("{path}[]"))),
            Kind::Map { values } => open.push((*values, format!("{path}{{}}"))),
            Kind::Union { branches } => open.extend(branches.iter().map(|branch| (*branch, path.clone()))),
            Kind::Record { fields } if seen.insert(node) => {
                for field in fields {
                    let path = if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
                    match tag(field) {
                        Some(tag) => found.push((path, tag)),
                        None => open.push((field.node, path)),
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn tag(field: &Field) -> Option<&'static str> {
    let tags = field.attributes.get(TAGS)?.as_array()?;
    let is_tagged = |name: &&str| tags.iter().any(|tag| tag.as_str().is_some_and(|tag| tag.eq_ignore_ascii_case(name)));
    SENSITIVE_TAGS.into_iter().find(is_tagged)
}

/// A type's node, a union with null looked through; none of any other union.
pub(super) fn leaf(schema: &Schema, node: NodeId) -> Option<NodeId> {
    let Kind::Union { branches } = &schema.node(node).kind else { return Some(node) };
    let mut others = branches.iter().filter(|branch| !matches!(schema.node(**branch).kind, Kind::Null));
    others.next().copied().filter(|_| others.next().is_none())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(schema: &str) -> Said {
        of(&Schema::parse(schema).unwrap(), &SensitiveNames::default())
    }

    #[test]
    fn names_tags_and_the_schemas_own_word_are_taken() {
        let said = said(
            r#"{"type":"record","name":"Lead","fields":[
            {"name":"id","type":"string"},
            {"name":"email","type":["null","string"],"default":null},
            {"name":"nick","type":"string","confluent:tags":["pii","OTHER"]},
            {"name":"risk","type":"int","mesh.class":"finance.risk"},
            {"name":"street","type":"string","mesh.sensitive":false},
            {"name":"contacts","type":{"type":"array","items":{"type":"record","name":"Contact","fields":[
                {"name":"phone","type":"string"},{"name":"handle","type":"string","confluent:tags":["PRIVATE"]}]}}}]}"#,
        );
        insta::assert_snapshot!(said.yaml);
    }

    #[test]
    fn nothing_found_proves_nothing() {
        let said = said(r#"{"type":"record","name":"Lead","fields":[{"name":"id","type":"string"}]}"#);
        assert_eq!((said.yaml.as_str(), said.weight), ("sensitive_columns: []", Weight::Guess));
    }
}
