//! What librdkafka calls back while a sink is polled: what could not be delivered.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};

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

#[derive(Default)]
pub(super) struct Context {
    undelivered: Mutex<Vec<Undelivered>>,
}

impl Context {
    pub(super) fn take(&self) -> Vec<Undelivered> {
        mem::take(&mut self.undelivered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn has_undelivered(&self) -> bool {
        !self.undelivered.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
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
        let Err((cause, _)) = result else { return };
        // purged by an abort: not a cause but a consequence
        if matches!(cause.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)) {
            return;
        }
        let kind = kind_of(cause);
        let mut undelivered = self.undelivered.lock().unwrap_or_else(PoisonError::into_inner);
        if undelivered.len() < UNDELIVERED_MAX {
            undelivered.push(Undelivered { tag, kind });
        }
    }
}
