//! A task: one thread that gathers, processes and commits, batch by batch.

mod blame;
mod metadata;
mod output;
mod part;
mod process;
mod remask;
mod session;
mod settle;
mod telling;

use std::{sync::Arc, time::Duration};

use mesh_runtime::{Latch, Shutdown};
use tokio::sync::{mpsc, watch};

use crate::{
    Config, catalogue::Products, counts::Told, lookup::Lookups, metrics::TransactionMeters, run::ToldRuns,
    trouble::Troubles,
};
pub(crate) use output::{EVENT_TIME_HEADER, TOKEN_KEYS_HEADER};
pub(crate) use part::KeysInForce;
use session::Session;

/// Between two openings of a task's consumer and producer; doubled from the first to the last.
const REOPEN_FIRST: Duration = Duration::from_millis(200);
const REOPEN_LAST: Duration = Duration::from_secs(10);

/// What a task works with.
pub(crate) struct Task {
    pub(crate) config: Config,
    pub(crate) domain: String,
    /// The task's number within its domain, and within the process.
    pub(crate) index: usize,
    pub(crate) number: usize,
    pub(crate) products: watch::Receiver<Arc<Products>>,
    pub(crate) lookups: Lookups,
    pub(crate) troubles: Troubles,
    pub(crate) told: mpsc::Sender<Told>,
    pub(crate) told_runs: ToldRuns,
    pub(crate) latch: Latch,
    pub(crate) shutdown: Shutdown,
}

impl Task {
    /// The consumer group that it is a member of.
    fn group(&self) -> String {
        self.config.duty.group(&self.domain)
    }

    pub(crate) fn name(&self) -> String {
        format!("{}.{}.{}", self.group(), self.config.replica, self.index)
    }

    /// The task among those of its domain: which of them a run is of.
    pub(crate) fn worker(&self) -> String {
        format!("{}.{}", self.config.replica, self.index)
    }

    /// Works until told to stop. A consumer or producer that cannot go on is replaced.
    pub(crate) fn run(self) {
        let meters = TransactionMeters::of(self.config.duty, &self.domain);
        let mut pause = REOPEN_FIRST;
        while !self.shutdown.is_triggered() {
            self.latch.close("opening the consumer and the producer");
            let ended = Session::open(&self, &meters).and_then(|mut session| {
                let ended = session.run();
                if session.has_committed() {
                    pause = REOPEN_FIRST;
                }
                ended
            });
            self.troubles.clear(self.number);
            let Err(error) = ended else { break };
            meters.restarted();
            tracing::warn!(
                task = self.name(),
                error = &error as &dyn std::error::Error,
                "task starts anew from its committed offsets"
            );
            self.latch.close("starting anew after a failure");
            self.sleep(pause);
            pause = (pause * 2).min(REOPEN_LAST);
        }
        self.latch.close("stopped");
    }

    /// Sleeps, but not beyond the shutdown.
    fn sleep(&self, pause: Duration) {
        let step = Duration::from_millis(50);
        let mut left = pause;
        while !left.is_zero() && !self.shutdown.is_triggered() {
            std::thread::sleep(left.min(step));
            left = left.saturating_sub(step);
        }
    }
}
