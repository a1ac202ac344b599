#![allow(clippy::unwrap_used)]
use super::*;
use crate::mask::MaskErrorKind;
use serde_json::{Value, json};

fn schema(json: Value) -> Schema {
    Schema::parse_value(&json).unwrap()
}

fn record(fields: Value) -> Schema {
    schema(json!({"type": "record", "name": "R", "fields": fields}))
}

fn convert(reader: &Schema, writer: &Schema, datum: &[u8]) -> Result<Vec<u8>, MaskErrorKind> {
    let conversion = Conversion::compile(reader, writer).unwrap();
    let mut converter = Converter::new();
    conversion.run(&mut converter, datum).map_err(|error| {
        assert!(converter.output(datum).is_empty() && converter.framed([0; 5], datum).is_empty());
        error.kind
    })?;
    let header = [0, 0, 0, 0, 9];
    let output = converter.output(datum).to_vec();
    assert_eq!(converter.framed(header, &[&[0, 0, 0, 0, 7], datum].concat()), [&header[..], &output].concat());
    Ok(output)
}

#[test]
fn fields_are_left_out_filled_in_promoted_and_put_in_order() {
    let writer = record(json!([
        {"name": "id", "type": "string"},
        {"name": "extra", "type": {"type": "map", "values": "int"}},
        {"name": "age", "type": "int"},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ]));
    let datum = [2, b'a', 2, 2, b'k', 6, 0, 8, 1, 4, 2, b'x', 0];
    let in_order = record(json!([
        {"name": "id", "type": "string"},
        {"name": "kind", "type": "string", "default": "new"},
        {"name": "age", "type": "double"},
    ]));
    let expected = [&[2, b'a', 6, b'n', b'e', b'w'][..], &4.0_f64.to_le_bytes()].concat();
    assert_eq!(convert(&in_order, &writer, &datum), Ok(expected));
    let moved = record(json!([
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "since", "type": ["null", "long"], "default": null},
        {"name": "years", "aliases": ["age"], "type": "long"},
        {"name": "id", "type": ["null", "string"]},
    ]));
    // a block's size is left out: it may grow or shrink
    assert_eq!(convert(&moved, &writer, &datum), Ok(vec![2, 2, b'x', 0, 0, 8, 2, 2, b'a']));
    assert_eq!(convert(&writer, &writer, &datum).unwrap(), [&datum[..8], &[2, 2, b'x', 0]].concat());
}

#[test]
fn what_is_the_same_is_the_input_itself() {
    let schema = record(json!([{"name": "id", "type": ["null", "string"]}]));
    let conversion = Conversion::compile(&schema, &schema).unwrap();
    let mut converter = Converter::new();
    let value = [0, 0, 0, 0, 7, 2, 2, b'a'];
    conversion.run(&mut converter, &value[5..]).unwrap();
    assert_eq!(converter.framed([0, 0, 0, 0, 7], &value).as_ptr(), value.as_ptr());
}

#[test]
fn each_datum_is_refused_by_itself() {
    let symbols = |symbols: Value| json!({"type": "enum", "name": "E", "symbols": symbols});
    let writer = record(json!([{"name": "a", "type": ["null", "string", symbols(json!(["X", "Y"]))]}]));
    let reader = record(json!([{"name": "a", "type": ["null", symbols(json!(["Y"]))]}]));
    assert_eq!(convert(&reader, &writer, &[0]), Ok(vec![0]));
    assert_eq!(convert(&reader, &writer, &[4, 2]), Ok(vec![2, 0]));
    assert_eq!(convert(&reader, &writer, &[4, 0]), Err(MaskErrorKind::NotConvertible));
    assert_eq!(convert(&reader, &writer, &[2, 2, b'a']), Err(MaskErrorKind::NotConvertible));
    let only = record(json!([{"name": "a", "type": symbols(json!(["X", "Y"]))}]));
    assert_eq!(convert(&only, &writer, &[4, 2]), Ok(vec![2]));
    assert_eq!(convert(&only, &writer, &[0]), Err(MaskErrorKind::NotConvertible));
    let more = record(json!([{"name": "a", "type": "null"}, {"name": "b", "type": "int"}]));
    assert_eq!(convert(&more, &writer, &[0]), Err(MaskErrorKind::NotConvertible));
}

#[test]
fn bytes_that_are_no_datum_are_refused_also_where_they_are_left_out() {
    let writer = record(json!([{"name": "a", "type": "boolean"}, {"name": "b", "type": "string"}]));
    let reader = record(json!([{"name": "b", "type": "string"}]));
    for (datum, kind) in [
        (&[2, 0][..], MaskErrorKind::BadBoolean),
        (&[1, 2], MaskErrorKind::Truncated),
        (&[1, 0, 0], MaskErrorKind::TrailingBytes),
        (&[1, 2, 0xff], MaskErrorKind::InvalidUtf8),
    ] {
        assert_eq!(convert(&reader, &writer, datum), Err(kind));
    }
}

#[test]
fn work_and_memory_are_bounded() {
    let list = |fields: Value| schema(json!({"type": "record", "name": "L", "fields": fields}));
    let next = json!({"name": "next", "type": ["null", "L"]});
    let deep = list(json!([next]));
    assert_eq!(convert(&deep, &deep, &[&vec![2; 3_000][..], &[0]].concat()).unwrap().len(), 3_001);
    assert_eq!(convert(&deep, &deep, &vec![2; 100_000]), Err(MaskErrorKind::TooDeep));

    let empty = |fields: Value| {
        let item = json!({"type": "record", "name": "I", "fields": fields});
        record(json!([{"name": "a", "type": {"type": "array", "items": item}}]))
    };
    let (writer, reader) =
        (empty(json!([])), empty(json!([{"name": "t", "type": "string", "default": "x".repeat(999)}])));
    let items = |count: i64| {
        let mut datum = Vec::new();
        crate::mask::varint::write(&mut datum, count);
        datum.push(0);
        datum
    };
    assert_eq!(convert(&reader, &writer, &items(2)).unwrap().len(), 2 + 2 * 1_001);
    assert_eq!(convert(&reader, &writer, &items(i64::MAX)), Err(MaskErrorKind::OutputTooLarge));
    assert_eq!(convert(&writer, &writer, &items(i64::MAX)), Err(MaskErrorKind::TooManyItems));
    let own = json!({"type": "record", "name": "O", "fields": [{"name": "o", "type": "O", "default": {}}]});
    let without = json!({"type": "record", "name": "R", "fields": []});
    let endless = json!({"type": "record", "name": "R", "fields": [{"name": "o", "type": own, "default": {}}]});
    if let Ok(endless) = Schema::parse_value(&endless) {
        assert_eq!(Conversion::compile(&endless, &schema(without)).err(), Some(TooLarge));
    }
}

#[test]
fn columns_are_told_by_both_their_names() {
    let address = |street: &str, aliases: Value| {
        let field = json!({"name": street, "aliases": aliases, "type": "string"});
        json!({"type": "record", "name": "Address", "fields": [field]})
    };
    let fields = |address: Value| {
        json!([
            {"name": "id", "type": "string"},
            {"name": "homes", "type": ["null", {"type": "array", "items": address}]},
        ])
    };
    let writer = record(fields(address("road", json!([]))));
    let reader = record(fields(address("street", json!(["road"]))));
    let told: Vec<String> =
        columns(&reader, &writer).unwrap().iter().map(|pair| format!("{} < {}", pair.reader, pair.writer)).collect();
    assert_eq!(told, ["id < id", "homes < homes", "homes[] < homes[]", "homes[].street < homes[].road"]);
}
