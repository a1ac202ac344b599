//! The log on Kafka: one record a transaction, one writer at a time.

use mesh_kafka::{Error, ErrorKind, OutgoingRecord, Settings, log::FencedLogWriter};

use super::{Log, LogError, LogFault};
use crate::log::Record;

/// Writes to the log's topic, fenced by a transactional id.
pub(crate) struct KafkaLog {
    settings: Settings,
    topic: String,
    transactional_id: String,
    writer: Option<FencedLogWriter>,
}

impl KafkaLog {
    /// Nothing is sent before the first claim.
    pub(crate) fn new(settings: Settings, topic: &str) -> Self {
        let transactional_id = format!("mesh.registry.{topic}");
        Self { settings, topic: topic.to_owned(), transactional_id, writer: None }
    }

    fn outgoing(&self, record: &Record) -> OutgoingRecord {
        let (key, value) = record.encode();
        OutgoingRecord {
            topic: self.topic.as_str().into(),
            partition: Some(0),
            key: Some(key.into()),
            value: value.map(Into::into),
            headers: Vec::new(),
            timestamp_ms: None,
        }
    }
}

impl Log for KafkaLog {
    async fn claim(&mut self) -> Result<(), LogError> {
        // The earlier writer goes first: it would be fenced anyway.
        self.writer = None;
        let writer = FencedLogWriter::open(&self.settings, &self.transactional_id).await.map_err(failed)?;
        self.writer = Some(writer);
        Ok(())
    }

    async fn append(&mut self, record: &Record) -> Result<i64, LogError> {
        let outgoing = self.outgoing(record);
        let unclaimed = || LogError { fault: LogFault::Unavailable, source: "the log is not claimed".into() };
        let writer = self.writer.as_mut().ok_or_else(unclaimed)?;
        let position = writer.append(outgoing).await.map_err(failed)?;
        Ok(position.offset)
    }
}

fn failed(error: Error) -> LogError {
    let fault = match error.kind() {
        ErrorKind::Fenced => LogFault::Fenced,
        ErrorKind::TooLarge => LogFault::TooLarge,
        _ => LogFault::Unavailable,
    };
    LogError { fault, source: Box::new(error) }
}
