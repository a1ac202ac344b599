//! The state in memory, and how far into the log it reaches.

use std::{
    sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{log::Record, metrics, state::State};

/// Shared by everybody who reads; written only by whoever follows the log.
#[derive(Debug)]
pub(crate) struct Store {
    state: RwLock<State>,
    progress: watch::Sender<Progress>,
    /// Asks the follower to read to the log's end as it is now; unset where nobody follows.
    catch_up: OnceLock<mpsc::Sender<CatchUp>>,
}

/// Answered once all is applied that was in the log when it was asked.
pub(crate) type CatchUp = oneshot::Sender<()>;

/// How many may wait for the log's end at once.
const CATCH_UPS_MAX: usize = 1024;

/// How far the state has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    caught_up: bool,
    /// The offset after the last record applied.
    next: i64,
}

/// The state does not reach the log's end yet, so nothing can be said to be absent.
#[derive(Debug, thiserror::Error)]
#[error("the registry is still reading its log: try again shortly")]
pub(crate) struct NotCaughtUp;

impl Default for Store {
    fn default() -> Self {
        Self { state: RwLock::default(), progress: watch::Sender::new(Progress::default()), catch_up: OnceLock::new() }
    }
}

impl Store {
    /// The state, once it has caught up with the log.
    pub(crate) fn read(&self) -> Result<RwLockReadGuard<'_, State>, NotCaughtUp> {
        if self.progress.borrow().caught_up { Ok(self.state()) } else { Err(NotCaughtUp) }
    }

    /// Replaces the state by one that was read to the log's end.
    pub(crate) fn replace(&self, state: State, next: i64) {
        metrics::state(&state);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        self.progress.send_replace(Progress { caught_up: true, next });
    }

    /// Applies the record at an offset.
    pub(crate) fn apply(&self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        apply(&mut state, offset, key, value);
        metrics::state(&state);
        drop(state);
        self.progress.send_modify(|progress| progress.next = offset + 1);
    }

    /// Waits until the record at an offset is applied; false if it is not in time.
    pub(crate) async fn applied(&self, offset: i64, patience: Duration) -> bool {
        let mut progress = self.progress.subscribe();
        let reached = progress.wait_for(|progress| progress.caught_up && progress.next > offset);
        tokio::time::timeout(patience, reached).await.is_ok_and(|reached| reached.is_ok())
    }

    /// Waits until a state has been read of which something holds, in bounds.
    pub(crate) async fn until(&self, patience: Duration, holds: impl Fn(&State) -> bool) {
        let mut progress = self.progress.subscribe();
        let reached = progress.wait_for(|progress| progress.caught_up && holds(&self.state()));
        // Whoever waits looks again.
        let _ = tokio::time::timeout(patience, reached).await;
    }

    /// The questions that a follower has to answer; nothing if another one does already.
    pub(crate) fn catch_ups(&self) -> Option<mpsc::Receiver<CatchUp>> {
        let (sender, questions) = mpsc::channel(CATCH_UPS_MAX);
        self.catch_up.set(sender).ok().map(|()| questions)
    }

    /// Waits until all is applied that is in the log now: after that, what is absent was absent when it was asked for.
    pub(crate) async fn catch_up(&self, patience: Duration) -> Result<(), NotCaughtUp> {
        let Some(questions) = self.catch_up.get() else { return Ok(()) };
        let (sender, answer) = oneshot::channel();
        questions.try_send(sender).map_err(|_| NotCaughtUp)?;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotCaughtUp),
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Applies one record of the log to a state. What cannot be applied is counted and said, and changes nothing.
pub(crate) fn apply(state: &mut State, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
    match Record::decode(key, value) {
        Ok(record) => {
            if let Err(conflict) = state.apply(record) {
                metrics::skipped("conflict");
                tracing::error!(offset, %conflict, "record of the log contradicts an earlier one, skipped");
            }
        }
        Err(error) => {
            metrics::skipped("undecodable");
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(offset, %error, cause, "record of the log cannot be decoded, skipped");
        }
    }
}
