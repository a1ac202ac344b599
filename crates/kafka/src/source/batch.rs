//! What one gathering brought.

use std::{fmt, ops::Range};

use rdkafka::{
    consumer::ConsumerGroupMetadata,
    message::{BorrowedMessage, Message as _},
};

use super::{Change, HeaderRef, Slot, header::headers};

/// Messages, borrowed from the consumer, in runs of one partition each; per partition in order of offsets.
pub struct Batch<'s> {
    pub(super) messages: Vec<Message<'s>>,
    pub(super) runs: Vec<Run>,
    pub(super) changes: Vec<Change>,
    pub(super) group: GroupMetadata,
    pub(super) bytes: usize,
}

/// Consecutive messages of one partition.
#[derive(Debug, Clone)]
pub struct Run {
    /// The holding they came from.
    pub slot: Slot,
    pub(super) range: Range<usize>,
}

impl Run {
    /// The index of the run's first message in the batch.
    #[must_use]
    pub fn first_index(&self) -> usize {
        self.range.start
    }
}

impl<'s> Batch<'s> {
    /// The runs; one partition may have several.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The messages of a run; never empty.
    #[must_use]
    pub fn messages(&self, run: &Run) -> &[Message<'s>] {
        &self.messages[run.range.clone()]
    }

    /// What happened to the partitions held, before any of the messages are to be processed.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What the offsets of this batch are to be committed with.
    #[must_use]
    pub fn group(&self) -> &GroupMetadata {
        &self.group
    }

    /// The number of messages in the runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.range.len()).sum()
    }

    /// Whether there is nothing to process.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The partition and offset of the message at an index, as [`Run::first_index`] counts.
    #[must_use]
    pub fn origin(&self, index: usize) -> Option<(Slot, i64)> {
        let run = self.runs.iter().find(|run| run.range.contains(&index))?;
        Some((run.slot, self.messages.get(index)?.offset()))
    }

    /// The first offset of a partition's messages.
    #[must_use]
    pub fn first_offset(&self, slot: Slot) -> Option<i64> {
        let run = self.runs.iter().find(|run| run.slot == slot)?;
        self.messages(run).first().map(Message::offset)
    }

    /// The size of the gathered keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Batch")
            .field("runs", &self.runs)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

/// The consumer group's generation and this member's id, as of a gathering.
///
/// None only in a batch without messages, whose offsets nobody commits.
pub struct GroupMetadata(pub(crate) Option<ConsumerGroupMetadata>);

/// A message in the consumer's memory.
pub struct Message<'s>(pub(super) BorrowedMessage<'s>);

impl Message<'_> {
    /// The key; `None` is Kafka's null.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.0.key()
    }

    /// The value; `None` is Kafka's null, a tombstone.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.0.payload()
    }

    /// The offset in the partition.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.0.offset()
    }

    /// The partition's number.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.0.partition()
    }

    /// When the message was made, or appended, as its topic has it; milliseconds since 1970.
    #[must_use]
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.0.timestamp().to_millis()
    }

    /// Whether there are headers at all; cheap.
    #[must_use]
    pub fn has_headers(&self) -> bool {
        self.0.headers().is_some()
    }

    /// The headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = HeaderRef<'_>> {
        headers(self.0.headers())
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Message({}@{})", self.0.partition(), self.0.offset())
    }
}
