#![allow(clippy::unwrap_used)]

use mesh_avro::schema::Schema;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{decode, encode};

fn field(schema: Value) -> Schema {
    let record = json!({ "type": "record", "name": "R", "fields": [{ "name": "f", "type": schema }] });
    Schema::parse_value(&record).unwrap()
}

/// The value as it comes back, or the error.
fn through(schema: Value, value: Value) -> Result<Value, String> {
    let schema = field(schema);
    let mut out = b"before".to_vec();
    let encoded = encode(&schema, &json!({ "f": value }), &mut out);
    if encoded.is_err() {
        assert_eq!(out, b"before", "nothing is left of what does not fit");
    }
    encoded.map_err(|error| error.to_string())?;
    let mut back = decode(&schema, &out[6..]).unwrap();
    Ok(back["f"].take())
}

fn same(schema: Value, value: Value) {
    assert_eq!(through(schema.clone(), value.clone()), Ok(value), "{schema}");
}

fn becomes(schema: Value, value: Value, expected: Value) {
    assert_eq!(through(schema.clone(), value), Ok(expected), "{schema}");
}

fn refused(schema: Value, value: Value, said: &str) {
    let error = through(schema.clone(), value).unwrap_err();
    assert!(error.contains(said), "{schema}: {error}");
}

fn logical(of: &str, logical: &str) -> Value {
    json!({ "type": of, "logicalType": logical })
}

#[test]
fn plain_values_come_back() {
    same(json!("null"), json!(null));
    same(json!("boolean"), json!(true));
    same(json!("int"), json!(-2147483648_i64));
    same(json!("long"), json!(i64::MAX));
    same(json!("float"), json!(0.1));
    same(json!("double"), json!(1e-300));
    same(json!("double"), json!("-Infinity"));
    same(json!("string"), json!("grüße"));
    same(json!("bytes"), json!("\u{0}\u{ff}"));
    same(json!({ "type": "fixed", "name": "F", "size": 2 }), json!("ab"));
    same(json!({ "type": "enum", "name": "E", "symbols": ["A", "B"] }), json!("B"));
    same(json!({ "type": "array", "items": "int" }), json!([1, 2, 3]));
    same(json!({ "type": "map", "values": "string" }), json!({ "k": "v" }));
    becomes(json!("int"), json!(5.0), json!(5));
    becomes(json!("double"), json!(5), json!(5.0));
}

#[test]
fn human_forms_come_back() {
    same(logical("int", "date"), json!("1990-05-01"));
    same(logical("int", "date"), json!("1812-12-31"));
    same(logical("int", "time-millis"), json!("12:30:00.5"));
    same(logical("long", "timestamp-millis"), json!("2024-05-01T12:30:00.123Z"));
    same(logical("long", "timestamp-micros"), json!("1969-12-31T23:59:59.999999Z"));
    same(logical("long", "timestamp-nanos"), json!("2024-05-01T12:30:00.123456789Z"));
    same(logical("long", "local-timestamp-millis"), json!("2024-05-01T12:30:00"));
    same(logical("string", "uuid"), json!("7c9e6679-7425-40de-944b-e07fc1f90ae7"));
    let decimal = json!({ "type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2 });
    same(decimal.clone(), json!("-12.34"));
    becomes(decimal.clone(), json!(12.3), json!("12.30"));
    becomes(decimal.clone(), json!(7), json!("7.00"));
    let fixed =
        json!({ "type": "fixed", "name": "D", "size": 8, "logicalType": "decimal", "precision": 10, "scale": 2 });
    same(fixed, json!("-0.01"));
    same(logical("bytes", "big-decimal"), json!("123456789012345678901234567890.5"));
    let duration = json!({ "type": "fixed", "name": "D", "size": 12, "logicalType": "duration" });
    same(duration, json!({ "months": 1, "days": 2, "milliseconds": 3 }));
    let uuid = json!({ "type": "fixed", "name": "U", "size": 16, "logicalType": "uuid" });
    same(uuid, json!("7c9e6679-7425-40de-944b-e07fc1f90ae7"));
    becomes(logical("int", "date"), json!(0), json!("1970-01-01"));
    becomes(logical("long", "timestamp-millis"), json!("2024-05-01T14:30:00+02:00"), json!("2024-05-01T12:30:00Z"));
    // beyond the calendar: the number itself
    same(logical("long", "timestamp-millis"), json!(i64::MAX));
    same(logical("int", "date"), json!(i32::MIN));
    same(logical("int", "time-millis"), json!(86_400_000));
}

#[test]
fn what_does_not_fit_is_refused() {
    refused(json!("int"), json!(2147483648_i64), "f: not a whole number of 32 bits");
    refused(json!("long"), json!(1.5), "not a whole number");
    refused(json!("long"), json!(9_223_372_036_854_775_808_u64), "not a whole number");
    refused(json!("string"), json!(1), "f: expected string, found a number");
    refused(json!("bytes"), json!("€"), "U+00FF");
    refused(json!({ "type": "fixed", "name": "F", "size": 2 }), json!("abc"), "expected 2 bytes, found 3");
    refused(json!({ "type": "enum", "name": "E", "symbols": ["A", "B"] }), json!("C"), "symbols A, B");
    refused(logical("int", "date"), json!("01.05.1990"), "a date such as");
    refused(logical("int", "date"), json!("1990-05-01T00:00:00Z"), "a date such as");
    refused(logical("long", "timestamp-millis"), json!("2024-05-01T12:30:00"), "a timestamp such as");
    refused(logical("long", "timestamp-millis"), json!("2024-05-01T12:30:00.0001Z"), "finer than milliseconds");
    refused(logical("long", "local-timestamp-millis"), json!("2024-05-01T12:30:00Z"), "a local timestamp such as");
    refused(logical("string", "uuid"), json!("not-a-uuid"), "a UUID such as");
    let decimal = json!({ "type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2 });
    refused(decimal.clone(), json!("1.234"), "at most 4 digits, 2 of them");
    refused(decimal.clone(), json!("123.45"), "at most 4 digits");
    refused(decimal, json!("twelve"), "decimal number such as");
}

#[test]
fn errors_say_where_and_not_what() {
    let schema = Schema::parse(
        r#"{"type":"record","name":"Customer","fields":[
            {"name":"address","type":{"type":"record","name":"Address","fields":[{"name":"street","type":"string"}]}},
            {"name":"contacts","type":{"type":"array","items":{"type":"record","name":"Contact","fields":[{"name":"email","type":"string"}]}},"default":[]},
            {"name":"attributes","type":{"type":"map","values":"int"},"default":{}},
            {"name":"note","type":["null","string"]}]}"#,
    )
    .unwrap();
    let said = |value: Value| encode(&schema, &value, &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(said(json!({ "address": { "street": 4711 } })), "address.street: expected string, found a number");
    assert_eq!(said(json!({ "address": {} })), "address.street: the field is missing, and has no default");
    let contacts = json!([{ "email": "a@example.org" }, { "email": null }]);
    let value = json!({ "address": { "street": "x" }, "contacts": contacts });
    assert_eq!(said(value), "contacts[1].email: expected string, found null");
    let value = json!({ "address": { "street": "x" }, "attributes": { "secret": "4711" } });
    assert_eq!(said(value), "attributes{}: expected int, found text");
    let value = json!({ "address": { "street": "x" }, "contact": [] });
    assert_eq!(said(value), "the schema has no field \"contact\"; did you mean \"contacts\"?");
    assert_eq!(said(json!([])), "expected record, found a list");

    let mut out = Vec::new();
    encode(&schema, &json!({ "address": { "street": "x" } }), &mut out).unwrap();
    let expected = json!({ "address": { "street": "x" }, "contacts": [], "attributes": {}, "note": null });
    assert_eq!(decode(&schema, &out).unwrap(), expected);
}

#[test]
fn unions_take_plain_and_tagged_values() {
    let nullable = json!(["null", "string"]);
    same(nullable.clone(), json!(null));
    same(nullable.clone(), json!("x"));
    becomes(nullable.clone(), json!({ "string": "x" }), json!("x"));
    refused(nullable, json!(1), "fits none of the union's types: null, string");

    let record = json!({ "type": "record", "name": "a.B", "fields": [{ "name": "x", "type": "int" }] });
    let many = json!(["null", "bytes", "string", "long", "double", record]);
    becomes(many.clone(), json!("x"), json!({ "string": "x" }));
    becomes(many.clone(), json!(1), json!({ "long": 1 }));
    becomes(many.clone(), json!(1.5), json!({ "double": 1.5 }));
    becomes(many.clone(), json!({ "x": 1 }), json!({ "a.B": { "x": 1 } }));
    same(many.clone(), json!({ "bytes": "x" }));
    same(many.clone(), json!({ "a.B": { "x": 1 } }));
    same(many.clone(), json!(null));
    refused(many.clone(), json!({ "a.B": { "x": "?" } }), "f.x: expected int, found text");
    refused(many, json!(true), "fits none");

    let date = json!(["null", { "type": "int", "logicalType": "date" }]);
    same(date.clone(), json!("2024-02-29"));
    refused(date, json!("2023-02-29"), "a date such as");
    // the only field of a record may be called as a type is
    let confusing = json!({ "type": "record", "name": "C", "fields": [{ "name": "string", "type": "int" }] });
    becomes(json!(["string", confusing]), json!({ "string": 1 }), json!({ "C": { "string": 1 } }));
}

#[test]
fn defaults_are_in_avros_own_encoding() {
    let schema = Schema::parse(
        r#"{"type":"record","name":"R","fields":[
            {"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2},"default":"\u0001"},
            {"name":"day","type":{"type":"int","logicalType":"date"},"default":1}]}"#,
    )
    .unwrap();
    let mut out = Vec::new();
    encode(&schema, &json!({}), &mut out).unwrap();
    assert_eq!(decode(&schema, &out).unwrap(), json!({ "amount": "0.01", "day": "1970-01-02" }));
}

#[test]
fn recursive_values_are_bounded() {
    let schema = Schema::parse(r#"{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}"#).unwrap();
    let nested = |depth| (0..depth).fold(json!({ "n": null }), |inner, _| json!({ "n": inner }));
    let mut out = Vec::new();
    encode(&schema, &nested(100), &mut out).unwrap();
    assert_eq!(decode(&schema, &out).unwrap(), nested(100));
    assert!(encode(&schema, &nested(1000), &mut out).unwrap_err().message.contains("too deep"));
    let deep = [vec![2; 100_000], vec![0]].concat();
    assert!(decode(&schema, &deep).unwrap_err().message.contains("too deep"));
    // four bytes that claim two billion nulls
    let nulls = Schema::parse(r#"{"type":"array","items":"null"}"#).unwrap();
    assert!(decode(&nulls, &[0xfe, 0xff, 0xff, 0xff, 0x0f, 0]).unwrap_err().message.contains("too large"));
}

#[test]
fn ambiguous_values_cost_bounded_work() {
    // each level may be of any of four records, and fails in each only at the bottom
    let branch = |name: &str| format!(r#"{{"type":"record","name":"{name}","fields":[{{"name":"n","type":"U"}}]}}"#);
    let names = ["A", "B", "C", "D"].map(branch).join(",").replace("\"U\"", "[\"null\",\"A\",\"B\",\"C\",\"D\"]");
    let Ok(schema) = Schema::parse(&format!("[{names}]")) else { return };
    let value = (0..100).fold(json!(1), |inner, _| json!({ "n": inner }));
    assert!(encode(&schema, &value, &mut Vec::new()).is_err());
}

fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("null")),
        Just(json!("boolean")),
        Just(json!("int")),
        Just(json!("long")),
        Just(json!("double")),
        Just(json!("string")),
        Just(json!("bytes")),
        Just(logical("int", "date")),
        Just(logical("long", "timestamp-micros")),
        Just(json!({ "type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3 })),
        Just(json!(["null", "string"])),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            inner.prop_map(|values| json!({ "type": "map", "values": values })),
        ]
    })
}

proptest! {
    /// Foreign bytes are decoded or refused; what is decoded encodes to a datum that decodes to the same.
    #[test]
    fn foreign_bytes_never_panic(schema in any_schema(), bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let schema = field(schema);
        if let Ok(value) = decode(&schema, &bytes) {
            let mut out = Vec::new();
            if encode(&schema, &value, &mut out).is_ok() {
                prop_assert_eq!(decode(&schema, &out).unwrap(), value);
            }
        }
    }
}
