//! Takes events to where they go: one after the other, again and again while that may help.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::queue::Queue;
use super::transport::{DeliverEventError, Parcel, Transport};

/// Between two attempts; doubled from the first to the last, and shortened at random by up to a half, so that those who
/// wait for the same back end do not come back together.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_LAST: Duration = Duration::from_secs(30);

/// What became of events.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) delivered: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) superseded: AtomicU64,
}

pub(super) fn add(counter: &AtomicU64, events: u64) {
    counter.fetch_add(events, Ordering::Relaxed);
}

/// Delivers until the queue is closed and empty.
pub(super) async fn deliver_all(mut transport: impl Transport, queue: Arc<Queue>, counts: Arc<Counts>) {
    let mut outage = Outage::default();
    while let Some(parcel) = queue.next().await {
        let counter = match deliver(&mut transport, &queue, &parcel, &mut outage).await {
            Outcome::Delivered => &counts.delivered,
            Outcome::Superseded => &counts.superseded,
            Outcome::Dropped => &counts.dropped,
        };
        add(counter, 1);
        queue.settled();
    }
}

enum Outcome {
    Delivered,
    Superseded,
    Dropped,
}

async fn deliver(transport: &mut impl Transport, queue: &Queue, parcel: &Parcel, outage: &mut Outage) -> Outcome {
    let mut pause = PAUSE_FIRST;
    loop {
        let error = match transport.deliver(parcel).await {
            Ok(()) => {
                outage.is_over(transport.name());
                return Outcome::Delivered;
            }
            Err(error) => error,
        };
        if queue.supersedes(parcel) {
            return Outcome::Superseded;
        }
        if !error.is_retriable || queue.is_closed() {
            tracing::warn!(
                to = transport.name(),
                ?parcel,
                error = chain(&error),
                "lineage event was not delivered, dropped"
            );
            return Outcome::Dropped;
        }
        outage.goes_on(transport.name(), &error);
        tokio::time::sleep(shortened(pause)).await;
        pause = (pause * 2).min(PAUSE_LAST);
    }
}

/// Told of once when it begins, and once when it is over.
#[derive(Default)]
struct Outage {
    is_on: bool,
}

impl Outage {
    fn goes_on(&mut self, to: &str, error: &DeliverEventError) {
        if !std::mem::replace(&mut self.is_on, true) {
            tracing::warn!(
                to,
                error = chain(error),
                "lineage events cannot be delivered, they are kept and sent again"
            );
        }
    }

    fn is_over(&mut self, to: &str) {
        if std::mem::replace(&mut self.is_on, false) {
            tracing::info!(to, "lineage events are delivered again");
        }
    }
}

/// The error with its causes, on one line.
fn chain(error: &DeliverEventError) -> String {
    let mut text = error.source.to_string();
    let mut cause = error.source.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

/// At least half of a pause.
fn shortened(pause: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_bytes()[15];
    pause / 2 + pause * u32::from(random) / (2 * u32::from(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_shortened_by_a_half_at_most() {
        for _ in 0..1_000 {
            let pause = shortened(PAUSE_LAST);
            assert!(pause >= PAUSE_LAST / 2 && pause <= PAUSE_LAST, "{pause:?}");
        }
    }
}
