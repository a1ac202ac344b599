//! The partitions that a source holds, and what becomes of them.

use std::sync::Arc;

use crate::Error;

/// One holding of one partition. A partition that is lost and gained again has another slot, so that nothing of the
/// earlier holding is mistaken for the later one's. Slots count up from 0 and are never used twice by one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// A partition that is held.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// This holding's number.
    pub slot: Slot,
    /// The partition's topic.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
}

/// What the group last committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to be read.
    pub offset: i64,
    /// The text committed with it; empty if there was none.
    pub metadata: String,
}

/// What happened to the holdings in one gathering, in order.
#[derive(Debug)]
pub enum Change {
    /// A partition is ours from now on; reading starts at `committed`, or at the beginning.
    Gained {
        /// The new holding.
        assigned: Assigned,
        /// What the group had committed, if anything.
        committed: Option<Committed>,
    },
    /// A partition goes to another member, orderly.
    Revoked(Slot),
    /// A partition may be another member's already: this one was silent for too long.
    Lost(Slot),
    /// The consumer met a failure that it gets over by itself, or that somebody must mend (a topic that is not there).
    Trouble(Error),
}

/// What the source remembers of a holding.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) assigned: Assigned,
    /// The lowest offset that may be handed out next; `None` until the first message if nothing was ever committed.
    pub(super) position: Option<i64>,
}
