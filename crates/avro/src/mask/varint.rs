//! Avro's zigzag varints, written.

/// Most bytes of a varint of 64 bits.
pub(super) const LONG_BYTES_MAX: usize = 10;
/// Most bytes of a varint of 32 bits.
pub(super) const INT_BYTES_MAX: usize = 5;

/// In each byte the bit that says whether the varint goes on.
const MARKS: u64 = 0x8080_8080_8080_8080;

/// The varint that eight bytes begin with, its zigzag left as it is, and its length; none if it is longer than they are.
/// Without a branch: how many bytes a number has cannot be foreseen.
#[inline(always)]
pub(super) fn first_of(word: u64) -> Option<(u64, usize)> {
    let length = length_of(word)?;
    let own = word & !MARKS & (u64::MAX >> (u64::BITS as usize - 8 * length));
    let pairs = (own & 0x007f_007f_007f_007f) | (own & 0x7f00_7f00_7f00_7f00) >> 1;
    let quads = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    let value = (quads & 0x0fff_ffff) | (quads & 0x0fff_ffff_0000_0000) >> 4;
    Some((value, length))
}

/// The length of the varint that eight bytes begin with, if it is no longer than they are.
#[inline(always)]
pub(super) fn length_of(word: u64) -> Option<usize> {
    let ends = !word & MARKS;
    (ends != 0).then(|| ends.trailing_zeros() as usize / 8 + 1)
}

/// Undoes [`first_of`], for values of eight times seven bits.
#[inline(always)]
fn word_of(value: u64) -> (u64, usize) {
    let quads = (value & 0x0fff_ffff) | (value & 0x00ff_ffff_f000_0000) << 4;
    let pairs = (quads & 0x0000_3fff_0000_3fff) | (quads & 0x0fff_c000_0fff_c000) << 2;
    let own = (pairs & 0x007f_007f_007f_007f) | (pairs & 0x3f80_3f80_3f80_3f80) << 1;
    let bits = u64::BITS - (value | 1).leading_zeros();
    let length = bits.div_ceil(7) as usize;
    (own | (MARKS & !(u64::MAX << (8 * (length - 1)))), length)
}

/// Appends an int or a long.
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    if rest < 0x80 {
        out.push(rest as u8);
        return;
    }
    if rest < 1 << 56 {
        let (word, length) = word_of(rest);
        let end = out.len() + length;
        out.extend_from_slice(&word.to_le_bytes());
        out.truncate(end);
        return;
    }
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends a length.
#[inline]
pub(crate) fn write_length(out: &mut Vec<u8>, length: usize) {
    // No item is longer than 16 MiB, no view longer than 64 MiB.
    write(out, length as i64);
}

/// Undoes the zigzag.
#[inline]
pub(super) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte by byte, as the specification says it.
    fn by_bytes(value: i64) -> Vec<u8> {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        let mut bytes = Vec::new();
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    }

    #[test]
    fn every_length_is_written_and_read() {
        for bit in 0..64 {
            for value in [1_i64 << bit, (1_i64 << bit).wrapping_sub(1), -(1_i64 << (bit / 2)), i64::MIN >> bit] {
                let mut out = Vec::new();
                write(&mut out, value);
                assert_eq!(out, by_bytes(value), "{value}");
                let length = out.len();
                // What stands behind it does not matter.
                out.resize(LONG_BYTES_MAX, 0xff);
                let word = u64::from_le_bytes(*out.first_chunk().expect("ten bytes"));
                let read = first_of(word).map(|(bits, length)| (unzigzag(bits), length));
                assert_eq!(read, (length <= 8).then_some((value, length)), "{value}");
            }
        }
    }

    #[test]
    fn the_specifications_examples() {
        let examples: &[(i64, &[u8])] =
            &[(0, &[0]), (-1, &[1]), (1, &[2]), (-2, &[3]), (-64, &[0x7f]), (64, &[0x80, 0x01])];
        for (value, bytes) in examples {
            let mut out = Vec::new();
            write(&mut out, *value);
            assert_eq!(&out, bytes, "{value}");
        }
        for value in [i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            write(&mut out, value);
            assert_eq!(out.len(), LONG_BYTES_MAX);
        }
        assert_eq!((unzigzag(u64::MAX), unzigzag(u64::MAX - 1)), (i64::MIN, i64::MAX));
    }
}
