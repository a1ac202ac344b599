//! Avro's binary primitives.

/// Appends a zigzag varint.
pub(crate) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends a length and as many bytes.
pub(crate) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(i64::try_from(bytes.len()).unwrap_or(i64::MAX), out);
    out.extend_from_slice(bytes);
}

/// Bytes that are still to be read.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    /// The next so many bytes; an error if there are fewer.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the data ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A zigzag varint of at most ten bytes that fits 64 bits.
    pub(crate) fn long(&mut self) -> Result<i64, &'static str> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err("a number is wider than 64 bits");
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("a number is longer than ten bytes")
    }

    pub(crate) fn int(&mut self) -> Result<i32, &'static str> {
        i32::try_from(self.long()?).map_err(|_| "a number is wider than 32 bits")
    }

    /// A length and as many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], &'static str> {
        let length = usize::try_from(self.long()?).map_err(|_| "a length is negative")?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn longs_come_back() {
        for value in [0, -1, 1, 63, -64, 64, i64::from(i32::MAX), i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_long(value, &mut out);
            let mut input = Input(&out);
            assert_eq!(input.long().unwrap(), value);
            assert!(input.0.is_empty());
        }
    }

    #[test]
    fn what_is_no_long_is_refused() {
        assert!(Input(&[0x80]).long().is_err());
        assert!(Input(&[0xff; 10]).long().is_err());
        assert!(Input(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]).long().is_err());
        assert!(Input(&[0x80; 11]).long().is_err());
        assert!(Input(&[1]).bytes().is_err());
        assert!(Input(&[0x80, 0x80, 0x80, 0x80, 0x20]).int().is_err());
    }
}
