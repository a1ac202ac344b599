//! Strings: their UTF-8 validated once.
//!
//! Most strings of a record are short and ASCII or nearly so: a few words tell, at less than what a validator's set-up
//! costs. Long ones are left to simdutf8.

/// Bytes of a word: the longest string that one load holds.
pub(super) const WORD_BYTES: usize = 16;

const TWO_WORDS: usize = 2 * WORD_BYTES;
const FOUR_WORDS: usize = 4 * WORD_BYTES;
/// The high bit of each byte: set in no ASCII character.
const HIGH_BITS: u128 = u128::from_le_bytes([0x80; WORD_BYTES]);

/// For each length of a short string, its bytes in a word.
pub(super) const OWN_BYTES: [u128; WORD_BYTES + 1] = own_bytes();

const fn own_bytes() -> [u128; WORD_BYTES + 1] {
    let mut masks = [0; WORD_BYTES + 1];
    let mut length = 1;
    while length <= WORD_BYTES {
        masks[length] = masks[length - 1] << 8 | 0xff;
        length += 1;
    }
    masks
}

/// Bytes known to be UTF-8.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// `None` if the bytes are not UTF-8.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Option<Text<'a>> {
        Text::first(bytes, bytes)
    }

    /// The same for bytes that others stand behind: `rest` begins with them.
    #[inline(always)]
    pub(super) fn first(bytes: &'a [u8], rest: &[u8]) -> Option<Text<'a>> {
        (begins_with_short_name(rest, bytes.len()) || is_utf8(bytes)).then_some(Text(bytes))
    }

    pub(super) fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Whether bytes begin with a short string of this length, of characters of two bytes at most. A load takes it together
/// with what stands behind it, so that its length does not matter; where too little does, the answer is no.
#[inline(always)]
pub(super) fn begins_with_short_name(bytes: &[u8], length: usize) -> bool {
    match (bytes.first_chunk(), OWN_BYTES.get(length)) {
        (Some(window), Some(own)) => {
            let text = u128::from_le_bytes(*window) & own;
            text & HIGH_BITS == 0 || is_name(text)
        }
        _ => false,
    }
}

#[inline(never)]
fn is_utf8(bytes: &[u8]) -> bool {
    let is_ascii = match bytes.len() {
        WORD_BYTES..=TWO_WORDS => are_ends_ascii::<WORD_BYTES>(bytes),
        ..=FOUR_WORDS => are_ends_ascii::<TWO_WORDS>(bytes),
        _ => false,
    };
    is_ascii || simdutf8::basic::from_utf8(bytes).is_ok()
}

/// Whether a string's first and last so many bytes, which may overlap, are there and ASCII.
#[inline(always)]
fn are_ends_ascii<const BYTES: usize>(bytes: &[u8]) -> bool {
    let (Some(front), Some(back)) = (bytes.first_chunk::<BYTES>(), bytes.last_chunk::<BYTES>()) else {
        return false;
    };
    let words = front.as_chunks().0.iter().chain(back.as_chunks().0);
    words.fold(0, |bits, word| bits | u128::from_le_bytes(*word)) & HIGH_BITS == 0
}

/// Whether a word holds UTF-8 whose characters have two bytes at most, as all names in Latin, Greek and Cyrillic have:
/// without a branch for each byte, since where a name has its accents cannot be foreseen.
#[inline(never)]
fn is_name(text: u128) -> bool {
    // In the high bit of each byte: whether it is 0x80 and above, and what its bits 6 and 5 are.
    let (high, six, five) = (text & HIGH_BITS, text << 1 & HIGH_BITS, text << 2 & HIGH_BITS);
    let (continues, begins) = (high & !six, high & six);
    // 0xc0 and 0xc1 would begin characters that are ASCII.
    let is_beyond_ascii = (text << 3 | text << 4 | text << 5 | text << 6) & HIGH_BITS;
    let begins_other = begins & (five | !is_beyond_ascii);
    let is_whole = begins >> (u128::BITS - 1) == 0 && continues == begins << 8;
    begins_other == 0 && is_whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agrees(bytes: &[u8]) -> bool {
        let followed = [bytes, &[0xff; WORD_BYTES]].concat();
        let text = std::str::from_utf8(bytes);
        let is_short_name = bytes.len() <= WORD_BYTES && text.is_ok_and(|text| text.chars().all(|c| c < '\u{800}'));
        Text::of(bytes).is_some() == text.is_ok() && begins_with_short_name(&followed, bytes.len()) == is_short_name
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
            let offset = number % 70;
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
