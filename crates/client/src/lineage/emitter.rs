//! The way out of lineage events. The data path hands an event over and goes on: the queue is bounded, what does not
//! fit is dropped and counted.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mesh_kafka::log::LogWriter;
use mesh_kafka::{OutgoingRecord, Settings};
use tokio::sync::{mpsc, oneshot};

use super::event::RunEvent;
use super::name;

/// How many events may wait.
pub const QUEUE_CAPACITY: usize = 1_024;

/// The largest event that is sent: below the default largest message of Kafka, with room for the record's frame.
pub const EVENT_BYTES_MAX: usize = 1_000_000;

/// Where events go.
pub trait Transport: Send + 'static {
    /// Delivers one event, or says why not. It may take its time, but must end.
    fn deliver(&mut self, key: String, body: Vec<u8>) -> impl Future<Output = Result<(), DeliverEventError>> + Send;
}

/// An event did not arrive.
#[derive(Debug, thiserror::Error)]
#[error("cannot deliver a lineage event")]
pub struct DeliverEventError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Appends events to `mesh.lineage`.
pub struct KafkaTransport {
    log: LogWriter,
}

impl KafkaTransport {
    /// Prepares to write; nothing is sent yet.
    pub fn new(settings: &Settings) -> Result<Self, mesh_kafka::Error> {
        Ok(Self { log: LogWriter::new(settings)? })
    }
}

impl Transport for KafkaTransport {
    async fn deliver(&mut self, key: String, body: Vec<u8>) -> Result<(), DeliverEventError> {
        let record = OutgoingRecord::to(mesh_contract::topic::LINEAGE_TOPIC).key(key).value(body);
        self.log.append(record).await.map(drop).map_err(|error| DeliverEventError(Box::new(error)))
    }
}

/// A handle to hand events over with; clone it freely.
#[derive(Debug, Clone)]
pub struct Emitter {
    queue: Option<mpsc::Sender<Message>>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
enum Message {
    Event(Box<RunEvent>),
    Flush(oneshot::Sender<()>),
}

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    dropped: AtomicU64,
}

impl Emitter {
    /// An emitter that drops every event uncounted: for programs that want no lineage.
    pub fn disabled() -> Self {
        Self { queue: None, counts: Arc::default() }
    }

    /// Starts the task that delivers events; it ends when the last handle is gone and the queue is empty.
    pub fn spawn(transport: impl Transport) -> Self {
        Self::spawn_bounded(transport, QUEUE_CAPACITY)
    }

    /// As [`Emitter::spawn`], with another bound.
    pub fn spawn_bounded(transport: impl Transport, capacity: usize) -> Self {
        let (queue, messages) = mpsc::channel(capacity);
        let counts = Arc::<Counts>::default();
        tokio::spawn(deliver_all(transport, messages, counts.clone()));
        Self { queue: Some(queue), counts }
    }

    /// Hands an event over. Never blocks, never fails: without room the event is dropped and counted.
    pub fn emit(&self, event: RunEvent) {
        let Some(queue) = &self.queue else { return };
        if queue.try_send(Message::Event(Box::new(event))).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was handed over is delivered or dropped, or until the deadline; `false` if the deadline came first.
    pub async fn flush(&self, deadline: Duration) -> bool {
        let Some(queue) = &self.queue else { return true };
        let (done, flushed) = oneshot::channel();
        let wait = async { queue.send(Message::Flush(done)).await.is_ok() && flushed.await.is_ok() };
        tokio::time::timeout(deadline, wait).await.unwrap_or(false)
    }

    /// How many events arrived.
    pub fn delivered(&self) -> u64 {
        self.counts.delivered.load(Ordering::Relaxed)
    }

    /// How many events were dropped: no room, too large, or refused.
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }
}

async fn deliver_all(mut transport: impl Transport, mut messages: mpsc::Receiver<Message>, counts: Arc<Counts>) {
    while let Some(message) = messages.recv().await {
        match message {
            Message::Event(event) => deliver_one(&mut transport, &event, &counts).await,
            Message::Flush(done) => drop(done.send(())),
        }
    }
}

async fn deliver_one(transport: &mut impl Transport, event: &RunEvent, counts: &Counts) {
    let key = name::run_key(&event.job.namespace, &event.job.name);
    let body = match serde_json::to_vec(event) {
        Ok(body) if body.len() <= EVENT_BYTES_MAX => body,
        Ok(body) => {
            counts.dropped.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                job = event.job.name,
                bytes = body.len(),
                bytes_max = EVENT_BYTES_MAX,
                "lineage event is too large, dropped"
            );
            return;
        }
        Err(error) => {
            counts.dropped.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(job = event.job.name, %error, "lineage event cannot be written as JSON, dropped");
            return;
        }
    };
    match transport.deliver(key, body).await {
        Ok(()) => drop(counts.delivered.fetch_add(1, Ordering::Relaxed)),
        Err(error) => {
            counts.dropped.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(job = event.job.name, error = %error.0, "lineage event was not delivered, dropped");
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::lineage::{Job, JobRun, KafkaNamespace};

    /// Takes events when it is let, and keeps them.
    struct Gate {
        open: tokio::sync::watch::Receiver<bool>,
        taken: mpsc::UnboundedSender<(String, Vec<u8>)>,
        refuse: bool,
    }

    impl Transport for Gate {
        async fn deliver(&mut self, key: String, body: Vec<u8>) -> Result<(), DeliverEventError> {
            let _ = self.open.wait_for(|open| *open).await;
            let _ = self.taken.send((key, body));
            if self.refuse { Err(DeliverEventError("the cluster is away".into())) } else { Ok(()) }
        }
    }

    fn event() -> RunEvent {
        JobRun::new(Job::mesh("masking.a.b.v1"), KafkaNamespace::of("k:1")).start(Timestamp::UNIX_EPOCH)
    }

    #[tokio::test]
    async fn a_stuck_transport_costs_events_and_no_time() {
        let (gate, open) = tokio::sync::watch::channel(false);
        let (taken, mut arrived) = mpsc::unbounded_channel();
        let emitter = Emitter::spawn_bounded(Gate { open, taken, refuse: false }, 2);
        (0..10).for_each(|_| emitter.emit(event()));
        assert_eq!(emitter.dropped(), 8);
        assert!(!emitter.flush(Duration::from_millis(10)).await, "nothing moves");

        gate.send(true).expect("the transport waits");
        assert!(emitter.flush(Duration::from_secs(10)).await);
        assert_eq!(emitter.delivered(), 2);
        let (key, body) = arrived.recv().await.expect("an event arrived");
        assert_eq!(key, "run:mesh/masking.a.b.v1");
        let read: RunEvent = serde_json::from_slice(&body).expect("an event is JSON");
        assert_eq!(read.job.name, "masking.a.b.v1");
    }

    #[tokio::test]
    async fn what_is_refused_or_too_large_is_counted() {
        let (_gate, open) = tokio::sync::watch::channel(true);
        let (taken, mut arrived) = mpsc::unbounded_channel();
        let emitter = Emitter::spawn(Gate { open, taken, refuse: true });
        let mut large = event();
        large.job.name = "x".repeat(EVENT_BYTES_MAX);
        emitter.emit(large);
        emitter.emit(event());
        assert!(emitter.flush(Duration::from_secs(10)).await);
        assert_eq!((emitter.delivered(), emitter.dropped()), (0, 2));
        assert!(arrived.recv().await.is_some() && arrived.try_recv().is_err(), "only the small one was sent");
    }

    #[tokio::test]
    async fn a_disabled_emitter_does_nothing() {
        let emitter = Emitter::disabled();
        emitter.emit(event());
        assert!(emitter.flush(Duration::ZERO).await);
        assert_eq!((emitter.delivered(), emitter.dropped()), (0, 0));
    }
}
