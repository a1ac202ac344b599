//! Where a value does not fit, and why.

use std::fmt;

/// A value does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// Where: `address.street`, `contacts[1].email`, `attributes{}`; empty for the whole value.
    pub path: String,
    /// Why; never what was found there.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

impl std::error::Error for JsonError {}

/// The way to the value that is looked at. A map's keys are data, and are not part of it.
#[derive(Debug, Default)]
pub(super) struct Trail<'s>(Vec<Step<'s>>);

#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'s> {
    Field(&'s str),
    Item(usize),
    Entry,
    /// A type of a union: counts as depth, has no name.
    Inside,
}

impl<'s> Trail<'s> {
    pub(super) fn push(&mut self, step: Step<'s>) {
        self.0.push(step);
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Goes back to an earlier place, after a failed attempt.
    pub(super) fn cut(&mut self, depth: usize) {
        self.0.truncate(depth);
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> JsonError {
        let mut path = String::new();
        for step in &self.0 {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => path.extend([".", name]),
                Step::Item(index) => path.push_str(&format!("[{index}]")),
                Step::Entry => path.push_str("{}"),
                Step::Inside => {}
            }
        }
        JsonError { path, message: message.into() }
    }
}
