//! The views of a datum as they grow.

use crate::mask::limits::OUTPUT_BYTES_MAX;
use crate::mask::transform::hash::HEX_CHARS;
use crate::mask::{MaskError, MaskErrorKind, varint};
use crate::wire::HEADER_BYTES;

/// Not covered by anything.
const UNCOVERED: u32 = 0;

/// One output: what is written so far, and how much of the input that stands for.
#[derive(Debug, Default)]
pub(in crate::mask) struct Output {
    /// Room for the wire format's header, then the datum: so that both are one slice in the end.
    bytes: Vec<u8>,
    /// The input up to here is in `bytes`, or was replaced.
    copied: usize,
    /// The cover that hides the input at this point, by its number; outer covers have lower ones.
    covered_by: u32,
    /// How often something was replaced.
    changes: u64,
}

impl Output {
    pub(in crate::mask) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0; HEADER_BYTES]);
        self.copied = 0;
        self.covered_by = UNCOVERED;
        self.changes = 0;
    }

    /// What is written, if anything was replaced.
    pub(in crate::mask) fn written(&self) -> Option<&[u8]> {
        (self.changes > 0).then(|| &self.bytes[HEADER_BYTES..])
    }

    /// What is written, or else the datum of `value`, with `header` before it. The datum is copied only where it stands
    /// behind another header and nothing was replaced in it.
    pub(in crate::mask) fn framed<'a>(&'a mut self, header: [u8; HEADER_BYTES], value: &'a [u8]) -> &'a [u8] {
        if self.changes == 0 {
            if value.starts_with(&header) {
                return value;
            }
            self.bytes.truncate(HEADER_BYTES);
            self.bytes.extend_from_slice(value.get(HEADER_BYTES..).unwrap_or_default());
        }
        self.bytes[..HEADER_BYTES].copy_from_slice(&header);
        &self.bytes
    }

    #[inline]
    pub(super) fn is_covered(&self) -> bool {
        self.covered_by != UNCOVERED
    }

    /// Puts `value` in the place of the input's `start..end`.
    #[inline]
    pub(super) fn replace(&mut self, input: &[u8], start: usize, end: usize, value: &[u8]) -> Result<(), MaskError> {
        if self.is_covered() {
            return Ok(());
        }
        self.copy_up_to(input, start);
        self.bytes.extend_from_slice(value);
        self.copied = end;
        self.changes += 1;
        self.check_length(start)
    }

    /// Puts what `write` appends in the place of the input's `start..end`. For an output that is not covered.
    #[inline(always)]
    pub(super) fn replace_by<E>(
        &mut self,
        input: &[u8],
        start: usize,
        end: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.copy_up_to(input, start);
        self.copied = end;
        self.changes += 1;
        write(&mut self.bytes)
    }

    /// Leaves room for `digits` hex digits, with their length before them, in the place of the input's `start..end`.
    /// Returns where the room begins. For an output that is not covered.
    pub(super) fn leave_room(&mut self, input: &[u8], start: usize, end: usize, digits: usize) -> usize {
        self.copy_up_to(input, start);
        self.copied = end;
        self.changes += 1;
        varint::write_length(&mut self.bytes, digits);
        let place = self.bytes.len();
        // As much room as a whole hash takes, since that is a constant.
        self.bytes.extend_from_slice(&[0; HEX_CHARS]);
        self.bytes.truncate(place + digits);
        place
    }

    /// Fills what [`Output::leave_room`] left.
    pub(super) fn fill_room(&mut self, place: usize, text: &[u8]) {
        self.bytes[place..place + text.len()].copy_from_slice(text);
    }

    #[inline]
    pub(super) fn copy_up_to(&mut self, input: &[u8], end: usize) {
        // Masked fields often stand side by side, with nothing between them.
        if self.copied < end {
            self.bytes.extend_from_slice(input.get(self.copied..end).unwrap_or_default());
            self.copied = end;
        }
    }

    #[inline]
    pub(super) fn check_length(&self, offset: usize) -> Result<(), MaskError> {
        if self.bytes.len() > HEADER_BYTES + OUTPUT_BYTES_MAX {
            Err(MaskErrorKind::OutputTooLarge.at(offset))
        } else {
            Ok(())
        }
    }

    /// Hides the input from here on, unless it is hidden already.
    pub(super) fn cover(&mut self, input: &[u8], at: usize, number: u32) {
        if !self.is_covered() {
            self.copy_up_to(input, at);
            self.covered_by = number;
        }
    }

    /// Ends what [`Output::cover`] of the same number began.
    pub(super) fn uncover(&mut self, at: usize, number: u32, replacement: &[u8]) {
        if self.covered_by == number {
            self.bytes.extend_from_slice(replacement);
            self.copied = at;
            self.covered_by = UNCOVERED;
            self.changes += 1;
        }
    }

    /// Begins a block whose size stands in the input's `size_start..size_end`: leaves as much room for its new size.
    pub(super) fn begin_block(&mut self, input: &[u8], size_start: usize, size_end: usize) -> Rewrite {
        let before = Rewrite {
            bytes_before: self.bytes.len(),
            copied_before: self.copied,
            changes_before: self.changes,
            size_start,
            size_end,
            room_at: 0,
        };
        self.copy_up_to(input, size_end);
        Rewrite { room_at: self.bytes.len() - (size_end - size_start), ..before }
    }

    /// Ends a block. Where nothing changed, it is as if it had not begun; else its size is written.
    pub(super) fn end_block(&mut self, input: &[u8], end: usize, rewrite: &Rewrite, work: &mut Vec<u8>) {
        if self.changes == rewrite.changes_before {
            self.bytes.truncate(rewrite.bytes_before);
            self.copied = rewrite.copied_before;
            return;
        }
        self.copy_up_to(input, end);
        let room = rewrite.size_end - rewrite.size_start;
        let size = self.bytes.len() - rewrite.room_at - room;
        if size == end - rewrite.size_end {
            return;
        }
        work.clear();
        varint::write_length(work, size);
        let place = rewrite.room_at..rewrite.room_at + room;
        if work.len() == room {
            self.bytes[place].copy_from_slice(work);
        } else {
            self.bytes.splice(place, work.iter().copied());
        }
    }

    /// Copies what is left.
    pub(super) fn finish(&mut self, input: &[u8]) -> Result<(), MaskError> {
        if self.changes > 0 {
            self.copy_up_to(input, input.len());
        }
        self.check_length(input.len())
    }
}

/// A byte-sized block that an output may have to write another size for.
#[derive(Clone, Copy, Debug)]
pub(in crate::mask) struct Rewrite {
    bytes_before: usize,
    copied_before: usize,
    changes_before: u64,
    size_start: usize,
    size_end: usize,
    /// Where the size stands in the output.
    room_at: usize,
}

/// An open array, map or call.
#[derive(Clone, Copy, Debug)]
pub(in crate::mask) struct Frame {
    /// For a call, where it goes on; for an array or map, which of the program's.
    pub(super) code: u32,
    /// Items of the current block that are not read yet.
    pub(super) items_left: u64,
    /// Where the current block ends, if it is byte-sized.
    pub(super) block_end: Option<usize>,
}
