//! Which schemas are valid, against what Avro Java parses: random ones with one thing changed that may be wrong.

use std::io::Write as _;

use crate::damage::damaged;
use crate::evolve::{self, draw::Draw};
use crate::oracle::{Answer, first_seed};
use mesh_avro::schema::{Kind, Schema, SchemaError, SchemaFault};
use serde_json::Value;

const SCHEMAS: usize = 12_000;

/// Whether Avro Java may parse what we refuse, which the specification does:
/// - it looks at no namespace and no alias, and takes a namespace that is no text for none;
/// - it lets a named type be called like a primitive type where it has a namespace: primitive names "may not be defined in
///   any namespace";
/// - as a default of bytes, fixed and enums it takes any text, and as an enum's own default anything.
fn java_may_parse(error: &SchemaError, schema: &Value) -> bool {
    let is_part_of = |part: &str| error.pointer.split('/').any(|segment| segment == part);
    match &error.fault {
        SchemaFault::InvalidName { .. } => is_part_of("namespace") || is_part_of("aliases"),
        SchemaFault::Unexpected { expected, .. } => *expected == "a namespace",
        SchemaFault::PrimitiveName { name } => name.contains('.'),
        SchemaFault::Default { .. } => {
            let holder = error.pointer.strip_suffix("/default").and_then(|holder| schema.pointer(holder));
            let is_enum = holder.is_some_and(|holder| holder["type"] == "enum");
            is_enum || schema.pointer(&error.pointer).is_some_and(holds_text)
        }
        _ => false,
    }
}

fn holds_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().any(holds_text),
        Value::Object(members) => members.values().any(holds_text),
        _ => false,
    }
}

/// Whether Avro Java may refuse what we parse: it checks a default before the record around it is whole, so that it knows no
/// default of that record itself.
fn java_may_refuse(schema: &Schema) -> bool {
    schema.nodes().any(|(_, node)| match &node.kind {
        Kind::Record { fields } => fields.iter().any(|field| field.default.as_ref().is_some_and(Value::is_object)),
        _ => false,
    })
}

/// What Avro Java says otherwise than we do, unless it may.
fn difference(schema: &Value, answer: &Answer) -> Option<String> {
    let ours = Schema::parse_value(schema);
    match (&ours, answer.is_invalid()) {
        (Ok(ours), true) if !java_may_refuse(ours) => Some(format!("avro java refuses what we parse: {schema}")),
        (Err(error), false) if !java_may_parse(error, schema) => {
            Some(format!("avro java parses what we refuse, {}: {schema}", error.fault))
        }
        _ => None,
    }
}

#[test]
fn what_is_valid_is_what_avro_java_parses_but_for_the_listed_differences() {
    let first_seed = first_seed();
    let schema = |seed: u64| {
        let mut draw = Draw(seed);
        let schema = evolve::schema(&mut draw);
        damaged(&mut draw, &schema)
    };
    let schemas: Vec<Value> = (first_seed..).map(schema).take(SCHEMAS).collect();
    let answers = Answer::ask_texts(&schemas.iter().map(|schema| (schema, schema)).collect::<Vec<_>>());
    let wrong: Vec<String> =
        schemas.iter().zip(&answers).filter_map(|(schema, answer)| difference(schema, answer)).collect();
    let invalid = answers.iter().filter(|answer| answer.is_invalid()).count();
    let _ = writeln!(
        std::io::stderr(),
        "avro java: {SCHEMAS} schemas from MESH_TEST_SEED={first_seed}, {invalid} of them not valid"
    );
    assert!(wrong.is_empty(), "{} differ, MESH_TEST_SEED={first_seed}; the first:\n{}", wrong.len(), wrong[0]);
    assert!(invalid * 5 > SCHEMAS && invalid * 10 < SCHEMAS * 9, "{invalid} of {SCHEMAS} are not valid");
}
