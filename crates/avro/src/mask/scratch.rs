//! The memory of a walk, kept from record to record.

use std::ops::Range;
use std::sync::Arc;

use super::run::Machine;
use super::transform::seal::Subject;
use crate::wire::HEADER_BYTES;

/// The memory that [`Program::run`](super::Program::run) works in. Reuse it: once warm, no record allocates.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) machine: Machine,
    /// The output of each view, of the program that ran last.
    pub(super) view_outputs: Arc<[u16]>,
    /// Whether the last run succeeded.
    pub(super) is_whole: bool,
    pub(super) work: Vec<u8>,
}

impl Scratch {
    /// An empty one.
    pub fn new() -> Scratch {
        Scratch::default()
    }

    /// A view's bytes of the datum that was run last; `datum` itself where no rule fired. Empty if that run failed, or
    /// if the program has no such view: there is never a partial output.
    pub fn output<'a>(&'a self, view: usize, datum: &'a [u8]) -> &'a [u8] {
        match self.view_outputs.get(view) {
            Some(output) if self.is_whole => self.machine.outputs[usize::from(*output)].written().unwrap_or(datum),
            _ => &[],
        }
    }

    /// A view's bytes of the datum that was run last with the wire format's header before them, as one slice. `value` is the
    /// record that the datum was taken from, its own header included; it is returned itself where nothing in it changes.
    /// Empty where [`Scratch::output`] is.
    pub fn framed<'a>(&'a mut self, view: usize, header: [u8; HEADER_BYTES], value: &'a [u8]) -> &'a [u8] {
        match self.view_outputs.get(view) {
            Some(output) if self.is_whole => self.machine.outputs[usize::from(*output)].framed(header, value),
            _ => &[],
        }
    }

    /// Where the key column's value stands in the datum that was run last: its Avro encoding, without the index of a
    /// union around it. `None` if there is no key column, or it was null.
    pub fn key_range(&self) -> Option<Range<usize>> {
        self.machine.key.clone().filter(|_| self.is_whole)
    }

    /// Whether the datum that was run last is about somebody who was forgotten: what is encrypted of it, nobody can decrypt. False
    /// where the contract names no subject.
    pub fn is_forgotten(&self) -> bool {
        self.is_whole && matches!(self.machine.subject.as_deref(), Some(Subject::Forgotten(_)))
    }

    /// The event time of the datum that was run last, in milliseconds since 1970; `None` if the contract names no
    /// event time column, or it was null.
    pub fn event_time_ms(&self) -> Option<i64> {
        self.machine.event_time_ms.filter(|_| self.is_whole)
    }
}
