//! Lines of input, bounded: a line that is too long is told of, and the next one read.

use std::io::{self, BufRead, Read};

/// The longest line that is read: a schema, and an item of 16 MiB in hex with room around it.
pub(super) const LINE_BYTES_MAX: u64 = 96 << 20;

/// A line of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line; none at the end.
pub(super) fn next(input: &mut dyn BufRead) -> io::Result<Option<Line>> {
    next_within(input, LINE_BYTES_MAX)
}

fn next_within(input: &mut dyn BufRead, bytes_max: u64) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let read = Read::take(&mut *input, bytes_max).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    let is_cut = read as u64 == bytes_max && line.last() != Some(&b'\n') && !input.fill_buf()?.is_empty();
    if is_cut {
        skip(input)?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(line)))
}

fn skip(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(newline) => (newline + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_too_long_are_skipped_to_their_end() {
        let mut input = &b"12345\n1234\n123456\n\nend"[..];
        let mut lines = Vec::new();
        while let Some(line) = next_within(&mut input, 5).unwrap() {
            lines.push(line);
        }
        let whole = |text: &[u8]| Line::Whole(text.to_vec());
        assert_eq!(lines, [Line::TooLong, whole(b"1234\n"), Line::TooLong, whole(b"\n"), whole(b"end")]);
    }
}
