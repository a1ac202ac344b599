//! What librdkafka has to say, as `tracing` events.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// The context of every client that needs no callbacks of its own: it passes librdkafka's log on.
///
/// librdkafka reports a lost connection as an error; it reconnects by itself, so that nothing above WARN comes from here:
/// whether data is at risk is for the caller to say, who sees the failed operation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogContext;

impl ClientContext for LogContext {
    fn log(&self, level: Level, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ConsumerContext for LogContext {}

/// Passes one of librdkafka's log lines on; for contexts with callbacks of their own.
pub(crate) fn forward_log(level: Level, facility: &str, message: &str) {
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error | Level::Warning => {
            tracing::warn!(target: "mesh_kafka::librdkafka", facility, "{message}");
        }
        Level::Notice | Level::Info => tracing::debug!(target: "mesh_kafka::librdkafka", facility, "{message}"),
        Level::Debug => tracing::trace!(target: "mesh_kafka::librdkafka", facility, "{message}"),
    }
}

/// Passes one of librdkafka's client-wide errors on; for contexts with callbacks of their own.
pub(crate) fn forward_error(error: &KafkaError, reason: &str) {
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
        // asked for by those who read to the end; no error
        return;
    }
    tracing::warn!(target: "mesh_kafka::librdkafka", code = ?error.rdkafka_error_code(), "{reason}");
}
