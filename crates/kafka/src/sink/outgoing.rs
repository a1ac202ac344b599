//! Records on their way out, borrowed.

use std::{fmt, time::Duration};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::BaseRecord,
};

use super::{Failure, Sink};
use crate::{Error, ErrorKind};

/// How long to serve deliveries when the producer's queue is full, before trying again.
const FULL_STEP: Duration = Duration::from_millis(1);

/// A record to be sent.
pub struct Outgoing<'a> {
    /// Where to.
    pub topic: &'a str,
    /// Which of its partitions.
    pub partition: i32,
    /// The key; `None` is Kafka's null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The timestamp; `None`: now.
    pub timestamp_ms: Option<i64>,
    /// The headers, if any.
    pub headers: Option<Headers>,
    /// Comes back with the failure if the record cannot be delivered.
    pub tag: usize,
}

/// Headers on their way out.
pub struct Headers(OwnedHeaders);

impl Headers {
    /// No headers yet, room for some.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Headers(OwnedHeaders::new_with_capacity(count))
    }

    /// Adds one.
    ///
    /// # Panics
    /// The name holds a NUL, which no caller's constant or contract does.
    #[must_use]
    pub fn with(self, name: &str, value: Option<&[u8]>) -> Self {
        Headers(self.0.insert(Header { key: name, value }))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Headers").finish_non_exhaustive()
    }
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// This record alone cannot be sent; the transaction is as it was.
    #[error("the record cannot be sent")]
    Record(#[source] Error),
    /// The transaction is over.
    #[error(transparent)]
    Transaction(Failure),
}

impl Sink {
    /// Sends a record within the open transaction: copies it into the producer's queue, which is waited for when full.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn send(&self, outgoing: Outgoing<'_>) -> Result<(), Refusal> {
        let mut record = BaseRecord::with_opaque_to(outgoing.topic, outgoing.tag).partition(outgoing.partition);
        record.key = outgoing.key;
        record.payload = outgoing.value;
        record.timestamp = outgoing.timestamp_ms;
        record.headers = outgoing.headers.map(|headers| headers.0);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.producer.poll(FULL_STEP);
                    record = back;
                }
                Err((cause, _)) => return Err(refusal(outgoing.topic, cause)),
            }
        }
    }
}

fn refusal(topic: &str, cause: KafkaError) -> Refusal {
    let operation = format!("send to {topic}");
    let error = Error::kafka(operation.as_str(), cause.clone());
    match error.kind() {
        ErrorKind::TooLarge | ErrorKind::UnknownTopic | ErrorKind::Unauthorised => Refusal::Record(error),
        _ => Refusal::Transaction(Failure::sort(operation, cause)),
    }
}
