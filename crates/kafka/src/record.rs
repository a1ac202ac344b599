//! Records as they come from and go to Kafka, owned.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Header as RawHeader, Message as _, OwnedHeaders};

/// One partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
}

/// An offset for each of some partitions.
pub type Offsets = BTreeMap<TopicPartition, i64>;

/// Where a record was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The partition.
    pub partition: i32,
    /// The record's offset in it.
    pub offset: i64,
}

/// A record's header; Kafka admits several of one name, and null values.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The header's name.
    pub name: String,
    /// The header's value, null or not.
    pub value: Option<Bytes>,
}

/// A record as it was read. Its Debug shows where it is and how large, never what it holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The topic it was read from.
    pub topic: Arc<str>,
    /// The partition it was read from.
    pub partition: i32,
    /// Its offset in that partition.
    pub offset: i64,
    /// Its timestamp in milliseconds since 1970, if it has one.
    pub timestamp_ms: Option<i64>,
    /// Its key, if it has one.
    pub key: Option<Bytes>,
    /// Its value; null is a tombstone.
    pub value: Option<Bytes>,
    /// Its headers, in their order.
    pub headers: Vec<Header>,
}

/// A record to be written. Its Debug shows where it goes and how large it is, never what it holds.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingRecord {
    /// The topic it goes to.
    pub topic: Arc<str>,
    /// The partition it goes to; unset: the one of its key (murmur2), as every client's default.
    pub partition: Option<i32>,
    /// Its timestamp in milliseconds since 1970; unset: now.
    pub timestamp_ms: Option<i64>,
    /// Its key, if it has one.
    pub key: Option<Bytes>,
    /// Its value; null is a tombstone.
    pub value: Option<Bytes>,
    /// Its headers, in their order.
    pub headers: Vec<Header>,
}

impl TopicPartition {
    /// The partition of that number of that topic.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)
    }
}

impl Header {
    /// A header with a value.
    pub fn new(name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Header { name: name.into(), value: Some(value.into()) }
    }
}

impl Record {
    /// The value of the last header of this name, as Kafka's own clients look headers up.
    pub fn header(&self, name: &str) -> Option<&Bytes> {
        self.headers.iter().rev().find(|header| header.name == name)?.value.as_ref()
    }

    /// Copies a record out of librdkafka's buffer; `topic` is shared where it is the same as the record's.
    pub(crate) fn copy(message: &BorrowedMessage<'_>, topic: &mut Arc<str>) -> Self {
        if message.topic() != &**topic {
            *topic = message.topic().into();
        }
        Record {
            topic: Arc::clone(topic),
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            key: message.key().map(Bytes::copy_from_slice),
            value: message.payload().map(Bytes::copy_from_slice),
            headers: message.headers().map(copy_headers).unwrap_or_default(),
        }
    }
}

/// Names are UTF-8 by Kafka's protocol, but nobody checks: what is not is shown with replacement characters.
fn copy_headers(headers: &BorrowedHeaders) -> Vec<Header> {
    let copied = crate::source::headers(Some(headers)).map(|header| Header {
        name: String::from_utf8_lossy(header.name).into_owned(),
        value: header.value.map(Bytes::copy_from_slice),
    });
    copied.collect()
}

/// Headers as librdkafka takes them.
pub(crate) fn raw_headers(headers: &[Header]) -> Option<OwnedHeaders> {
    if headers.is_empty() {
        return None;
    }
    let raw = headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |raw, header| {
        raw.insert(RawHeader { key: &header.name, value: header.value.as_deref() })
    });
    Some(raw)
}

impl OutgoingRecord {
    /// A record with neither key nor value yet.
    pub fn to(topic: impl Into<Arc<str>>) -> Self {
        OutgoingRecord {
            topic: topic.into(),
            partition: None,
            timestamp_ms: None,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    /// Sets the key.
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the value; a record without is a tombstone.
    pub fn value(mut self, value: impl Into<Bytes>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push(Header::new(name, value));
        self
    }

    /// Sets the partition.
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Sets the timestamp, in milliseconds since 1970.
    pub fn timestamp_ms(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("name", &self.name).field("bytes", &len(&self.value)).finish()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .field("key_bytes", &len(&self.key))
            .field("value_bytes", &len(&self.value))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OutgoingRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingRecord")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("key_bytes", &len(&self.key))
            .field("value_bytes", &len(&self.value))
            .finish_non_exhaustive()
    }
}

fn len(bytes: &Option<Bytes>) -> Option<usize> {
    bytes.as_ref().map(Bytes::len)
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Headers as _;

    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let record = OutgoingRecord::to("crm.customers.v1.in").key("k-4711").value("secret").header("who", "jane");
        let shown = format!("{record:?} {:?}", record.headers);
        assert!(shown.contains("crm.customers.v1.in") && shown.contains("value_bytes: Some(6)"), "{shown}");
        assert!(!shown.contains("4711") && !shown.contains("secret") && !shown.contains("jane"), "{shown}");
    }

    #[test]
    fn the_last_header_of_a_name_counts() {
        let record = Record {
            topic: "t".into(),
            partition: 0,
            offset: 0,
            timestamp_ms: None,
            key: None,
            value: None,
            headers: vec![Header::new("a", "1"), Header::new("a", "2"), Header { name: "b".into(), value: None }],
        };
        assert_eq!(record.header("a").map(|v| &v[..]), Some(&b"2"[..]));
        assert_eq!(record.header("b"), None);
    }

    #[test]
    fn no_headers_are_no_raw_headers() {
        assert!(raw_headers(&[]).is_none());
        assert_eq!(raw_headers(&[Header::new("a", "1")]).map(|raw| raw.count()), Some(1));
    }
}
