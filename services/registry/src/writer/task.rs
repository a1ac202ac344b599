//! The writer's task: claims the log, decides, writes, waits until it is read back.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{Command, Decision, WriteError};
use crate::{log::Record, metrics, store::Store};

/// How long the log's end may take to be read before the log is claimed.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the follower may take to read back what was written.
const READ_BACK_TIMEOUT: Duration = Duration::from_secs(10);

/// Where records are written.
pub(crate) trait Log: Send + 'static {
    /// Becomes the only writer; an earlier one can write nothing any more.
    fn claim(&mut self) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Appends a record, whole or not at all; returns its offset.
    fn append(&mut self, record: &Record) -> impl Future<Output = Result<i64, LogError>> + Send;
}

/// A record that was not written, or not surely.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the registry's log")]
pub(crate) struct LogError {
    pub(crate) fault: LogFault,
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a failed write means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFault {
    /// Another writer has claimed the log.
    Fenced,
    /// The record does not fit.
    TooLarge,
    /// The log cannot be reached; the record may be in it all the same.
    Unavailable,
}

/// Serves the queue of changes.
#[derive(Debug)]
pub(crate) struct WriterTask<L> {
    log: L,
    store: Arc<Store>,
    /// Where other replicas reach this one.
    url: Option<String>,
    /// Whether this is the log's writer, and has read all that was written before.
    claimed: bool,
    /// Whether another replica has claimed the log since this one did.
    fenced: bool,
    /// How long whoever fenced this writer may take to say in the log that it is the writer now.
    succession_timeout: Duration,
}

impl<L: Log> WriterTask<L> {
    /// `url` is where other replicas reach this one; `timeout` is how long a change may take in all.
    pub(crate) fn new(log: L, store: Arc<Store>, url: Option<String>, timeout: Duration) -> Self {
        Self { log, store, url, claimed: false, fenced: false, succession_timeout: timeout / 8 }
    }

    /// Serves until nobody can ask any more.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        while let Some(command) = queue.recv().await {
            self.serve(command).await;
        }
    }

    async fn serve(&mut self, command: Command) {
        if (command.is_abandoned)() {
            return;
        }
        let ready = self.ensure_claimed(command.replaces.as_deref()).await;
        let decision = self.decide(command, ready);
        let written = self.write(&decision.records).await;
        (decision.reply)(written);
    }

    fn decide(&self, command: Command, ready: Result<(), WriteError>) -> Decision {
        let state = ready.and_then(|()| self.store.read().map_err(|error| unavailable(&error)));
        match state {
            Ok(state) => (command.decide)(Ok(&state)),
            Err(error) => (command.decide)(Err(error)),
        }
    }

    /// Becomes the log's writer, and reads to the log's end as it is then: nobody else can have written after it.
    /// Not in the place of a writer that may well be there: two that claimed the log in turns would get nothing written.
    async fn ensure_claimed(&mut self, replaces: Option<&str>) -> Result<(), WriteError> {
        if self.claimed {
            return Ok(());
        }
        // Where that fails, so does the claim.
        let _ = self.store.catch_up(CATCH_UP_TIMEOUT).await;
        if self.has_successor(replaces).await {
            return Err(WriteError::TakenOver);
        }
        self.log.claim().await.map_err(|error| self.failed(&error))?;
        self.append(&Record::Writer { url: self.url.clone() }).await?;
        (self.claimed, self.fenced) = (true, false);
        tracing::info!("claimed the registry's log as its writer");
        Ok(())
    }

    /// Whether the log names a writer that is neither this replica nor the one that is out of reach. Whoever fenced this
    /// one is given time to be named.
    async fn has_successor(&mut self, replaces: Option<&str>) -> bool {
        let own = self.url.clone();
        let is_another = |writer: Option<&str>| writer.is_some_and(|writer| Some(writer) != own.as_deref());
        if std::mem::take(&mut self.fenced) {
            self.store.until(self.succession_timeout, |state| is_another(state.writer())).await;
        }
        let state = self.store.read();
        state.is_ok_and(|state| is_another(state.writer()) && state.writer() != replaces)
    }

    async fn write(&mut self, records: &[Record]) -> Result<(), WriteError> {
        for record in records {
            let written = self.append(record).await;
            metrics::write(if written.is_ok() { "written" } else { "failed" });
            written?;
        }
        Ok(())
    }

    async fn append(&mut self, record: &Record) -> Result<(), WriteError> {
        let offset = self.log.append(record).await.map_err(|error| self.failed(&error))?;
        if self.store.applied(offset, READ_BACK_TIMEOUT).await {
            return Ok(());
        }
        // What the state lacks must not be decided upon.
        self.claimed = false;
        Err(WriteError::TimedOut)
    }

    fn failed(&mut self, error: &LogError) -> WriteError {
        self.claimed &= error.fault == LogFault::TooLarge;
        match error.fault {
            LogFault::TooLarge => WriteError::TooLarge,
            LogFault::Fenced => {
                self.fenced = true;
                tracing::warn!("another replica has claimed the registry's log");
                WriteError::TakenOver
            }
            LogFault::Unavailable => {
                tracing::warn!(cause = %error.source, "cannot write to the registry's log, reads go on");
                WriteError::Log { reason: error.source.to_string().into() }
            }
        }
    }
}

fn unavailable(error: &dyn std::error::Error) -> WriteError {
    WriteError::Log { reason: error.to_string().into() }
}
