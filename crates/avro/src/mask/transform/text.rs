//! Parts of texts, by character.

/// Appends the text with all but the first `kept` characters replaced by `*`.
pub(in crate::mask) fn keep_first(out: &mut Vec<u8>, text: &str, kept: usize) {
    let end = end_of_first(text, kept);
    let stars = text[end..].chars().count();
    super::varint::write_length(out, end + stars);
    out.extend_from_slice(&text.as_bytes()[..end]);
    out.resize(out.len() + stars, b'*');
}

/// Appends the text with all but the last `kept` characters replaced by `*`.
pub(in crate::mask) fn keep_last(out: &mut Vec<u8>, text: &str, kept: usize) {
    let start = match kept.checked_sub(1) {
        None => text.len(),
        Some(before) => text.char_indices().nth_back(before).map_or(0, |(start, _)| start),
    };
    let stars = text[..start].chars().count();
    super::varint::write_length(out, stars + text.len() - start);
    out.resize(out.len() + stars, b'*');
    out.extend_from_slice(&text.as_bytes()[start..]);
}

/// Appends the first `kept` characters.
pub(in crate::mask) fn truncate(out: &mut Vec<u8>, text: &str, kept: usize) {
    let end = end_of_first(text, kept);
    super::varint::write_length(out, end);
    out.extend_from_slice(&text.as_bytes()[..end]);
}

/// Where the first so many characters end.
fn end_of_first(text: &str, characters: usize) -> usize {
    if characters >= text.len() {
        return text.len();
    }
    text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(part: fn(&mut Vec<u8>, &str, usize), text: &str, kept: usize) -> String {
        let mut out = Vec::new();
        part(&mut out, text, kept);
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
