//! The interpreter: one walk over a datum.
//!
//! There is no recursion: arrays, maps and calls are frames on a stack of its own, of at most
//! [`DEPTH_MAX`](crate::mask::DEPTH_MAX). Every instruction reads input, goes forward, or opens or closes a frame, so
//! that the work is bounded by the input's length.
//!
//! How far the input has been read stays in a register: what is not inlined into [`Machine::walk`] takes it by value and
//! returns where it got to.

use std::ops::Range;

use super::hashed::Hashes;
use super::unchecked::Unchecked;
use super::{Frame, Input, Output, Rewrite};
use crate::mask::compile::Code;
use crate::mask::limits::DEPTH_MAX;
use crate::mask::op::Op;
use crate::mask::transform::seal::Subject;
use crate::mask::{MaskError, MaskErrorKind};

/// The memory of a walk; see [`Scratch`](crate::mask::Scratch).
#[derive(Debug, Default)]
pub(in crate::mask) struct Machine {
    pub(in crate::mask) outputs: Vec<Output>,
    pub(super) frames: Vec<Frame>,
    /// For each open byte-sized block that may change and each output, how to write its size.
    pub(super) rewrites: Vec<Option<Rewrite>>,
    /// The masked value of the moment, where several outputs take it.
    pub(super) value: Vec<u8>,
    pub(in crate::mask) work: Vec<u8>,
    /// Whom the datum is about, where that matters; found before the walk.
    pub(in crate::mask) subject: Option<Box<Subject>>,
    /// How many covers are open.
    pub(super) covers: u32,
    pub(super) empty_items: u64,
    pub(super) hashes: Hashes,
    pub(in crate::mask) key: Option<Range<usize>>,
    pub(in crate::mask) event_time_ms: Option<i64>,
}

/// Where a walk goes on: the next instruction, and the input's next byte.
pub(super) struct Next {
    pub(super) pc: usize,
    pub(super) at: usize,
}

impl Machine {
    /// Forgets the last datum; keeps the memory.
    pub(in crate::mask) fn reset(&mut self, outputs: usize) {
        self.outputs.resize_with(outputs, Output::default);
        self.outputs.iter_mut().for_each(Output::clear);
        self.rewind();
    }

    /// Forgets how far the last walk went, for one that writes nothing.
    pub(in crate::mask) fn rewind(&mut self) {
        self.frames.clear();
        self.rewrites.clear();
        self.covers = 0;
        self.empty_items = 0;
        self.hashes.clear();
        self.key = None;
        self.event_time_ms = None;
    }

    /// Walks the datum that `bytes` are.
    pub(in crate::mask) fn run(&mut self, code: &Code, bytes: &[u8]) -> Result<(), MaskError> {
        let end = self.walk(code, bytes)?;
        if end < bytes.len() {
            return Err(MaskErrorKind::TrailingBytes.at(end));
        }
        self.finish(code, bytes)
    }

    /// Walks the datum that `bytes` begin with; returns its length.
    pub(in crate::mask) fn run_first(&mut self, code: &Code, bytes: &[u8]) -> Result<usize, MaskError> {
        let end = self.walk(code, bytes)?;
        self.finish(code, &bytes[..end])?;
        Ok(end)
    }

    fn finish(&mut self, code: &Code, datum: &[u8]) -> Result<(), MaskError> {
        self.write_held_hash(code, datum);
        self.outputs.iter_mut().try_for_each(|output| output.finish(datum))
    }

    /// From the program's first instruction to its end. Returns how much of the input that was.
    #[expect(clippy::too_many_lines, reason = "one arm an instruction")]
    pub(in crate::mask) fn walk(&mut self, code: &Code, bytes: &[u8]) -> Result<usize, MaskError> {
        let mut input = Input::new(bytes);
        let mut pc = 0;
        // Where the value begins that a constant will replace, and where the key does.
        let (mut start, mut key_start) = (0, 0);
        let mut unchecked = Unchecked::default();
        loop {
            let op = code.ops[pc];
            pc += 1;
            match op {
                Op::Texts(count) => input.skip_texts(u64::from(count), &mut unchecked)?,
                Op::OptionalText { null } => input.skip_optional_text(null, &mut unchecked)?,
                Op::Longs(count) => {
                    for _ in 0..count {
                        input.skip_long()?;
                    }
                }
                Op::OptionalLong { null } => input.skip_optional_long(null, &mut unchecked)?,
                Op::Int => input.skip_int()?,
                Op::Boolean => {
                    let start = input.at;
                    input.boolean()?;
                    unchecked.add_number(start..input.at);
                }
                Op::Bytes => drop_value(input.item()?),
                Op::Fixed(size) => drop_value(input.fixed(size as usize)?),
                Op::Enum(symbols) => {
                    let start = input.at;
                    input.index(symbols, MaskErrorKind::BadEnumIndex)?;
                    unchecked.add_number(start..input.at);
                }
                Op::TooLong => return Err(MaskErrorKind::ItemTooLong.at(input.at)),
                Op::Union { table, branches } => {
                    let index = input.branch(branches, &mut unchecked)?;
                    pc = code.tables[(table + index) as usize] as usize;
                }
                Op::Jump(to) => pc = to as usize,
                Op::MaskText(index) => {
                    let end = self.mask_text(code, index, input)?;
                    unchecked.add_checked(bytes, input.at..end);
                    input.at = end;
                }
                Op::HashText(index) => {
                    start = input.at;
                    let length = input.unchecked_text(&mut unchecked)?.len();
                    self.hash_text(code, index, input, start, length)?;
                }
                Op::SealText(index) => {
                    let end = self.seal_text(code, index, input)?;
                    unchecked.add_checked(bytes, input.at..end);
                    input.at = end;
                }
                Op::SealBytes(index) => input.at = self.seal_bytes(code, index, input)?,
                Op::MaskBytes(index) => input.at = self.mask_bytes(code, index, input)?,
                Op::MaskFixed { mask, size } => input.at = self.mask_fixed(code, mask, size as usize, input)?,
                Op::MaskInt(index) => input.at = self.mask_int(code, index, input)?,
                Op::MaskLong(index) => input.at = self.mask_long(code, index, input)?,
                Op::MaskFloat(index) => input.at = self.mask_float(code, index, input)?,
                Op::MaskDouble(index) => input.at = self.mask_double(code, index, input)?,
                Op::ReplaceText(index) => {
                    start = input.at;
                    input.unchecked_text(&mut unchecked)?;
                    input.at = self.constant(code, index, input, start)?;
                }
                Op::Start => start = input.at,
                Op::Constant(index) => input.at = self.constant(code, index, input, start)?,
                Op::CoverBegin(index) => self.cover(code, index, input),
                Op::CoverEnd(index) => self.uncover(code, index, input)?,
                Op::Blocks(index) => {
                    self.open(Frame { code: index, items_left: 0, block_end: None }, input.at)?;
                    let next = self.next_block(code, input)?;
                    unchecked.add_number(input.at..next.at);
                    (pc, input.at) = (next.pc, next.at);
                }
                Op::TextBlocks { texts } => self.text_blocks(texts, &mut input, &mut unchecked)?,
                Op::Next => {
                    let next = self.next_item(code, input)?;
                    unchecked.add_number(input.at..next.at);
                    (pc, input.at) = (next.pc, next.at);
                }
                Op::Call(to) => {
                    self.open(Frame { code: pc as u32, items_left: 0, block_end: None }, input.at)?;
                    pc = to as usize;
                }
                Op::Return => match self.frames.pop() {
                    Some(frame) => pc = frame.code as usize,
                    None => return Err(MaskErrorKind::TooDeep.at(input.at)),
                },
                Op::KeyBegin => key_start = input.at,
                Op::KeyEnd => self.key = Some(key_start..input.at),
                Op::EventTime(kind) => {
                    let mut ahead = input;
                    self.event_time_ms = Some(kind.millis(ahead.long()?));
                }
                Op::End => {
                    unchecked.check(bytes)?;
                    return Ok(input.at);
                }
            }
        }
    }

    pub(super) fn open(&mut self, frame: Frame, at: usize) -> Result<(), MaskError> {
        if self.frames.len() == DEPTH_MAX {
            return Err(MaskErrorKind::TooDeep.at(at));
        }
        self.frames.push(frame);
        Ok(())
    }
}

/// A value that had only to be read.
#[inline(always)]
fn drop_value<T>(_: T) {}
