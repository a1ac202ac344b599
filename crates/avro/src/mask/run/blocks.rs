//! Arrays and maps: blocks of items, counted or byte-sized.

use super::machine::Next;
use super::unchecked::Unchecked;
use super::{Input, Machine, Output};
use crate::mask::compile::Code;
use crate::mask::limits::{DEPTH_MAX, EMPTY_ITEMS_MAX};
use crate::mask::op::Blocks;
use crate::mask::{MaskError, MaskErrorKind};

/// The beginning of a block.
struct Head {
    items: u64,
    /// Where its size stands, and where it ends, if it is byte-sized.
    sized: Option<Sized>,
}

struct Sized {
    size_start: usize,
    end: usize,
}

impl Machine {
    /// Reads the innermost array's next block: goes on at its items or after the array.
    pub(super) fn next_block(&mut self, code: &Code, mut input: Input<'_>) -> Result<Next, MaskError> {
        let Some(frame) = self.frames.last_mut() else { return Err(MaskErrorKind::TooDeep.at(input.at)) };
        let blocks = code.blocks[frame.code as usize];
        loop {
            let start = input.at;
            let Some(head) = head(&mut input)? else {
                self.frames.pop();
                return Ok(Next { pc: blocks.end as usize, at: input.at });
            };
            if blocks.takes_bytes && head.items > input.remaining() as u64 {
                return Err(MaskErrorKind::TooManyItems.at(start));
            }
            if !blocks.takes_bytes {
                self.empty_items = self.empty_items.saturating_add(head.items);
                if self.empty_items > EMPTY_ITEMS_MAX {
                    return Err(MaskErrorKind::TooManyItems.at(start));
                }
            }
            frame.block_end = head.sized.as_ref().map(|sized| sized.end);
            if let Some(sized) = &head.sized {
                if blocks.is_empty && sized.end > input.at {
                    return Err(MaskErrorKind::BlockSizeMismatch.at(sized.size_start));
                }
                if blocks.may_change {
                    let begin = |output: &mut Output| {
                        (!output.is_covered()).then(|| output.begin_block(input.bytes, sized.size_start, input.at))
                    };
                    self.rewrites.extend(self.outputs.iter_mut().map(begin));
                }
            }
            if !blocks.is_empty {
                frame.items_left = head.items;
                return Ok(Next { pc: blocks.body as usize, at: input.at });
            }
        }
    }

    /// Ends an item of the innermost array.
    #[inline]
    pub(super) fn next_item(&mut self, code: &Code, input: Input<'_>) -> Result<Next, MaskError> {
        let Some(frame) = self.frames.last_mut() else { return Err(MaskErrorKind::TooDeep.at(input.at)) };
        let blocks = &code.blocks[frame.code as usize];
        frame.items_left -= 1;
        if frame.items_left > 0 {
            return Ok(Next { pc: blocks.body as usize, at: input.at });
        }
        let block_end = frame.block_end;
        self.end_block(code, blocks, block_end, input)?;
        self.next_block(code, input)
    }

    /// Checks where a block ends and writes its size in every output.
    fn end_block(
        &mut self,
        code: &Code,
        blocks: &Blocks,
        block_end: Option<usize>,
        input: Input<'_>,
    ) -> Result<(), MaskError> {
        let Some(block_end) = block_end else { return Ok(()) };
        if input.at != block_end {
            return Err(MaskErrorKind::BlockSizeMismatch.at(input.at));
        }
        if blocks.may_change {
            self.write_held_hash(code, input.bytes);
            let first = self.rewrites.len() - self.outputs.len();
            for (output, rewrite) in self.outputs.iter_mut().zip(&self.rewrites[first..]) {
                if let Some(rewrite) = rewrite {
                    output.end_block(input.bytes, input.at, rewrite, &mut self.work);
                }
            }
            self.rewrites.truncate(first);
        }
        Ok(())
    }

    /// A whole array or map whose items are so many strings each, none of them masked.
    #[inline(always)]
    pub(super) fn text_blocks(
        &self,
        texts: u32,
        input: &mut Input<'_>,
        unchecked: &mut Unchecked,
    ) -> Result<(), MaskError> {
        if self.frames.len() == DEPTH_MAX {
            return Err(MaskErrorKind::TooDeep.at(input.at));
        }
        loop {
            let start = input.at;
            let head = head(input)?;
            unchecked.add_number(start..input.at);
            let Some(head) = head else { return Ok(()) };
            if head.items > input.remaining() as u64 {
                return Err(MaskErrorKind::TooManyItems.at(start));
            }
            input.skip_texts(head.items * u64::from(texts), unchecked)?;
            if head.sized.is_some_and(|sized| sized.end != input.at) {
                return Err(MaskErrorKind::BlockSizeMismatch.at(input.at));
            }
        }
    }
}

/// The next block's count and size; none after the last one.
#[inline(always)]
fn head(input: &mut Input<'_>) -> Result<Option<Head>, MaskError> {
    let count = input.long()?;
    if count == 0 {
        return Ok(None);
    }
    let mut head = Head { items: count.unsigned_abs(), sized: None };
    if count < 0 {
        let size_start = input.at;
        let size = input.long()?;
        let size = usize::try_from(size).map_err(|_| MaskErrorKind::NegativeLength.at(size_start))?;
        if size > input.remaining() {
            return Err(MaskErrorKind::Truncated.at(size_start));
        }
        head.sized = Some(Sized { size_start, end: input.at + size });
    }
    Ok(Some(head))
}
