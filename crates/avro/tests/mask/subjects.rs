//! What is encrypted for its subject, and what is left of it once the subject is forgotten.
#![allow(clippy::unwrap_used)]

use mesh_avro::keys::{KeyError, SubjectKeys};
use mesh_avro::mask::{CompileError, DecryptError, Program, Rules, Scratch, decrypt_bytes, decrypt_text};
use proptest::prelude::*;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::{contract, decode, encode, ring, ring_with, run, schema, shown, subject_keys};

const PRODUCT: &str = "crm.customers.v1";
const LINES: &str = "subject: id\nsensitive_columns: [ { column: note, class: pii.note, mask: encrypt } ]";

/// A record whose subject is of this type, behind what is encrypted for it.
fn schema_of(subject: &str) -> String {
    format!(
        r#"{{"type":"record","name":"R","fields":[{{"name":"note","type":"string"}},{{"name":"id","type":{subject}}},{{"name":"n","type":"long"}}]}}"#
    )
}

fn rules(lines: &str, schema_text: &str) -> Rules {
    Rules::check(&contract(lines), &schema(schema_text)).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

fn compiled(lines: &str, schema_text: &str, subjects: SubjectKeys) -> Program {
    Program::compile(&rules(lines, schema_text), &schema(schema_text), &ring_with(subjects)).unwrap()
}

fn note(program: &Program, datum: &[u8]) -> String {
    decode(program, "masked", &run(program, "masked", datum).unwrap())["note"].as_str().unwrap().to_owned()
}

fn opened(subjects: SubjectKeys, sealed: &str) -> Result<String, DecryptError> {
    decrypt_text(&ring_with(subjects), "pii.note", PRODUCT, "note", sealed)
}

#[test]
fn a_subject_is_found_whatever_its_type() {
    let uuid = "7C9E6679-7425-40de-944b-e07fc1f90ae7";
    let uuid_bytes = b"\x7c\x9e\x66\x79\x74\x25\x40\xde\x94\x4b\xe0\x7f\xc1\xf9\x0a\xe7";
    let text = |text: &str| [&[text.len() as u8 * 2], text.as_bytes()].concat();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (r#""string""#, text("Jane"), "Jane"),
        (r#"{"type":"string","logicalType":"uuid"}"#, text(uuid), &uuid.to_uppercase()),
        (r#"{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}"#, uuid_bytes.to_vec(), uuid),
        (r#"{"type":"fixed","name":"F","size":2}"#, vec![0xab, 1], "AB01"),
        (r#""bytes""#, vec![4, 0xab, 1], "ab01"),
        (r#""int""#, vec![13], "-7"),
        (r#"["null","long"]"#, vec![2, 14], "7"),
    ];
    for (kind, id, named) in cases {
        let (text, keys) = (schema_of(kind), subject_keys());
        let datum = [text_of("a secret"), id, vec![2]].concat();
        let sealed = note(&compiled(LINES, &text, keys.clone()), &datum);
        assert_eq!(opened(keys.clone(), &sealed).as_deref(), Ok("a secret"), "{kind}");
        let path = rules(LINES, &text).subject_path(&keys, named).unwrap();
        let (left, versions) = keys.without(path);
        assert_eq!((versions, opened(left, &sealed)), (vec![1], Err(DecryptError::Forgotten)), "{kind}");
    }
}

fn text_of(text: &str) -> Vec<u8> {
    [&[text.len() as u8 * 2], text.as_bytes()].concat()
}

#[test]
fn what_is_no_value_of_the_column_names_nobody() {
    for (kind, wrong) in [(r#""int""#, "seven"), (r#""bytes""#, "abc"), (r#""bytes""#, "xy")] {
        let said = rules(LINES, &schema_of(kind)).subject_path(&subject_keys(), wrong).unwrap_err().to_string();
        assert!(said.contains("`id`") && !said.contains(wrong), "{said}");
    }
    let without = rules("sensitive_columns: [ { column: note, mask: encrypt } ]", &schema_of(r#""string""#));
    assert!(without.subject().is_none() && without.subject_path(&subject_keys(), "jane").is_err());
}

#[test]
fn values_of_everybody_else_are_as_they_were() {
    let text = schema_of(r#""string""#);
    let record = |id: &str| encode(&text, json!({"note": "a secret", "id": id, "n": 1}));
    let keys = subject_keys();
    let (left, _) = keys.without(rules(LINES, &text).subject_path(&keys, "jane").unwrap());
    let (before, after) = (compiled(LINES, &text, keys.clone()), compiled(LINES, &text, left.clone()));
    let sealed = note(&before, &record("john"));
    assert_eq!(note(&after, &record("john")), sealed, "masking again gives the same bytes");
    assert_eq!(opened(left, &sealed).as_deref(), Ok("a secret"));
    assert_ne!(note(&before, &record("jane")), sealed, "each has a key");
}

/// Data of a forgotten subject goes on to come; what it holds is told to nobody, whatever keys there are.
#[test]
fn late_data_of_who_was_forgotten_is_told_to_nobody() {
    let text = schema_of(r#""string""#);
    let datum = |note: &str| encode(&text, json!({"note": note, "id": "jane", "n": 1}));
    let keys = subject_keys();
    let (left, _) = keys.without(rules(LINES, &text).subject_path(&keys, "jane").unwrap());
    let program = compiled(LINES, &text, left.clone());
    let mut scratch = Scratch::new();
    program.run(&mut scratch, &datum("a secret")).unwrap();
    assert!(scratch.is_forgotten());
    program.run(&mut scratch, &encode(&text, json!({"note": "a secret", "id": "john", "n": 1}))).unwrap();
    assert!(!scratch.is_forgotten());
    let late = note(&program, &datum("a secret"));
    assert_eq!(late, note(&program, &datum("another, longer secret")), "it is no function of the value");
    for keys in [keys, left] {
        assert!(opened(keys, &late).is_err());
    }
}

#[test]
fn a_value_is_bound_to_its_column_product_version_and_kind() {
    let text = schema_of(r#""string""#);
    let keys = subject_keys();
    let rotated = keys.rotated(2, Zeroizing::new([9; 32]));
    let datum = encode(&text, json!({"note": "a secret", "id": "jane", "n": 1}));
    let sealed = note(&compiled(LINES, &text, keys.clone()), &datum);
    let all = ring_with(rotated.clone());
    assert_eq!(decrypt_text(&all, "any", PRODUCT, "note", &sealed).as_deref(), Ok("a secret"), "after a rotation");
    for (product, column) in [(PRODUCT, "id"), ("crm.orders.v1", "note")] {
        assert_eq!(decrypt_text(&all, "pii.note", product, column, &sealed), Err(DecryptError::Authentication));
    }
    assert_eq!(decrypt_text(&ring(), "pii.note", PRODUCT, "note", &sealed), Err(KeyError::NoSubjects.into()));
    let newer = note(&compiled(LINES, &text, rotated), &datum);
    assert_ne!(newer, sealed);
    assert_eq!(opened(keys, &newer), Err(DecryptError::Forgotten), "a version that these keys do not have");
}

#[test]
fn nobodys_values_are_under_the_products_key() {
    let text = schema_of(r#"["null","string"]"#);
    let datum = encode(&text, json!({"note": "a secret", "id": null, "n": 1}));
    let sealed = note(&compiled(LINES, &text, subject_keys()), &datum);
    assert_eq!(decrypt_text(&ring(), "pii.note", PRODUCT, "note", &sealed).as_deref(), Ok("a secret"));
}

#[test]
fn a_writer_that_names_nobody_is_refused_where_somebody_is_promised() {
    let contracts = schema_of(r#""string""#);
    let (keys, without) =
        (ring_with(subject_keys()), r#"{"type":"record","name":"R","fields":[{"name":"note","type":"string"}]}"#);
    let subject = CompileError::Subject { column: "id".to_owned() };
    assert_eq!(Program::compile(&rules(LINES, &contracts), &schema(without), &keys).unwrap_err(), subject);
    let nullable = schema_of(r#"["null","string"]"#);
    let program = Program::compile(&rules(LINES, &contracts), &schema(&nullable), &keys).unwrap();
    let null = encode(&nullable, json!({"note": "a secret", "id": null, "n": 1}));
    assert_eq!(run(&program, "masked", &null).unwrap_err().code(), "no-subject");
    let program = Program::compile(&rules(LINES, &nullable), &schema(without), &keys).unwrap();
    let sealed = note(&program, &encode(without, json!({"note": "a secret"})));
    assert!(decrypt_text(&ring(), "pii.note", PRODUCT, "note", &sealed).is_ok());
    let missing = Program::compile(&rules(LINES, &contracts), &schema(&contracts), &ring()).unwrap_err();
    assert_eq!(missing, CompileError::Key { column: "id".to_owned(), source: KeyError::NoSubjects });
}

#[test]
fn every_place_that_is_encrypted_is_the_subjects() {
    let text = r#"{"type":"record","name":"R","fields":[
        {"name":"raw","type":"bytes"},{"name":"tags","type":{"type":"map","values":"string"}},
        {"name":"of","type":{"type":"record","name":"Of","fields":[{"name":"id","type":"string"}]}},
        {"name":"list","type":{"type":"array","items":["null","string"]}}]}"#;
    let lines = "subject: of.id\nsensitive_columns: [ { column: raw, mask: encrypt }, { column: tags, mask: encrypt }, { column: \"list[]\", mask: encrypt } ]";
    let keys = subject_keys();
    let program = compiled(lines, text, keys.clone());
    let record = json!({"raw": [1, 2], "tags": {"name": "value"}, "of": {"id": "jane"}, "list": [null, "item"]});
    let datum = [
        vec![4, 1, 2],
        vec![2],
        text_of("name"),
        text_of("value"),
        vec![0],
        text_of("jane"),
        vec![4, 0, 2],
        text_of("item"),
        vec![0],
    ]
    .concat();
    let seen = decode(&program, "masked", &run(&program, "masked", &datum).unwrap());
    let bytes =
        |value: &Value| value.as_array().unwrap().iter().map(|byte| byte.as_u64().unwrap() as u8).collect::<Vec<_>>();
    let (left, _) = keys.without(rules(lines, text).subject_path(&keys, "jane").unwrap());
    let raw = bytes(&seen["raw"]);
    let open = |keys: &SubjectKeys| decrypt_bytes(&ring_with(keys.clone()), "pii", PRODUCT, "raw", &raw);
    assert_eq!((open(&keys), open(&left)), (Ok(vec![1, 2]), Err(DecryptError::Forgotten)));
    let (tag, value) = seen["tags"].as_object().unwrap().iter().next().unwrap();
    let sealed = [
        ("tags", tag.as_str(), "name"),
        ("tags", value.as_str().unwrap(), "value"),
        ("list[]", seen["list"][1].as_str().unwrap(), "item"),
    ];
    for (column, sealed, clear) in sealed {
        let open = |keys: &SubjectKeys| decrypt_text(&ring_with(keys.clone()), "pii", PRODUCT, column, sealed);
        assert_eq!((open(&keys), open(&left)), (Ok(clear.to_owned()), Err(DecryptError::Forgotten)), "{record}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn foreign_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), is_subject: bool) {
        let head = if is_subject { vec![0x80, 0, 0, 1] } else { Vec::new() };
        prop_assert!(decrypt_bytes(&ring_with(subject_keys()), "pii", PRODUCT, "note", &[head, bytes].concat()).is_err());
    }

    #[test]
    fn any_value_is_opened_and_any_damage_seen(value: String, id: String, at: prop::sample::Index, bit in 0..8_u8) {
        let text = schema_of(r#""string""#);
        let program = compiled(LINES, &text, subject_keys());
        let sealed = note(&program, &encode(&text, json!({"note": value, "id": id, "n": 1})));
        prop_assert_eq!(opened(subject_keys(), &sealed), Ok(value));
        let mut damaged = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &sealed).unwrap();
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        prop_assert!(decrypt_bytes(&ring_with(subject_keys()), "pii.note", PRODUCT, "note", &damaged).is_err());
    }
}
