//! Gathering a batch: the only place where the consumer is polled.

use std::time::{Duration, Instant};

use rdkafka::{
    consumer::{Consumer, ConsumerGroupMetadata},
    error::KafkaError,
    message::{BorrowedMessage, Message as _},
    types::RDKafkaTopic,
};

use super::{Batch, GroupMetadata, Message, Run, Slot, Source, native};
use crate::{Error, ErrorKind};

/// When a batch is full.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At most this many messages.
    pub records_max: usize,
    /// No further message once the keys and values are this large.
    pub bytes_max: usize,
    /// How long to wait for more after the first message.
    pub linger: Duration,
    /// How long to wait for a first message.
    pub wait: Duration,
}

/// The run that is being extended.
struct Open {
    topic: *mut RDKafkaTopic,
    partition: i32,
    /// `None`: a partition that is not held (any more), whose messages are dropped.
    slot: Option<Slot>,
    start: usize,
    /// The lowest offset that may come next.
    position: i64,
}

impl Source {
    /// Gathers the next batch: waits for a first message, then takes what comes until a limit is reached.
    ///
    /// Returns early, without messages or with what there is, when partitions were gained or given up.
    ///
    /// # Errors
    /// The consumer cannot go on: open another one. What it had gathered is read again.
    pub fn gather(&self, limits: &Limits) -> Result<Batch<'_>, Error> {
        let context = self.consumer.context();
        let mut gathering = Gathering::new(self, limits);
        let mut deadline = Instant::now() + limits.wait;
        while !gathering.is_full() {
            // what is there already is taken without a look at the clock
            let polled = match self.consumer.poll(Duration::ZERO) {
                None if !context.has_changes() => {
                    self.consumer.poll(deadline.saturating_duration_since(Instant::now()))
                }
                polled => polled,
            };
            match polled {
                Some(Ok(message)) => {
                    if gathering.messages.is_empty() {
                        deadline = Instant::now() + limits.linger;
                    }
                    gathering.take(message);
                }
                Some(Err(error)) => {
                    self.fail(error)?;
                    break;
                }
                // whenever a rebalance was served, the poll brings no message
                None if context.has_changes() || Instant::now() >= deadline => break,
                None => {}
            }
        }
        gathering.finish()
    }

    /// Sorts a failure of the poll: fatal ones end the source, others are reported with the batch.
    fn fail(&self, error: KafkaError) -> Result<(), Error> {
        let fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
        let error = Error::kafka("read the input topics", error);
        if fatal {
            return Err(error);
        }
        self.consumer.context().trouble(error);
        Ok(())
    }

    /// The group's metadata as of now, for a transaction without messages.
    ///
    /// # Errors
    /// The group has expelled this member; open another one.
    pub fn group(&self) -> Result<GroupMetadata, Error> {
        self.membership().map(|group| GroupMetadata(Some(group)))
    }

    /// The group's metadata, which name the member that gained what is held, and no other.
    ///
    /// An expelled member loses its id at once; until the loss is served here, offsets sent in its name would be taken
    /// for those of a client outside any group, and accepted. So the id is looked at after the metadata were fetched:
    /// it never comes back once it is lost.
    fn membership(&self) -> Result<ConsumerGroupMetadata, Error> {
        let metadata = self.consumer.group_metadata();
        let member = native::member_id(self.consumer.client());
        let kept = member.is_some() && member == self.consumer.context().member() && !self.consumer.assignment_lost();
        metadata.filter(|_| kept).ok_or_else(|| {
            Error::said("go on as a member of the group", ErrorKind::Fenced, "the group has expelled this member")
        })
    }
}

struct Gathering<'s> {
    source: &'s Source,
    limits: Limits,
    messages: Vec<Message<'s>>,
    runs: Vec<Run>,
    open: Option<Open>,
    bytes: usize,
}

impl<'s> Gathering<'s> {
    fn new(source: &'s Source, limits: &Limits) -> Self {
        Gathering { source, limits: *limits, messages: Vec::new(), runs: Vec::new(), open: None, bytes: 0 }
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= self.limits.records_max || self.bytes >= self.limits.bytes_max
    }

    fn take(&mut self, message: BorrowedMessage<'s>) {
        let follows = |open: &Open| open.topic == message.topic_ptr() && open.partition == message.partition();
        if !self.open.as_ref().is_some_and(follows) {
            self.close_run();
            self.open = Some(self.open_run(&message));
        }
        let Some(open) = &mut self.open else { return };
        if open.slot.is_none() || message.offset() < open.position {
            return;
        }
        open.position = message.offset() + 1;
        self.bytes += message.payload_len() + message.key_len();
        self.messages.push(Message(message));
    }

    fn open_run(&self, message: &BorrowedMessage<'s>) -> Open {
        let found = self.source.consumer.context().find(message.topic(), message.partition());
        Open {
            topic: message.topic_ptr(),
            partition: message.partition(),
            slot: found.map(|(slot, _)| slot),
            start: self.messages.len(),
            position: found.and_then(|(_, position)| position).unwrap_or(0),
        }
    }

    fn close_run(&mut self) {
        let Some(open) = self.open.take() else { return };
        let range = open.start..self.messages.len();
        let Some(slot) = open.slot.filter(|_| !range.is_empty()) else { return };
        self.source.consumer.context().set_position(slot, open.position);
        self.runs.push(Run { slot, range });
    }

    fn finish(mut self) -> Result<Batch<'s>, Error> {
        self.close_run();
        let context = self.source.consumer.context();
        let changes = context.take_changes()?;
        self.runs.retain(|run| context.is_held(run.slot));
        let group = if self.runs.is_empty() { None } else { Some(self.source.membership()?) };
        let group = GroupMetadata(group);
        Ok(Batch { messages: self.messages, runs: self.runs, changes, group, bytes: self.bytes })
    }
}
