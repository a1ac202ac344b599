//! The single writer of a log.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig};

use crate::blocking::{self, Shared};
use crate::context::{forward_error, forward_log};
use crate::opened::Opened;
use crate::record::raw_headers;
use crate::{Error, ErrorKind, OutgoingRecord, Position, Settings};

/// How long one step of a transaction may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before looking again whether a record is delivered.
const DELIVERY_STEP: Duration = Duration::from_micros(200);

/// The single writer of a log: opening one fences every earlier one with the same transactional id, which then fails with
/// [`ErrorKind::Fenced`] and must stop. Each append is a transaction of its own, so that readers see it whole or never.
pub struct FencedLogWriter {
    writer: Shared<Writer>,
}

struct Writer {
    transactional_id: String,
    /// Held for a whole append: an append whose caller went away is finished before the next one begins.
    producer: Mutex<Opened<BaseProducer<DeliveryContext>>>,
}

impl FencedLogWriter {
    /// Takes over the log from any earlier writer; waits until its unfinished transaction is aborted.
    pub async fn open(settings: &Settings, transactional_id: &str) -> Result<Self, Error> {
        let operation = format!("take over as writer {transactional_id}");
        let fixed = [
            ("transactional.id", transactional_id),
            ("transaction.timeout.ms", "10000"),
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("partitioner", "murmur2_random"),
        ];
        let config = settings.client(&[("linger.ms", "0"), ("compression.type", "lz4")], &fixed);
        let (transactional_id, settings) = (transactional_id.to_owned(), settings.clone());
        blocking::run(move || {
            let failed = |error| Error::kafka(operation.as_str(), error);
            let producer: Opened<BaseProducer<DeliveryContext>> =
                settings.open(&config, DeliveryContext).map_err(failed)?;
            producer.init_transactions(STEP_TIMEOUT).map_err(failed)?;
            Ok(FencedLogWriter { writer: Shared::new(Writer { transactional_id, producer: Mutex::new(producer) }) })
        })
        .await
    }

    /// Appends one record in a transaction of its own; returns once it is committed.
    ///
    /// After any error but [`ErrorKind::Fenced`] and [`ErrorKind::TooLarge`] it is not known whether the record was
    /// committed: read the log to its end to find out.
    pub async fn append(&mut self, record: OutgoingRecord) -> Result<Position, Error> {
        let writer = self.writer.clone();
        blocking::run(move || {
            let delivered = writer.append(std::slice::from_ref(&record))?;
            // of one record there is one position
            delivered.into_iter().next().ok_or_else(|| Error::kafka("append a record", KafkaError::Canceled))
        })
        .await
    }

    /// Appends records of one topic in one transaction, so that readers see all of them or none; returns once it is committed. A
    /// handful of megabytes fits. Errors are those of [`FencedLogWriter::append`].
    pub async fn append_all(&mut self, records: Vec<OutgoingRecord>) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        let writer = self.writer.clone();
        blocking::run(move || writer.append(&records).map(drop)).await
    }
}

impl Writer {
    fn append(&self, records: &[OutgoingRecord]) -> Result<Vec<Position>, Error> {
        let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let topic = records.first().map(|record| record.topic.clone()).unwrap_or_default();
        let failed = |error| Error::kafka(format!("append to {topic} as writer {}", self.transactional_id), error);
        let written = producer.begin_transaction().and_then(|()| write(&producer, records));
        written.map_err(|error| {
            // librdkafka may learn only from the abort that another writer has taken over
            let aborted = abort(&producer);
            let fatal = producer.client().fatal_error().map(|(code, _)| KafkaError::Global(code));
            [fatal, aborted.err()].into_iter().flatten().map(failed).find(is_fenced).unwrap_or_else(|| failed(error))
        })
    }
}

fn is_fenced(error: &Error) -> bool {
    error.kind() == ErrorKind::Fenced
}

fn write(producer: &BaseProducer<DeliveryContext>, records: &[OutgoingRecord]) -> Result<Vec<Position>, KafkaError> {
    let mut sent = Vec::with_capacity(records.len());
    for record in records {
        let delivered = Arc::new(OnceLock::new());
        producer.send(base_record(record, Arc::clone(&delivered))).map_err(|(error, _)| error)?;
        sent.push(delivered);
    }
    flush(producer)?;
    let position = |delivered: &Delivered| delivered.get().cloned().unwrap_or(Err(KafkaError::Canceled));
    let positions = sent.iter().map(position).collect::<Result<Vec<Position>, KafkaError>>()?;
    producer.commit_transaction(STEP_TIMEOUT)?;
    Ok(positions)
}

/// Waits until everything is delivered. rdkafka's own flush waits in whole steps of 100 ms, and its poll spins through the last
/// millisecond of its time.
fn flush(producer: &BaseProducer<DeliveryContext>) -> Result<(), KafkaError> {
    let started = Instant::now();
    while let Err(error) = producer.flush(Duration::ZERO) {
        if started.elapsed() > STEP_TIMEOUT {
            return Err(error);
        }
        std::thread::sleep(DELIVERY_STEP);
        producer.poll(Duration::ZERO);
    }
    Ok(())
}

/// Gives the transaction up. What is still queued has to be purged first, and its delivery reports served.
fn abort(producer: &BaseProducer<DeliveryContext>) -> Result<(), KafkaError> {
    producer.purge(PurgeConfig::default().queue().inflight());
    producer.poll(Duration::ZERO);
    producer.abort_transaction(STEP_TIMEOUT)
}

fn base_record(record: &OutgoingRecord, delivered: Delivered) -> BaseRecord<'_, [u8], [u8], Delivered> {
    BaseRecord {
        topic: &record.topic,
        partition: record.partition,
        payload: record.value.as_deref(),
        key: record.key.as_deref(),
        timestamp: record.timestamp_ms,
        headers: raw_headers(&record.headers),
        delivery_opaque: delivered,
    }
}

type Delivered = Arc<OnceLock<Result<Position, KafkaError>>>;

struct DeliveryContext;

impl ClientContext for DeliveryContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ProducerContext for DeliveryContext {
    type DeliveryOpaque = Delivered;

    fn delivery(&self, result: &DeliveryResult<'_>, delivered: Delivered) {
        let outcome = match result {
            Ok(message) => Ok(Position { partition: message.partition(), offset: message.offset() }),
            Err((error, _)) => Err(error.clone()),
        };
        // each record has one delivery report
        let _ = delivered.set(outcome);
    }
}
