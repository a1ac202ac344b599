//! Nodes and where they are.

use std::sync::Arc;

use saphyr_parser::Marker;

use crate::finding::Place;

/// A position: line and column from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Mark {
    pub(crate) const START: Mark = Mark { line: 1, column: 1 };

    pub(super) fn of(marker: Marker) -> Mark {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Mark { line: number(marker.line()).max(1), column: number(marker.col()).saturating_add(1) }
    }

    pub(crate) fn place(self, file: &Arc<str>) -> Place {
        Place::new(file.clone(), self.line, self.column)
    }
}

/// A value and where it begins.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `plain`: written without quotes, so that it may be a number or nothing.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A mapping's key and value.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) value: Node,
}

impl Node {
    /// Nothing after the key, or a written null.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_absent() || self.is_null()
    }

    /// Nothing after the key.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if text.is_empty())
    }

    /// A written null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "null" | "~" | "Null" | "NULL"))
    }

    /// What it is, in a message: `a list`.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Scalar { .. } if self.is_empty() => "nothing",
            Kind::Scalar { text, plain: true } if is_boolean(text) => "a boolean",
            Kind::Scalar { text, plain: true } if is_number(text) => "a number",
            Kind::Scalar { .. } => "a text",
        }
    }
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE")
}

fn is_number(text: &str) -> bool {
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    numeric && text.parse::<f64>().is_ok()
}
