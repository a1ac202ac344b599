#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::log::{Mode, Reference};

fn decode(key: &str, value: Option<&str>) -> Record {
    Record::decode(Some(key.as_bytes()), value.map(str::as_bytes)).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn version_one() -> SchemaValue {
    SchemaValue {
        subject: "orders-value".to_owned(),
        version: 1,
        id: 7,
        schema_type: None,
        references: Vec::new(),
        metadata: None,
        rule_set: None,
        schema: "\"string\"".to_owned(),
        deleted: false,
        others: Map::new(),
    }
}

#[test]
fn keys_have_confluents_bytes() {
    let orders = Subject::of_log("orders-value");
    let cases = [
        (Record::Schema(version_one()), r#"{"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}"#),
        (Record::ConfigGone { subject: None }, r#"{"keytype":"CONFIG","magic":0}"#),
        (
            Record::ModeGone { subject: Some(orders.clone()) },
            r#"{"keytype":"MODE","subject":"orders-value","magic":0}"#,
        ),
        (
            Record::DeleteSubject { subject: orders.clone(), version: 2 },
            r#"{"keytype":"DELETE_SUBJECT","subject":"orders-value","magic":0}"#,
        ),
        (Record::ClearSubject { subject: orders }, r#"{"keytype":"CLEAR_SUBJECT","subject":"orders-value","magic":0}"#),
        (
            Record::Context { context: ".staging".to_owned() },
            r#"{"keytype":"CONTEXT","tenant":"default","context":".staging","magic":0}"#,
        ),
        (Record::Noop, r#"{"keytype":"NOOP","magic":0}"#),
    ];
    for (record, key) in cases {
        assert_eq!(text(&record.encode().0), key);
    }
}

#[test]
fn a_schema_has_confluents_value() {
    let (_, value) = Record::Schema(version_one()).encode();
    let expected = r#"{"subject":"orders-value","version":1,"id":7,"schema":"\"string\"","deleted":false}"#;
    assert_eq!(text(&value.unwrap()), expected);
}

#[test]
fn reads_what_confluent_writes() {
    let key = r#"{"keytype":"SCHEMA","subject":"a","version":2,"magic":1}"#;
    let value = r#"{"subject":"a","version":2,"id":3,"md5":"QQ==","references":[{"name":"x.Y","subject":"y","version":1}],
        "schema":"\"long\"","deleted":true,"guid":"0b1c","ts":1700000000000}"#;
    let Record::Schema(read) = decode(key, Some(value)) else { panic!("a schema") };
    assert_eq!((read.version, read.id, read.deleted), (2, 3, true));
    assert_eq!(read.references, [Reference { name: "x.Y".to_owned(), subject: "y".to_owned(), version: 1 }]);
    assert_eq!(read.others["guid"], "0b1c");
    let (_, rewritten) = Record::Schema(read).encode();
    let rewritten: Value = serde_json::from_slice(&rewritten.unwrap()).unwrap();
    assert_eq!(rewritten, serde_json::from_str::<Value>(value).unwrap());

    let config = decode(r#"{"keytype":"CONFIG","subject":null,"magic":0}"#, Some(r#"{"compatibilityLevel":"FULL"}"#));
    let Record::Config { subject: None, value } = config else { panic!("the global configuration") };
    assert_eq!(value.compatibility_level.as_deref(), Some("FULL"));

    let mode = decode(r#"{"magic":0,"subject":"a","keytype":"MODE"}"#, Some(r#"{"mode":"READONLY_OVERRIDE"}"#));
    let Record::Mode { subject: Some(_), value } = mode else { panic!("a subject's mode") };
    assert_eq!(value.mode, Mode::ReadOnlyOverride);

    let gone = decode(r#"{"keytype":"SCHEMA","subject":":.:a","version":2,"magic":1}"#, None);
    assert_eq!(gone, Record::SchemaGone { subject: Subject::of_log("a"), version: 2 });
    assert_eq!(decode(r#"{"keytype":"SCHEMA","subject":"a","version":2,"magic":1}"#, Some("")), gone);
    assert_eq!(decode(r#"{"keytype":"NOOP","magic":0}"#, None), Record::Noop);
    assert_eq!(decode(r#"{"keytype":"ASSOCIATION","magic":0}"#, Some("{}")), Record::Noop);
}

#[test]
fn everything_written_reads_the_same() {
    let orders = Subject::of_log("orders-value");
    let config = ConfigValue {
        subject: Some("orders-value".to_owned()),
        compatibility_level: Some("NONE".to_owned()),
        normalize: Some(true),
        others: Map::from_iter([("alias".to_owned(), json!("o"))]),
    };
    let mode = ModeValue { subject: None, mode: Mode::Import };
    let records = [
        Record::Schema(version_one()),
        Record::Schema(SchemaValue { metadata: Some(json!({"owner": "crm"})), deleted: true, ..version_one() }),
        Record::SchemaGone { subject: orders.clone(), version: 4 },
        Record::Config { subject: Some(orders.clone()), value: config },
        Record::ConfigGone { subject: None },
        Record::Mode { subject: None, value: mode },
        Record::ModeGone { subject: Some(orders.clone()) },
        Record::DeleteSubject { subject: orders.clone(), version: 3 },
        Record::ClearSubject { subject: orders },
        Record::Context { context: ".staging".to_owned() },
        Record::ContextGone { context: ".staging".to_owned() },
        Record::IdMark { max_ids: BTreeMap::from([(".".to_owned(), 12), (".staging".to_owned(), 3)]) },
        Record::Writer { url: Some("http://registry-1:8081".to_owned()) },
        Record::Writer { url: None },
        Record::Noop,
    ];
    for record in records {
        let (key, value) = record.encode();
        assert_eq!(Record::decode(Some(&key), value.as_deref()).unwrap(), record);
    }
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic(key in ".{0,80}", value in proptest::option::of(".{0,80}"),
                                 keytype in "SCHEMA|CONFIG|MODE|DELETE_SUBJECT|CLEAR_SUBJECT|NOOP|X") {
        let value = value.as_deref().map(str::as_bytes);
        let _ = Record::decode(Some(key.as_bytes()), value);
        let key = json!({"keytype": keytype, "subject": key}).to_string();
        let _ = Record::decode(Some(key.as_bytes()), value);
        prop_assert!(Record::decode(None, value).is_err());
    }
}
