//! Any text is a schema or a typed error; a schema's canonical form is a schema that reads and writes the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_avro::compat;
use mesh_avro::schema::{Schema, SchemaError, locate};
use mesh_fuzz::Draw;

fuzz_target!(|input: &[u8]| {
    // Text that is JSON at first sight is taken as it is.
    let text = match (input.first(), std::str::from_utf8(input)) {
        (Some(b'{' | b'[' | b'"' | b' ' | b'\n'), Ok(text)) => text.to_owned(),
        _ => mesh_fuzz::schema(&mut Draw::new(input)).to_string(),
    };
    match Schema::parse(&text) {
        Ok(schema) => stands(&text, &schema),
        Err(error) => is_explained(&text, &error),
    }
});

fn stands(text: &str, schema: &Schema) {
    let canonical = schema.canonical_form();
    assert_eq!(Schema::parse_value(schema.json()).expect("it was parsed from text").canonical_form(), canonical);
    for (_, node) in schema.nodes() {
        assert!(locate(text, &node.pointer).is_some(), "{} is nowhere in the text", node.pointer);
    }
    // Inside a namespace the specification's canonical form cannot say that a name has none.
    let names = || schema.nodes().filter_map(|(_, node)| node.name.as_ref().map(ToString::to_string));
    if names().any(|name| name.contains('.')) && names().any(|name| !name.contains('.')) {
        return;
    }
    let again = Schema::parse(&canonical).expect("a canonical form is a schema");
    assert_eq!(again.canonical_form(), canonical);
    let report = compat::check(&again, schema);
    assert!(report.compatible() || report.findings.iter().any(|finding| finding.rule == "schema-too-complex"));
}

fn is_explained(text: &str, error: &SchemaError) {
    let finding = error.finding("a.avsc");
    assert!(!error.to_string().is_empty() && !error.fault.to_string().is_empty() && !finding.message.is_empty());
    let lines: Vec<&str> = text.split('\n').collect();
    let line = lines.get(finding.place.line as usize - 1).expect("the error is inside the text");
    assert!((1..=line.chars().count() + 1).contains(&(finding.place.column as usize)), "{finding} is beyond its line");
}
