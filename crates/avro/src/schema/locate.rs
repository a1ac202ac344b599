//! Where things stand in a JSON text: positions of JSON pointers, and keys given twice. `serde_json` knows neither.

use std::collections::HashSet;

/// A place in a text, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

/// The position of the value that a JSON pointer names, or of the nearest value around it that exists.
///
/// An object's member is placed at its value. `None` where the text is not JSON.
#[must_use]
pub fn locate(text: &str, pointer: &str) -> Option<Position> {
    let mut scanner = Scanner::new(text);
    scanner.skip_space();
    let mut found = scanner.at;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        match scanner.enter(&segment) {
            Some(at) => found = at,
            None => break,
        }
    }
    (found < text.len()).then(|| position(text, found))
}

/// The first key that stands twice in one object: the key and its second place.
///
/// The text must be JSON already; in any other the answer means nothing, but is given in linear time all the same.
pub(super) fn duplicate_key(text: &str) -> Option<(String, Position)> {
    let mut scanner = Scanner::new(text);
    let mut open: Vec<Option<HashSet<String>>> = Vec::new();
    while let Some(byte) = scanner.peek() {
        match byte {
            b'{' => open.push(Some(HashSet::new())),
            b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let at = scanner.at;
                let key = scanner.string()?;
                scanner.skip_space();
                let keys = open.last_mut().and_then(Option::as_mut).filter(|_| scanner.peek() == Some(b':'));
                if let Some(keys) = keys
                    && let Some(twice) = keys.replace(key)
                {
                    return Some((twice, position(text, at)));
                }
                continue;
            }
            _ => {}
        }
        scanner.at += 1;
    }
    None
}

/// Line and column of a byte offset.
pub(super) fn position(text: &str, at: usize) -> Position {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before[line_start..].chars().count() + 1;
    Position { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn skip_if(&mut self, byte: u8) -> bool {
        self.skip_space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// From the start of an object or array to the start of its member; where there is none, `None`.
    fn enter(&mut self, segment: &str) -> Option<usize> {
        self.skip_space();
        match self.peek()? {
            b'{' => self.enter_object(segment),
            b'[' => self.enter_array(segment.parse().ok()?),
            _ => None,
        }
    }

    fn enter_object(&mut self, wanted: &str) -> Option<usize> {
        self.at += 1;
        loop {
            self.skip_space();
            let key = self.string()?;
            if !self.skip_if(b':') {
                return None;
            }
            self.skip_space();
            if key == wanted {
                return Some(self.at);
            }
            self.skip_value();
            if !self.skip_if(b',') {
                return None;
            }
        }
    }

    fn enter_array(&mut self, wanted: usize) -> Option<usize> {
        self.at += 1;
        for _ in 0..wanted {
            self.skip_value();
            if !self.skip_if(b',') {
                return None;
            }
        }
        self.skip_space();
        (self.peek() != Some(b']')).then_some(self.at)
    }

    /// Past one value, however deep, without recursion.
    fn skip_value(&mut self) {
        self.skip_space();
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => depth -= 1,
                b',' if depth == 0 => return,
                b'"' => {
                    if self.string().is_none() {
                        return;
                    }
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// The string that begins here, without its escapes, and past it.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return None;
        }
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const TEXT: &str =
        "{\n  \"name\": \"é\", \"fields\": [\n    {\"a/b\": 1},\n    {\"type\": [\"null\", {\"x\": []}]}\n  ]\n}";

    fn at(pointer: &str) -> (u32, u32) {
        let position = locate(TEXT, pointer).unwrap();
        (position.line, position.column)
    }

    #[test]
    fn a_pointer_leads_to_its_value() {
        assert_eq!(at(""), (1, 1));
        assert_eq!(at("/name"), (2, 11));
        assert_eq!(at("/fields"), (2, 26), "columns count characters, not bytes");
        assert_eq!(at("/fields/0/a~1b"), (3, 13));
        assert_eq!(at("/fields/1/type/1/x"), (4, 29));
    }

    #[test]
    fn a_pointer_to_nothing_leads_to_what_is_around_it() {
        assert_eq!(at("/fields/1/type/7"), at("/fields/1/type"));
        assert_eq!(at("/fields/0/default"), at("/fields/0"));
        assert_eq!(at("/fields/1/type/1/x/0"), at("/fields/1/type/1/x"));
        assert_eq!(locate("", "/a"), None);
    }

    #[test]
    fn a_key_given_twice_is_found_under_any_spelling() {
        let (key, position) = duplicate_key("{\"a\": {\"b\": 1},\n \"\\u0061\": 2}").unwrap();
        assert_eq!((key.as_str(), position), ("a", Position { line: 2, column: 2 }));
        assert_eq!(duplicate_key(r#"[{"a": "a"}, {"a": ["a", "a"]}]"#), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[\\[\\]{}\",:\\\\a0 \n]{0,40}", pointer in "(/[a0]{0,2}){0,4}") {
            let _ = locate(&text, &pointer);
            let _ = duplicate_key(&text);
        }
    }
}
