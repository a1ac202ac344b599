//! Why an event was not published.

use mesh_avro::schema::SchemaError;

use crate::RegistryError;
use crate::json::JsonError;

/// An event was not published, or a producer not opened. Never names a value.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// The schema is not a valid one.
    #[error("cannot write to {topic} with a schema that is not valid")]
    Schema {
        /// The input port.
        topic: String,
        /// Why.
        source: Box<SchemaError>,
    },
    /// The registry did not register the schema.
    #[error("cannot register the schema to write with")]
    Registry(#[source] RegistryError),
    /// The contract's key column cannot key this schema's events.
    #[error("the contract's key column {column} is no single value of the schema")]
    KeyColumn {
        /// The column.
        column: String,
    },
    /// The producer's settings are wrong.
    #[error("cannot set up the producer")]
    Setup(#[source] mesh_kafka::Error),
    /// The event has no JSON form: a map with keys that are no text, say.
    #[error("the event cannot be serialised")]
    NotSerialisable,
    /// The event does not fit the schema.
    #[error("the event does not fit the schema")]
    Fit(#[source] JsonError),
    /// The event has no key.
    #[error("the event has no key: column {column} is null")]
    NoKey {
        /// The key column.
        column: String,
    },
    /// The product has no key, so that nothing can be deleted by it.
    #[error("the product has no key column, so that there is nothing to delete by")]
    Keyless,
    /// The datum is not one of the schema.
    #[error("the event is not Avro binary of the schema: {said}")]
    Datum {
        /// Why.
        said: &'static str,
    },
    /// The event was not accepted for delivery.
    #[error("cannot hand an event to {topic} over")]
    Send {
        /// The input port.
        topic: String,
        /// Why.
        source: mesh_kafka::Error,
    },
    /// Some events were not delivered.
    #[error("{failed} events to {topic} were not delivered, {delivered} were")]
    Deliver {
        /// The input port.
        topic: String,
        /// How many failed.
        failed: u64,
        /// How many arrived.
        delivered: u64,
        /// Why the first of them failed.
        source: mesh_kafka::Error,
    },
}

impl ProduceError {
    /// Whether the fault is in this one event, and others may be sent.
    pub fn is_of_the_event(&self) -> bool {
        match self {
            ProduceError::NotSerialisable
            | ProduceError::Fit(_)
            | ProduceError::NoKey { .. }
            | ProduceError::Keyless
            | ProduceError::Datum { .. } => true,
            ProduceError::Send { source, .. } => source.kind() == mesh_kafka::ErrorKind::TooLarge,
            _ => false,
        }
    }
}
