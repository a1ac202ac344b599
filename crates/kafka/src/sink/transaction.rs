//! Begin, commit and abort.

use std::time::{Duration, Instant};

use rdkafka::{
    Offset, TopicPartitionList,
    error::KafkaResult,
    producer::{Producer, PurgeConfig},
};

use super::{Failure, Sink, Undelivered, failure::is_retriable, native};
use crate::{Error, ErrorKind, source::GroupMetadata};

/// How long to wait for deliveries before looking whether one of them has failed, and telling the brokers' threads once more not to
/// linger: those that waited for the cluster to let their partition into the transaction have not heard it.
const FLUSH_STEP: Duration = Duration::from_millis(5);
/// The share of a transaction's time that delivery may take: it is aborted by us, in an orderly way, before the cluster does.
const DELIVERY_SHARE: u32 = 3;
/// How long to wait for reports of purged records before looking for them again: at first, and at most.
const REPORT_STEP_FIRST: Duration = Duration::from_millis(1);
const REPORT_STEP_MAX: Duration = Duration::from_millis(32);
/// One attempt of a call to the coordinators.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// How far a partition was processed in a transaction.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// The input topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// The next offset to be read.
    pub next: i64,
    /// A short text that is committed with it.
    pub metadata: &'a str,
}

impl Sink {
    /// Opens a transaction.
    ///
    /// # Errors
    /// The producer cannot go on.
    pub fn begin(&self) -> Result<(), Failure> {
        self.producer.begin_transaction().map_err(|cause| Failure::sort("begin a transaction", cause))
    }

    /// Commits what was sent together with the offsets, all or nothing.
    ///
    /// `group` is the metadata that the batch was gathered with: a member that has since lost its place is refused.
    ///
    /// # Errors
    /// See [`Failure`]; what was not delivered is in [`failed_deliveries`](Self::failed_deliveries).
    pub fn commit(&self, progress: &[Progress<'_>], group: &GroupMetadata) -> Result<(), Failure> {
        let Some(group) = &group.0 else { return Err(outside_group()) };
        // beyond its time the cluster ends the transaction by itself
        let deadline = Instant::now() + self.transaction_timeout;
        self.deliver()?;
        let offsets = offsets(progress)?;
        self.repeat("send the offsets to the transaction", deadline, || {
            self.producer.send_offsets_to_transaction(&offsets, group, CALL_TIMEOUT)
        })?;
        self.repeat("commit the transaction", deadline, || self.producer.commit_transaction(CALL_TIMEOUT))
    }

    /// Commits what was sent, all or nothing; there are no offsets of a group to go with it.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn commit_alone(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.transaction_timeout;
        self.deliver()?;
        self.repeat("commit the transaction", deadline, || self.producer.commit_transaction(CALL_TIMEOUT))
    }

    /// Whether records were sent of which it is not known that they are stored.
    ///
    /// A producer whose transaction is aborted over them may number the next ones as it numbered those. A broker that has stored them
    /// after all takes the next ones for repetitions, and acknowledges what it does not store. Open another sink instead: it has an
    /// epoch of its own, and what is still under way of this one is refused.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.producer.poll(Duration::ZERO);
        self.producer.in_flight_count() > 0 || self.producer.context().has_undelivered()
    }

    /// Ends the open transaction so that none of it was.
    ///
    /// # Errors
    /// The producer cannot go on.
    pub fn abort(&self) -> Result<(), Failure> {
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.hear_of_all();
        let deadline = Instant::now() + self.transaction_timeout;
        let aborted = self.repeat("abort the transaction", deadline, || self.producer.abort_transaction(CALL_TIMEOUT));
        self.producer.context().take();
        aborted.map_err(|failure| Failure::Close(failure.into_error()))
    }

    /// The records of the open transaction that could not be delivered, as far as known; empties the list.
    #[must_use]
    pub fn failed_deliveries(&self) -> Vec<Undelivered> {
        self.producer.poll(Duration::ZERO);
        self.producer.context().take()
    }

    /// Waits until everything sent is delivered: it has its place in the outputs then, before whatever is written later,
    /// though nobody sees it before the commit.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn deliver(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.transaction_timeout / DELIVERY_SHARE;
        while !native::flush(self.producer.client(), FLUSH_STEP) {
            self.producer.poll(Duration::ZERO);
            if self.producer.context().has_undelivered() {
                return Err(abort("some records could not be delivered"));
            }
            if Instant::now() >= deadline {
                return Err(abort("the brokers did not confirm all records in time"));
            }
        }
        Ok(())
    }

    /// Waits until every record was reported of, which the purged ones are as soon as the brokers' threads have given them up. What is
    /// ready is taken without waiting; as long as nothing is, waits grow.
    fn hear_of_all(&self) {
        let deadline = Instant::now() + CALL_TIMEOUT;
        let (mut left, mut step) = (self.producer.in_flight_count(), REPORT_STEP_FIRST);
        while left > 0 && Instant::now() < deadline {
            self.producer.poll(Duration::ZERO);
            let still_left = self.producer.in_flight_count();
            if still_left == left {
                native::flush(self.producer.client(), step);
                step = (step * 2).min(REPORT_STEP_MAX);
            } else {
                step = REPORT_STEP_FIRST;
            }
            left = still_left;
        }
    }

    fn repeat(&self, operation: &str, deadline: Instant, call: impl Fn() -> KafkaResult<()>) -> Result<(), Failure> {
        loop {
            let Err(cause) = call() else { return Ok(()) };
            self.producer.poll(Duration::ZERO);
            if !is_retriable(&cause) {
                return Err(Failure::sort(operation, cause));
            }
            if Instant::now() >= deadline {
                // whether it was done is unknown, so that it can be neither taken for done nor undone
                return Err(Failure::Close(Error::kafka(operation, cause)));
            }
        }
    }
}

fn outside_group() -> Failure {
    let why = "no group's metadata came with the batch";
    Failure::Close(Error::said("send the offsets to the transaction", ErrorKind::Invalid, why))
}

fn abort(why: &str) -> Failure {
    Failure::Abort(Error::said("deliver the transaction's records", ErrorKind::Other, why))
}

fn offsets(progress: &[Progress<'_>]) -> Result<TopicPartitionList, Failure> {
    let mut list = TopicPartitionList::with_capacity(progress.len());
    for part in progress {
        let mut element = list.add_partition(part.topic, part.partition);
        element
            .set_offset(Offset::Offset(part.next))
            .map_err(|cause| Failure::Close(Error::kafka("name the offsets to commit", cause)))?;
        element.set_metadata(part.metadata);
    }
    Ok(list)
}
