//! The two ways in which a transaction fails.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::Error;

/// What has to be done about a failed transaction.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// [Abort](super::Sink::abort) it, and process its records again.
    #[error("the transaction has to be aborted")]
    Abort(#[source] Error),
    /// Close the sink (another one may have taken its id over), open a new one, and read on from the committed offsets:
    /// whether this transaction was committed is for the cluster to say.
    #[error("the producer cannot go on")]
    Close(#[source] Error),
}

impl Failure {
    /// What went wrong.
    #[must_use]
    pub fn error(&self) -> &Error {
        match self {
            Failure::Abort(error) | Failure::Close(error) => error,
        }
    }

    /// What went wrong, to be kept.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Failure::Abort(error) | Failure::Close(error) => error,
        }
    }

    pub(super) fn sort(operation: impl Into<String>, cause: KafkaError) -> Self {
        let abort = match &cause {
            KafkaError::Transaction(error) => !error.is_fatal() && (error.txn_requires_abort() || error.is_retriable()),
            KafkaError::Flush(_) => true,
            // the state after a failed delivery, in which nothing is taken any more
            KafkaError::MessageProduction(code) => !matches!(code, RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Fenced),
            _ => false,
        };
        let error = Error::kafka(operation, cause);
        if abort { Failure::Abort(error) } else { Failure::Close(error) }
    }
}

/// Whether the same call may be made again as it is.
pub(super) fn is_retriable(cause: &KafkaError) -> bool {
    match cause {
        KafkaError::Transaction(error) => error.is_retriable() && !error.is_fatal() && !error.txn_requires_abort(),
        KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut) => true,
        _ => false,
    }
}
