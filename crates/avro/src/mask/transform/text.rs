//! Parts of texts, by character.

use crate::mask::utf8::Text;
use crate::mask::varint;

/// Appends the text with all but the first `kept` characters replaced by `*`.
pub(in crate::mask) fn keep_first(out: &mut Vec<u8>, text: Text<'_>, kept: usize) {
    let (shown, hidden) = text.as_bytes().split_at(end_of_first(text, kept));
    let stars = characters(hidden);
    varint::write_length(out, shown.len() + stars);
    out.extend_from_slice(shown);
    out.resize(out.len() + stars, b'*');
}

/// Appends the text with all but the last `kept` characters replaced by `*`.
pub(in crate::mask) fn keep_last(out: &mut Vec<u8>, text: Text<'_>, kept: usize) {
    let (hidden, shown) = text.as_bytes().split_at(start_of_last(text, kept));
    let stars = characters(hidden);
    varint::write_length(out, stars + shown.len());
    out.resize(out.len() + stars, b'*');
    out.extend_from_slice(shown);
}

/// Appends the first `kept` characters.
pub(in crate::mask) fn truncate(out: &mut Vec<u8>, text: Text<'_>, kept: usize) {
    let shown = &text.as_bytes()[..end_of_first(text, kept)];
    varint::write_length(out, shown.len());
    out.extend_from_slice(shown);
}

/// Whether a character begins with a byte, rather than goes on.
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| begins(**byte)).count()
}

/// Where the first so many characters end.
fn end_of_first(text: Text<'_>, kept: usize) -> usize {
    let bytes = text.as_bytes();
    if kept >= bytes.len() {
        return bytes.len();
    }
    let starts = bytes.iter().enumerate().filter(|(_, byte)| begins(**byte));
    starts.map(|(start, _)| start).nth(kept).unwrap_or(bytes.len())
}

/// Where the last so many characters begin.
fn start_of_last(text: Text<'_>, kept: usize) -> usize {
    let bytes = text.as_bytes();
    let Some(before) = kept.checked_sub(1) else { return bytes.len() };
    let starts = bytes.iter().enumerate().rev().filter(|(_, byte)| begins(**byte));
    starts.map(|(start, _)| start).nth(before).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(part: fn(&mut Vec<u8>, Text<'_>, usize), text: &str, kept: usize) -> String {
        let mut out = Vec::new();
        part(&mut out, Text::of(text.as_bytes()).unwrap(), kept);
        assert_eq!(usize::from(out[0]) / 2, out.len() - 1, "the length is right");
        String::from_utf8(out[1..].to_vec()).unwrap()
    }

    #[test]
    fn parts_are_of_characters_not_bytes() {
        assert_eq!(shown(keep_first, "Müller", 2), "Mü****");
        assert_eq!(shown(keep_last, "Grün—ü", 2), "****—ü");
        assert_eq!(shown(truncate, "日本語", 2), "日本");
    }

    #[test]
    fn short_texts_stay() {
        for part in [keep_first, keep_last, truncate] {
            assert_eq!(shown(part, "日本", 5), "日本");
            assert_eq!(shown(part, "", 1), "");
        }
        assert_eq!(shown(keep_last, "ab", 0), "**");
        assert_eq!(shown(keep_first, "ab", 0), "**");
    }
}
