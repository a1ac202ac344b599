//! A quarantined record's headers: why it is there and where it came from.

use mesh_kafka::Record;
use mesh_kafka::sink::Headers;

use super::Reason;
use crate::remask::FIRST_GENERATION;

/// The names of the headers.
pub mod header {
    /// The reason's code.
    pub const REASON: &str = "mesh-reason";
    /// The reason in words.
    pub const MESSAGE: &str = "mesh-message";
    /// The input topic.
    pub const SOURCE_TOPIC: &str = "mesh-source-topic";
    /// The input partition.
    pub const SOURCE_PARTITION: &str = "mesh-source-partition";
    /// The offset in the input partition.
    pub const SOURCE_OFFSET: &str = "mesh-source-offset";
    /// The record's own timestamp in milliseconds since 1970: in the quarantine it has the time of its refusal, so that what
    /// is old is not deleted before anybody has seen it.
    pub const SOURCE_TIMESTAMP: &str = "mesh-source-timestamp";
    /// The schema id on the wire, where there was one.
    pub const SCHEMA_ID: &str = "mesh-schema-id";
    /// The product.
    pub const PRODUCT: &str = "mesh-product";
    /// The contract's major version.
    pub const MAJOR: &str = "mesh-major";
    /// The contract's revision that was in force.
    pub const REVISION: &str = "mesh-revision";
    /// The output generation that was being made: a later one has read the record again, unless the input had lost it by then.
    pub const GENERATION: &str = "mesh-generation";
    /// The version of the key that sealed the body.
    pub const KEY_VERSION: &str = "mesh-key-version";
    /// Of a marker: what became of a quarantined record.
    pub const OUTCOME: &str = "mesh-outcome";
    /// Of a marker: the quarantined record's offset, in the marker's own partition of the quarantine.
    pub const OF_OFFSET: &str = "mesh-of-offset";
}

/// Where a refused record came from, and under what.
#[derive(Debug, Clone, Copy)]
pub struct Provenance<'a> {
    /// The input topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
    /// The record's timestamp, if it has one.
    pub timestamp_ms: Option<i64>,
    /// The schema id on the wire, where there was one.
    pub schema_id: Option<u32>,
    /// The product.
    pub product: &'a str,
    /// The contract's major version.
    pub major: u32,
    /// The contract's revision.
    pub revision: u64,
    /// The output generation that is being made.
    pub generation: u64,
    /// The version of the sealing key.
    pub key_version: u32,
}

impl Provenance<'_> {
    /// The headers of the quarantined record.
    pub(crate) fn headers(&self, reason: &Reason) -> Headers {
        let text = |headers: Headers, name, value: &str| headers.with(name, Some(value.as_bytes()));
        let headers = text(Headers::with_capacity(12), header::REASON, reason.code());
        let headers = text(headers, header::MESSAGE, &reason.to_string());
        let headers = text(headers, header::SOURCE_TOPIC, self.topic);
        let headers = text(headers, header::SOURCE_PARTITION, &self.partition.to_string());
        let headers = text(headers, header::SOURCE_OFFSET, &self.offset.to_string());
        let headers = match self.timestamp_ms {
            Some(timestamp_ms) => text(headers, header::SOURCE_TIMESTAMP, &timestamp_ms.to_string()),
            None => headers,
        };
        let headers = match self.schema_id {
            Some(id) => text(headers, header::SCHEMA_ID, &id.to_string()),
            None => headers,
        };
        let headers = text(headers, header::PRODUCT, self.product);
        let headers = text(headers, header::MAJOR, &self.major.to_string());
        let headers = text(headers, header::REVISION, &self.revision.to_string());
        let headers = text(headers, header::GENERATION, &self.generation.to_string());
        text(headers, header::KEY_VERSION, &self.key_version.to_string())
    }
}

/// What the headers of a quarantined record say, for those who list it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// The reason's code.
    pub reason: String,
    /// The reason in words.
    pub message: String,
    /// The input topic.
    pub source_topic: String,
    /// The input partition.
    pub source_partition: i32,
    /// The offset in the input partition.
    pub source_offset: i64,
    /// The record's own timestamp, in milliseconds since 1970.
    pub source_timestamp_ms: Option<i64>,
    /// The schema id on the wire, where there was one.
    pub schema_id: Option<u32>,
    /// The contract's major version.
    pub major: u32,
    /// The contract's revision that was in force.
    pub revision: u64,
    /// The output generation that was being made.
    pub generation: u64,
    /// The version of the key that sealed the body.
    pub key_version: u32,
}

impl Entry {
    /// Reads a quarantined record's headers; what is missing or malformed is left at its default.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let text =
            |name| record.header(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
        Entry {
            reason: text(header::REASON),
            message: text(header::MESSAGE),
            source_topic: text(header::SOURCE_TOPIC),
            source_partition: text(header::SOURCE_PARTITION).parse().unwrap_or_default(),
            source_offset: text(header::SOURCE_OFFSET).parse().unwrap_or_default(),
            source_timestamp_ms: text(header::SOURCE_TIMESTAMP).parse().ok(),
            schema_id: text(header::SCHEMA_ID).parse().ok(),
            major: text(header::MAJOR).parse().unwrap_or_default(),
            revision: text(header::REVISION).parse().unwrap_or_default(),
            generation: text(header::GENERATION).parse().unwrap_or(FIRST_GENERATION),
            key_version: text(header::KEY_VERSION).parse().unwrap_or_default(),
        }
    }
}
