//! Strings whose UTF-8 is checked together.
//!
//! A record's short strings often stand side by side, with a byte of length before each and other small numbers between
//! them. Such a byte is below 0x80, a character of its own: where all of them together are UTF-8, so is each string. One
//! check of many bytes costs less than many of few, whose lengths and alphabets cannot be foreseen.

use std::ops::Range;

use crate::mask::utf8::is_utf8;
use crate::mask::{MaskError, MaskErrorKind};

/// A part of the datum that is still to be checked: strings, and bytes below 0x80 between them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unchecked {
    start: usize,
    end: usize,
}

impl Unchecked {
    /// Takes in `part`, which is such a part, too. What is held is checked first where something stands between the two.
    #[inline(always)]
    pub(super) fn add(&mut self, datum: &[u8], part: Range<usize>) -> Result<(), MaskError> {
        if part.start != self.end {
            self.check(datum)?;
            self.start = part.start;
        }
        self.end = part.end;
        Ok(())
    }

    /// Takes in a number that stands behind what is held, if it is a single byte.
    #[inline(always)]
    pub(super) fn add_number(&mut self, number: Range<usize>) {
        let is_next = number.start == self.end && number.end == number.start + 1;
        self.end = if is_next { number.end } else { self.end };
    }

    /// Takes in a string that stands behind what is held, if it is one of a byte of length: though it is checked already,
    /// so that what follows can be checked together with what came before.
    #[inline(always)]
    pub(super) fn add_checked(&mut self, datum: &[u8], text: Range<usize>) {
        let is_next = text.start == self.end && datum[text.start] < 0x80;
        self.end = if is_next { text.end } else { self.end };
    }

    /// Checks what is held.
    #[inline(always)]
    pub(super) fn check(&mut self, datum: &[u8]) -> Result<(), MaskError> {
        if self.start < self.end && !is_utf8(datum, self.start, self.end) {
            return Err(invalid_utf8(datum, self.start..self.end));
        }
        self.start = self.end;
        Ok(())
    }
}

/// The error that says where a part of the datum is not UTF-8.
#[cold]
#[inline(never)]
pub(super) fn invalid_utf8(datum: &[u8], part: Range<usize>) -> MaskError {
    let valid = std::str::from_utf8(&datum[part.clone()]).map_or_else(|error| error.valid_up_to(), str::len);
    MaskErrorKind::InvalidUtf8.at(part.start + valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_side_by_side_is_checked_as_one() {
        let datum = b"\x04ab\x02\x04\xc3\xbc\xff\x02\xff";
        let mut unchecked = Unchecked::default();
        assert_eq!(unchecked.add(datum, 0..3), Ok(()));
        unchecked.add_number(3..4);
        assert_eq!(unchecked.add(datum, 4..7), Ok(()));
        assert_eq!((unchecked.start, unchecked.end), (0, 7));
        // A number that is not next to it stays outside.
        unchecked.add_number(8..9);
        assert_eq!(unchecked.end, 7);
        assert_eq!(unchecked.add(datum, 8..10), Ok(()), "what came before is UTF-8");
        assert_eq!((unchecked.start, unchecked.end), (8, 10));
        assert_eq!(unchecked.check(datum), Err(MaskErrorKind::InvalidUtf8.at(9)));
    }
}
