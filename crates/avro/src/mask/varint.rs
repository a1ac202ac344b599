//! Avro's zigzag varints, written.

/// Most bytes of a varint of 64 bits.
pub(super) const LONG_BYTES_MAX: usize = 10;
/// Most bytes of a varint of 32 bits.
pub(super) const INT_BYTES_MAX: usize = 5;

/// Appends an int or a long.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    if rest < 0x80 {
        out.push(rest as u8);
        return;
    }
    if rest < 0x4000 {
        out.extend_from_slice(&[rest as u8 | 0x80, (rest >> 7) as u8]);
        return;
    }
    let mut bytes = [0; LONG_BYTES_MAX];
    let mut length = 0;
    while rest >= 0x80 {
        bytes[length] = rest as u8 | 0x80;
        rest >>= 7;
        length += 1;
    }
    bytes[length] = rest as u8;
    out.extend_from_slice(&bytes[..=length]);
}

/// Appends a length.
#[inline]
pub(super) fn write_length(out: &mut Vec<u8>, length: usize) {
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
