//! The interpreter: one walk over a datum.
//!
//! There is no recursion: arrays, maps and calls are frames on a stack of its own, of at most
//! [`DEPTH_MAX`](crate::mask::DEPTH_MAX). Every instruction reads input, goes forward, or opens or closes a frame, so
//! that the work is bounded by the input's length.

use std::ops::Range;

use super::{Frame, Input, Output, Rewrite};
use crate::mask::compile::Code;
use crate::mask::limits::{DEPTH_MAX, EMPTY_ITEMS_MAX};
use crate::mask::op::{Action, Op};
use crate::mask::{MaskError, MaskErrorKind, varint};

/// The memory of a walk; see [`Scratch`](crate::mask::Scratch).
#[derive(Debug, Default)]
pub(in crate::mask) struct Machine {
    pub(in crate::mask) outputs: Vec<Output>,
    frames: Vec<Frame>,
    /// For each open byte-sized block that may change and each output, how to write its size.
    rewrites: Vec<Option<Rewrite>>,
    /// The masked value of the moment.
    value: Vec<u8>,
    work: Vec<u8>,
    /// Where the value begins that a constant will replace.
    start: usize,
    /// How many covers are open.
    covers: u32,
    empty_items: u64,
    key_start: usize,
    pub(in crate::mask) key: Option<Range<usize>>,
    pub(in crate::mask) event_time_ms: Option<i64>,
}

impl Machine {
    /// Forgets the last datum; keeps the memory.
    pub(in crate::mask) fn reset(&mut self, outputs: usize) {
        self.outputs.resize_with(outputs, Output::default);
        self.outputs.iter_mut().for_each(Output::clear);
        self.frames.clear();
        self.rewrites.clear();
        self.covers = 0;
        self.empty_items = 0;
        self.key = None;
        self.event_time_ms = None;
    }

    /// Walks the datum that `bytes` are.
    pub(in crate::mask) fn run(&mut self, code: &Code, bytes: &[u8]) -> Result<(), MaskError> {
        let mut input = Input::new(bytes);
        self.walk(code, &mut input)?;
        input.finish()?;
        self.finish(bytes)
    }

    /// Walks the datum that `bytes` begin with; returns its length.
    pub(in crate::mask) fn run_first(&mut self, code: &Code, bytes: &[u8]) -> Result<usize, MaskError> {
        let mut input = Input::new(bytes);
        self.walk(code, &mut input)?;
        self.finish(&bytes[..input.at])?;
        Ok(input.at)
    }

    fn finish(&mut self, datum: &[u8]) -> Result<(), MaskError> {
        self.outputs.iter_mut().try_for_each(|output| output.finish(datum))
    }

    /// From the program's first instruction to its end.
    fn walk(&mut self, code: &Code, input: &mut Input<'_>) -> Result<(), MaskError> {
        let mut pc = 0;
        loop {
            let op = code.ops[pc];
            pc += 1;
            match op {
                Op::Text => {
                    input.text()?;
                }
                Op::Int => {
                    input.int()?;
                }
                Op::Long => {
                    input.long()?;
                }
                Op::Union { table, branches } => {
                    let index = input.index(branches, MaskErrorKind::BadUnionIndex)?;
                    pc = code.tables[(table + index) as usize] as usize;
                }
                Op::Jump(to) => pc = to as usize,
                Op::Boolean => input.boolean()?,
                Op::Bytes => {
                    input.item()?;
                }
                Op::Fixed(size) => {
                    input.fixed(size as usize)?;
                }
                Op::Enum(symbols) => {
                    input.index(symbols, MaskErrorKind::BadEnumIndex)?;
                }
                Op::TooLong => return Err(MaskErrorKind::ItemTooLong.at(input.at)),
                Op::MaskText(_)
                | Op::MaskBytes(_)
                | Op::MaskFixed { .. }
                | Op::MaskInt(_)
                | Op::MaskLong(_)
                | Op::MaskFloat(_)
                | Op::MaskDouble(_) => self.mask(code, op, input)?,
                Op::Start => self.start = input.at,
                Op::Constant(index) => self.constant(&code.actions.constants[index as usize], input)?,
                Op::CoverBegin(index) => self.cover(&code.actions.constants[index as usize], input),
                Op::CoverEnd(index) => self.uncover(&code.actions.constants[index as usize], input)?,
                Op::Blocks(index) => {
                    self.open(Frame { code: index, items_left: 0, block_end: None }, input)?;
                    pc = self.next_block(code, input)?;
                }
                Op::Next => pc = self.next_item(code, input)?,
                Op::Call(to) => {
                    self.open(Frame { code: pc as u32, items_left: 0, block_end: None }, input)?;
                    pc = to as usize;
                }
                Op::Return => match self.frames.pop() {
                    Some(frame) => pc = frame.code as usize,
                    None => return Err(MaskErrorKind::TooDeep.at(input.at)),
                },
                Op::KeyBegin => self.key_start = input.at,
                Op::KeyEnd => self.key = Some(self.key_start..input.at),
                Op::EventTime(kind) => {
                    let mut ahead = *input;
                    self.event_time_ms = Some(kind.millis(ahead.long()?));
                }
                Op::End => return Ok(()),
            }
        }
    }

    fn mask(&mut self, code: &Code, op: Op, input: &mut Input<'_>) -> Result<(), MaskError> {
        let actions = &code.actions;
        let start = input.at;
        self.value.clear();
        let refused = |kind: MaskErrorKind| kind.at(start);
        let outputs = match op {
            Op::MaskText(index) => {
                let Action { mask, outputs } = &actions.texts[index as usize];
                mask.write(&mut self.value, &mut self.work, input.text()?).map_err(refused)?;
                outputs
            }
            Op::MaskBytes(index) => {
                let Action { mask, outputs } = &actions.bytes[index as usize];
                mask.write(&mut self.value, input.item()?).map_err(refused)?;
                outputs
            }
            Op::MaskFixed { mask, size } => {
                let Action { mask, outputs } = &actions.fixed[mask as usize];
                mask.write(&mut self.value, input.fixed(size as usize)?);
                outputs
            }
            Op::MaskInt(index) | Op::MaskLong(index) => {
                let Action { mask, outputs } = &actions.integers[index as usize];
                let value = if matches!(op, Op::MaskInt(_)) { input.int()? } else { input.long()? };
                varint::write(&mut self.value, mask.apply(value));
                outputs
            }
            Op::MaskFloat(index) => {
                let Action { mask, outputs } = &actions.fractions[index as usize];
                let bytes = input.fixed(4)?.first_chunk().copied().unwrap_or_default();
                let floored = super::floor_fraction(f64::from(f32::from_le_bytes(bytes)), *mask) as f32;
                self.value.extend_from_slice(&floored.to_le_bytes());
                outputs
            }
            Op::MaskDouble(index) => {
                let Action { mask, outputs } = &actions.fractions[index as usize];
                let bytes = input.fixed(8)?.first_chunk().copied().unwrap_or_default();
                let floored = super::floor_fraction(f64::from_le_bytes(bytes), *mask);
                self.value.extend_from_slice(&floored.to_le_bytes());
                outputs
            }
            _ => return Ok(()),
        };
        for output in &**outputs {
            self.outputs[usize::from(*output)].replace(input.bytes, start, input.at, &self.value)?;
        }
        Ok(())
    }

    /// Puts a constant in the place of what was read since [`Op::Start`].
    fn constant(&mut self, action: &Action<Box<[u8]>>, input: &Input<'_>) -> Result<(), MaskError> {
        for output in &*action.outputs {
            self.outputs[usize::from(*output)].replace(input.bytes, self.start, input.at, &action.mask)?;
        }
        Ok(())
    }

    fn cover(&mut self, action: &Action<Box<[u8]>>, input: &Input<'_>) {
        self.covers += 1;
        for output in &*action.outputs {
            self.outputs[usize::from(*output)].cover(input.bytes, input.at, self.covers);
        }
    }

    fn uncover(&mut self, action: &Action<Box<[u8]>>, input: &Input<'_>) -> Result<(), MaskError> {
        for output in &*action.outputs {
            let output = &mut self.outputs[usize::from(*output)];
            output.uncover(input.at, self.covers, &action.mask);
            output.check_length(input.at)?;
        }
        self.covers -= 1;
        Ok(())
    }

    fn open(&mut self, frame: Frame, input: &Input<'_>) -> Result<(), MaskError> {
        if self.frames.len() == DEPTH_MAX {
            return Err(MaskErrorKind::TooDeep.at(input.at));
        }
        self.frames.push(frame);
        Ok(())
    }

    /// Reads the innermost array's next block: returns where to go on, at its items or after the array.
    fn next_block(&mut self, code: &Code, input: &mut Input<'_>) -> Result<usize, MaskError> {
        let Some(frame) = self.frames.last_mut() else { return Err(MaskErrorKind::TooDeep.at(input.at)) };
        let blocks = code.blocks[frame.code as usize];
        loop {
            let start = input.at;
            let count = input.long()?;
            if count == 0 {
                self.frames.pop();
                return Ok(blocks.end as usize);
            }
            let items = count.unsigned_abs();
            if blocks.takes_bytes && items > input.remaining() as u64 {
                return Err(MaskErrorKind::TooManyItems.at(start));
            }
            if !blocks.takes_bytes {
                self.empty_items = self.empty_items.saturating_add(items);
                if self.empty_items > EMPTY_ITEMS_MAX {
                    return Err(MaskErrorKind::TooManyItems.at(start));
                }
            }
            frame.block_end = None;
            if count < 0 {
                let size_start = input.at;
                let size = input.long()?;
                let size = usize::try_from(size).map_err(|_| MaskErrorKind::NegativeLength.at(size_start))?;
                if size > input.remaining() {
                    return Err(MaskErrorKind::Truncated.at(size_start));
                }
                if blocks.is_empty && size > 0 {
                    return Err(MaskErrorKind::BlockSizeMismatch.at(size_start));
                }
                frame.block_end = Some(input.at + size);
                if blocks.may_change {
                    let begin = |output: &mut Output| {
                        (!output.is_covered()).then(|| output.begin_block(input.bytes, size_start, input.at))
                    };
                    self.rewrites.extend(self.outputs.iter_mut().map(begin));
                }
            }
            if !blocks.is_empty {
                frame.items_left = items;
                return Ok(blocks.body as usize);
            }
        }
    }

    /// Ends an item of the innermost array: returns where to go on.
    fn next_item(&mut self, code: &Code, input: &mut Input<'_>) -> Result<usize, MaskError> {
        let Some(frame) = self.frames.last_mut() else { return Err(MaskErrorKind::TooDeep.at(input.at)) };
        let blocks = &code.blocks[frame.code as usize];
        frame.items_left -= 1;
        if frame.items_left > 0 {
            return Ok(blocks.body as usize);
        }
        if let Some(block_end) = frame.block_end {
            if input.at != block_end {
                return Err(MaskErrorKind::BlockSizeMismatch.at(input.at));
            }
            if blocks.may_change {
                self.end_block(input);
            }
        }
        self.next_block(code, input)
    }

    /// Writes the size of the block that ends here, in every output.
    fn end_block(&mut self, input: &Input<'_>) {
        let first = self.rewrites.len() - self.outputs.len();
        for (output, rewrite) in self.outputs.iter_mut().zip(&self.rewrites[first..]) {
            if let Some(rewrite) = rewrite {
                output.end_block(input.bytes, input.at, rewrite, &mut self.work);
            }
        }
        self.rewrites.truncate(first);
    }
}
