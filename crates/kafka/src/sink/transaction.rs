//! Begin, commit and abort.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    error::KafkaResult,
    producer::{Producer, PurgeConfig},
};

use super::{Failure, Sink, Undelivered, failure::is_retriable, native, producer};
use crate::{Error, ErrorKind, source::GroupMetadata};

/// How long to wait for deliveries before looking whether one of them has failed, and telling the brokers' threads once more not to
/// linger: those that waited for the cluster to let their partition into the transaction have not heard it.
const FLUSH_STEP: Duration = Duration::from_millis(5);
/// The share of a transaction's time that delivery may take: it is aborted by us, in an orderly way, before the cluster does.
const DELIVERY_SHARE: u32 = 3;
/// How long an abort waits for answers that are under way.
const ANSWER_PATIENCE: Duration = Duration::from_millis(100);
/// How long to wait for reports before looking for them again: at first, and at most.
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

/// What an aborted transaction leaves behind.
#[derive(Debug)]
pub struct Aborted {
    /// The records that could not be delivered, as far as known.
    pub undelivered: Vec<Undelivered>,
    /// Whether the sink goes on with another producer: topics have to be made anew, and another sink may have had the
    /// transactional id in between.
    pub is_anew: bool,
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
    /// See [`Failure`]. Once the cluster was asked to commit there is no abort: what became of it is for the cluster to say.
    pub fn commit(&self, progress: &[Progress<'_>], group: &GroupMetadata) -> Result<(), Failure> {
        let Some(group) = &group.0 else { return Err(outside_group()) };
        // beyond its time the cluster ends the transaction by itself
        let deadline = Instant::now() + self.options.transaction_timeout;
        self.deliver()?;
        let offsets = offsets(progress)?;
        let sent = self.repeat("send the offsets to the transaction", deadline, || {
            self.producer.send_offsets_to_transaction(&offsets, group, CALL_TIMEOUT)
        });
        sent.inspect_err(|_| self.producer.context().offsets_failed())?;
        self.conclude(deadline)
    }

    /// Commits what was sent, all or nothing; there are no offsets of a group to go with it.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn commit_alone(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.options.transaction_timeout;
        self.deliver()?;
        self.conclude(deadline)
    }

    /// Asks the cluster to commit. Whatever it answers, or does not, another producer that takes the id over finds the
    /// transaction committed or has it aborted; this one could only guess.
    fn conclude(&self, deadline: Instant) -> Result<(), Failure> {
        let concluded =
            self.repeat("commit the transaction", deadline, || self.producer.commit_transaction(CALL_TIMEOUT));
        concluded.map_err(|failure| Failure::Close(failure.into_error()))
    }

    /// Ends the open transaction so that none of it was: by the producer that it is of if all of its records were delivered and no
    /// offsets were refused, else by another one that takes the transactional id over. So what is still under way of this
    /// transaction is never taken for the next one's.
    ///
    /// # Errors
    /// The sink cannot go on.
    pub fn abort(&mut self) -> Result<Aborted, Failure> {
        self.hear_of_all(ANSWER_PATIENCE);
        let is_answered = self.producer.in_flight_count() == 0;
        let reports = self.producer.context().reports();
        let is_anew = !is_answered || reports.has_failures;
        if !is_anew {
            self.roll_back()?;
        } else {
            if is_answered && !reports.has_doubts {
                // where nothing can come after it this is soon done; without it the cluster does it, which takes longer
                let _ = self.roll_back();
            }
            self.replace_producer()?;
        }
        Ok(Aborted { undelivered: reports.undelivered, is_anew })
    }

    fn roll_back(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.options.transaction_timeout;
        let aborted = self.repeat("abort the transaction", deadline, || self.producer.abort_transaction(CALL_TIMEOUT));
        aborted.map_err(|failure| Failure::Close(failure.into_error()))
    }

    /// Takes the transactional id over from the producer that is there, so that the cluster ends its transaction and refuses what is
    /// under way of it.
    fn replace_producer(&mut self) -> Result<(), Failure> {
        // nothing of it is sent any more
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.hear_of_all(CALL_TIMEOUT);
        self.producer = Arc::new(producer(&self.settings, &self.options).map_err(Failure::Close)?);
        Ok(())
    }

    /// Waits until everything sent is delivered: it has its place in the outputs then, before whatever is written later,
    /// though nobody sees it before the commit.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn deliver(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.options.transaction_timeout / DELIVERY_SHARE;
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

    /// Waits until every record was answered or reported of, which purged ones are as soon as the brokers' threads have given them
    /// up. What is ready is taken without waiting; as long as nothing is, waits grow.
    fn hear_of_all(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
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
