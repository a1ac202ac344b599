//! Which records are to be replayed.

use crate::quarantine::Entry;

/// Which records are to be replayed, and how.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Of this partition of the quarantine alone.
    pub partition: Option<i32>,
    /// At this offset of it alone.
    pub offset: Option<i64>,
    /// Refused for this reason alone.
    pub reason: Option<String>,
    /// Let through what a newer record has overtaken, too: for readers who want every event, not the newest of each key.
    pub append: bool,
    /// Only find out what would be done.
    pub dry_run: bool,
}

impl Selection {
    pub(super) fn asks_for(&self, offset: i64, entry: &Entry) -> bool {
        self.offset.is_none_or(|asked| asked == offset)
            && self.reason.as_ref().is_none_or(|asked| *asked == entry.reason)
    }
}
