//! Kafka keys, masked like the key column.
#![allow(clippy::unwrap_used)]

use mesh_avro::mask::{Program, Scratch, detokenise};

use crate::support::{program, ring, run};

const SCHEMA: &str =
    r#"{"type":"record","name":"R","fields":[{"name":"id","type":["null","string"]},{"name":"n","type":"int"}]}"#;

fn masked_key(program: &Program, view: usize, key: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut out = b"left over".to_vec();
    program.mask_key(&mut Scratch::new(), view, key, &mut out).map_err(|error| error.code())?;
    Ok(out)
}

#[test]
fn a_masked_key_is_the_masked_column_in_the_form_it_came_in() {
    let program = program(
        "key: id\nsensitive_columns: [ { column: id, mask: hash } ]\nviews: { all: { clear: [id] } }\naccess_group: [ { group: a }, { group: b, view: all } ]",
        SCHEMA,
    );
    let value = run(&program, "masked", &[2, 4, b'c', b'1', 0]).unwrap();
    let hashed = &value[3..67];
    assert_eq!(masked_key(&program, 0, b"c1").unwrap(), hashed);
    let framed = [&[0, 0, 0, 0, 7, 4], &b"c1"[..]].concat();
    assert_eq!(masked_key(&program, 0, &framed).unwrap(), [&[0, 0, 0, 0, 7, 0x80, 1], hashed].concat());
    assert_eq!(masked_key(&program, 1, b"c1").unwrap(), b"c1");
    assert_eq!(masked_key(&program, 1, &framed).unwrap(), framed);
    assert_eq!(masked_key(&program, 0, &[0xff, 0xfe]), Err("bad-key"));
    assert_eq!(masked_key(&program, 1, &[0xff, 0xfe]), Err("bad-key"));
}

#[test]
fn a_key_is_compared_with_the_column() {
    let program = program("key: id", SCHEMA);
    let mut scratch = Scratch::new();
    let datum = [2, 4, b'c', b'1', 0];
    program.run(&mut scratch, &datum).unwrap();
    assert_eq!(scratch.key_range(), Some(1..4));
    assert!(program.key_matches(&scratch, &datum, b"c1"));
    assert!(program.key_matches(&scratch, &datum, &[0, 0, 0, 0, 9, 4, b'c', b'1']));
    for other in [&b"c2"[..], b"", &[4, b'c', b'1'], &[0, 0, 0, 0, 9, 4, b'c', b'2']] {
        assert!(!program.key_matches(&scratch, &datum, other), "{other:?}");
    }
    let null = [0, 0];
    program.run(&mut scratch, &null).unwrap();
    assert_eq!(scratch.key_range(), None);
    assert!(!program.key_matches(&scratch, &null, b""));
}

#[test]
fn keys_of_other_types_come_in_the_wire_format() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"id","type":"long"}]}"#;
    let program = program("key: id", schema);
    let mut scratch = Scratch::new();
    program.run(&mut scratch, &[14]).unwrap();
    assert!(program.key_matches(&scratch, &[14], &[0, 0, 0, 0, 1, 14]));
    assert_eq!(masked_key(&program, 0, &[0, 0, 0, 0, 1, 14]).unwrap(), [0, 0, 0, 0, 1, 14]);
    assert_eq!(masked_key(&program, 0, b"7"), Err("bad-key"));
    assert_eq!(masked_key(&program, 0, &[0, 0, 0, 0, 1, 14, 0]), Err("bad-key"));
}

#[test]
fn a_tokenised_key_can_be_reversed_by_the_keys_holder() {
    let program = program("key: id\nsensitive_columns: [ { column: id, class: pii.id, mask: tokenise } ]", SCHEMA);
    let token = String::from_utf8(masked_key(&program, 0, b"00123456").unwrap()).unwrap();
    assert_ne!(token, "00123456");
    let known = &program.token_keys()[0];
    assert_eq!((known.column.as_str(), known.version), ("id", 1));
    assert_eq!(detokenise(&ring(), &known.class, known.version, &token).as_deref(), Some("00123456"));
    assert_eq!(masked_key(&program, 0, b"12"), Err("token-domain-too-small"));
}

#[test]
fn without_a_key_column_nobody_vouches_for_a_key() {
    let program = program("", SCHEMA);
    assert!(!program.has_key());
    assert_eq!(masked_key(&program, 0, b"c1"), Err("bad-key"));
}

/// ADR 13: a hashed UUID keeps 122 bits, and keys records all the same.
#[test]
fn a_hashed_uuid_keys_records() {
    let schema =
        r#"{"type":"record","name":"R","fields":[{"name":"id","type":{"type":"string","logicalType":"uuid"}}]}"#;
    let program = program("key: id\nsensitive_columns: [ { column: id, mask: hash } ]", schema);
    let masked = masked_key(&program, 0, b"7c9e6679-7425-40de-944b-e07fc1f90ae7").unwrap();
    let text = std::str::from_utf8(&masked).unwrap();
    assert_eq!((text.len(), &text[14..15]), (36, "8"), "a UUID of version 8");
    let other = masked_key(&program, 0, b"7c9e6679-7425-40de-944b-e07fc1f90ae8").unwrap();
    assert_ne!(masked, other);
}
