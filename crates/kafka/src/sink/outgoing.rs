//! Records on their way out, borrowed.

use std::{fmt, sync::Arc, time::Duration};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, Producer},
};

use super::{
    Failure, Sink,
    context::Context,
    native::{self, HeaderList, Produced, TopicHandle},
};
use crate::{Error, ErrorKind, opened::Opened};

/// How long to serve deliveries when the producer's queue is full, before trying again.
const FULL_STEP: Duration = Duration::from_millis(1);

/// A topic that records are sent to: looked up once, not for each record. Of one sink, and for that one alone.
pub struct Topic {
    // before the producer, which it must not outlive
    handle: TopicHandle,
    producer: Arc<Opened<BaseProducer<Context>>>,
    name: Box<str>,
}

impl Topic {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Topic").field(&self.name).finish()
    }
}

/// A record to be sent.
pub struct Outgoing<'a> {
    /// Where to: a topic of the sink that it is sent with.
    pub topic: &'a Topic,
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
pub struct Headers(HeaderList);

impl Headers {
    /// No headers yet, room for some.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Headers(HeaderList::with_capacity(count))
    }

    /// Adds one.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&[u8]>) -> Self {
        self.0.add(name, value);
        self
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
    /// Has the producer know a topic. Whether it is there is found out by sending.
    ///
    /// # Errors
    /// The name is none of a topic.
    pub fn topic(&self, name: &str) -> Result<Topic, Error> {
        let handle = TopicHandle::new(self.producer.client(), name)
            .map_err(|code| Error::code(format!("prepare to send to {name}"), code))?;
        Ok(Topic { handle, producer: self.producer.clone(), name: name.into() })
    }

    /// Sends a record within the open transaction: copies it into the producer's queue, which is waited for when full.
    ///
    /// # Errors
    /// See [`Refusal`].
    ///
    /// # Panics
    /// The topic is another sink's.
    pub fn send(&self, outgoing: Outgoing<'_>) -> Result<(), Refusal> {
        let topic = outgoing.topic;
        assert!(Arc::ptr_eq(&topic.producer, &self.producer), "a topic is of the sink that it is sent with");
        let record = Produced {
            topic: &topic.handle,
            partition: outgoing.partition,
            key: outgoing.key,
            value: outgoing.value,
            timestamp_ms: outgoing.timestamp_ms,
            tag: outgoing.tag,
        };
        let mut headers = outgoing.headers.map(|headers| headers.0);
        loop {
            match native::produce(self.producer.client(), &record, headers) {
                Ok(()) => return Ok(()),
                Err((RDKafkaErrorCode::QueueFull, back)) => {
                    self.producer.poll(FULL_STEP);
                    headers = back;
                }
                Err((code, _)) => return Err(refusal(topic.name(), KafkaError::MessageProduction(code))),
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
