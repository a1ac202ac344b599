//! Strings: their UTF-8 validated once.
//!
//! simdutf8 does it in steps of [`WINDOW_BYTES`]. What is left over or shorter it takes byte by byte, which costs more than
//! all else of a record's short texts; so the last step is filled up here.

use super::window::{WINDOW_BYTES, last_of};

/// Bytes of a character after its first, at most.
const CONTINUATIONS_MAX: usize = 3;

/// Bytes known to be UTF-8.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// `None` if the bytes are not UTF-8.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Text<'a>> {
        Text::within(bytes, 0, bytes.len())
    }

    /// `bytes[start..end]`; `None` if they are not UTF-8.
    #[inline]
    pub(super) fn within(bytes: &'a [u8], start: usize, end: usize) -> Option<Text<'a>> {
        is_utf8(bytes, start, end).then(|| Text(&bytes[start..end]))
    }

    pub(super) fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Whether `bytes[start..end]` are UTF-8.
#[inline(never)]
pub(super) fn is_utf8(bytes: &[u8], start: usize, end: usize) -> bool {
    let mut last = end - (end - start) % WINDOW_BYTES;
    for _ in 0..CONTINUATIONS_MAX {
        if last > start && bytes[last..end].first().is_some_and(|byte| continues(*byte)) {
            last -= 1;
        }
    }
    (last == start || simdutf8::basic::from_utf8(&bytes[start..last]).is_ok()) && is_last_utf8(bytes, last, end)
}

/// Whether a byte goes on with a character, rather than begins one.
fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The same of what one window holds, if so much stands before its end: what is not its own is cleared.
#[inline(always)]
fn is_last_utf8(bytes: &[u8], start: usize, end: usize) -> bool {
    match bytes[..end].last_chunk() {
        Some(window) if end - start <= WINDOW_BYTES => {
            let own = last_of(window, end - start);
            own.iter().fold(0, |bits, byte| bits | byte) < 0x80 || simdutf8::basic::from_utf8(&own).is_ok()
        }
        _ => simdutf8::basic::from_utf8(&bytes[start..end]).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Alone, and with what is no UTF-8 on both sides.
    fn agrees(bytes: &[u8]) -> bool {
        let is_text = std::str::from_utf8(bytes).is_ok();
        let within = |before: usize| {
            let around = [&vec![0xff; before], bytes, &[0xff; 3]].concat();
            Text::within(&around, before, before + bytes.len()).map(Text::as_bytes) == is_text.then_some(bytes)
        };
        Text::of(bytes).is_some() == is_text && within(1) && within(WINDOW_BYTES)
    }

    /// Every sequence of up to four bytes from the edges of RFC 3629's table, at every place in texts of many lengths.
    #[test]
    fn the_edges_of_the_table() {
        const EDGES: [u8; 23] = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
            0xef, 0xf0, 0xf3, 0xf4, 0xf5,
        ];
        for number in 0..EDGES.len().pow(4) {
            let at = |place: u32| EDGES[number / EDGES.len().pow(place) % EDGES.len()];
            let sequence = [at(0), at(1), at(2), at(3)];
            for length in 1..=4 {
                assert!(agrees(&sequence[..length]), "{sequence:x?}");
            }
            let offset = number % 140;
            let mut padded = vec![b'a'; offset];
            padded.extend(sequence);
            padded.resize(offset + 4 + number % 3, b'b');
            assert!(agrees(&padded), "{padded:x?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_is_the_standard_librarys_verdict(text in "\\PC{0,60}", position: prop::sample::Index, byte: u8) {
            let mut bytes = text.into_bytes();
            prop_assert!(Text::of(&bytes).is_some() && agrees(&bytes));
            if !bytes.is_empty() {
                let position = position.index(bytes.len());
                prop_assert!(agrees(&bytes[..position]) && agrees(&bytes[position..]));
                bytes[position] = byte;
                prop_assert!(agrees(&bytes));
            }
        }

        #[test]
        fn ascii_with_a_few_other_bytes(length in 0..200_usize, position: prop::sample::Index, bytes: [u8; 4]) {
            let mut text = vec![b'x'; length];
            let position = position.index(length + 1);
            text.splice(position..position, bytes);
            prop_assert!(agrees(&text));
        }
    }
}
