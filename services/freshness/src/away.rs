//! When Kafka could not be reached, as this process noticed.

use jiff::Timestamp;

use crate::calendar::Span;

/// The last time when Kafka could not be reached.
#[derive(Debug, Default)]
pub(crate) struct Away {
    span: Option<Span>,
    is_going_on: bool,
}

impl Away {
    /// It cannot be reached now.
    pub(crate) fn begins(&mut self) {
        self.begins_at(Timestamp::now().as_millisecond());
    }

    /// It could not be reached from this moment on.
    pub(crate) fn begins_at(&mut self, at_ms: i64) {
        if !self.is_going_on {
            (self.span, self.is_going_on) = (Some(Span::new(at_ms, i64::MAX)), true);
        }
    }

    /// It can be reached now.
    pub(crate) fn ends(&mut self) {
        if self.is_going_on {
            let ends_ms = Timestamp::now().as_millisecond();
            self.span = self.span.map(|span| Span::new(span.from_ms, ends_ms));
            self.is_going_on = false;
        }
    }

    pub(crate) fn is_going_on(&self) -> bool {
        self.is_going_on
    }

    /// The last time, up to now if it goes on.
    pub(crate) fn span(&self) -> Option<Span> {
        self.span
    }

    /// An evaluation has taken it into account.
    pub(crate) fn is_accounted_for(&mut self) {
        (self.span, self.is_going_on) = (None, false);
    }
}
