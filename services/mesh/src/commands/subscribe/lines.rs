//! Events as JSON lines.

use mesh_client::{Event, SubscribeError};
use serde_json::{Map, Value, json};

/// One event, as `mesh publish` takes it.
pub(super) fn line(event: &Event) -> Result<Value, SubscribeError> {
    let record = event.record();
    let mut line = Map::new();
    line.insert("key".to_owned(), event.key().unwrap_or(Value::Null));
    line.insert("value".to_owned(), event.json()?.unwrap_or(Value::Null));
    let timestamp = record.timestamp_ms.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    line.insert("timestamp".to_owned(), json!(timestamp.map(|at| at.to_string())));
    line.insert("partition".to_owned(), json!(record.partition));
    line.insert("offset".to_owned(), json!(record.offset));
    let headers: Map<String, Value> = record
        .headers
        .iter()
        .filter_map(|header| Some((header.name.clone(), Value::String(text(header.value.as_deref()?)))))
        .collect();
    if !headers.is_empty() {
        line.insert("headers".to_owned(), Value::Object(headers));
    }
    Ok(Value::Object(line))
}

/// Text as it is; other bytes as code points up to U+00FF.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}
