//! JSON lines.

use super::input::{Source, broken, read_line};
use super::row::{Content, Row};
use crate::failure::Failure;
use mesh_avro::schema::{Kind, Schema};
use serde_json::{Map, Value};

/// A longer line is refused; Kafka's records are far shorter.
const LINE_BYTES_MAX: usize = 16 << 20;
/// The names of what may stand around an event.
const AROUND: [&str; 6] = ["key", "value", "timestamp", "headers", "partition", "offset"];

/// Reads rows until the end, or until nobody takes them any more.
pub(super) fn read(mut source: Source, schema: &Schema, mut each: impl FnMut(Row) -> bool) -> Result<(), Failure> {
    let may_be_wrapped = !has_own_value(schema);
    let mut line = Vec::new();
    for number in 1_u64.. {
        let Some(whole) = read_line(&mut source, &mut line, LINE_BYTES_MAX).map_err(broken)? else { break };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = format!("line {number}");
        let row = match whole {
            true => parse(place, &line, may_be_wrapped),
            false => Row::new(place, Err(format!("longer than {LINE_BYTES_MAX} bytes"))),
        };
        if !each(row) {
            break;
        }
    }
    Ok(())
}

/// A record that has a field `value` cannot be told from one that is wrapped.
fn has_own_value(schema: &Schema) -> bool {
    match &schema.node(schema.root()).kind {
        Kind::Record { fields } => fields.iter().any(|field| field.name == "value"),
        _ => true,
    }
}

fn parse(place: String, line: &[u8], may_be_wrapped: bool) -> Row {
    match serde_json::from_slice(line.trim_ascii_end()) {
        Ok(Value::Object(object)) if may_be_wrapped && is_wrapped(&object) => unwrap(place, object),
        Ok(event) => Row::new(place, Ok(Content::Event(event))),
        // its position within the line; never what stands there
        Err(error) => Row::new(place, Err(format!("not JSON: {}, at column {}", category(&error), error.column()))),
    }
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        _ => "a syntax error",
    }
}

fn is_wrapped(object: &Map<String, Value>) -> bool {
    object.contains_key("value") && object.keys().all(|name| AROUND.contains(&name.as_str()))
}

fn unwrap(place: String, mut object: Map<String, Value>) -> Row {
    let content = match (object.remove("value"), object.remove("key")) {
        (Some(Value::Null) | None, Some(key)) if !key.is_null() => Ok(Content::Delete(key)),
        (Some(Value::Null) | None, _) => Err("a tombstone needs a key".to_owned()),
        (Some(event), _) => Ok(Content::Event(event)),
    };
    let mut row = Row::new(place, content);
    match timestamp(object.remove("timestamp")) {
        Ok(timestamp_ms) => row.timestamp_ms = timestamp_ms,
        Err(why) => row.content = Err(why),
    }
    match headers(object.remove("headers")) {
        Ok(headers) => row.headers = headers,
        Err(why) => row.content = Err(why),
    }
    row
}

fn timestamp(value: Option<Value>) -> Result<Option<i64>, String> {
    let parsed = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
        Some(_) => None,
    };
    let wrong = "timestamp: expected \"2024-05-01T12:30:00Z\", or milliseconds since 1970";
    parsed.map(Some).ok_or_else(|| wrong.to_owned())
}

fn headers(value: Option<Value>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let wrong = || "headers: expected an object of names and texts".to_owned();
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(object)) => {
            let text = |value: Value| value.as_str().map(|text| text.as_bytes().to_vec()).ok_or_else(wrong);
            object.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect()
        }
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn rows(text: &str, fields: Value) -> Vec<Row> {
        let schema = Schema::parse_value(&json!({ "type": "record", "name": "R", "fields": fields })).unwrap();
        let mut rows = Vec::new();
        let source: Source = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        read(source, &schema, |row| {
            rows.push(row);
            true
        })
        .unwrap();
        rows
    }

    fn id() -> Value {
        json!([{ "name": "id", "type": "string" }])
    }

    #[test]
    fn lines_are_events_or_say_why_not() {
        let rows = rows("{\"id\":\"a\"}\n\n{\"id\":\n{\"id\":\"b\"}", id());
        assert_eq!(rows[0], Row::new("line 1".into(), Ok(Content::Event(json!({ "id": "a" })))));
        assert_eq!(rows[1], Row::new("line 3".into(), Err("not JSON: it ends too early, at column 6".into())));
        assert_eq!(rows[2].place, "line 4");
    }

    #[test]
    fn events_may_be_wrapped() {
        let text = r#"{"key":"a","value":{"id":"a"},"timestamp":"1970-01-01T00:00:01Z","headers":{"ce_id":"1"}}
{"key":"a","value":null}
{"value":null}
{"key":"a","value":{"id":"a"},"timestamp":"yesterday"}"#;
        let rows = rows(text, id());
        assert_eq!(rows[0].content, Ok(Content::Event(json!({ "id": "a" }))));
        assert_eq!((rows[0].timestamp_ms, &rows[0].headers[..]), (Some(1000), &[("ce_id".into(), b"1".to_vec())][..]));
        assert_eq!(rows[1].content, Ok(Content::Delete(json!("a"))));
        assert!(rows[2].content.as_ref().unwrap_err().contains("needs a key"));
        assert!(rows[3].content.as_ref().unwrap_err().contains("timestamp"));
    }

    #[test]
    fn a_field_called_value_is_the_events_own() {
        let rows = rows(
            r#"{"key":"a","value":null}"#,
            json!([{ "name": "key", "type": "string" }, { "name": "value", "type": ["null", "int"] }]),
        );
        assert_eq!(rows[0].content, Ok(Content::Event(json!({ "key": "a", "value": null }))));
    }
}
