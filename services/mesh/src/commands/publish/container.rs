//! Avro object container files.

use super::input::{Source, broken};
use super::row::{Content, Row};
use crate::failure::Failure;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Reader, Schema as AvroSchema};
use mesh_avro::schema::Schema;
use mesh_client::json;

/// Reads rows until the end, or until nobody takes them any more. The file's own schema is resolved to the product's.
pub(super) fn read(source: Source, schema: &Schema, mut each: impl FnMut(Row) -> bool) -> Result<(), Failure> {
    let product = AvroSchema::parse(schema.json()).map_err(broken)?;
    let writer = GenericDatumWriter::builder(&product).build().map_err(broken)?;
    let reader = Reader::builder(source).reader_schema(&product).build().map_err(|error| {
        broken(error)
            .hint("an Avro file begins with \"Obj\" and its schema; see --encoding for what else can be published")
    })?;
    let mut refused_at_first = false;
    for (number, value) in (1_u64..).zip(reader) {
        let place = format!("record {number}");
        // the library's errors quote values
        let datum = value.and_then(|value| writer.write_value_to_vec(value)).map_err(|_| ());
        let event = datum.and_then(|datum| json::decode(schema, &datum).map_err(|_| ()));
        refused_at_first |= event.is_err() && number == 1;
        let content = event.map(Content::Event).map_err(|()| "does not resolve to the product's schema".to_owned());
        if !each(Row::new(place, content)) {
            break;
        }
    }
    if refused_at_first {
        return Err(Failure::findings("the file's schema does not resolve to the product's")
            .hint("`mesh schema compat --writer FILE.avsc --reader PRODUCT.avsc` says why"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use apache_avro::types::Value;
    use serde_json::json;

    fn file(schema: &str, values: Vec<Value>) -> Source {
        let schema = AvroSchema::parse_str(schema).unwrap();
        let mut writer = apache_avro::Writer::new(&schema, Vec::new()).unwrap();
        for value in values {
            writer.append_value(value).unwrap();
        }
        Box::new(std::io::Cursor::new(writer.into_inner().unwrap()))
    }

    #[test]
    fn records_are_resolved_to_the_products_schema() {
        let written =
            r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"old","type":"int"}]}"#;
        let value = Value::Record(vec![("id".into(), Value::String("a".into())), ("old".into(), Value::Int(1))]);
        let product = Schema::parse(r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"new","type":"int","default":5}]}"#).unwrap();
        let mut rows = Vec::new();
        read(file(written, vec![value]), &product, |row| {
            rows.push(row);
            true
        })
        .unwrap();
        assert_eq!(rows, [Row::new("record 1".into(), Ok(Content::Event(json!({ "id": "a", "new": 5 }))))]);
    }

    #[test]
    fn what_is_no_container_is_said() {
        let product = Schema::parse(r#""string""#).unwrap();
        let source: Source = Box::new(std::io::Cursor::new(b"{\"id\":1}".to_vec()));
        let failure = read(source, &product, |_| true).unwrap_err();
        assert!(failure.report().contains("--encoding"), "{}", failure.report());
    }
}
