//! The way out of lineage events. The data path hands an event over and goes on: what waits is bounded, what does not fit
//! is dropped and counted, and a back end that is down, slow or hanging holds nobody up but its own events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::delivery::{Counts, add, deliver_all};
use super::event::Event;
use super::queue::{Capacity, Queue};
use super::transport::{Parcel, Transport};

/// The largest event that is sent: below the default largest message of Kafka, with room for the record's frame.
pub const EVENT_BYTES_MAX: usize = 1_000_000;

/// A handle to hand events over with; clone it freely. Each transport has a queue and a task of its own.
#[derive(Debug, Clone, Default)]
pub struct Emitter {
    ways: Vec<Arc<Way>>,
}

/// The way to one transport. Its task ends when the last handle is gone, and what waits then was tried once.
#[derive(Debug)]
struct Way {
    queue: Arc<Queue>,
    counts: Arc<Counts>,
}

impl Drop for Way {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Emitter {
    /// An emitter that drops every event uncounted: for programs that want no lineage.
    pub fn disabled() -> Self {
        Self::default()
    }

    /// Starts the task that delivers events. Needs a Tokio runtime.
    pub fn spawn(transport: impl Transport) -> Self {
        Self::disabled().and(transport)
    }

    /// Delivers to another transport as well.
    #[must_use]
    pub fn and(self, transport: impl Transport) -> Self {
        self.and_bounded(transport, Capacity::default())
    }

    /// As [`Emitter::and`], with another bound on what waits.
    #[must_use]
    pub fn and_bounded(mut self, transport: impl Transport, capacity: Capacity) -> Self {
        let way = Way { queue: Arc::new(Queue::new(capacity)), counts: Arc::default() };
        tokio::spawn(deliver_all(transport, way.queue.clone(), way.counts.clone()));
        self.ways.push(Arc::new(way));
        self
    }

    /// Hands an event over. Never blocks, never fails: without room, snapshots and then other events are dropped and
    /// counted.
    pub fn emit(&self, event: impl Into<Event>) {
        if self.ways.is_empty() {
            return;
        }
        let event = event.into();
        match Parcel::of(&event) {
            Ok(parcel) if parcel.body.len() <= EVENT_BYTES_MAX => {
                self.ways.iter().for_each(|way| way.take(parcel.clone()));
            }
            Ok(parcel) => {
                tracing::warn!(?parcel, bytes_max = EVENT_BYTES_MAX, "lineage event is too large, dropped");
                self.drop_one();
            }
            Err(error) => {
                tracing::warn!(key = event.key(), %error, "lineage event cannot be written as JSON, dropped");
                self.drop_one();
            }
        }
    }

    /// Waits until what was handed over is delivered or dropped, or until the deadline; `false` if the deadline came first.
    pub async fn flush(&self, deadline: Duration) -> bool {
        let all = async {
            for way in &self.ways {
                way.queue.idle().await;
            }
        };
        tokio::time::timeout(deadline, all).await.is_ok()
    }

    /// How many events arrived, each counted for every transport.
    pub fn delivered(&self) -> u64 {
        self.sum(|counts| &counts.delivered)
    }

    /// How many events were dropped: no room, too large, or refused.
    pub fn dropped(&self) -> u64 {
        self.sum(|counts| &counts.dropped)
    }

    /// How many snapshots were not sent because a later event of their run was there: nothing is lost with them.
    pub fn superseded(&self) -> u64 {
        self.sum(|counts| &counts.superseded)
    }

    fn drop_one(&self) {
        self.ways.iter().for_each(|way| add(&way.counts.dropped, 1));
    }

    fn sum(&self, of: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        self.ways.iter().map(|way| of(&way.counts).load(Ordering::Relaxed)).sum()
    }
}

impl Way {
    fn take(&self, parcel: Parcel) {
        let cost = self.queue.push(parcel);
        add(&self.counts.superseded, cost.superseded);
        add(&self.counts.dropped, cost.dropped);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::lineage::transport::DeliverEventError;
    use crate::lineage::{EventType, Job, JobRun, KafkaNamespace, RunEvent};

    /// Takes events when it is let, and keeps them.
    struct Gate {
        open: watch::Receiver<bool>,
        taken: mpsc::UnboundedSender<Parcel>,
        /// How many are refused before one is taken, and whether they may be sent again.
        refuse: (u32, bool),
    }

    impl Transport for Gate {
        fn name(&self) -> &'static str {
            "gate"
        }

        async fn deliver(&mut self, parcel: &Parcel) -> Result<(), DeliverEventError> {
            let _ = self.open.wait_for(|open| *open).await;
            if self.refuse.0 > 0 {
                self.refuse.0 -= 1;
                return Err(DeliverEventError { source: "away".into(), is_retriable: self.refuse.1 });
            }
            let _ = self.taken.send(parcel.clone());
            Ok(())
        }
    }

    fn gate(open: bool, refuse: (u32, bool)) -> (watch::Sender<bool>, Gate, mpsc::UnboundedReceiver<Parcel>) {
        let (gate, open) = watch::channel(open);
        let (taken, arrived) = mpsc::unbounded_channel();
        (gate, Gate { open, taken, refuse }, arrived)
    }

    fn event(event_type: EventType) -> RunEvent {
        let mut run = JobRun::new(Job::mesh("masking.a.b.v1"), KafkaNamespace::of("k:1"));
        let mut event = run.start(Timestamp::UNIX_EPOCH);
        event.event_type = Some(event_type);
        event
    }

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_hanging_transport_costs_events_and_no_time_and_not_its_neighbours() {
        let (hanging, gate_one, mut late) = gate(false, (0, false));
        let (_open, gate_two, mut soon) = gate(true, (0, false));
        let capacity = Capacity { events_max: 2, bytes_max: usize::MAX };
        let emitter = Emitter::spawn(gate_two).and_bounded(gate_one, capacity);
        for _ in 0..10 {
            emitter.emit(event(EventType::Start));
        }
        for _ in 0..10 {
            assert!(soon.recv().await.is_some(), "the other one is not held up");
        }
        assert!(!emitter.flush(Duration::from_millis(10)).await, "nothing moves");
        hanging.send(true).expect("the transport waits");
        assert!(emitter.flush(PATIENCE).await);
        assert_eq!(emitter.delivered() + emitter.dropped(), 20);
        assert!((10..=13).contains(&emitter.delivered()), "{}", emitter.delivered());
        let parcel = late.recv().await.expect("an event arrived");
        assert_eq!(&*parcel.key, "run:mesh/masking.a.b.v1");
        let read: RunEvent = serde_json::from_slice(&parcel.body).expect("an event is JSON");
        assert_eq!(read.job.name, "masking.a.b.v1");
    }

    #[tokio::test]
    async fn what_may_arrive_is_sent_again() {
        let (_open, gate, mut arrived) = gate(true, (2, true));
        let emitter = Emitter::spawn(gate);
        emitter.emit(event(EventType::Start));
        assert!(emitter.flush(PATIENCE).await);
        assert_eq!((emitter.delivered(), emitter.dropped()), (1, 0));
        assert!(arrived.try_recv().is_ok());
    }

    #[tokio::test]
    async fn what_is_refused_or_too_large_is_counted() {
        let (_open, gate, mut arrived) = gate(true, (1, false));
        let emitter = Emitter::spawn(gate);
        let mut large = event(EventType::Start);
        large.job.name = "x".repeat(EVENT_BYTES_MAX);
        emitter.emit(large);
        emitter.emit(event(EventType::Start));
        emitter.emit(event(EventType::Complete));
        assert!(emitter.flush(PATIENCE).await);
        assert_eq!((emitter.delivered(), emitter.dropped()), (1, 2));
        assert!(arrived.try_recv().is_ok() && arrived.try_recv().is_err());
    }

    #[tokio::test]
    async fn when_the_last_handle_is_gone_what_waits_is_tried_once() {
        let (_open, gate, mut arrived) = gate(true, (1, true));
        let emitter = Emitter::spawn(gate);
        emitter.emit(event(EventType::Start));
        emitter.emit(event(EventType::Complete));
        drop(emitter);
        assert!(arrived.recv().await.is_some());
        assert_eq!(arrived.recv().await, None, "the task has ended");
    }

    #[tokio::test]
    async fn a_disabled_emitter_does_nothing() {
        let emitter = Emitter::disabled();
        emitter.emit(event(EventType::Start));
        assert!(emitter.flush(Duration::ZERO).await);
        assert_eq!((emitter.delivered(), emitter.dropped()), (0, 0));
    }
}
