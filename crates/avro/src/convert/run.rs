//! A conversion at work: one walk of the datum, on a stack of its own.

use super::Conversion;
use super::converter::{Converter, Frame};
use super::node::{Branch, Fields, Node, Piece, Promotion, Step};
use crate::mask::{DEPTH_MAX, EMPTY_ITEMS_MAX, Input, MaskError, MaskErrorKind, OUTPUT_BYTES_MAX, varint};
use crate::wire::HEADER_BYTES;

/// Records, arrays and maps that may be open at once. A masking program counts no records but recursive ones: four of them may
/// stand between two of those.
const FRAMES_MAX: usize = 4 * DEPTH_MAX;
/// Bytes of a datum that may change their order; those of nested records do so again and again.
const MOVED_BYTES_MAX: usize = 1 << 30;

pub(super) fn run(conversion: &Conversion, converter: &mut Converter, datum: &[u8]) -> Result<(), MaskError> {
    converter.reset();
    let mut walk = Walk { conversion, converter, input: Input::new(datum) };
    walk.begin(conversion.root)?;
    while walk.go_on()? {}
    walk.input.finish()?;
    if walk.converter.is_changed {
        walk.copy();
    }
    walk.check_length()?;
    converter.is_whole = true;
    Ok(())
}

struct Walk<'w> {
    conversion: &'w Conversion,
    converter: &'w mut Converter,
    input: Input<'w>,
}

/// What the innermost open frame asks for.
enum Next {
    /// A value.
    Value(u32),
    /// Nothing, for now.
    Nothing,
    /// To be closed.
    Close,
}

impl Walk<'_> {
    /// One step of the innermost open frame; whether there was one.
    fn go_on(&mut self) -> Result<bool, MaskError> {
        let Some(mut frame) = self.converter.frames.pop() else { return Ok(false) };
        let next = match &mut frame {
            Frame::Record { node, next, start, ends, dropping } => {
                self.end_field(*node, *next, dropping.take());
                self.next_field(*node, next, (*start, *ends), dropping)?
            }
            Frame::Blocks { item, is_map, left, end, item_at } => {
                self.end_item(item_at.take())?;
                self.next_item((*item, *is_map), left, end, item_at)?
            }
        };
        self.check_length()?;
        if !matches!(next, Next::Close) {
            self.converter.frames.push(frame);
        }
        if let Next::Value(node) = next {
            self.begin(node)?;
        }
        Ok(true)
    }

    /// Reads a value that is no container, or opens one.
    fn begin(&mut self, mut node: u32) -> Result<(), MaskError> {
        let conversion = self.conversion;
        loop {
            match &conversion.nodes[node as usize] {
                Node::Union(branches) => {
                    let start = self.input.at;
                    let index = self.input.index(branches.len() as u32, MaskErrorKind::BadUnionIndex)?;
                    let branch = branches[index as usize];
                    if branch.to != Some(index) {
                        self.replace(start, |out| branch.to.into_iter().for_each(|to| varint::write(out, to.into())));
                    }
                    node = branch.node;
                }
                Node::Into(Branch { to, node: inner }) => {
                    self.replace(self.input.at, |out| to.iter().for_each(|to| varint::write(out, (*to).into())));
                    node = *inner;
                }
                Node::Array(item) => return self.open_blocks(*item, false),
                Node::Map(item) => return self.open_blocks(*item, true),
                Node::Record(fields) => return self.open_record(node, fields),
                leaf => return self.leaf(leaf),
            }
        }
    }

    fn leaf(&mut self, leaf: &Node) -> Result<(), MaskError> {
        let start = self.input.at;
        match leaf {
            Node::Boolean => self.input.boolean(),
            Node::Int => self.input.int().map(drop),
            Node::Long => self.input.long().map(drop),
            Node::Float => self.input.fixed(4).map(drop),
            Node::Double => self.input.fixed(8).map(drop),
            Node::Bytes => self.input.item().map(drop),
            Node::Text => self.input.text().map(drop),
            Node::Fixed(size) => self.input.fixed(*size).map(drop),
            Node::Number(promotion) => self.number(*promotion, start),
            Node::Enum(symbols) => {
                let index = self.input.index(symbols.len() as u32, MaskErrorKind::BadEnumIndex)?;
                match symbols[index as usize] {
                    None => return Err(MaskErrorKind::NotConvertible.at(start)),
                    Some(to) if to == index => {}
                    Some(to) => self.replace(start, |out| varint::write(out, to.into())),
                }
                Ok(())
            }
            Node::Refused => Err(MaskErrorKind::NotConvertible.at(start)),
            // null takes no bytes, and containers are no leaves
            _ => Ok(()),
        }
    }

    fn number(&mut self, promotion: Promotion, start: usize) -> Result<(), MaskError> {
        let single = |value: f32| value.to_le_bytes();
        let double = |value: f64| value.to_le_bytes();
        match promotion {
            Promotion::IntToFloat => {
                let value = self.input.int()?;
                self.replace(start, |out| out.extend_from_slice(&single(value as f32)));
            }
            Promotion::LongToFloat => {
                let value = self.input.long()?;
                self.replace(start, |out| out.extend_from_slice(&single(value as f32)));
            }
            Promotion::IntToDouble => {
                let value = self.input.int()?;
                self.replace(start, |out| out.extend_from_slice(&double(value as f64)));
            }
            Promotion::LongToDouble => {
                let value = self.input.long()?;
                self.replace(start, |out| out.extend_from_slice(&double(value as f64)));
            }
            Promotion::FloatToDouble => {
                let bytes = self.input.fixed(4)?.first_chunk().copied().unwrap_or_default();
                self.replace(start, |out| out.extend_from_slice(&double(f32::from_le_bytes(bytes).into())));
            }
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame) -> Result<(), MaskError> {
        if self.converter.frames.len() == FRAMES_MAX {
            return Err(MaskErrorKind::TooDeep.at(self.input.at));
        }
        self.converter.frames.push(frame);
        Ok(())
    }

    fn open_record(&mut self, node: u32, fields: &Fields) -> Result<(), MaskError> {
        if fields.order.is_some() {
            self.change();
        }
        let (start, ends) = (self.converter.out.len(), self.converter.ends.len());
        self.open(Frame::Record { node, next: 0, start, ends, dropping: None })
    }

    /// After a field's value: leaves it out if it is to be, or notes where it ends if that matters.
    fn end_field(&mut self, node: u32, next: usize, dropping: Option<usize>) {
        if let Some(mark) = dropping {
            self.converter.out.truncate(mark);
            self.converter.copied = self.input.at;
            return;
        }
        let Node::Record(fields) = &self.conversion.nodes[node as usize] else { return };
        let was_kept = next > 0 && matches!(fields.steps[next - 1], Step::Keep(_));
        if was_kept && fields.order.is_some() {
            self.change();
            self.converter.ends.push(self.converter.out.len());
        }
    }

    fn next_field(
        &mut self,
        node: u32,
        next: &mut usize,
        (start, ends): (usize, usize),
        dropping: &mut Option<usize>,
    ) -> Result<Next, MaskError> {
        let conversion = self.conversion;
        let Node::Record(fields) = &conversion.nodes[node as usize] else { return Ok(Next::Close) };
        let Some(step) = fields.steps.get(*next) else {
            if let Some(order) = &fields.order {
                self.reorder(order, start, ends)?;
            }
            return Ok(Next::Close);
        };
        *next += 1;
        Ok(match step {
            Step::Keep(node) => Next::Value(*node),
            Step::Drop(node) => {
                self.change();
                *dropping = Some(self.converter.out.len());
                Next::Value(*node)
            }
            Step::Default(range) => {
                let default = &conversion.defaults[range.clone()];
                self.replace(self.input.at, |out| out.extend_from_slice(default));
                Next::Nothing
            }
        })
    }

    /// Puts a record's kept fields, and defaults between them, in the reader's order.
    fn reorder(&mut self, order: &[Piece], start: usize, ends: usize) -> Result<(), MaskError> {
        let Converter { out, spare, ends: all, moved, .. } = &mut *self.converter;
        spare.clear();
        for piece in order {
            match piece {
                Piece::Default(range) => spare.extend_from_slice(&self.conversion.defaults[range.clone()]),
                Piece::Kept(index) => {
                    let from = index.checked_sub(1).map_or(start, |before| all[ends + before]);
                    spare.extend_from_slice(&out[from..all[ends + index]]);
                }
            }
        }
        out.truncate(start);
        out.extend_from_slice(spare);
        all.truncate(ends);
        *moved += spare.len();
        if *moved > MOVED_BYTES_MAX {
            return Err(MaskErrorKind::TooDeep.at(self.input.at));
        }
        Ok(())
    }

    fn open_blocks(&mut self, item: u32, is_map: bool) -> Result<(), MaskError> {
        self.open(Frame::Blocks { item, is_map, left: 0, end: None, item_at: None })
    }

    /// Items that take no bytes are as many as the datum says: they are counted.
    fn end_item(&mut self, item_at: Option<usize>) -> Result<(), MaskError> {
        if item_at == Some(self.input.at) {
            self.converter.empty_items += 1;
            if self.converter.empty_items > EMPTY_ITEMS_MAX {
                return Err(MaskErrorKind::TooManyItems.at(self.input.at));
            }
        }
        Ok(())
    }

    fn next_item(
        &mut self,
        (item, is_map): (u32, bool),
        left: &mut u64,
        end: &mut Option<usize>,
        item_at: &mut Option<usize>,
    ) -> Result<Next, MaskError> {
        if *left == 0 {
            if end.take().is_some_and(|end| end != self.input.at) {
                return Err(MaskErrorKind::BlockSizeMismatch.at(self.input.at));
            }
            (*left, *end) = self.head()?;
            if *left == 0 {
                return Ok(Next::Close);
            }
        }
        *left -= 1;
        *item_at = Some(self.input.at);
        if is_map {
            self.input.text()?;
        }
        Ok(Next::Value(item))
    }

    /// A block's count, and where it ends if it says so: then it says so no more, as it may grow or shrink.
    fn head(&mut self) -> Result<(u64, Option<usize>), MaskError> {
        let start = self.input.at;
        let count = self.input.long()?;
        if count >= 0 {
            return Ok((count.unsigned_abs(), None));
        }
        let size_at = self.input.at;
        let size = usize::try_from(self.input.long()?).map_err(|_| MaskErrorKind::NegativeLength.at(size_at))?;
        if size > self.input.remaining() {
            return Err(MaskErrorKind::Truncated.at(size_at));
        }
        let Some(count) = count.checked_neg() else { return Err(MaskErrorKind::TooManyItems.at(start)) };
        self.replace(start, |out| varint::write(out, count));
        Ok((count.unsigned_abs(), Some(self.input.at + size)))
    }

    /// Copies the input up to where it was read, from now on there is an output of its own.
    fn change(&mut self) {
        self.copy();
        self.converter.is_changed = true;
    }

    fn copy(&mut self) {
        self.copy_up_to(self.input.at);
    }

    fn copy_up_to(&mut self, end: usize) {
        if self.converter.copied < end {
            self.converter.out.extend_from_slice(&self.input.bytes[self.converter.copied..end]);
            self.converter.copied = end;
        }
    }

    /// Puts what `write` appends in the place of the input from `start` to where it was read.
    fn replace(&mut self, start: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.copy_up_to(start);
        write(&mut self.converter.out);
        self.converter.copied = self.input.at;
        self.converter.is_changed = true;
    }

    fn check_length(&self) -> Result<(), MaskError> {
        if self.converter.out.len() > HEADER_BYTES + OUTPUT_BYTES_MAX {
            return Err(MaskErrorKind::OutputTooLarge.at(self.input.at));
        }
        Ok(())
    }
}
