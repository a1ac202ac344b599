//! Values that stay as they are: only where they end matters, and that they are valid.
//!
//! What cannot be foreseen, as how long a number is or whether there is one, is computed rather than branched on.

use super::Input;
use super::unchecked::Unchecked;
use crate::mask::varint::{self, INT_BYTES_MAX};
use crate::mask::{MaskError, MaskErrorKind};

/// The first byte of a union's index, if it has two branches.
const BRANCHES: [u8; 2] = [0, 2];

impl<'a> Input<'a> {
    /// An int: four bytes are always within 32 bits.
    #[inline(always)]
    pub(super) fn skip_int(&mut self) -> Result<(), MaskError> {
        match self.varint_bytes() {
            Some(length) if length < INT_BYTES_MAX => {
                self.at += length;
                Ok(())
            }
            _ => self.int().map(drop),
        }
    }

    #[inline(always)]
    pub(super) fn skip_long(&mut self) -> Result<(), MaskError> {
        match self.varint_bytes() {
            Some(length) => {
                self.at += length;
                Ok(())
            }
            None => self.long().map(drop),
        }
    }

    /// A union of a long and null, which is the branch of this index.
    #[inline(always)]
    pub(super) fn skip_optional_long(&mut self, null: u32, unchecked: &mut Unchecked) -> Result<(), MaskError> {
        let start = self.at;
        if let Some(&[index, ..]) = self.bytes.get(start..)
            && BRANCHES.contains(&index)
            && let Some(length) = (Input { bytes: self.bytes, at: start + 1 }).varint_bytes()
        {
            let is_long = usize::from(index != BRANCHES[null as usize]);
            self.at += 1 + is_long * length;
            unchecked.add_number(start..self.at);
            return Ok(());
        }
        if self.branch(2, unchecked)? == null { Ok(()) } else { self.skip_long() }
    }

    /// How many bytes the varint here has, if they are eight at most and as many bytes are left.
    #[inline(always)]
    fn varint_bytes(&self) -> Option<usize> {
        let word = u64::from_le_bytes(*self.bytes.get(self.at..)?.first_chunk()?);
        varint::length_of(word)
    }

    /// The index of a union's branch.
    #[inline(always)]
    pub(super) fn branch(&mut self, branches: u32, unchecked: &mut Unchecked) -> Result<u32, MaskError> {
        let start = self.at;
        let index = self.index(branches, MaskErrorKind::BadUnionIndex)?;
        unchecked.add_number(start..self.at);
        Ok(index)
    }

    /// So many strings, one after another. Short ones are left to `unchecked`.
    #[inline(always)]
    pub(super) fn skip_texts(&mut self, count: u64, unchecked: &mut Unchecked) -> Result<(), MaskError> {
        let mut start = self.at;
        for _ in 0..count {
            if let Some(end) = self.end_of_short_text() {
                self.at = end;
            } else {
                unchecked.add(self.bytes, start..self.at)?;
                self.text()?;
                start = self.at;
            }
        }
        unchecked.add(self.bytes, start..self.at)
    }

    /// A string, left to `unchecked` if it is short.
    #[inline(always)]
    pub(super) fn unchecked_text(&mut self, unchecked: &mut Unchecked) -> Result<&'a [u8], MaskError> {
        let Some(end) = self.end_of_short_text() else { return Ok(self.text()?.as_bytes()) };
        let start = std::mem::replace(&mut self.at, end);
        unchecked.add(self.bytes, start..end)?;
        Ok(&self.bytes[start + 1..end])
    }

    /// A union of a string and null, which is the branch of this index.
    #[inline(always)]
    pub(super) fn skip_optional_text(&mut self, null: u32, unchecked: &mut Unchecked) -> Result<(), MaskError> {
        let start = self.at;
        if let Some(&[index, length, ..]) = self.bytes.get(start..)
            && BRANCHES.contains(&index)
        {
            let is_text = usize::from(index != BRANCHES[null as usize]);
            let length = is_text * usize::from(length);
            let end = start + 1 + is_text + length / 2;
            if is_short(length) && end <= self.bytes.len() {
                self.at = end;
                return unchecked.add(self.bytes, start..end);
            }
        }
        if self.branch(2, unchecked)? == null { Ok(()) } else { self.skip_texts(1, unchecked) }
    }

    /// Where the string here ends, if a byte of length says so and it is all there.
    #[inline(always)]
    fn end_of_short_text(&self) -> Option<usize> {
        let length = usize::from(*self.bytes.get(self.at)?);
        let end = self.at + 1 + length / 2;
        (is_short(length) && end <= self.bytes.len()).then_some(end)
    }
}

/// Whether a varint's first byte is all of it, and not negative.
#[inline(always)]
fn is_short(length: usize) -> bool {
    length & 0x81 == 0
}
