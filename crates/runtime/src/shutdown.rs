//! One word for "stop now", shared by everything in the process.

use std::{future::Future, io, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Tells every part of the process to stop, and how long each may take over it.
///
/// Clones share the same trigger.
#[derive(Clone, Debug)]
pub struct Shutdown {
    token: CancellationToken,
    grace: Duration,
}

impl Shutdown {
    /// A shutdown that only [`trigger`](Self::trigger) starts.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        Self { token: CancellationToken::new(), grace }
    }

    /// A shutdown that SIGINT or SIGTERM starts; a second signal ends the process at once, with 128 + the signal.
    ///
    /// # Errors
    /// The signal handlers cannot be installed.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn on_signals(grace: Duration) -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        let shutdown = Self::new(grace);
        tokio::spawn(shutdown.clone().follow_signals(interrupt, terminate));
        Ok(shutdown)
    }

    /// Starts the shutdown. Doing so again changes nothing.
    pub fn trigger(&self) {
        self.token.cancel();
    }

    /// Whether the shutdown has started.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Resolves when the shutdown starts.
    pub async fn triggered(&self) {
        self.token.cancelled().await;
    }

    /// How long what is in flight may take to finish, once the shutdown has started.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// A shutdown that starts with this one, and can be started without it.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { token: self.token.child_token(), grace: self.grace }
    }

    /// The token beneath, for code that wants to select on it.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Runs `work` to its end, or until the shutdown starts: then `None`, and `work` is dropped where it stood.
    ///
    /// Only for work that may be abandoned at any await.
    pub async fn abandon<F: Future>(&self, work: F) -> Option<F::Output> {
        self.token.run_until_cancelled(work).await
    }

    /// Runs `work`, which follows this shutdown itself, but no longer than the grace period after its start.
    ///
    /// `None` means that it did not stop in time and was dropped.
    pub async fn drain<F: Future>(&self, work: F) -> Option<F::Output> {
        let overdue = async {
            self.triggered().await;
            tokio::time::sleep(self.grace).await;
        };
        tokio::select! {
            biased;
            output = work => Some(output),
            () = overdue => None,
        }
    }

    async fn follow_signals(self, mut interrupt: Signal, mut terminate: Signal) {
        let first = next_signal(&mut interrupt, &mut terminate).await;
        tracing::info!(signal = first.as_raw_value(), grace_seconds = self.grace.as_secs_f64(), "shutting down");
        self.trigger();
        let second = next_signal(&mut interrupt, &mut terminate).await;
        tracing::warn!(signal = second.as_raw_value(), "second signal, exiting at once");
        std::process::exit(128 + second.as_raw_value());
    }
}

async fn next_signal(interrupt: &mut Signal, terminate: &mut Signal) -> SignalKind {
    tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn trigger_reaches_clones_and_children_but_not_parents() {
        let parent = Shutdown::new(Duration::from_secs(1));
        let child = parent.child();
        child.trigger();
        assert!(child.is_triggered() && !parent.is_triggered());

        let sibling = parent.child();
        parent.clone().trigger();
        sibling.triggered().await;
        assert!(parent.is_triggered());
    }

    #[tokio::test]
    async fn drain_cuts_off_what_outlives_the_grace_period() {
        let grace = Duration::from_millis(20);
        let shutdown = Shutdown::new(grace);
        assert_eq!(shutdown.drain(async { 7 }).await, Some(7));
        shutdown.trigger();
        let started = std::time::Instant::now();
        assert_eq!(shutdown.drain(std::future::pending::<()>()).await, None);
        assert!(started.elapsed() >= grace);
    }

    #[tokio::test]
    async fn abandoned_work_yields_nothing() {
        let shutdown = Shutdown::new(Duration::ZERO);
        assert_eq!(shutdown.abandon(async { 1 }).await, Some(1));
        shutdown.trigger();
        assert_eq!(shutdown.abandon(std::future::pending::<()>()).await, None);
    }
}
