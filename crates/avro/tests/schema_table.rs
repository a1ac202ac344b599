//! Which texts are Avro 1.12 schemas, and what is said of those that are not: hand-made.
#![allow(clippy::unwrap_used)]

use mesh_avro::schema::{Kind, Logical, Name, Schema, SchemaError, SchemaFault};
use serde_json::{Value, json};

fn record(field: Value) -> Value {
    json!({"type": "record", "name": "t.R", "fields": [field]})
}

fn field(kind: Value, default: Value) -> Value {
    record(json!({"name": "f", "type": kind, "default": default}))
}

fn error(schema: &Value) -> SchemaError {
    Schema::parse_value(schema).map(|_| ()).expect_err(&schema.to_string())
}

#[test]
fn valid_schemas() {
    let valid = [
        json!("string"),
        json!({"type": "string"}),
        json!({"type": {"type": "string"}}),
        json!({"type": ["null", "string"]}),
        json!([]),
        json!({"type": "enum", "name": "E", "symbols": []}),
        json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}),
        json!({"type": "fixed", "name": "F", "size": 0}),
        json!({"type": "record", "name": "R", "fields": []}),
        json!({"type": "record", "name": "R", "namespace": "", "fields": []}),
        json!({"type": "record", "name": "a.R", "namespace": "ignored", "fields": [{"name": "r", "type": "R"}]}),
        json!({"type": "record", "name": "R", "namespace": "a.b", "fields": [{"name": "r", "type": ["null", "a.b.R"]}]}),
        // An infinite record is valid: it only has no data.
        record(json!({"name": "r", "type": "t.R"})),
        record(json!({"name": "f", "type": "int", "aliases": ["f", "g"], "order": "descending"})),
        json!([{"type": "fixed", "name": "a.X", "size": 1}, {"type": "fixed", "name": "b.X", "size": 1}]),
        json!({"type": "record", "name": "int_", "fields": [{"name": "int", "type": "int"}]}),
    ];
    for schema in valid {
        Schema::parse_value(&schema).unwrap_or_else(|error| panic!("{schema}: {error}: {}", error.fault));
    }
}

#[test]
fn valid_defaults() {
    let record_with_own = json!({"type": "record", "name": "N", "fields": [
        {"name": "x", "type": "int"}, {"name": "y", "type": "int", "default": 1}]});
    let valid = [
        (json!("null"), json!(null)),
        (json!("int"), json!(-2_147_483_648_i64)),
        (json!("long"), json!(i64::MIN)),
        (json!("double"), json!(1)),
        (json!("float"), json!(1.5)),
        (json!("bytes"), json!("\u{0}\u{ff}")),
        (json!("string"), json!("\u{1f600}")),
        (json!({"type": "fixed", "name": "F", "size": 2}), json!("\u{e9}x")),
        (json!({"type": "enum", "name": "E", "symbols": ["A", "B"]}), json!("B")),
        (json!({"type": "array", "items": "int"}), json!([1, 2])),
        (json!({"type": "map", "values": ["null", "int"]}), json!({"a": 1, "b": null})),
        // Avro 1.12: any branch.
        (json!(["null", "string"]), json!("x")),
        (json!(["string", "null"]), json!(null)),
        (record_with_own.clone(), json!({"x": 1})),
        (record_with_own, json!({"x": 1, "y": 2, "unknown": 3})),
    ];
    for (kind, default) in valid {
        let schema = field(kind, default);
        Schema::parse_value(&schema).unwrap_or_else(|error| panic!("{schema}: {error}: {}", error.fault));
    }
}

#[test]
fn invalid_defaults() {
    let invalid = [
        (json!("null"), json!(0)),
        (json!("int"), json!(2_147_483_648_i64)),
        (json!("int"), json!(1.0)),
        (json!("int"), json!("1")),
        (json!("long"), json!(9_223_372_036_854_775_808_u64)),
        (json!("double"), json!("NaN")),
        (json!("boolean"), json!(null)),
        (json!("bytes"), json!("\u{100}")),
        (json!({"type": "fixed", "name": "F", "size": 2}), json!("abc")),
        (json!({"type": "enum", "name": "E", "symbols": ["A", "B"]}), json!("C")),
        (json!({"type": "array", "items": "int"}), json!([1, "2"])),
        (json!({"type": "map", "values": "int"}), json!([])),
        (json!(["null", "string"]), json!(1)),
        (json!([]), json!(null)),
        (json!({"type": "record", "name": "N", "fields": [{"name": "x", "type": "int"}]}), json!({})),
    ];
    for (kind, default) in invalid {
        let error = error(&field(kind, default));
        assert!(matches!(error.fault, SchemaFault::Default { .. }), "{}", error.fault);
        assert_eq!(error.pointer, "/fields/0/default");
        assert!(error.hint().is_some());
    }
}

#[test]
fn invalid_schemas_are_placed_and_told() {
    let twice = json!([{"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 2}]);
    let invalid = [
        (json!(1), "", "expected a schema: a type's name, an object or an array, found 1"),
        (json!("strin"), "", "the type \"strin\" is not defined"),
        (json!({}), "", "a schema needs the attribute \"type\""),
        (json!({"type": 1}), "/type", "expected a type's name, found 1"),
        (json!({"type": "record", "fields": []}), "", "a record needs the attribute \"name\""),
        (json!({"type": "record", "name": "R"}), "", "a record needs the attribute \"fields\""),
        (json!({"type": "record", "name": "R", "fields": {}}), "/fields", "expected an array of fields, found {}"),
        (
            json!({"type": "record", "name": "a-b", "fields": []}),
            "/name",
            "\"a-b\" is not a name: names are letters, digits and underscores, at most 1024 with their namespace, and do not begin with a digit",
        ),
        (
            json!({"type": "record", "name": "a.string", "fields": []}),
            "/name",
            "\"a.string\" cannot be defined: it is called like a primitive type",
        ),
        (
            json!({"type": "record", "name": "R", "namespace": "a..b", "fields": []}),
            "/namespace",
            "\"a..b\" is not a name: names are letters, digits and underscores, at most 1024 with their namespace, and do not begin with a digit",
        ),
        (json!({"type": "array"}), "", "an array needs the attribute \"items\""),
        (json!({"type": "map", "values": "nope"}), "/values", "the type \"nope\" is not defined"),
        (
            json!({"type": "fixed", "name": "F", "size": -1}),
            "/size",
            "expected a size: a whole number from 0 to 2147483647, found -1",
        ),
        (json!({"type": "enum", "name": "E", "symbols": ["A", "A"]}), "/symbols/1", "the symbol \"A\" is given twice"),
        (
            json!({"type": "enum", "name": "E", "symbols": ["a b"]}),
            "/symbols/0",
            "\"a b\" is not a name: names are letters, digits and underscores, at most 1024 with their namespace, and do not begin with a digit",
        ),
        (
            json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}),
            "/default",
            "the default \"B\" is not of the type: expected one of the enum's symbols",
        ),
        (json!(["int", "int"]), "/1", "the union has two branches of type int"),
        (json!(["int", {"type": "int", "logicalType": "date"}]), "/1", "the union has two branches of type int"),
        (
            json!([{"type": "array", "items": "int"}, {"type": "array", "items": "long"}]),
            "/1",
            "the union has two branches of type array",
        ),
        (json!(["null", ["int"]]), "/1", "a union cannot directly hold a union"),
        (twice, "/1/name", "the type \"F\" is defined twice, first at \"/0\""),
        (record(json!({"name": "f"})), "/fields/0", "a field needs the attribute \"type\""),
        (
            record(json!({"name": "f", "type": "int", "order": "up"})),
            "/fields/0/order",
            "expected \"ascending\", \"descending\" or \"ignore\", found \"up\"",
        ),
        (record(json!({"name": "f", "type": "u.R"})), "/fields/0/type", "the type \"u.R\" is not defined"),
    ];
    for (schema, pointer, message) in invalid {
        let error = error(&schema);
        assert_eq!((error.pointer.as_str(), error.fault.to_string().as_str()), (pointer, message), "{schema}");
    }
    let fields = json!([{"name": "f", "type": "int"}, {"name": "f", "type": "int"}]);
    let error = error(&json!({"type": "record", "name": "R", "fields": fields}));
    assert_eq!(error.fault.to_string(), "the field \"f\" is given twice");
}

#[test]
fn a_texts_errors_have_line_and_column() {
    let text =
        "{\"type\": \"record\", \"name\": \"R\", \"fields\": [\n  {\"name\": \"a\",\n   \"type\": \"strin\"}\n]}";
    let error = Schema::parse(text).unwrap_err();
    let position = error.position.unwrap();
    assert_eq!((position.line, position.column, error.pointer.as_str()), (3, 12, "/fields/0/type"));

    let error = Schema::parse("{\"type\":\n  \"string\",,}").unwrap_err();
    assert_eq!(error.fault.to_string(), "not JSON: key must be a string");
    assert_eq!(error.position.map(|position| (position.line, position.column)), Some((2, 12)));

    let error = Schema::parse("{\"type\": \"string\",\n \"type\": \"int\"}").unwrap_err();
    assert!(matches!(error.fault, SchemaFault::DuplicateKey { .. }));
    assert_eq!(error.position.map(|position| (position.line, position.column)), Some((2, 2)));
}

#[test]
fn references_define_types_for_the_schema_and_for_each_other() {
    let street = r#"{"type": "fixed", "name": "crm.Code", "size": 2}"#;
    let address = r#"{"type": "record", "name": "crm.Address", "fields": [{"name": "code", "type": "Code"}]}"#;
    let customer = r#"{"type": "record", "name": "crm.Customer", "fields": [{"name": "home", "type": "Address"}, {"name": "work", "type": "crm.Address"}]}"#;
    let schema = Schema::parse_with(customer, &[street, address]).unwrap();
    assert_eq!(
        schema.canonical_form(),
        r#"{"name":"crm.Customer","type":"record","fields":[{"name":"home","type":{"name":"crm.Address","type":"record","fields":[{"name":"code","type":{"name":"crm.Code","type":"fixed","size":2}}]}},{"name":"work","type":"crm.Address"}]}"#
    );
    let address_id = schema.named("crm.Address").unwrap();
    assert_eq!((schema.node(address_id).document, schema.node(schema.root()).document), (2, 0));

    let missing = Schema::parse_with(customer, &[address]).unwrap_err();
    assert_eq!((missing.document, missing.pointer.as_str()), (1, "/fields/0/type"));
    let elsewhere =
        Schema::parse_with(&customer.replace("crm.Address", "web.Address"), &[street, address]).unwrap_err();
    assert_eq!(elsewhere.hint().as_deref(), Some("did you mean \"crm.Address\"?"));
    assert_eq!(error(&json!("strin")).hint().as_deref(), Some("did you mean \"string\"?"));
}

#[test]
fn what_other_parsers_lose_is_kept() {
    let schema = Schema::parse(
        r#"{"type": "record", "name": "t.R", "aliases": ["Old", "u.Older"], "doc": "d", "term": "crm.customer", "fields": [
            {"name": "f", "aliases": ["g"], "doc": "fd", "mesh.class": "pii", "default": 5,
             "type": {"type": "int", "logicalType": "date", "x": 1}}]}"#,
    )
    .unwrap();
    let root = schema.node(schema.root());
    assert_eq!(root.aliases.iter().map(|alias| alias.as_str()).collect::<Vec<_>>(), ["t.Old", "u.Older"]);
    assert_eq!((root.doc.as_deref(), root.attributes["term"].as_str()), (Some("d"), Some("crm.customer")));
    let Kind::Record { fields } = &root.kind else { panic!() };
    let field = &fields[0];
    assert_eq!((field.aliases.as_slice(), field.default.as_ref()), (&["g".to_owned()][..], Some(&json!(5))));
    assert_eq!((field.doc.as_deref(), field.attributes["mesh.class"].as_str()), (Some("fd"), Some("pii")));
    assert_eq!(schema.node(field.node).logical, Some(Logical::Date));
    assert_eq!(schema.node(field.node).attributes["x"], json!(1));
    assert_eq!((field.pointer.as_str(), schema.node(field.node).pointer.as_str()), ("/fields/0", "/fields/0/type"));
}

/// The fingerprints are Avro's own test vectors.
#[test]
fn canonical_forms_and_fingerprints_are_those_of_avro() {
    let cases = [
        (r#""null""#, r#""null""#, 0x63dd_24e7_cc25_8f8a_u64),
        (r#"{"type": "int", "logicalType": "date"}"#, r#""int""#, 0x7275_d51a_3f39_5c8f),
        (r#"{"type": "string"}"#, r#""string""#, 0x8f01_4872_6345_03c7),
        (
            r#"{"type": "fixed", "size": 15, "name": "foo", "doc": "x", "aliases": ["bar"]}"#,
            r#"{"name":"foo","type":"fixed","size":15}"#,
            0x1860_2ec3_ed31_a504,
        ),
    ];
    for (text, canonical, crc64) in cases {
        let schema = Schema::parse(text).unwrap();
        assert_eq!(schema.canonical_form(), canonical);
        assert_eq!(schema.fingerprint_crc64(), crc64, "{canonical}: {:#018x}", schema.fingerprint_crc64());
    }
    let nested = r#"{"fields":[{"type":{"type":"enum","name":"E","symbols":["A"],"doc":"d"},"name":"a"},{"name":"b","type":["null","n.E"],"default":null}],"type":"record","name":"R","namespace":"n"}"#;
    let schema = Schema::parse(nested).unwrap();
    let oracle = apache_avro::Schema::parse_str(nested).unwrap();
    assert_eq!(schema.canonical_form(), oracle.canonical_form());
    let sha256: String = schema.fingerprint_sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sha256, oracle.fingerprint::<sha2::Sha256>().to_string());
}

const STREET: &str = r#"{"type": "enum", "name": "common.Way", "symbols": ["ROAD", "LANE"], "default": "ROAD"}"#;
const ADDRESS: &str = r#"{"type": "record", "namespace": "common", "name": "Address", "doc": "Where.", "fields": [
    {"name": "way", "type": "Way", "default": "LANE"},
    {"name": "zip", "type": {"type": "fixed", "name": "Zip", "size": 2}, "mesh.class": "pii.address"}]}"#;
const CUSTOMER: &str = r#"{"type": "record", "name": "crm.Customer", "fields": [
    {"name": "homes", "type": {"type": "array", "items": "common.Address"}},
    {"name": "work", "type": ["null", "common.Address"], "default": null, "aliases": ["office"]},
    {"name": "since", "type": {"type": "int", "logicalType": "date"}}]}"#;

#[test]
fn references_are_put_in_place_at_their_first_use() {
    let schema = Schema::parse_with(CUSTOMER, &[STREET, ADDRESS]).unwrap();
    let way = json!({"type": "enum", "name": "Way", "symbols": ["ROAD", "LANE"], "default": "ROAD"});
    let address = json!({"type": "record", "name": "Address", "namespace": "common", "doc": "Where.", "fields": [
        {"name": "way", "type": way, "default": "LANE"},
        {"name": "zip", "type": {"type": "fixed", "name": "Zip", "size": 2}, "mesh.class": "pii.address"}]});
    let whole = json!({"type": "record", "name": "Customer", "namespace": "crm", "fields": [
        {"name": "homes", "type": {"type": "array", "items": address}},
        {"name": "work", "type": ["null", "common.Address"], "default": null, "aliases": ["office"]},
        {"name": "since", "type": {"type": "int", "logicalType": "date"}}]});
    assert_eq!(schema.whole().unwrap(), whole);
    let one = schema.clone().into_one().unwrap();
    assert_eq!(one.whole().unwrap(), whole, "it is the same again");
    assert_eq!(one.canonical_form(), schema.canonical_form());
    assert!(one.nodes().all(|(_, node)| node.document == 0));
    let id = schema.named("common.Address").unwrap();
    assert_eq!(schema.definition(id).unwrap(), Schema::parse_with(ADDRESS, &[STREET]).unwrap().whole().unwrap());
}

#[test]
fn what_a_document_uses_of_others_is_told_with_its_place() {
    let schema = Schema::parse_with(CUSTOMER, &[STREET, ADDRESS]).unwrap();
    let used: Vec<(&str, String)> = schema
        .referred()
        .into_iter()
        .map(|(id, pointer)| (schema.node(id).name.as_ref().unwrap().as_str(), pointer))
        .collect();
    assert_eq!(used, [("common.Address", "/fields/1/type/1".to_owned())], "what is only used through it is not");
    let alone = Schema::parse_with("\"common.Address\"", &[STREET, ADDRESS]).unwrap();
    assert_eq!(alone.referred().into_values().collect::<Vec<_>>(), [""]);
    assert!(Schema::parse(STREET).unwrap().referred().is_empty());
}

#[test]
fn a_text_tells_the_type_at_its_top() {
    let name = |text: &str| Name::defined_by(text).map(|name| name.to_string());
    assert_eq!(name(ADDRESS).as_deref(), Some("common.Address"));
    assert_eq!(name(STREET).as_deref(), Some("common.Way"));
    for none in ["\"string\"", "[\"null\"]", "{", r#"{"type": "array", "items": "int"}"#, r#"{"type": "record"}"#] {
        assert_eq!(name(none), None, "{none}");
    }
}

#[test]
fn a_chain_of_references_that_no_document_could_hold_is_refused() {
    let records: Vec<String> = (0..200)
        .map(|at| match at {
            0 => r#"{"type": "record", "name": "R0", "fields": []}"#.to_owned(),
            at => format!(r#"{{"type":"record","name":"R{at}","fields":[{{"name":"f","type":"R{}"}}]}}"#, at - 1),
        })
        .collect();
    let texts: Vec<&str> = records.iter().map(String::as_str).collect();
    assert!(Schema::parse_with("\"R20\"", &texts[..=20]).unwrap().into_one().is_ok());
    let deep = |last: usize| Schema::parse_with(&format!("\"R{last}\""), &texts[..=last]).unwrap();
    assert!(matches!(deep(199).whole().unwrap_err().fault, SchemaFault::TooLarge { .. }));
    assert!(deep(100).into_one().is_err(), "JSON itself nests no deeper than 128 levels");
}
