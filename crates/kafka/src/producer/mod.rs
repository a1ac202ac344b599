//! Writes records, idempotently and acknowledged by all in-sync replicas.

mod poller;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tokio::sync::oneshot;

use crate::blocking::{self, Shared};
use crate::opened::Opened;
use crate::record::raw_headers;
use crate::{Error, OutgoingRecord, Position, Settings};
use poller::{Poller, Report, Reports};

/// Throughput over latency, within bounds: at most 100,000 records or 64 MiB wait to be sent.
const DEFAULTS: [(&str, &str); 6] = [
    ("linger.ms", "5"),
    ("batch.size", "262144"),
    ("compression.type", "lz4"),
    ("queue.buffering.max.messages", "100000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("delivery.timeout.ms", "60000"),
];
/// One key has one partition in every language's default client.
const FIXED: [(&str, &str); 3] = [("enable.idempotence", "true"), ("acks", "all"), ("partitioner", "murmur2_random")];

/// Writes records. Cheap to clone; the clones share one connection and one bounded queue.
#[derive(Clone)]
pub struct Producer {
    inner: Shared<Inner>,
}

/// The poller ends before the client does.
struct Inner {
    poller: Poller,
    client: Arc<Opened<BaseProducer<Reports>>>,
}

/// A record on its way; resolves once all in-sync replicas have it, or it cannot be delivered.
#[must_use = "a record is delivered only once this resolves to a position"]
pub struct Delivery {
    topic: Arc<str>,
    report: oneshot::Receiver<Report>,
    producer: Shared<Inner>,
}

impl Producer {
    /// Prepares to write; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Producer::with_defaults(settings, &[])
    }

    /// As [`Producer::new`], with other defaults where named.
    pub(crate) fn with_defaults(settings: &Settings, defaults: &[(&str, &str)]) -> Result<Self, Error> {
        let config = settings.client(&[&DEFAULTS, defaults].concat(), &FIXED);
        let client = settings.open(&config, Reports::default());
        let client: Arc<Opened<_>> = Arc::new(client.map_err(|error| Error::kafka("set up a producer", error))?);
        Ok(Producer { inner: Shared::new(Inner { poller: Poller::start(Arc::clone(&client))?, client }) })
    }

    /// Hands a record over, waiting while the queue is full; the result tells when it is stored.
    ///
    /// Records of one partition are stored in the order in which they were handed over.
    pub async fn send(&self, record: OutgoingRecord) -> Result<Delivery, Error> {
        loop {
            match self.try_send(&record) {
                Err(error) if error.kind() == crate::ErrorKind::Full => {
                    tokio::time::sleep(Duration::from_millis(2)).await
                }
                result => return result,
            }
        }
    }

    /// Hands a record over; [`crate::ErrorKind::Full`] if the queue has no room for it now.
    pub fn try_send(&self, record: &OutgoingRecord) -> Result<Delivery, Error> {
        let (reported, report) = oneshot::channel();
        let raw = BaseRecord::<[u8], [u8], _> {
            topic: &record.topic,
            partition: record.partition,
            payload: record.value.as_deref(),
            key: record.key.as_deref(),
            timestamp: record.timestamp_ms,
            headers: raw_headers(&record.headers),
            delivery_opaque: Box::new(reported),
        };
        self.inner.client.send(raw).map_err(|(error, _)| self.inner.failed(&record.topic, error))?;
        self.inner.poller.wake();
        Ok(Delivery { topic: record.topic.clone(), report, producer: self.inner.clone() })
    }

    /// Waits until everything handed over so far is stored or has failed; each [`Delivery`] tells which.
    pub async fn flush(&self, deadline: Duration) -> Result<(), Error> {
        let producer = self.inner.clone();
        blocking::run(move || {
            let started = std::time::Instant::now();
            // the poller serves the delivery reports
            while producer.client.in_flight_count() > 0 {
                if started.elapsed() > deadline {
                    let timed_out = KafkaError::Flush(Code::OperationTimedOut);
                    return Err(Error::kafka(format!("deliver everything within {} s", deadline.as_secs()), timed_out));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        })
        .await
    }
}

impl Future for Delivery {
    type Output = Result<Position, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        Pin::new(&mut self.report).poll(cx).map(|reported| {
            // a report that nobody gives any more: the producer is gone
            let report = reported.unwrap_or(Err(KafkaError::Canceled));
            report.map_err(|error| self.producer.failed(&self.topic, error))
        })
    }
}

impl Inner {
    /// What broke the producer for good, as when it may write nothing at all, says more than that it is broken.
    fn failed(&self, topic: &str, error: KafkaError) -> Error {
        let operation = format!("write to {topic}");
        let broken = matches!(error.rdkafka_error_code(), Some(Code::Fatal | Code::PurgeQueue));
        match self.client.client().fatal_error().filter(|_| broken) {
            Some((code, said)) => Error::answered(operation, code, said),
            None => Error::kafka(operation, error),
        }
    }
}
