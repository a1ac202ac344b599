//! Which partitions a consumer reads, and which of them it has read to their end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, TopicPartitionList};

use crate::context::{forward_error, forward_log};

/// Keeps the assignment as rebalances change it.
#[derive(Debug, Default)]
pub(super) struct GroupContext {
    /// The assigned partitions, and whether each has been read to its end; unset before the first assignment.
    assignment: Mutex<Option<BTreeMap<i32, bool>>>,
}

impl GroupContext {
    pub(super) fn partitions(&self) -> Vec<i32> {
        self.lock().as_ref().map(|partitions| partitions.keys().copied().collect()).unwrap_or_default()
    }

    pub(super) fn all_ended(&self) -> bool {
        self.lock().as_ref().is_some_and(|partitions| partitions.values().all(|ended| *ended))
    }

    pub(super) fn ended(&self, partition: i32) {
        if let Some(ended) = self.lock().as_mut().and_then(|partitions| partitions.get_mut(&partition)) {
            *ended = true;
        }
    }

    pub(super) fn assigned(&self, list: &TopicPartitionList) {
        let mut assignment = self.lock();
        let partitions = assignment.get_or_insert_default();
        partitions.extend(list.elements().iter().map(|element| (element.partition(), false)));
    }

    fn revoked(&self, list: &TopicPartitionList) {
        if let Some(partitions) = self.lock().as_mut() {
            for element in list.elements() {
                partitions.remove(&element.partition());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<i32, bool>>> {
        self.assignment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => self.assigned(list),
            Rebalance::Revoke(list) => self.revoked(list),
            Rebalance::Error(error) => tracing::warn!(%error, "the group could not be rebalanced"),
        }
    }
}
