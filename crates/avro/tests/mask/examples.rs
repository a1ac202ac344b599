//! The customer of the example contracts, through every view.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::support::{encode, program, program_of_columns, run, seen};

const CUSTOMER: &str = r#"{"type":"record","name":"Customer","namespace":"crm","fields":[
  {"name":"customer_id","type":"string"},
  {"name":"full_name","type":"string"},
  {"name":"email","type":"string"},
  {"name":"phone","type":["null","string"],"default":null},
  {"name":"birth_date","type":{"type":"int","logicalType":"date"}},
  {"name":"address","type":{"type":"record","name":"Address","fields":[
    {"name":"street","type":"string"},{"name":"city","type":"string"}]}},
  {"name":"contacts","type":{"type":"array","items":{"type":"record","name":"Contact","fields":[
    {"name":"kind","type":"string"},{"name":"email","type":"string"}]}}},
  {"name":"attributes","type":{"type":"map","values":"string"}},
  {"name":"segment","type":{"type":"enum","name":"Segment","symbols":["BASIC","PLUS"]}},
  {"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#;

const LINES: &str = r#"
key: customer_id
refresh_rate: { every: hour, event_time: updated_at }
sensitive_columns:
  - { column: email, class: pii.contact, mask: hash }
  - { column: phone, class: pii.contact, mask: { keep_last: 4 } }
  - { column: full_name, class: pii.name, mask: redact }
  - { column: address.street, class: pii.address, mask: redact }
  - { column: "contacts[].email", class: pii.contact, mask: hash }
  - { column: birth_date, class: pii.birth, mask: { generalise: year } }
  - { column: attributes, class: pii.other }
views:
  support: { clear: [phone] }
  stewards: { clear: all }
access_group:
  - { group: analysts }
  - { group: crm-support, view: support }
  - { group: crm-stewards, view: stewards }
"#;

fn jane() -> Value {
    json!({
        "customer_id": "c-1", "full_name": "Jane Doe", "email": "jane@example.org", "phone": "+49 170 1234567",
        "birth_date": 11_000, "address": {"street": "Main St 1", "city": "Köln"},
        "contacts": [{"kind": "work", "email": "jane@work.example"}, {"kind": "home", "email": "jane@example.org"}],
        "attributes": {"nickname": "jd"}, "segment": "PLUS", "updated_at": 1_700_000_000_123_i64
    })
}

#[test]
fn the_masked_view_shows_no_sensitive_value() {
    let program = program(LINES, CUSTOMER);
    let masked = seen(&program, "masked", CUSTOMER, jane());
    assert_eq!(masked["full_name"], "***");
    assert_eq!(masked["phone"], "***********4567");
    assert_eq!(masked["address"], json!({"street": "***", "city": "Köln"}));
    assert_eq!(masked["birth_date"], 10_957, "the first of January 2000");
    assert_eq!(masked["email"].as_str().unwrap().len(), 64);
    assert_eq!(masked["contacts"][1]["email"], masked["email"], "one class joins within a record");
    assert_eq!(masked["contacts"][0]["kind"], "work");
    let attributes = masked["attributes"].as_object().unwrap();
    assert!(attributes.iter().all(|(key, value)| key.len() == 64 && value.as_str().unwrap().len() == 64));
    let bytes = run(&program, "masked", &encode(CUSTOMER, jane())).unwrap();
    for canary in ["Jane", "jane@", "1234567", "Main St", "nickname", "jd"] {
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{canary} is in the view");
    }
}

#[test]
fn views_unmask_what_they_name_and_no_more() {
    let program = program(LINES, CUSTOMER);
    let (masked, support) = (seen(&program, "masked", CUSTOMER, jane()), seen(&program, "support", CUSTOMER, jane()));
    assert_eq!(support["phone"], "+49 170 1234567");
    for column in ["email", "full_name", "birth_date", "address", "contacts", "attributes"] {
        assert_eq!(support[column], masked[column], "{column}");
    }
    let datum = encode(CUSTOMER, jane());
    assert_eq!(run(&program, "stewards", &datum).unwrap(), datum);
}

#[test]
fn where_no_rule_fires_the_input_itself_is_the_output() {
    let program = program_of_columns(
        r#"[{"column":"phone","class":"pii","mask":"hash"},{"column":"tags[]","class":"pii"}]"#,
        r#"{"type":"record","name":"R","fields":[{"name":"phone","type":["null","string"]},
            {"name":"tags","type":{"type":"array","items":["null","string"]}}]}"#,
    );
    // The array in a byte-sized block of two nulls: entered, its size ready to be rewritten, and left as it was.
    let datum = [0, 3, 4, 0, 0, 0];
    let mut scratch = mesh_avro::mask::Scratch::new();
    program.run(&mut scratch, &datum).unwrap();
    assert!(std::ptr::eq(scratch.output(0, &datum), &datum[..]));
    let value = [&mesh_avro::wire::header(7)[..], &datum].concat();
    assert!(std::ptr::eq(scratch.framed(0, mesh_avro::wire::header(7), &value), &value[..]));
}

#[test]
fn key_and_event_time_come_with_the_walk() {
    let program = program(LINES, CUSTOMER);
    let datum = encode(CUSTOMER, jane());
    let mut scratch = mesh_avro::mask::Scratch::new();
    program.run(&mut scratch, &datum).unwrap();
    assert_eq!(scratch.key_range(), Some(0..4));
    assert_eq!(scratch.event_time_ms(), Some(1_700_000_000_123));
    assert!(program.run(&mut scratch, &datum[..20]).is_err());
    assert_eq!((scratch.key_range(), scratch.event_time_ms()), (None, None));
    assert_eq!(scratch.output(0, &datum), b"");
    assert_eq!(scratch.framed(0, mesh_avro::wire::header(7), &datum), b"");
}

/// One field of each type under each rule that fits it.
#[test]
fn every_rule_on_every_type_it_fits() {
    let cases: &[(&str, &str, Value, Value)] = &[
        (r#""string""#, r#""redact""#, json!("secret"), json!("***")),
        (r#""string""#, r#"{"redact":"gone"}"#, json!("secret"), json!("gone")),
        (r#""string""#, r#"{"keep_first":2}"#, json!("secret"), json!("se****")),
        (r#""string""#, r#"{"truncate":2}"#, json!("secret"), json!("se")),
        (r#""boolean""#, r#""zero""#, json!(true), json!(false)),
        (r#""int""#, r#""zero""#, json!(7), json!(0)),
        (r#""double""#, r#""zero""#, json!(7.5), json!(0.0)),
        (r#""float""#, r#"{"generalise":10}"#, json!(-7.5), json!(-10.0)),
        (r#""double""#, r#"{"generalise":10}"#, json!(27.5), json!(20.0)),
        (r#""int""#, r#"{"generalise":10}"#, json!(-27), json!(-30)),
        (r#""long""#, r#"{"generalise":1000}"#, json!(1_234_567), json!(1_234_000)),
        (r#"{"type":"int","logicalType":"date"}"#, r#"{"generalise":"month"}"#, json!(-1), json!(-31)),
        (r#"{"type":"int","logicalType":"date"}"#, r#""zero""#, json!(100), json!(0)),
        (
            r#"{"type":"long","logicalType":"timestamp-micros"}"#,
            r#"{"generalise":"hour"}"#,
            json!(3_600_000_001_i64),
            json!(3_600_000_000_i64),
        ),
        (
            r#"{"type":"long","logicalType":"local-timestamp-nanos"}"#,
            r#"{"generalise":"day"}"#,
            json!(-1),
            json!(-86_400_000_000_000_i64),
        ),
        (r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, r#""redact""#, json!("B"), json!("A")),
        (r#"{"type":"enum","name":"E","symbols":["A","B"],"default":"B"}"#, r#""redact""#, json!("A"), json!("B")),
        (r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, r#"{"redact":"B"}"#, json!("A"), json!("B")),
        (r#"["null","string"]"#, r#""null""#, json!("secret"), json!(null)),
        (r#"["string","null"]"#, r#""null""#, json!("secret"), json!(null)),
    ];
    for (field, rule, value, expected) in cases {
        let schema = format!(r#"{{"type":"record","name":"R","fields":[{{"name":"x","type":{field}}}]}}"#);
        let program = program_of_columns(&format!(r#"[{{"column":"x","class":"pii","mask":{rule}}}]"#), &schema);
        let masked = seen(&program, "masked", &schema, json!({"x": value}));
        assert_eq!(masked["x"], *expected, "{rule} on {field}");
    }
}

#[test]
fn bytes_and_fixed_hash_raw_and_decimals_are_zeroed() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"b","type":"bytes"},
        {"name":"half","type":"bytes"},
        {"name":"f","type":{"type":"fixed","name":"F","size":4}},
        {"name":"wide","type":{"type":"fixed","name":"W","size":40}},
        {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
        {"name":"u","type":{"type":"string","logicalType":"uuid"}}]}"#;
    let columns = r#"[{"column":"b","class":"c"},{"column":"half","class":"c","mask":{"hash":32}},{"column":"f","class":"c"},
        {"column":"wide","class":"c"},{"column":"d","class":"c"},{"column":"u","class":"c"}]"#;
    let program = program_of_columns(columns, schema);
    let mut datum = vec![2, b'x', 2, b'x', b'x', 0, 0, 0];
    datum.extend([b'y'; 40]);
    datum.extend([4, 1, 2, 72]);
    datum.extend(b"7c9e6679-7425-40de-944b-e07fc1f90ae7");
    let out = run(&program, "masked", &datum).unwrap();
    let (b, rest) = out[1..].split_at(32);
    assert_eq!((out[0], rest[0]), (64, 32));
    assert_eq!(&rest[1..17], &b[..16], "half of the digits are half of the bytes");
    assert_ne!(&rest[17..21], b"x\0\0\0");
    let wide = &rest[21..61];
    assert!(wide[..32].iter().any(|byte| *byte != b'y') && wide[32..] == [0; 8]);
    assert_eq!(&rest[61..63], [2, 0]);
    let uuid = std::str::from_utf8(&rest[64..]).unwrap();
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "8"));
}

#[test]
fn drop_takes_the_field_out_of_bytes_and_schema() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},
        {"name":"b","type":{"type":"array","items":"string"}},{"name":"c","type":"int"}]}"#;
    let program = program_of_columns(r#"[{"column":"b","class":"pii","mask":"drop"}]"#, schema);
    assert_eq!(seen(&program, "masked", schema, json!({"a": "x", "b": ["secret"], "c": 3})), json!({"a": "x", "c": 3}));
}

#[test]
fn what_lies_within_a_dropped_column_is_still_masked_for_those_who_see_it() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"p","type":{"type":"record","name":"P","fields":[
        {"name":"mail","type":"string"},{"name":"n","type":"int"}]}},{"name":"z","type":"int"}]}"#;
    let lines = r#"
sensitive_columns:
  - { column: p, class: a, mask: drop }
  - { column: p.mail, class: b, mask: redact }
views: { outer: { clear: [p] }, inner: { clear: [b] } }
access_group: [ { group: x }, { group: y, view: outer }, { group: z, view: inner } ]
"#;
    let program = program(lines, schema);
    let record = json!({"p": {"mail": "m@x", "n": 1}, "z": 2});
    assert_eq!(seen(&program, "masked", schema, record.clone()), json!({"z": 2}));
    assert_eq!(seen(&program, "inner", schema, record.clone()), json!({"z": 2}));
    assert_eq!(seen(&program, "outer", schema, record), json!({"p": {"mail": "***", "n": 1}, "z": 2}));
}

#[test]
fn recursive_records_are_masked_at_every_level() {
    let schema = r#"{"type":"record","name":"Person","fields":[{"name":"mail","type":"string"},
        {"name":"friends","type":{"type":"array","items":"Person"}},{"name":"boss","type":["null","Person"]}]}"#;
    let program = program_of_columns(r#"[{"column":"mail","class":"pii","mask":"redact"}]"#, schema);
    // mail a; friends: one, mail b, no friends, no boss; boss: mail c, no friends, no boss.
    let datum = [2, b'a', 2, 2, b'b', 0, 0, 0, 2, 2, b'c', 0, 0];
    let out = run(&program, "masked", &datum).unwrap();
    let star = [6, b'*', b'*', b'*'];
    assert_eq!(out, [&star[..], &[2], &star, &[0, 0], &[0, 2], &star, &[0, 0]].concat());
}

#[test]
fn a_byte_sized_blocks_size_is_rewritten() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"t","type":{"type":"array","items":"string"}}]}"#;
    let program = program_of_columns(r#"[{"column":"t[]","class":"pii"}]"#, schema);
    // Two blocks: one item byte-sized, one counted.
    let out = run(&program, "masked", &[1, 4, 2, b'a', 2, 2, b'b', 0]).unwrap();
    // 66 bytes take two bytes for the size, where there was one.
    assert_eq!(&out[..5], &[1, 0x84, 0x01, 0x80, 0x01]);
    assert_eq!(out.len(), 1 + 2 + 66 + 1 + 66 + 1);
    // A size that stays the same keeps its bytes, minimal or not.
    let program = program_of_columns(r#"[{"column":"t[]","class":"pii","mask":{"keep_last":1}}]"#, schema);
    assert_eq!(run(&program, "masked", &[1, 0x86, 0x00, 4, b'a', b'b', 0]).unwrap(), [1, 0x86, 0, 4, b'*', b'b', 0]);
}

#[test]
fn data_one_after_another_are_told_apart() {
    let program = program(LINES, CUSTOMER);
    let datum = encode(CUSTOMER, jane());
    let mut scratch = mesh_avro::mask::Scratch::new();
    let two = [&datum[..], &datum].concat();
    assert_eq!(program.run_first(&mut scratch, &two), Ok(datum.len()));
    assert_eq!(scratch.output(0, &datum), run(&program, "masked", &datum).unwrap());
    assert_eq!(program.run(&mut scratch, &two).unwrap_err().code(), "trailing-bytes");
}
