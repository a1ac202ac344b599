//! Bytes that are no datum, or would be too much of one.
#![allow(clippy::unwrap_used)]

use mesh_avro::mask::{DEPTH_MAX, Guard, ITEM_BYTES_MAX, Program, Rules, Scratch};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{encode, program_of_columns, ring, run, schema};

/// The code of a payload under a schema.
fn code(schema_text: &str, datum: &[u8]) -> &'static str {
    match Guard::new(&schema(schema_text)).unwrap().check(&mut Scratch::new(), datum) {
        Ok(()) => "ok",
        Err(error) => error.code(),
    }
}

const LONG_2_62: [u8; 9] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];

#[test]
fn each_defect_has_its_code() {
    let two = r#"["null","string"]"#;
    let colour = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    let nulls = r#"{"type":"array","items":"null"}"#;
    let texts = r#"{"type":"array","items":"string"}"#;
    let huge_count: Vec<u8> = [&LONG_2_62[..], &[0x01]].concat();
    let cases: &[(&str, &[u8], &str)] = &[
        (r#""string""#, &[], "truncated"),
        (r#""string""#, &[4, b'a'], "truncated"),
        (r#""string""#, &[2, b'a', 0], "trailing-bytes"),
        (r#""string""#, &[2, 0xff], "invalid-utf8"),
        (r#""string""#, &[6, 0xed, 0xa0, 0x80], "invalid-utf8"),
        (r#""string""#, &[1], "negative-length"),
        (r#""bytes""#, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "item-too-long"),
        (r#""long""#, &[0x80; 11], "varint-too-long"),
        (r#""long""#, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], "ok"),
        (r#""int""#, &[0x80, 0x80, 0x80, 0x80, 0x10], "int-out-of-range"),
        (r#""int""#, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], "varint-too-long"),
        (r#""boolean""#, &[2], "bad-boolean"),
        (two, &[4], "bad-union-index"),
        (two, &[1], "bad-union-index"),
        (two, &[0x82, 0x80, 0x80, 0x80, 0x20, 2, b'a'], "bad-union-index"),
        (colour, &[4], "bad-enum-index"),
        (colour, &[0x80, 0x80, 0x80, 0x80, 0x20], "bad-enum-index"),
        (colour, &[3], "bad-enum-index"),
        (texts, &huge_count, "too-many-items"),
        (nulls, &huge_count, "too-many-items"),
        (nulls, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 0], "too-many-items"),
        (nulls, &[0x80, 0x80, 0x04, 0], "ok"),
        (texts, &[1, 2, 2, b'a', 0], "block-size-mismatch"),
        (texts, &[1, 6, 2, b'a', 0], "block-size-mismatch"),
        (texts, &[1, 4, 2, b'a', 0], "ok"),
        (texts, &[1, 20, 2, b'a', 0], "truncated"),
        (texts, &[1, 1, 2, b'a', 0], "negative-length"),
        (nulls, &[1, 2, 0, 0], "block-size-mismatch"),
        (nulls, &[3, 0, 0], "ok"),
        (r#"{"type":"map","values":"null"}"#, &[2, 2, b'k', 0], "ok"),
        (r#"{"type":"fixed","name":"F","size":3}"#, &[1, 2], "truncated"),
        (r#"{"type":"fixed","name":"F","size":2147483647}"#, &[1, 2], "item-too-long"),
        (r#"{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}"#, &[], "too-deep"),
        ("[]", &[0], "bad-union-index"),
    ];
    for (schema, datum, expected) in cases {
        assert_eq!(code(schema, datum), *expected, "{schema} {datum:?}");
    }
}

#[test]
fn the_offset_is_that_of_the_value() {
    let schema =
        schema(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}"#);
    let error = Guard::new(&schema).unwrap().check(&mut Scratch::new(), &[2, 4, b'a']).unwrap_err();
    assert_eq!(error.to_string(), "the datum ends within a value at byte 1");
}

#[test]
fn nesting_is_bounded_on_any_stack() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}"#;
    // The root's own level is no call.
    let nested = |levels: usize| [vec![2; levels], vec![0]].concat();
    let check = move |levels| code(list, &nested(levels));
    let small_stack = std::thread::Builder::new().stack_size(128 << 10);
    let codes = small_stack.spawn(move || (check(DEPTH_MAX), check(DEPTH_MAX + 1), check(1_000_000))).unwrap().join();
    assert_eq!(codes.unwrap(), ("ok", "too-deep", "too-deep"));
}

#[test]
fn an_item_is_bounded() {
    let mut datum = Vec::new();
    let length = (ITEM_BYTES_MAX as u32) << 1;
    datum.extend([length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8 | 0x80, (length >> 21) as u8]);
    datum.resize(datum.len() + ITEM_BYTES_MAX, b'a');
    assert_eq!(code(r#""string""#, &datum), "ok");
    datum[0] |= 2;
    datum.push(b'a');
    assert_eq!(code(r#""string""#, &datum), "item-too-long");
}

#[test]
fn a_view_cannot_grow_without_bound() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"t","type":{"type":"array","items":"string"}}]}"#;
    let program = program_of_columns(r#"[{"column":"t","class":"pii"}]"#, schema);
    // Two million empty strings; each becomes 66 bytes.
    let count: u32 = 2_000_000 << 1;
    let mut datum =
        vec![count as u8 | 0x80, (count >> 7) as u8 | 0x80, (count >> 14) as u8 | 0x80, (count >> 21) as u8];
    datum.resize(datum.len() + 2_000_000 + 1, 0);
    assert_eq!(run(&program, "masked", &datum).unwrap_err().code(), "output-too-large");
}

/// Types that take no bytes, doubled at each of 60 levels: 2^60 fields of nothing.
#[test]
fn a_schema_cannot_make_work_out_of_nothing() {
    let mut types = vec![r#"{"type":"record","name":"R0","fields":[{"name":"n","type":"null"}]}"#.to_owned()];
    for level in 1..60 {
        let below = level - 1;
        types.push(format!(
            r#"{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":"R{below}"}},{{"name":"b","type":"R{below}"}}]}}"#
        ));
    }
    let schema = format!("[{}]", types.join(","));
    // 59, zigzag.
    assert_eq!(code(&schema, &[118]), "ok");
}

const BUSY: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"id","type":"string"},
    {"name":"tags","type":{"type":"array","items":["null","string"]}},
    {"name":"props","type":{"type":"map","values":{"type":"array","items":"long"}}},
    {"name":"next","type":["null","R"]},
    {"name":"f","type":{"type":"fixed","name":"F","size":2}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B","C"]}},
    {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":0}},
    {"name":"x","type":["double","boolean",{"type":"int","logicalType":"date"}]}]}"#;

const BUSY_COLUMNS: &str = r#"[{"column":"id","class":"a","mask":"tokenise"},{"column":"tags[]","class":"b"},
    {"column":"props","class":"c"},{"column":"f","class":"d","mask":"drop"},{"column":"e","class":"e"},
    {"column":"d","class":"f","mask":"encrypt"},{"column":"x","class":"g"}]"#;

fn busy() -> Program {
    program_of_columns(BUSY_COLUMNS, BUSY)
}

/// A valid datum of [`BUSY`].
fn busy_datum() -> Vec<u8> {
    let mut datum = vec![14];
    datum.extend(b"1234567");
    datum.extend([3, 8, 0, 2, 2, b't', 0, 2, 2, b'k', 4, 2, 4, 0, 0, 2]);
    datum.extend([14]);
    datum.extend(b"7654321");
    datum.extend([0, 0, 0, 9, 9, 2, 2, 1, 2, 1]);
    datum.extend([8, 8, 4, 2, 7, 4, 99]);
    datum
}

#[test]
fn the_busy_datum_is_valid() {
    run(&busy(), "masked", &busy_datum()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic(datum in prop::collection::vec(prop_oneof![0..16_u8, any::<u8>()], 0..200)) {
        let _ = run(&busy(), "masked", &datum);
    }

    /// Any change either is refused or gives an output that is a whole datum of the view's schema.
    #[test]
    fn mutations_are_refused_or_whole(position in 0..44_usize, byte: u8, cut in 0..45_usize) {
        let mut datum = busy_datum();
        let length = datum.len();
        datum[position % length] = byte;
        if cut < datum.len() {
            datum.truncate(length - cut % length);
        }
        let program = busy();
        if let Ok(out) = run(&program, "masked", &datum) {
            let view = mesh_avro::schema::Schema::parse_value(&program.views()[0].schema).unwrap();
            prop_assert!(Guard::new(&view).unwrap().check(&mut Scratch::new(), &out).is_ok());
        }
    }

    /// Whatever text is a schema, compiling it and running anything through it does not panic.
    #[test]
    fn mutated_schemas_never_panic(position in 0..BUSY.len(), byte in 32..127_u8, datum: Vec<u8>) {
        let mut text = BUSY.as_bytes().to_vec();
        text[position] = byte;
        if let Ok(schema) = mesh_avro::schema::Schema::parse(std::str::from_utf8(&text).unwrap())
            && let Ok(rules) = Rules::of_columns(&crate::support::columns(BUSY_COLUMNS), &schema)
            && let Ok(program) = Program::compile(&rules, &schema, &ring())
        {
            let _ = run(&program, "masked", &datum);
        }
    }
}

/// Unions of two records that hold each other: each step of a path could double the places it leads to.
#[test]
fn a_path_through_unions_costs_no_more_than_its_length() {
    let field = r#"{"name":"x","type":["null","A","B"]}"#;
    let schema_text = format!(
        r#"{{"type":"record","name":"A","fields":[{{"name":"x","type":["null","A",{{"type":"record","name":"B","fields":[{field},{{"name":"s","type":"string"}}]}}]}}]}}"#
    );
    let path = format!("{}s", "x.".repeat(60));
    let columns = format!(r#"[{{"column":"{path}","class":"pii"}}]"#);
    let program = program_of_columns(&columns, &schema_text);
    run(&program, "masked", &[0]).unwrap();
}

/// A record that holds itself, with a default that leaves itself out: spelt out, it would go on for ever.
#[test]
fn a_default_that_holds_itself_is_not_spelt_out() {
    let schema_text = r#"{"type":"record","name":"R","fields":[
        {"name":"s","type":"string","default":"jane"},{"name":"n","type":["R","null"],"default":{}}]}"#;
    let program = program_of_columns(r#"[{"column":"s","class":"pii"}]"#, schema_text);
    let fields = &program.views()[0].schema["fields"];
    assert_ne!(fields[0]["default"], "jane");
    assert_eq!(fields[1]["default"], serde_json::json!({}));
}

#[test]
fn programs_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&busy());
}

/// Short strings are checked together, with what stands between them: none slips through, and the error says where.
#[test]
fn a_byte_that_is_no_utf8_is_found_in_any_string() {
    const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[
        {"name":"id","type":"string"},
        {"name":"hashed","type":"string"},
        {"name":"redacted","type":"string"},
        {"name":"kept","type":"string"},
        {"name":"number","type":"long"},
        {"name":"maybe","type":["null","string"]},
        {"name":"flag","type":"boolean"},
        {"name":"tags","type":{"type":"array","items":"string"}},
        {"name":"labels","type":{"type":"map","values":"string"}},
        {"name":"seen","type":["null","long"]},
        {"name":"notes","type":"string"},
        {"name":"last","type":"string"}]}"#;
    const COLUMNS: &str = r#"[{"column":"hashed","class":"pii"},{"column":"redacted","class":"pii","mask":"redact"},
        {"column":"kept","class":"pii","mask":{"keep_last":1}}]"#;
    let program = program_of_columns(COLUMNS, SCHEMA);
    // Around a byte of length's 63, and simdutf8's 64; no length and no number is an x.
    for (short, long) in [(0, 1), (1, 15), (16, 17), (31, 63), (62, 64), (63, 65), (2, 130)] {
        let [short, long] = [short, long].map(|count| "x".repeat(count));
        let record = json!({
            "id": short, "hashed": long, "redacted": short, "kept": long, "number": 1_i64 << 40, "maybe": long, "flag": true,
            "tags": [short, long], "labels": {long.as_str(): short}, "seen": 5, "notes": long, "last": short
        });
        let datum = encode(SCHEMA, record);
        assert!(run(&program, "masked", &datum).is_ok());
        let texts: Vec<usize> = (0..datum.len()).filter(|at| datum[*at] == b'x').collect();
        assert_eq!(texts.len(), 5 * short.len() + 6 * long.len());
        for at in texts {
            for byte in [0x80, 0xc3, 0xff] {
                let mut damaged = datum.clone();
                damaged[at] = byte;
                let error = run(&program, "masked", &damaged).unwrap_err();
                assert_eq!((error.code(), error.offset), ("invalid-utf8", at));
            }
        }
    }
}
