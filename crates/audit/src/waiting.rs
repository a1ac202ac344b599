//! Entries without a seal, of writers that have no keys: a notary's sealed word vouches for what it saw of them.

use std::collections::VecDeque;

use crate::inspector::WINDOW;

/// So many of those that are older than any word can name are remembered by their place.
const OLDER_MAX: usize = 1_000;

/// Entries that nobody has vouched for yet. Of bounded size: what is older than the window is seen by whichever word comes next.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Which entry it is, from 1, and its offset.
    recent: VecDeque<(u64, i64)>,
    older: Vec<i64>,
    older_total: u64,
}

impl Waiting {
    /// One more, later than all before.
    pub(crate) fn add(&mut self, entry: u64, offset: i64) {
        self.recent.push_back((entry, offset));
        if self.recent.len() > WINDOW
            && let Some((_, offset)) = self.recent.pop_front()
        {
            self.older_total += 1;
            if self.older.len() < OLDER_MAX {
                self.older.push(offset);
            }
        }
    }

    /// A word vouches for all entries up to this one, which is in the window; how many waited for it.
    pub(crate) fn settle(&mut self, up_to: u64) -> u64 {
        let seen = self.recent.partition_point(|(entry, _)| *entry <= up_to);
        self.recent.drain(..seen);
        self.older.clear();
        std::mem::take(&mut self.older_total) + seen as u64
    }

    /// The offsets of those that still wait.
    pub(crate) fn offsets(&self) -> impl Iterator<Item = i64> {
        self.older.iter().copied().chain(self.recent.iter().map(|(_, offset)| *offset))
    }

    /// How many more wait than there are [offsets](Waiting::offsets).
    pub(crate) fn not_remembered(&self) -> u64 {
        self.older_total - self.older.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_counted_though_not_all_of_it_is_remembered() {
        let mut waiting = Waiting::default();
        let entries = WINDOW + OLDER_MAX + 5;
        (1..=entries).for_each(|entry| waiting.add(entry as u64, entry as i64 * 2));
        assert_eq!((waiting.offsets().count(), waiting.not_remembered()), (WINDOW + OLDER_MAX, 5));
        assert_eq!(waiting.offsets().next(), Some(2));
        let left = 3;
        assert_eq!(waiting.settle((entries - left) as u64), (entries - left) as u64);
        let last = entries as i64 * 2;
        assert_eq!(waiting.offsets().collect::<Vec<_>>(), [last - 4, last - 2, last]);
        assert_eq!(
            (waiting.not_remembered(), waiting.settle(entries as u64), waiting.settle(entries as u64)),
            (0, 3, 0)
        );
    }
}
