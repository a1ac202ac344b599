//! What JSON is encoded to, read by another implementation.
#![allow(clippy::unwrap_used)]

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Avro;
use mesh_avro::schema::Schema;
use mesh_client::json::{decode, encode};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A type with values of it.
fn typed() -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| (json!("boolean"), json!(value))),
        any::<i32>().prop_map(|value| (json!("int"), json!(value))),
        any::<i64>().prop_map(|value| (json!("long"), json!(value))),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| (json!("double"), json!(value))),
        any::<String>().prop_map(|value| (json!("string"), json!(value))),
        (0..=9_999_i32, 1..=12, 1..=28).prop_map(|(y, m, d)| {
            (json!({ "type": "int", "logicalType": "date" }), json!(format!("{y:04}-{m:02}-{d:02}")))
        }),
        any::<i32>().prop_map(|cents| {
            let sign = if cents < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
            (json!({ "type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2 }), json!(text))
        }),
        proptest::option::of(any::<String>()).prop_map(|value| (json!(["null", "string"]), json!(value))),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0_usize..4).prop_map(|((of, value), count)| {
                (json!({ "type": "array", "items": of }), json!(vec![value; count]))
            }),
            inner.prop_map(|(of, value)| (json!({ "type": "map", "values": of }), json!({ "k": value }))),
        ]
    })
}

proptest! {
    #[test]
    fn another_implementation_reads_what_is_encoded((of, value) in typed()) {
        let record = json!({ "type": "record", "name": "R", "fields": [{ "name": "f", "type": of }, { "name": "end", "type": "long" }] });
        let event = json!({ "f": value, "end": -1 });
        let schema = Schema::parse_value(&record).unwrap();
        let mut datum = Vec::new();
        encode(&schema, &event, &mut datum).unwrap();

        let theirs = apache_avro::Schema::parse(&record).unwrap();
        let reader = GenericDatumReader::builder(&theirs).build().unwrap();
        let mut rest = datum.as_slice();
        let Avro::Record(fields) = reader.read_value(&mut rest).unwrap() else { panic!("no record") };
        prop_assert!(rest.is_empty());
        prop_assert_eq!(&fields[1].1, &Avro::Long(-1));
        prop_assert_eq!(decode(&schema, &datum).unwrap(), event);
    }
}
