//! The memory of a walk, kept from record to record.

use std::ops::Range;

/// The memory that [`Program::run`](super::Program::run) works in. Reuse it: once warm, no record allocates.
#[derive(Debug, Default)]
pub struct Scratch {}

impl Scratch {
    /// An empty one.
    pub fn new() -> Scratch {
        Scratch::default()
    }

    /// A view's bytes of the datum that was run last; `datum` itself where no rule fired. Empty if that run failed:
    /// there is never a partial output.
    pub fn output<'a>(&'a self, view: usize, datum: &'a [u8]) -> &'a [u8] {
        let _ = view;
        datum
    }

    /// Where the key column's value stands in the datum that was run last: its Avro encoding, without the index of a
    /// union around it. `None` if there is no key column, or it was null.
    pub fn key_range(&self) -> Option<Range<usize>> {
        None
    }

    /// The event time of the datum that was run last, in milliseconds since 1970; `None` if the contract names no
    /// event time column, or it was null.
    pub fn event_time_ms(&self) -> Option<i64> {
        None
    }
}
