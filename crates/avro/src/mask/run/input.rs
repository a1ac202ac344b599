//! A datum being read. Every read is checked; none is beyond the end.

use super::unchecked::invalid_utf8;
use crate::mask::limits::ITEM_BYTES_MAX;
use crate::mask::utf8::Text;
use crate::mask::varint::{self, INT_BYTES_MAX, LONG_BYTES_MAX, unzigzag};
use crate::mask::{MaskError, MaskErrorKind};

/// A datum and how far it has been read.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { bytes, at: 0 }
    }

    /// Whether all of it has been read.
    pub(crate) fn finish(&self) -> Result<(), MaskError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(MaskErrorKind::TrailingBytes.at(self.at)) }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline(always)]
    pub(crate) fn boolean(&mut self) -> Result<(), MaskError> {
        match self.bytes.get(self.at) {
            Some(0 | 1) => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(MaskErrorKind::BadBoolean.at(self.at)),
            None => Err(MaskErrorKind::Truncated.at(self.at)),
        }
    }

    /// An int: at most five bytes, within 32 bits.
    #[inline(always)]
    pub(crate) fn int(&mut self) -> Result<i64, MaskError> {
        let start = self.at;
        let value = unzigzag(self.varint(INT_BYTES_MAX)?);
        if i32::try_from(value).is_err() {
            return Err(MaskErrorKind::IntOutOfRange.at(start));
        }
        Ok(value)
    }

    /// A long: at most ten bytes, within 64 bits.
    #[inline(always)]
    pub(crate) fn long(&mut self) -> Result<i64, MaskError> {
        Ok(unzigzag(self.varint(LONG_BYTES_MAX)?))
    }

    /// An index below `count`, of a union's branch or an enum's symbol. Written as an int, compared in 64 bits.
    #[inline(always)]
    pub(crate) fn index(&mut self, count: u32, kind: MaskErrorKind) -> Result<u32, MaskError> {
        let start = self.at;
        let value = unzigzag(self.varint(INT_BYTES_MAX)?);
        match u32::try_from(value) {
            Ok(index) if index < count => Ok(index),
            _ => Err(kind.at(start)),
        }
    }

    /// A varint, its zigzag left as it is. One byte is the rule.
    #[inline(always)]
    fn varint(&mut self, bytes_max: usize) -> Result<u64, MaskError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some(&first @ 0..=0x7f) = rest.first() {
            self.at += 1;
            return Ok(u64::from(first));
        }
        match rest.first_chunk().and_then(|word| varint::first_of(u64::from_le_bytes(*word))) {
            Some((value, length)) if length <= bytes_max => {
                self.at += length;
                Ok(value)
            }
            _ => self.long_varint(bytes_max),
        }
    }

    #[inline(always)]
    fn long_varint(&mut self, bytes_max: usize) -> Result<u64, MaskError> {
        let (value, end) = long_varint(self.bytes, self.at, bytes_max)?;
        self.at = end;
        Ok(value)
    }

    /// So many bytes.
    #[inline(always)]
    pub(crate) fn fixed(&mut self, size: usize) -> Result<&'a [u8], MaskError> {
        match self.bytes.get(self.at..self.at + size) {
            Some(item) => {
                self.at += size;
                Ok(item)
            }
            None => Err(MaskErrorKind::Truncated.at(self.at)),
        }
    }

    /// Bytes with their length before them.
    #[inline(always)]
    pub(crate) fn item(&mut self) -> Result<&'a [u8], MaskError> {
        let start = self.at;
        let length = self.varint(LONG_BYTES_MAX)?;
        // Zigzag: an odd number is a negative one.
        if length & 1 != 0 {
            return Err(MaskErrorKind::NegativeLength.at(start));
        }
        if length > (ITEM_BYTES_MAX as u64) << 1 {
            return Err(MaskErrorKind::ItemTooLong.at(start));
        }
        let end = self.at + (length >> 1) as usize;
        match self.bytes.get(self.at..end) {
            Some(item) => {
                self.at = end;
                Ok(item)
            }
            None => Err(MaskErrorKind::Truncated.at(start)),
        }
    }

    /// A string.
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Result<Text<'a>, MaskError> {
        let length = self.item()?.len();
        let start = self.at - length;
        Text::within(self.bytes, start, self.at).ok_or_else(|| invalid_utf8(self.bytes, start..self.at))
    }
}

/// A varint of any length and where it ends. By value, so that an [`Input`] can stay in registers.
#[cold]
#[inline(never)]
fn long_varint(bytes: &[u8], start: usize, bytes_max: usize) -> Result<(u64, usize), MaskError> {
    let mut value = 0;
    for index in 0..bytes_max {
        let Some(&byte) = bytes.get(start + index) else {
            return Err(MaskErrorKind::Truncated.at(start));
        };
        // The tenth byte has room for one bit of the 64.
        if index + 1 == LONG_BYTES_MAX && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, start + index + 1));
        }
    }
    Err(MaskErrorKind::VarintTooLong.at(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(bytes: &[u8]) -> Result<i64, MaskErrorKind> {
        Input::new(bytes).long().map_err(|error| error.kind)
    }

    fn int(bytes: &[u8]) -> Result<i64, MaskErrorKind> {
        Input::new(bytes).int().map_err(|error| error.kind)
    }

    #[test]
    fn varints_have_the_width_of_their_type() {
        assert_eq!(long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Ok(i64::MIN));
        assert_eq!(
            long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]),
            Err(MaskErrorKind::VarintTooLong)
        );
        assert_eq!(long(&[0x80; 11]), Err(MaskErrorKind::VarintTooLong));
        assert_eq!(long(&[0x80; 9]), Err(MaskErrorKind::Truncated));
        assert_eq!(int(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(i64::from(i32::MIN)));
        assert_eq!(int(&[0xfe, 0xff, 0xff, 0xff, 0x0f]), Ok(i64::from(i32::MAX)));
        assert_eq!(int(&[0x80, 0x80, 0x80, 0x80, 0x10]), Err(MaskErrorKind::IntOutOfRange));
        assert_eq!(int(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(MaskErrorKind::VarintTooLong));
    }

    #[test]
    fn varints_need_not_be_minimal() {
        assert_eq!(long(&[0x82, 0x80, 0x00]), Ok(1));
        assert_eq!(int(&[0x82, 0x80, 0x80, 0x80, 0x00]), Ok(1));
        assert_eq!(long(&[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Ok(1));
    }

    #[test]
    fn indexes_are_compared_in_64_bits() {
        let bad = MaskErrorKind::BadUnionIndex;
        let index = |bytes: &[u8]| Input::new(bytes).index(2, bad).map_err(|error| error.kind);
        assert_eq!(index(&[2]), Ok(1));
        assert_eq!(index(&[4]), Err(bad));
        assert_eq!(index(&[1]), Err(bad));
        // 2^32 + 1, which is 1 in 32 bits.
        assert_eq!(index(&[0x82, 0x80, 0x80, 0x80, 0x20]), Err(bad));
    }

    #[test]
    fn lengths_are_bounded() {
        let item = |bytes: &'static [u8]| Input::new(bytes).item().map_err(|error| error.kind);
        assert_eq!(item(&[1]), Err(MaskErrorKind::NegativeLength));
        assert_eq!(item(&[4, 0]), Err(MaskErrorKind::Truncated));
        assert_eq!(
            item(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            Err(MaskErrorKind::ItemTooLong)
        );
    }
}
