//! Serves a producer's delivery reports on a thread that sleeps while nothing is on its way.
//!
//! rdkafka's own polling thread asks in steps of 100 ms and spins through the last millisecond of each, which costs a
//! hundredth of a core for as long as the producer lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};
use tokio::sync::oneshot;

use crate::context::{forward_error, forward_log};
use crate::opened::Opened;
use crate::{Error, ErrorKind, Position};

/// How long a delivery report may wait.
const BUSY_STEP: Duration = Duration::from_millis(1);
/// How long all else may wait: librdkafka's own errors, and what it asks for.
const IDLE_STEP: Duration = Duration::from_millis(100);

/// What became of a record.
pub(super) type Report = Result<Position, KafkaError>;

/// Hands each delivery report to whoever waits for it.
#[derive(Default)]
pub(super) struct Reports {
    served: AtomicU64,
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<oneshot::Sender<Report>>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Self::DeliveryOpaque) {
        self.served.fetch_add(1, Ordering::Relaxed);
        let report = match result {
            Ok(message) => Ok(Position { partition: message.partition(), offset: message.offset() }),
            Err((error, _)) => Err(error.clone()),
        };
        // who does not wait for it does not want it
        let _ = waiting.send(report);
    }
}

/// The thread; it ends when this is dropped.
pub(super) struct Poller {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    /// Whether the thread sleeps until it is woken.
    is_idle: AtomicBool,
    is_over: AtomicBool,
}

impl Poller {
    pub(super) fn start(producer: Arc<Opened<BaseProducer<Reports>>>) -> Result<Self, Error> {
        let state = Arc::<State>::default();
        let seen = Arc::clone(&state);
        let spawned = thread::Builder::new().name("kafka-reports".into()).spawn(move || serve(&producer, &seen));
        let thread =
            spawned.map_err(|error| Error::said("start a producer's thread", ErrorKind::Other, error.to_string()))?;
        Ok(Self { state, thread: Some(thread) })
    }

    /// Says that something is on its way.
    pub(super) fn wake(&self) {
        // most often it is awake
        if self.state.is_idle.load(Ordering::SeqCst) && self.state.is_idle.swap(false, Ordering::SeqCst) {
            self.unpark();
        }
    }

    fn unpark(&self) {
        self.thread.iter().for_each(|thread| thread.thread().unpark());
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        self.unpark();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::warn!("the thread that serves a producer's delivery reports has panicked");
        }
    }
}

fn serve(producer: &BaseProducer<Reports>, state: &State) {
    while !state.is_over.load(Ordering::SeqCst) {
        drain(producer);
        state.is_idle.store(true, Ordering::SeqCst);
        // what was handed over before is seen here, what comes after wakes this thread
        let step = if producer.in_flight_count() > 0 {
            state.is_idle.store(false, Ordering::SeqCst);
            BUSY_STEP
        } else {
            IDLE_STEP
        };
        thread::park_timeout(step);
    }
}

/// Serves what there is. A poll serves one event: the reports of a request, or something else.
fn drain(producer: &BaseProducer<Reports>) {
    let served = &producer.context().served;
    loop {
        let before = served.load(Ordering::Relaxed);
        producer.poll(Duration::ZERO);
        if served.load(Ordering::Relaxed) == before {
            break;
        }
    }
}
