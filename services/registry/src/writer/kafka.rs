//! The log on Kafka: one record a transaction, one writer at a time.

use std::time::Duration;

use mesh_kafka::{
    Error, ErrorKind, OutgoingRecord, Settings,
    log::{FencedLogWriter, LogWriter},
};

use super::{Log, LogError, LogFault};
use crate::{Config, log::Record};

/// How long the log's end may take to be marked when the registry stops.
const MARK_TIMEOUT: Duration = Duration::from_secs(2);

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
}

/// The end of the log, as it is left behind.
///
/// After a transaction the topic ends with a marker that no consumer is ever given, and some registries are ready only
/// when they have been given what stands last: Karapace, for one. So a record that means nothing is put after it.
pub(crate) struct LogEnd {
    settings: Settings,
    topic: String,
}

impl LogEnd {
    pub(crate) fn new(config: &Config) -> Self {
        Self { settings: config.kafka.clone(), topic: config.topic.clone() }
    }

    /// Puts the record there; without Kafka the log is left as it is.
    pub(crate) async fn mark(self) {
        let marked = async { LogWriter::new(&self.settings)?.append(outgoing(&self.topic, &Record::Noop)).await };
        match tokio::time::timeout(MARK_TIMEOUT, marked).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::info!(%error, "the log's end is left as it is"),
            Err(_) => tracing::info!("the log's end is left as it is: kafka does not answer"),
        }
    }
}

fn outgoing(topic: &str, record: &Record) -> OutgoingRecord {
    let (key, value) = record.encode();
    OutgoingRecord {
        topic: topic.into(),
        partition: Some(0),
        key: Some(key.into()),
        value: value.map(Into::into),
        headers: Vec::new(),
        timestamp_ms: None,
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
        let outgoing = outgoing(&self.topic, record);
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
