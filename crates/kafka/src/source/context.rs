//! What librdkafka calls back while a source gathers: rebalances.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

use super::{
    native,
    partition::{Assigned, Change, Committed, Holding, Slot},
};
use crate::{
    Error,
    context::{forward_error, forward_log},
};

/// One attempt to read the committed offsets of gained partitions.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(3);
/// All attempts. A former owner's open transaction holds them back for as long as its timeout, at most 10 s.
const COMMITTED_DEADLINE: Duration = Duration::from_secs(12);

/// The source's state that rebalances change. Its lock is taken by the polling thread alone, so it is never waited for.
#[derive(Default)]
pub(super) struct Context {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    holdings: Vec<Holding>,
    changes: Vec<Change>,
    next_slot: u32,
    /// The member id under which the holdings were gained.
    member: Option<String>,
    /// A rebalance that could not be served; the source cannot go on.
    failure: Option<Error>,
}

impl Context {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn assigned(&self) -> Vec<Assigned> {
        self.state().holdings.iter().map(|holding| holding.assigned.clone()).collect()
    }

    pub(super) fn member(&self) -> Option<String> {
        self.state().member.clone()
    }

    pub(super) fn has_changes(&self) -> bool {
        let state = self.state();
        !state.changes.is_empty() || state.failure.is_some()
    }

    pub(super) fn trouble(&self, error: Error) {
        self.state().changes.push(Change::Trouble(error));
    }

    pub(super) fn take_changes(&self) -> Result<Vec<Change>, Error> {
        let mut state = self.state();
        match state.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(mem::take(&mut state.changes)),
        }
    }

    pub(super) fn find(&self, topic: &str, partition: i32) -> Option<(Slot, Option<i64>)> {
        let state = self.state();
        let holding = state.holdings.iter().find(|holding| holding.is(topic, partition))?;
        Some((holding.assigned.slot, holding.position))
    }

    pub(super) fn is_held(&self, slot: Slot) -> bool {
        self.state().holdings.iter().any(|holding| holding.assigned.slot == slot)
    }

    pub(super) fn position(&self, slot: Slot) -> Option<(Arc<str>, i32, Option<i64>)> {
        let state = self.state();
        let holding = state.holdings.iter().find(|holding| holding.assigned.slot == slot)?;
        Some((holding.assigned.topic.clone(), holding.assigned.partition, holding.position))
    }

    pub(super) fn set_position(&self, slot: Slot, offset: i64) -> Option<(Arc<str>, i32)> {
        let mut state = self.state();
        let holding = state.holdings.iter_mut().find(|holding| holding.assigned.slot == slot)?;
        holding.position = Some(offset);
        Some((holding.assigned.topic.clone(), holding.assigned.partition))
    }

    fn gain(&self, consumer: &BaseConsumer<Self>, gained: &TopicPartitionList) {
        let outcome = read_committed(consumer, gained).and_then(|committed| {
            assign(consumer, &committed)?;
            Ok(committed)
        });
        let mut state = self.state();
        match outcome {
            Ok(committed) => {
                state.member = native::member_id(consumer.client());
                state.gain(&committed);
            }
            Err(failure) => {
                // The rebalance must be answered, or the group waits for this member for ever. Nothing is held by it:
                // the source reports the failure and is closed.
                let _ = consumer.incremental_assign(gained);
                state.failure = Some(failure);
            }
        }
    }

    fn give_up(&self, consumer: &BaseConsumer<Self>, taken: &TopicPartitionList) {
        let lost = consumer.assignment_lost();
        let mut state = self.state();
        for element in taken.elements() {
            let Some(index) =
                state.holdings.iter().position(|holding| holding.is(element.topic(), element.partition()))
            else {
                continue;
            };
            let slot = state.holdings.swap_remove(index).assigned.slot;
            state.changes.push(if lost { Change::Lost(slot) } else { Change::Revoked(slot) });
        }
        if let Err(error) = consumer.incremental_unassign(taken) {
            state.failure = Some(Error::kafka("give partitions up in a rebalance", error));
        }
    }
}

impl State {
    fn gain(&mut self, committed: &TopicPartitionList) {
        for element in committed.elements() {
            let slot = Slot(self.next_slot);
            self.next_slot += 1;
            let assigned = Assigned { slot, topic: element.topic().into(), partition: element.partition() };
            let committed = match element.offset() {
                Offset::Offset(offset) => Some(Committed { offset, metadata: element.metadata().to_owned() }),
                _ => None,
            };
            let position = committed.as_ref().map(|committed| committed.offset);
            self.holdings.push(Holding { assigned: assigned.clone(), position });
            self.changes.push(Change::Gained { assigned, committed });
        }
    }
}

impl Holding {
    fn is(&self, topic: &str, partition: i32) -> bool {
        self.assigned.partition == partition && *self.assigned.topic == *topic
    }
}

/// The gained partitions with what the group committed for each.
fn read_committed(consumer: &BaseConsumer<Context>, gained: &TopicPartitionList) -> Result<TopicPartitionList, Error> {
    let deadline = Instant::now() + COMMITTED_DEADLINE;
    loop {
        let cause = match consumer.committed_offsets(gained.clone(), COMMITTED_TIMEOUT).and_then(without_errors) {
            Ok(committed) => return Ok(committed),
            Err(cause) => cause,
        };
        let error = Error::kafka("read the committed offsets of gained partitions", cause);
        if !error.is_retriable() || Instant::now() >= deadline {
            return Err(error);
        }
        tracing::warn!(error = &error as &dyn std::error::Error, "committed offsets are not there yet, retrying");
    }
}

fn without_errors(list: TopicPartitionList) -> KafkaResult<TopicPartitionList> {
    list.elements().iter().try_for_each(|element| element.error())?;
    Ok(list)
}

fn assign(consumer: &BaseConsumer<Context>, committed: &TopicPartitionList) -> Result<(), Error> {
    let failed = |error| Error::kafka("take partitions over in a rebalance", error);
    let mut start = TopicPartitionList::with_capacity(committed.count());
    for element in committed.elements() {
        let offset = match element.offset() {
            Offset::Offset(offset) => Offset::Offset(offset),
            _ => Offset::Beginning,
        };
        start.add_partition_offset(element.topic(), element.partition(), offset).map_err(failed)?;
    }
    consumer.incremental_assign(&start).map_err(failed)?;
    // a partition that was paused when it was given up must not come back paused
    consumer.resume(&start).map_err(failed)
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.gain(consumer, partitions),
            _ => self.give_up(consumer, partitions),
        }
    }
}
