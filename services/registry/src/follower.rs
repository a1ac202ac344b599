//! Follows the log: the only one who changes the state.

use std::{convert::Infallible, time::Duration};

use mesh_kafka::{Error, Record, Settings, log::LogReader};
use mesh_runtime::Latch;
use tokio::sync::mpsc;

use crate::{
    state::State,
    store::{self, CatchUp, Store},
};

/// How long to wait before reading anew after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Reads the log to its end, then follows it, for ever. After a failure it begins anew; the old state serves meanwhile.
pub(crate) async fn follow(
    settings: Settings,
    topic: String,
    store: &Store,
    latch: Latch,
) -> Result<Infallible, crate::Error> {
    let mut questions = store.catch_ups().ok_or(crate::Error::TaskEnded { task: "follower", source: None })?;
    loop {
        match follow_until_failure(&settings, &topic, store, &latch, &mut questions).await {
            Ok(never) => return Ok(never),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(topic, %error, cause, "cannot follow the log, reading it anew");
            }
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

async fn follow_until_failure(
    settings: &Settings,
    topic: &str,
    store: &Store,
    latch: &Latch,
    questions: &mut mpsc::Receiver<CatchUp>,
) -> Result<Infallible, Error> {
    let mut reader = LogReader::open(settings, topic).await?;
    let (mut state, mut next) = (State::default(), 0);
    let load = |record: Record| {
        store::apply(&mut state, record.offset, record.key.as_deref(), record.value.as_deref());
        next = record.offset + 1;
    };
    reader.read_to_end(load).await?;
    tracing::info!(topic, subjects = state.subject_count(), schemas = state.schema_count(), "caught up with the log");
    store.replace(state, next);
    latch.open();
    let apply = |record: Record| store.apply(record.offset, record.key.as_deref(), record.value.as_deref());
    loop {
        // Nothing is lost of a wait for the next record that is given up.
        tokio::select! {
            record = reader.next() => apply(record?),
            Some(question) = questions.recv() => {
                let mut waiting = vec![question];
                waiting.extend(std::iter::from_fn(|| questions.try_recv().ok()));
                reader.read_to_end(apply).await?;
                // Whoever asked may have gone away.
                for question in waiting {
                    let _ = question.send(());
                }
            }
        }
    }
}
