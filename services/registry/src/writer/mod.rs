//! The single writer of the log: one change at a time, each decided on the log's newest state.

mod kafka;
mod task;

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};

pub(crate) use kafka::{KafkaLog, LogEnd};
pub(crate) use task::{Log, LogError, LogFault, WriterTask};

use crate::{
    log::Record,
    state::{Plan, Refusal, State},
};

/// How many changes may wait for their turn.
const QUEUE_MAX: usize = 64;

/// Hands changes to the writer's task.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    commands: mpsc::Sender<Command>,
    timeout: Duration,
}

/// A change that was not made, or not surely.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the state refuses it")]
    Refused(#[source] Refusal),
    #[error("too many changes are waiting to be written: try again shortly")]
    QueueFull,
    #[error(
        "the change was not written in time; whether it will be is not known: ask for it again, that changes nothing twice"
    )]
    TimedOut,
    #[error("another replica has taken over as the log's writer: try again")]
    TakenOver,
    #[error("cannot write to the log in Kafka: {reason}; reads go on, and writes will when Kafka answers")]
    Log { reason: Arc<str> },
    #[error("the record is larger than the log's topic admits")]
    TooLarge,
    #[error("the registry is shutting down")]
    ShuttingDown,
}

/// A change, to be decided on when its turn has come.
pub(crate) struct Command {
    /// The log's writer that was found to be out of reach: the change may make this replica the writer in its place.
    replaces: Option<String>,
    decide: Box<Decide>,
    is_abandoned: Box<dyn Fn() -> bool + Send>,
}

/// Decides on the newest state, or on why there is none.
type Decide = dyn FnOnce(Result<&State, WriteError>) -> Decision + Send;

/// What to write, and whom to tell how that went.
pub(crate) struct Decision {
    records: Vec<Record>,
    reply: Box<dyn FnOnce(Result<(), WriteError>) + Send>,
}

impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Command").finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer, and the queue that its task has to serve.
    pub(crate) fn new(timeout: Duration) -> (Self, mpsc::Receiver<Command>) {
        let (commands, queue) = mpsc::channel(QUEUE_MAX);
        (Self { commands, timeout }, queue)
    }

    /// Plans a change on the newest state and makes it; returns when every reader of this replica can see it. `replaces`
    /// names a writer of the log that is out of reach.
    pub(crate) async fn submit<T: Send + 'static>(
        &self,
        replaces: Option<String>,
        plan: impl FnOnce(&State) -> Result<Plan<T>, Refusal> + Send + 'static,
    ) -> Result<T, WriteError> {
        let (sender, answer) = oneshot::channel();
        self.commands.try_send(command(replaces, plan, sender)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => WriteError::ShuttingDown,
        })?;
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(WriteError::ShuttingDown),
            Err(_) => Err(WriteError::TimedOut),
        }
    }
}

fn command<T: Send + 'static>(
    replaces: Option<String>,
    plan: impl FnOnce(&State) -> Result<Plan<T>, Refusal> + Send + 'static,
    sender: oneshot::Sender<Result<T, WriteError>>,
) -> Command {
    // Shared between the question whether anybody still waits, and the answer.
    let sender = Arc::new(std::sync::Mutex::new(Some(sender)));
    let waiting = sender.clone();
    let take = move || sender.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let send = move |result| {
        if let Some(sender) = take() {
            // Whoever asked may have gone away.
            let _ = sender.send(result);
        }
    };
    let decide = move |state: Result<&State, WriteError>| {
        let planned = state.and_then(|state| plan(state).map_err(WriteError::Refused));
        match planned {
            Ok(Plan { records, outcome }) => {
                Decision { records, reply: Box::new(move |written| send(written.map(|()| outcome))) }
            }
            Err(error) => Decision { records: Vec::new(), reply: Box::new(move |_| send(Err(error))) },
        }
    };
    let is_abandoned = move || {
        let sender = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sender.as_ref().is_none_or(oneshot::Sender::is_closed)
    };
    Command { replaces, decide: Box::new(decide), is_abandoned: Box::new(is_abandoned) }
}
