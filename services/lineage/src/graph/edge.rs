//! What moved between a job and a data set.

use serde::Serialize;

use super::columns::Columns;
use super::tested::Tested;
use super::timeline::Timeline;
use super::told::Told;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The job reads the data set.
    Input,
    /// The job writes the data set.
    Output,
}

/// Between a job and a data set, through time.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    /// Since when a contract or a design says so, or no longer does.
    pub(super) declared: Timeline<bool>,
    /// What was seen to move; nothing, if only declared.
    pub(super) seen: Option<Seen>,
    /// What the job makes the columns of; only of what it writes.
    pub(super) columns: Timeline<Option<Told<Columns>>>,
    /// What the job found of the data set; only of what it reads.
    pub(super) tested: Tested,
}

/// What was seen to move, through time.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    last_ms: i64,
    /// Totals, oldest first. The first is when it was first seen.
    counts: Vec<Count>,
}

/// How many records had moved at an instant.
#[derive(Debug, Clone, Copy)]
struct Count {
    at_ms: i64,
    records: u64,
}

/// What was seen to move up to an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// Records, of all runs; as of [`counted_at_ms`](Self::counted_at_ms).
    pub records: u64,
    /// When it was first seen.
    pub first_seen_ms: i64,
    /// When it was last seen.
    pub last_seen_ms: i64,
    /// When the records were counted: of a past instant not each count is kept.
    pub counted_at_ms: i64,
}

/// How many totals are kept of an edge; older ones are thinned out.
const COUNTS_MAX: usize = 32;

impl Edge {
    /// Adds what was seen. Seen means an edge, though nothing was counted: other systems do not count.
    pub(super) fn observe(&mut self, records: u64, at_ms: i64) {
        let new = || Seen { last_ms: at_ms, counts: vec![Count { at_ms, records: 0 }] };
        let seen = self.seen.get_or_insert_with(new);
        seen.last_ms = seen.last_ms.max(at_ms);
        seen.add(records, at_ms);
    }

    /// What was seen up to an instant.
    pub(super) fn observed(&self, at_ms: i64) -> Option<Observed> {
        let seen = self.seen.as_ref()?;
        let index = seen.counts.partition_point(|count| count.at_ms <= at_ms).checked_sub(1)?;
        let count = seen.counts[index];
        let last_seen_ms = if seen.last_ms <= at_ms { seen.last_ms } else { count.at_ms };
        let is_newest = index + 1 == seen.counts.len();
        let counted_at_ms = if is_newest { last_seen_ms } else { count.at_ms };
        Some(Observed { records: count.records, first_seen_ms: seen.counts[0].at_ms, last_seen_ms, counted_at_ms })
    }
}

impl Seen {
    fn add(&mut self, records: u64, at_ms: i64) {
        let next = self.counts.partition_point(|count| count.at_ms <= at_ms);
        let before = next.checked_sub(1).map(|index| self.counts[index]);
        let has_news = records > 0 || before.is_none();
        for later in &mut self.counts[next..] {
            later.records = later.records.saturating_add(records);
        }
        if !has_news {
            return;
        }
        let total = before.map_or(0, |count| count.records).saturating_add(records);
        match before {
            Some(count) if count.at_ms == at_ms => self.counts[next - 1].records = total,
            _ => self.counts.insert(next, Count { at_ms, records: total }),
        }
        if self.counts.len() > COUNTS_MAX {
            self.thin_out();
        }
    }

    /// Drops every second total of the older half, but never the first: recent ones stay dense.
    fn thin_out(&mut self) {
        let older_half = self.counts.len() / 2;
        let mut index = 0;
        self.counts.retain(|_| {
            index += 1;
            index > older_half || index % 2 == 1
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_instant_has_its_count() {
        let mut edge = Edge::default();
        [(10, 5), (30, 7), (20, 1)].iter().for_each(|(at_ms, records)| edge.observe(*records, *at_ms));
        let at = |at_ms| edge.observed(at_ms).map(|seen| (seen.records, seen.last_seen_ms));
        assert_eq!(at(9), None);
        assert_eq!([at(10), at(25), at(99)], [Some((5, 10)), Some((6, 20)), Some((13, 30))]);
    }

    #[test]
    fn counts_are_thinned_out_and_say_when_they_were_taken() {
        let mut edge = Edge::default();
        (0..1_000).for_each(|at_ms| edge.observe(1, at_ms));
        assert!(edge.seen.as_ref().unwrap().counts.len() <= COUNTS_MAX);
        assert_eq!(edge.observed(5_000).unwrap().records, 1_000);
        for at_ms in 0..1_000 {
            let seen = edge.observed(at_ms).unwrap();
            assert_eq!(seen.records, u64::try_from(seen.counted_at_ms).unwrap() + 1, "exact at the instant it names");
            assert!(seen.counted_at_ms <= at_ms && seen.first_seen_ms == 0);
        }
    }
}
