//! Hostile schemas: deep, wide and both, through nesting and through names.

use mesh_avro::compat::check;
use mesh_avro::schema::{MAX_NODES, MAX_TEXT_BYTES, Schema, SchemaFault};
use serde_json::{Value, json};

/// Records that each hold the one before by name: as deep as there are of them, without nested JSON.
fn chain(length: usize, last: &str) -> Schema {
    let record = |index: usize| {
        let inner = if index == 0 { last.to_owned() } else { format!("R{}", index - 1) };
        json!({"type": "record", "name": format!("R{index}"), "fields": [{"name": "f", "type": inner}]}).to_string()
    };
    let records: Vec<String> = (0..length).map(record).collect();
    let references: Vec<&str> = records.iter().map(String::as_str).collect();
    Schema::parse_with(&format!("\"R{}\"", length - 1), &references).unwrap()
}

#[test]
fn a_chain_of_ten_thousand_records_is_compared_without_recursion() {
    let (writer, reader) = (chain(10_000, "string"), chain(10_000, "int"));
    let report = check(&reader, &writer);
    assert_eq!(report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), ["type-mismatch"]);
    assert!(report.findings[0].path.starts_with("….f.f"), "a path that long is cut");
    assert!(check(&writer, &writer).compatible());
    assert!(writer.canonical_form().len() > 10_000);
}

#[test]
fn more_pairs_than_are_compared_count_as_incompatible() {
    // No full name is in both, and every unqualified name is the same: each branch may be meant for each.
    let union = |prefix: &str, count: usize| -> Vec<Value> {
        (0..count).map(|index| json!({"type": "fixed", "name": format!("{prefix}{index}.X"), "size": 1})).collect()
    };
    let report = check(
        &Schema::parse_value(&json!(union("a", 600))).unwrap(),
        &Schema::parse_value(&json!(union("b", 600))).unwrap(),
    );
    assert_eq!(report.findings[0].rule, "schema-too-complex");
    assert!(!report.compatible());
}

#[test]
fn a_break_is_found_behind_any_number_of_changes_of_meaning() {
    let record = |default: i64, last: &str| {
        let mut fields: Vec<Value> =
            (0..1_500).map(|index| json!({"name": format!("f{index}"), "type": "int", "default": default})).collect();
        fields.push(json!({"name": "last", "type": {"type": "array", "items": last}}));
        Schema::parse_value(&json!({"type": "record", "name": "R", "fields": fields})).unwrap()
    };
    let report = check(&record(2, "string"), &record(1, "int"));
    assert_eq!(report.warnings().count(), 1_000, "no more are listed");
    assert_eq!(report.errors().map(|finding| finding.rule).collect::<Vec<_>>(), ["type-mismatch"]);
}

#[test]
fn nesting_and_size_are_bounded() {
    let deep = format!("{}\"int\"{}", "{\"type\":\"array\",\"items\":".repeat(500), "}".repeat(500));
    assert!(matches!(Schema::parse(&deep).unwrap_err().fault, SchemaFault::Json { .. }));

    let mut value = json!("int");
    for _ in 0..500 {
        value = json!({"type": "array", "items": value});
    }
    assert!(matches!(Schema::parse_value(&value).unwrap_err().fault, SchemaFault::TooLarge { unit: "levels", .. }));

    let long = " ".repeat(MAX_TEXT_BYTES + 1);
    assert!(matches!(Schema::parse(&long).unwrap_err().fault, SchemaFault::TooLarge { unit: "bytes", .. }));

    let fields: Vec<Value> = (0..=MAX_NODES).map(|index| json!({"name": format!("f{index}"), "type": "int"})).collect();
    let wide = json!({"type": "record", "name": "R", "fields": fields});
    assert!(matches!(Schema::parse_value(&wide).unwrap_err().fault, SchemaFault::TooLarge { unit: "types", .. }));
}

#[test]
fn long_names_do_not_multiply() {
    // A namespace that every type inside would take over, and names that every finding would repeat.
    for (namespace, field) in [("n".repeat(1 << 20), "f".to_owned()), ("n".to_owned(), "f".repeat(1 << 20))] {
        let schema =
            json!({"type": "record", "name": "R", "namespace": namespace, "fields": [{"name": field, "type": "int"}]});
        assert!(matches!(Schema::parse_value(&schema).unwrap_err().fault, SchemaFault::InvalidName { .. }));
    }
    let longest = json!({"type": "fixed", "name": "n".repeat(1000), "namespace": "s".repeat(23), "size": 1});
    assert!(Schema::parse_value(&longest).is_ok());
    let longer = json!({"type": "fixed", "name": "n".repeat(1000), "namespace": "s".repeat(24), "size": 1});
    assert!(Schema::parse_value(&longer).is_err());
}

#[test]
fn examples_of_data_are_bounded() {
    // A record of many fields, used many times: each datum would have all of them.
    let fields: Vec<Value> = (0..2_000).map(|index| json!({"name": format!("f{index}"), "type": "int"})).collect();
    let wide = json!({"type": "record", "name": "Wide", "fields": fields});
    let uses = (0..1_000).map(
        |index| json!({"name": format!("w{index}"), "type": if index == 0 { wide.clone() } else { json!("Wide") }}),
    );
    let schema = |last: &str| {
        let fields: Vec<Value> = uses.clone().chain([json!({"name": "last", "type": last})]).collect();
        Schema::parse_value(&json!({"type": "record", "name": "R", "fields": fields})).unwrap()
    };
    let report = check(&schema("int"), &schema("string"));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].witness, None, "it would have two million values");
}

#[test]
fn a_default_that_asks_for_exponentially_many_comparisons_is_refused() {
    // Each level is a union of two records that both hold the next level; the default fits neither, at the very end.
    let mut kind = json!("int");
    let mut default = json!("not a number");
    for level in 0..24 {
        let record = |side: &str, inner: &Value| json!({"type": "record", "name": format!("{side}{level}"), "fields": [{"name": "f", "type": inner}]});
        let second = match level {
            0 => json!("int"),
            _ => json!([format!("A{}", level - 1), format!("B{}", level - 1)]),
        };
        kind = json!([record("A", &kind), record("B", &second)]);
        default = json!({"f": default});
    }
    let schema = json!({"type": "record", "name": "R", "fields": [{"name": "f", "type": kind, "default": default}]});
    assert!(matches!(Schema::parse_value(&schema).unwrap_err().fault, SchemaFault::TooLarge { .. }));
}
