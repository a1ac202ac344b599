//! What can go wrong when speaking to Kafka.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// A failed operation on Kafka: what was tried, on what, and which kind of failure it was.
///
/// Display says what was tried; the cause is the source. Neither names a key or a value.
#[derive(Debug, thiserror::Error)]
#[error("cannot {}", .0.operation)]
pub struct Error(#[source] Box<Failed>);

/// The operation, and the library's own word for its failure: the error's source.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
struct Failed {
    operation: String,
    kind: ErrorKind,
    cause: Cause,
}

/// What a failure means to the one who has to deal with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No broker answered (in time); trying again later may help.
    Unreachable,
    /// The cluster refused this principal, or its credentials.
    Unauthorised,
    /// The request or the settings are wrong; trying again will not help.
    Invalid,
    /// The topic or partition is not there.
    UnknownTopic,
    /// The asked-for offset is not there (any more).
    OffsetOutOfRange,
    /// Another writer with the same transactional id took over; this one must stop writing.
    Fenced,
    /// The record is larger than the topic or the client admits.
    TooLarge,
    /// The client's own bounded queue is full.
    Full,
    /// The group was rebalanced: the partition belongs to another member now, who will read what was not committed.
    Rebalanced,
    /// Anything else.
    Other,
}

/// The library's own word for a failure.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("{0}")]
    Kafka(KafkaError),
    #[error("{0}")]
    Said(String),
}

impl Error {
    /// What the failure means to the one who has to deal with it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying the same again later may succeed.
    pub fn is_retriable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unreachable | ErrorKind::Full)
    }

    /// Whether a partition has no leader that is ready to answer, which passes by itself.
    pub(crate) fn is_leaderless(&self) -> bool {
        match &self.0.cause {
            Cause::Kafka(KafkaError::AdminOp(code)) => is_leaderless(*code),
            Cause::Kafka(error) => error.rdkafka_error_code().is_some_and(is_leaderless),
            Cause::Said(_) => false,
        }
    }

    /// Wraps librdkafka's error; `operation` completes the sentence "cannot …".
    pub(crate) fn kafka(operation: impl Into<String>, error: KafkaError) -> Self {
        let kind = classify(&error);
        let cause = match error {
            // its own text quotes the value, which may be a password
            KafkaError::ClientConfig(_, _, key, _) => {
                Cause::Said(format!("setting \"{key}\" is unknown or its value is not valid"))
            }
            error => Cause::Kafka(error),
        };
        Error(Box::new(Failed { operation: operation.into(), kind, cause }))
    }

    /// As [`Error::kafka`], of a bare error code.
    pub(crate) fn code(operation: impl Into<String>, code: Code) -> Self {
        Error::kafka(operation, KafkaError::Global(code))
    }

    /// As [`Error::code`], in the words of whoever answered.
    pub(crate) fn answered(operation: impl Into<String>, code: Code, said: impl Into<String>) -> Self {
        Error::said(operation, classify_code(code), said)
    }

    /// A failure that librdkafka has no word for.
    pub(crate) fn said(operation: impl Into<String>, kind: ErrorKind, cause: impl Into<String>) -> Self {
        Error(Box::new(Failed { operation: operation.into(), kind, cause: Cause::Said(cause.into()) }))
    }
}

fn is_leaderless(code: Code) -> bool {
    matches!(
        code,
        Code::NotLeaderForPartition | Code::LeaderNotAvailable | Code::FencedLeaderEpoch | Code::UnknownLeaderEpoch
    )
}

fn classify(error: &KafkaError) -> ErrorKind {
    match error {
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) | KafkaError::Nul(_) => ErrorKind::Invalid,
        KafkaError::Canceled => ErrorKind::Unreachable,
        KafkaError::AdminOp(code) => classify_code(*code),
        other => other.rdkafka_error_code().map_or(ErrorKind::Other, classify_code),
    }
}

fn classify_code(code: Code) -> ErrorKind {
    match code {
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::OperationTimedOut
        | Code::TimedOutQueue
        | Code::MessageTimedOut
        | Code::RequestTimedOut
        | Code::BrokerNotAvailable
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::CoordinatorLoadInProgress
        | Code::CoordinatorNotAvailable
        | Code::NotCoordinator
        | Code::NetworkException
        | Code::WaitingForCoordinator => ErrorKind::Unreachable,
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::SSL => ErrorKind::Unauthorised,
        Code::InvalidArgument
        | Code::InvalidTopic
        | Code::InvalidPartitions
        | Code::InvalidReplicationFactor
        | Code::InvalidReplicaAssignment
        | Code::InvalidConfig
        | Code::InvalidRequest
        | Code::PolicyViolation
        | Code::UnsupportedVersion
        | Code::UnsupportedFeature => ErrorKind::Invalid,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => ErrorKind::UnknownTopic,
        Code::OffsetOutOfRange | Code::AutoOffsetReset => ErrorKind::OffsetOutOfRange,
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch => ErrorKind::Fenced,
        Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::MessageBatchTooLarge => ErrorKind::TooLarge,
        Code::QueueFull => ErrorKind::Full,
        Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress | Code::AssignmentLost => {
            ErrorKind::Rebalanced
        }
        _ => ErrorKind::Other,
    }
}
