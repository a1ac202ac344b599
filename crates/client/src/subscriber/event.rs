//! A change event as a subscriber sees it.

use std::sync::Arc;

use mesh_avro::mask::{Guard, Scratch};
use mesh_avro::schema::Schema;
use mesh_avro::wire;
use mesh_kafka::Record;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::SubscribeError;
use crate::{RegisteredSchema, json};

/// The schema that an event was written with.
#[derive(Debug)]
pub struct EventSchema {
    /// Its id.
    pub id: u32,
    /// Its text.
    pub text: String,
    /// The texts of the schemas that it refers to, each before those that refer to it.
    pub references: Vec<String>,
    /// Itself.
    pub schema: Schema,
    guard: Guard,
}

impl EventSchema {
    pub(super) fn new(registered: &RegisteredSchema) -> Option<Self> {
        let schema = registered.parse().ok()?;
        let guard = Guard::new(&schema).ok()?;
        let RegisteredSchema { id, text, references } = registered.clone();
        Some(EventSchema { id, text, references, schema, guard })
    }
}

/// A change event: an upsert, or a tombstone for a delete.
#[derive(Debug, Clone)]
pub struct Event {
    record: Record,
    schema: Option<Arc<EventSchema>>,
    key_schema: Option<Arc<EventSchema>>,
}

impl Event {
    pub(super) fn new(record: Record, schema: Option<Arc<EventSchema>>, key_schema: Option<Arc<EventSchema>>) -> Self {
        Event { record, schema, key_schema }
    }

    /// The record as Kafka has it: partition, offset, timestamp, key, headers.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The schema that it was written with; none of a tombstone.
    pub fn schema(&self) -> Option<&Arc<EventSchema>> {
        self.schema.as_ref()
    }

    /// Whether the entity of this key was deleted.
    pub fn is_tombstone(&self) -> bool {
        self.record.value.is_none()
    }

    /// Its key as JSON: text as it is, a framed key decoded, any other bytes as code points up to U+00FF.
    pub fn key(&self) -> Option<Value> {
        let key = self.record.key.as_deref()?;
        let framed = self.key_schema.as_ref().and_then(|schema| {
            let datum = key.get(wire::HEADER_BYTES..)?;
            json::decode(&schema.schema, datum).ok()
        });
        let text = || match std::str::from_utf8(key) {
            Ok(text) => text.to_owned(),
            Err(_) => key.iter().copied().map(char::from).collect(),
        };
        Some(framed.unwrap_or_else(|| Value::String(text())))
    }

    /// Its Avro binary without the frame, found to be exactly one datum of its schema; none of a tombstone.
    pub fn datum(&self) -> Result<Option<&[u8]>, SubscribeError> {
        let (Some(value), Some(schema)) = (&self.record.value, &self.schema) else { return Ok(None) };
        let datum = value.get(wire::HEADER_BYTES..).unwrap_or_default();
        let checked = schema.guard.check(&mut Scratch::default(), datum);
        checked.map_err(|error| self.undecodable(error.to_string()))?;
        Ok(Some(datum))
    }

    /// Its value as JSON (see [`crate::json`]); none of a tombstone.
    pub fn json(&self) -> Result<Option<Value>, SubscribeError> {
        let (Some(value), Some(schema)) = (&self.record.value, &self.schema) else { return Ok(None) };
        let datum = value.get(wire::HEADER_BYTES..).unwrap_or_default();
        json::decode(&schema.schema, datum).map(Some).map_err(|error| self.undecodable(error.to_string()))
    }

    /// Its value as a type of the caller's; none of a tombstone.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, SubscribeError> {
        let Some(value) = self.json()? else { return Ok(None) };
        // serde quotes what it found: that is data
        let read = serde_json::from_value(value);
        read.map(Some).map_err(|_| self.undecodable("its value does not fit the type that reads it".to_owned()))
    }

    /// The error that says where this event is, and why it is of no use; `said` must not quote it.
    pub fn undecodable(&self, said: impl Into<String>) -> SubscribeError {
        let said = said.into();
        let Record { topic, partition, offset, .. } = &self.record;
        SubscribeError::Undecodable { topic: topic.to_string(), partition: *partition, offset: *offset, said }
    }
}
