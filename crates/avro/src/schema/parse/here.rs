use super::super::error::{SchemaError, SchemaFault, quoted};
use super::super::json::Json;
use super::Parsed;

/// Where the parser stands: the way from the document's root, and the namespace that names without one belong to.
#[derive(Clone, Copy)]
pub(super) struct Here<'h> {
    outer: Option<&'h Here<'h>>,
    segment: Segment,
    pub(super) namespace: Option<&'h str>,
}

#[derive(Clone, Copy)]
enum Segment {
    Root,
    Key(&'static str),
    Index(usize),
}

impl<'h> Here<'h> {
    pub(super) fn root() -> Here<'h> {
        Here { outer: None, segment: Segment::Root, namespace: None }
    }

    pub(super) fn key(&'h self, key: &'static str) -> Here<'h> {
        Here { outer: Some(self), segment: Segment::Key(key), namespace: self.namespace }
    }

    pub(super) fn index(&'h self, index: usize) -> Here<'h> {
        Here { outer: Some(self), segment: Segment::Index(index), namespace: self.namespace }
    }

    pub(super) fn in_namespace(&self, namespace: Option<&'h str>) -> Here<'h> {
        Here { namespace, ..*self }
    }

    /// The JSON pointer.
    pub(super) fn pointer(&self) -> String {
        let mut text = String::with_capacity(self.length());
        self.write(&mut text);
        text
    }

    pub(super) fn fail<T>(&self, fault: SchemaFault) -> Parsed<T> {
        Err(SchemaError::at(&self.pointer(), fault))
    }

    pub(super) fn unexpected<T>(&self, expected: &'static str, found: &Json<'_>) -> Parsed<T> {
        self.fail(SchemaFault::Unexpected { expected, found: quoted(&found.value()) })
    }

    fn length(&self) -> usize {
        let here = match self.segment {
            Segment::Root => 0,
            Segment::Key(key) => 1 + key.len(),
            Segment::Index(index) => 2 + index.checked_ilog10().unwrap_or(0) as usize,
        };
        self.outer.map_or(here, |outer| outer.length() + here)
    }

    fn write(&self, text: &mut String) {
        if let Some(outer) = self.outer {
            outer.write(text);
        }
        match self.segment {
            Segment::Root => {}
            Segment::Key(key) => {
                text.push('/');
                text.push_str(key);
            }
            Segment::Index(index) => {
                text.push('/');
                push_number(text, index);
            }
        }
    }
}

fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_as_long_as_was_reckoned() {
        let root = Here::root();
        for number in [0, 9, 10, 99, 100, 65_535] {
            let fields = root.key("fields");
            let field = fields.index(number);
            let kind = field.key("type");
            assert_eq!(kind.pointer(), format!("/fields/{number}/type"));
            assert_eq!(kind.length(), kind.pointer().len());
        }
        assert_eq!(root.pointer(), "");
    }
}
