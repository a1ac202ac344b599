//! Writers whose schema is not the contract's.
#![allow(clippy::unwrap_used)]

use mesh_avro::mask::{CompileError, Program, Rules};
use serde_json::json;

use crate::support::{columns, contract, ring, schema, seen};

const CONTRACT: &str = r#"{"type":"record","name":"Customer","fields":[
    {"name":"id","type":"string"},
    {"name":"email","type":"string","aliases":["mail"]},
    {"name":"born","type":["null","int"]},
    {"name":"note","type":"string"},
    {"name":"address","type":{"type":"record","name":"Address","fields":[{"name":"street","type":"string"},{"name":"city","type":"string"}]}}]}"#;

const COLUMNS: &str = r#"[{"column":"email","class":"pii","mask":"redact"},{"column":"born","class":"pii","mask":"null"},
    {"column":"address.street","class":"pii","mask":"redact"}]"#;

fn compile(writer: &str) -> Result<Program, CompileError> {
    let rules = Rules::of_columns(&columns(COLUMNS), &schema(CONTRACT)).unwrap();
    Program::compile(&rules, &schema(writer), &ring())
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"Customer","fields":[{fields}]}}"#)
}

#[test]
fn an_older_writer_may_lack_sensitive_columns() {
    let writer = record(r#"{"name":"id","type":"string"}"#);
    let program = compile(&writer).unwrap();
    assert_eq!(seen(&program, "masked", &writer, json!({"id": "1"})), json!({"id": "1"}));
    assert!(program.dropped().is_empty());
}

#[test]
fn fields_are_known_by_aliases_of_either_side() {
    for field in [r#""name":"mail""#, r#""name":"contact","aliases":["email"]"#] {
        let writer = record(&format!(r#"{{{field},"type":"string"}}"#));
        let program = compile(&writer).unwrap();
        assert!(program.dropped().is_empty(), "{field}");
        let name = if field.contains("mail\"") && !field.contains("contact") { "mail" } else { "contact" };
        assert_eq!(seen(&program, "masked", &writer, json!({name: "j@x"}))[name], "***");
    }
}

#[test]
fn a_field_that_the_contract_does_not_know_is_in_no_view() {
    let writer = record(
        r#"{"name":"id","type":"string"},{"name":"ssn","type":"string"},
        {"name":"address","type":{"type":"record","name":"Address","fields":[{"name":"city","type":"string"},{"name":"door","type":"int"}]}},
        {"name":"mail","type":"string"},{"name":"email","type":"string"}"#,
    );
    let program = compile(&writer).unwrap();
    assert_eq!(program.dropped(), ["address.door", "mail", "ssn"]);
    let written = json!({"id": "1", "ssn": "123", "address": {"city": "x", "door": 7}, "mail": "m", "email": "e"});
    let masked = seen(&program, "masked", &writer, written);
    assert_eq!(masked, json!({"id": "1", "address": {"city": "x"}, "email": "***"}));
}

#[test]
fn a_known_field_of_an_unknown_shape_is_in_no_view_either() {
    let writer = record(
        r#"{"name":"id","type":["null","string","int"]},{"name":"note","type":{"type":"array","items":"string"}},
        {"name":"born","type":["null",{"type":"record","name":"Date","fields":[{"name":"year","type":"int"},{"name":"city","type":"string"}]}]}"#,
    );
    let program = compile(&writer).unwrap();
    assert_eq!(program.dropped(), ["born.city", "born.year", "id", "note"]);
    // A sensitive column of another shape is masked, whatever its shape: here all of it is null.
    let written = json!({"id": "1", "note": ["x"], "born": {"year": 1970, "city": "Bonn"}});
    assert_eq!(seen(&program, "masked", &writer, written), json!({"born": null}));
}

#[test]
fn a_rule_that_the_writers_type_cannot_take_gives_way_to_the_types_own() {
    let writer = record(r#"{"name":"born","type":"int"},{"name":"email","type":"bytes"}"#);
    let program = compile(&writer).unwrap();
    let out = crate::support::run(&program, "masked", &[14, 2, b'x']).unwrap();
    assert_eq!(out, [0, 6, b'*', b'*', b'*']);
    assert_eq!(program.views()[0].schema["fields"][0]["mesh.masked"], "zero");
}

#[test]
fn promoted_types_and_wider_unions_are_the_same_columns() {
    let writer = record(r#"{"name":"born","type":["long","null"]},{"name":"email","type":["null","string"]}"#);
    let program = compile(&writer).unwrap();
    let masked = seen(&program, "masked", &writer, json!({"born": 7, "email": "j@x"}));
    assert_eq!(masked, json!({"born": null, "email": "***"}));
}

#[test]
fn a_newer_writer_may_say_itself_what_is_sensitive() {
    let writer = record(r#"{"name":"note","type":"string","mesh.class":"pii.note"}"#);
    let program = compile(&writer).unwrap();
    assert_eq!(seen(&program, "masked", &writer, json!({"note": "n"}))["note"].as_str().unwrap().len(), 64);
}

#[test]
fn one_type_in_the_writer_for_two_in_the_contract_takes_the_stricter_rule() {
    let contract = r#"{"type":"record","name":"R","fields":[
        {"name":"home","type":{"type":"record","name":"Home","fields":[{"name":"street","type":"string"}]}},
        {"name":"shop","type":{"type":"record","name":"Shop","fields":[{"name":"street","type":"string"}]}}]}"#;
    let writer = r#"{"type":"record","name":"R","fields":[
        {"name":"home","type":{"type":"record","name":"Place","fields":[{"name":"street","type":"string"}]}},
        {"name":"shop","type":"Place"}]}"#;
    let compile = |sensitive: &str| {
        let rules = Rules::of_columns(&columns(sensitive), &schema(contract)).unwrap();
        Program::compile(&rules, &schema(writer), &ring())
    };
    let program = compile(r#"[{"column":"home.street","class":"pii","mask":"redact"}]"#).unwrap();
    let written = json!({"home": {"street": "a"}, "shop": {"street": "b"}});
    let masked = seen(&program, "masked", writer, written);
    assert_eq!(masked, json!({"home": {"street": "***"}, "shop": {"street": "***"}}));
    let error =
        compile(r#"[{"column":"home.street","class":"pii"},{"column":"shop.street","class":"pii","mask":"redact"}]"#);
    insta::assert_snapshot!(error.unwrap_err(), @"/fields/0/type/fields/0 in the writer's schema stands for both shop.street and home.street, whose rules differ; give both the same rule");
}

#[test]
fn a_schema_of_another_kind_has_no_program() {
    insta::assert_snapshot!(compile(r#""string""#).unwrap_err(), @"the writer's schema is a string, the contract's a record; nothing of it can be mapped");
}

#[test]
fn the_key_of_an_older_writer_is_masked_as_the_contract_says() {
    let lines = "key: id\nsensitive_columns: [ { column: id } ]";
    let rules = Rules::check(&contract(lines), &schema(CONTRACT)).unwrap();
    let writer = record(r#"{"name":"note","type":"string"}"#);
    let program = Program::compile(&rules, &schema(&writer), &ring()).unwrap();
    let mut out = Vec::new();
    program.mask_key(&mut mesh_avro::mask::Scratch::new(), 0, b"c-1", &mut out).unwrap();
    assert_eq!(out.len(), 64);
}

#[test]
fn a_thousand_fields_compile_in_an_instant() {
    let fields: Vec<String> = (0..1_000).map(|index| format!(r#"{{"name":"f{index}","type":"string"}}"#)).collect();
    let writer = record(&fields.join(","));
    let sensitive: Vec<String> = (0..100).map(|index| format!(r#"{{"column":"f{index}","class":"pii"}}"#)).collect();
    let parsed = schema(&writer);
    let rules = Rules::of_columns(&columns(&format!("[{}]", sensitive.join(","))), &parsed).unwrap();
    let start = std::time::Instant::now();
    Program::compile(&rules, &parsed, &ring()).unwrap();
    // The figure is 5 ms, optimised; this is a guard against quadratic work.
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
}
