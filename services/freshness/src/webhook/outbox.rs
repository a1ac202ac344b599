//! What one target has still to be told: a bounded queue, and the one who works on it.

use std::sync::Arc;
use std::time::Duration;

use mesh_kafka::log::LogWriter;
use reqwest::Client;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::event::Event;
use super::post::{self, Refusal};
use super::target::Target;
use super::{Retries, metrics, progress};
use crate::Error;

/// So many changes wait for a target; about a kilobyte each.
const WAITING_MAX: usize = 1_024;

/// The queue of one target.
pub(super) struct Outbox {
    target: Arc<Target>,
    queue: Sender<Event>,
}

impl Outbox {
    /// An empty queue, and the work on it, which ends only by an error of Kafka's.
    pub(super) fn open(
        target: Arc<Target>,
        retries: Retries,
        log: LogWriter,
    ) -> Result<(Self, impl Future<Output = Result<(), Error>> + Send + 'static), Error> {
        let (sender, receiver) = channel(WAITING_MAX);
        let client = post::client(&target)?;
        metrics::opened(&target.name);
        let worker = Worker { target: Arc::clone(&target), client, retries, log, queue: receiver };
        Ok((Self { target, queue: sender }, worker.work()))
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Appends an event. Where the queue is full it is given up: a receiver that is a thousand changes behind does not hear
    /// them in time to act.
    pub(super) fn put(&self, event: Event) {
        let target = &self.target.name;
        if let Err(error) = self.queue.try_send(event) {
            metrics::dead(target);
            let id = error.into_inner().id;
            tracing::error!(
                target_name = target,
                id,
                waiting = WAITING_MAX,
                "a webhook is too far behind, a change was given up"
            );
        }
    }
}

struct Worker {
    target: Arc<Target>,
    client: Client,
    retries: Retries,
    log: LogWriter,
    queue: Receiver<Event>,
}

impl Worker {
    async fn work(mut self) -> Result<(), Error> {
        while let Some(event) = self.queue.recv().await {
            metrics::waiting(&self.target.name, self.queue.len() + 1);
            self.deliver(&event).await;
            let told = progress::record(&self.target.name, &event.key, event.told.as_ref());
            let failed = |source| Error::WriteState { product: event.key.clone(), source };
            self.log.append(told).await.map_err(failed)?;
            metrics::waiting(&self.target.name, self.queue.len());
        }
        Ok(())
    }

    /// Tries until the target is told, or all attempts are used up.
    async fn deliver(&self, event: &Event) {
        let target = &self.target.name;
        for attempt in 1..=self.retries.attempts {
            let Err(refusal) = post::post(&self.client, &self.target, event).await else {
                metrics::delivered(target);
                tracing::info!(target_name = target, id = event.id, attempt, "a webhook was told");
                return;
            };
            metrics::failed(target);
            if refusal.is_final || attempt == self.retries.attempts {
                metrics::dead(target);
                tracing::error!(
                    target_name = target,
                    id = event.id,
                    attempt,
                    why = refusal.why,
                    "a webhook was not told, the change was given up"
                );
                return;
            }
            let pause = self.retries.pause(attempt, &refusal);
            tracing::warn!(
                target_name = target,
                id = event.id,
                attempt,
                why = refusal.why,
                ?pause,
                "a webhook was not told, trying again"
            );
            tokio::time::sleep(pause).await;
        }
    }
}

impl Retries {
    /// The pause after the given attempt, counted from 1.
    fn pause(&self, attempt: u32, refusal: &Refusal) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
        doubled.min(self.longest).max(refusal.pause.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(asked: Option<Duration>) -> Vec<u64> {
        let refusal = Refusal { why: String::new(), pause: asked, is_final: false };
        (1..20).map(|attempt| Retries::default().pause(attempt, &refusal).as_secs()).collect()
    }

    #[test]
    fn pauses_double_up_to_five_minutes_for_about_an_hour() {
        assert_eq!(pauses(None)[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        let minutes = pauses(None).iter().sum::<u64>() / 60;
        assert!((55..75).contains(&minutes), "{minutes}");
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause() {
        assert_eq!(pauses(Some(Duration::from_secs(20)))[..6], [20, 20, 20, 20, 20, 32]);
    }

    #[test]
    fn many_attempts_do_not_overflow() {
        let refusal = Refusal { why: String::new(), pause: None, is_final: false };
        assert_eq!(Retries::default().pause(u32::MAX, &refusal), Duration::from_secs(300));
    }
}
