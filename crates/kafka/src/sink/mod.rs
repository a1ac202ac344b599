//! The sidecar's way out: a transactional producer, used by one thread.
//!
//! [`begin`](Sink::begin), [`send`](Sink::send) what a batch makes, [`commit`](Sink::commit) it together with the offsets of
//! the batch. Whatever fails on the way is one of two things: the transaction is to be [aborted](Sink::abort) and the batch
//! read again, or the sink is to be closed and opened anew ([`Failure`]). The abort tells which records could not be delivered,
//! and why ([`Aborted`]), so that the caller can do something about those before it tries again.
//!
//! A producer of which a record was not delivered is never used again: librdkafka numbers what comes after the abort as it
//! numbered the records that were given up. A broker that has stored one of those after all, its answer lost, takes the next for
//! a repetition, and acknowledges what it does not store. The sink goes on with another producer, whose epoch is its own.

mod context;
mod failure;
mod native;
mod outgoing;
mod transaction;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::producer::{BaseProducer, Producer};

pub use context::Undelivered;
pub use failure::Failure;
pub use outgoing::{Headers, Outgoing, Refusal, Topic};
pub use transaction::{Aborted, Progress};

use crate::{Error, Settings, opened::Opened};
use context::Context;

/// One attempt to take the transactional id over.
const INIT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a [`Sink`] is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The transactional id; a sink that is opened with it fences the one before.
    pub transactional_id: String,
    /// How long a transaction may stay open before the cluster aborts it. A dead task holds readers back for this long.
    pub transaction_timeout: Duration,
    /// How long [`Sink::open`] may take in all.
    pub open_deadline: Duration,
}

impl Options {
    /// The defaults, for a transactional id.
    #[must_use]
    pub fn new(transactional_id: impl Into<String>) -> Self {
        Options {
            transactional_id: transactional_id.into(),
            transaction_timeout: Duration::from_secs(10),
            open_deadline: Duration::from_secs(30),
        }
    }
}

/// A transactional producer with no transaction open, or one.
pub struct Sink {
    producer: Arc<Opened<BaseProducer<Context>>>,
    settings: Settings,
    options: Options,
    compresses: bool,
}

impl Sink {
    /// Opens the sink: fences the one before it with the same id, and waits until that one's transaction is ended.
    ///
    /// # Errors
    /// The settings are not valid, the cluster refuses the id, or it does not answer in time.
    pub fn open(settings: &Settings, options: &Options) -> Result<Self, Error> {
        let producer = Arc::new(producer(settings, options)?);
        let codec = settings.get("compression.codec").or_else(|| settings.get("compression.type"));
        let compresses = codec.is_some_and(|codec| codec != "none");
        Ok(Sink { producer, settings: settings.clone(), options: options.clone(), compresses })
    }

    /// Whether records are smaller on the wire than in memory, so that what a topic takes cannot be told beforehand.
    #[must_use]
    pub fn compresses(&self) -> bool {
        self.compresses
    }

    /// Serves librdkafka's log while nothing is sent; call it now and then.
    pub fn idle(&self) {
        self.producer.poll(Duration::ZERO);
    }
}

/// A producer that has taken the transactional id over.
fn producer(settings: &Settings, options: &Options) -> Result<Opened<BaseProducer<Context>>, Error> {
    let timeout = options.transaction_timeout.as_millis().to_string();
    let delivery_timeout = (options.transaction_timeout / 2).as_millis().to_string();
    let defaults = [
        // a commit sends at once what has not been sent: until then requests are filled
        ("linger.ms", "50"),
        ("batch.num.messages", "10000"),
        // the caller has seen its topics: one that is gone is told of soon, not after 30 s in which all wait for it
        ("topic.metadata.propagation.max.ms", "2000"),
        ("queue.buffering.max.messages", "200000"),
        ("queue.buffering.max.kbytes", "131072"),
        // the topic's own limit decides, not the client's
        ("message.max.bytes", "67108864"),
        ("batch.size", "524288"),
    ];
    let fixed = [
        ("transactional.id", options.transactional_id.as_str()),
        ("transaction.timeout.ms", timeout.as_str()),
        ("message.timeout.ms", delivery_timeout.as_str()),
        ("enable.idempotence", "true"),
        ("acks", "all"),
        // a commit vouches for all that was delivered; what was not is all we need to hear of
        ("delivery.report.only.error", "true"),
    ];
    let producer: Opened<BaseProducer<Context>> = settings
        .open(&settings.client(&defaults, &fixed), Context::default())
        .map_err(|error| Error::kafka(format!("create the producer {}", options.transactional_id), error))?;
    init(&producer, options)?;
    Ok(producer)
}

fn init(producer: &BaseProducer<Context>, options: &Options) -> Result<(), Error> {
    let deadline = Instant::now() + options.open_deadline;
    loop {
        let Err(cause) = producer.init_transactions(INIT_TIMEOUT) else { return Ok(()) };
        producer.poll(Duration::ZERO);
        let again = failure::is_retriable(&cause) && Instant::now() < deadline;
        if !again {
            return Err(Error::kafka(format!("take the transactional id {} over", options.transactional_id), cause));
        }
    }
}
