//! What librdkafka calls back while a sink is polled: what could not be delivered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};

use super::native;
use crate::{
    Error, ErrorKind,
    context::{forward_error, forward_log},
};

/// A record that could not be delivered, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undelivered {
    /// The tag it was sent with.
    pub tag: usize,
    /// Why.
    pub kind: ErrorKind,
}

/// How many undelivered records are remembered; where one of them is, is found by smaller transactions.
const UNDELIVERED_MAX: usize = 1000;

/// What a producer has failed to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Reports {
    /// What could not be delivered for a reason of its own.
    pub(super) undelivered: Vec<Undelivered>,
    /// Whether anything was not done: a record that was not delivered, for whatever reason, or offsets that were not taken.
    pub(super) has_failures: bool,
    /// Whether one of those records may be stored all the same.
    pub(super) has_doubts: bool,
}

#[derive(Default)]
pub(super) struct Context {
    reports: Mutex<Reports>,
}

impl Context {
    pub(super) fn reports(&self) -> Reports {
        self.lock().clone()
    }

    pub(super) fn has_undelivered(&self) -> bool {
        !self.lock().undelivered.is_empty()
    }

    /// Notes that offsets were not taken: a request with them may still be under way.
    pub(super) fn offsets_failed(&self) {
        self.lock().has_failures = true;
    }

    fn lock(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kind_of(cause: &KafkaError) -> ErrorKind {
    match cause.rdkafka_error_code() {
        // of this record, whatever is tried: its timestamp, or no key where the topic is compacted
        Some(RDKafkaErrorCode::InvalidTimestamp | RDKafkaErrorCode::InvalidRecord) => ErrorKind::Invalid,
        _ => match Error::kafka("deliver a record", cause.clone()).kind() {
            // of the request, not of the record
            ErrorKind::Invalid => ErrorKind::Other,
            kind => kind,
        },
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        let Err((cause, message)) = result else { return };
        let mut reports = self.lock();
        reports.has_failures = true;
        reports.has_doubts |= native::may_be_stored(message);
        // purged after another failure: not a cause but a consequence
        let is_purged =
            matches!(cause.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight));
        if !is_purged && reports.undelivered.len() < UNDELIVERED_MAX {
            reports.undelivered.push(Undelivered { tag, kind: kind_of(cause) });
        }
    }
}
