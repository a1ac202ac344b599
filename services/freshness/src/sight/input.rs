//! A product's input port: where its partitions end, and how far the sidecar has come. Pure.

use std::collections::BTreeMap;

use mesh_kafka::{Offsets, TopicPartition};

use super::marks::{Asked, Marks};
use crate::seen::InputSeen;

/// This many offsets behind the sidecar's may be the marker of a transaction, which no sidecar commits past.
const MARKER: i64 = 1;

/// How many offsets behind a sidecar's are searched for a record at once.
const GAP_MAX: i64 = 4_096;

/// A part of a partition where it is not known whether a reader sees a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) partition: i32,
    /// What the sidecar has committed.
    pub(crate) committed: i64,
    /// The first offset; no record is between the committed one and this.
    pub(crate) from: i64,
    /// The offset after the last.
    pub(crate) end: i64,
}

/// The input port under watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InputPort {
    pub(crate) topic: String,
    partitions: BTreeMap<i32, Partition>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Partition {
    end: i64,
    marks: Marks,
    committed: Option<i64>,
    empty: Option<Empty>,
}

/// Offsets at which a reader sees no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Empty {
    from: i64,
    end: i64,
    /// Whether a record follows.
    is_followed: bool,
}

impl InputPort {
    /// A port, with what the last process knew of it.
    pub(crate) fn new(topic: String, last: &[InputSeen]) -> Self {
        let partitions = last.iter().map(|seen| (seen.partition, Partition::restored(seen)));
        Self { partitions: partitions.collect(), topic }
    }

    /// Where a partition ends now.
    pub(crate) fn see_end(&mut self, partition: i32, end: i64, asked: Asked) {
        let known = self.partitions.entry(partition).or_default();
        if end < known.end {
            *known = Partition::default();
        }
        known.end = end;
        known.marks.see(end, asked);
    }

    /// Whether anything is behind the sidecar as far as known, so that how far it has come is worth a question.
    pub(crate) fn is_behind(&self) -> bool {
        self.partitions.values().any(|partition| partition.end > partition.committed.unwrap_or(0))
    }

    /// How far the sidecar has come.
    pub(crate) fn see_committed(&mut self, committed: &Offsets) {
        for (at, offset) in committed.iter().filter(|(at, _)| at.topic == self.topic) {
            if let Some(partition) = self.partitions.get_mut(&at.partition) {
                partition.committed = Some(*offset);
                partition.marks.forget_before(offset - 1);
            }
        }
    }

    /// How far a sidecar has come that has committed these offsets: markers and the like behind them keep it from nothing.
    pub(crate) fn reached(&self, committed: &Offsets) -> Offsets {
        let mut reached = committed.clone();
        for (number, partition) in &self.partitions {
            if let Some(empty) = partition.empty {
                let known = reached.entry(TopicPartition::new(self.topic.as_str(), *number)).or_default();
                *known = empty.after(*known);
            }
        }
        reached
    }

    /// What lies between the committed offset and this one, as far as it is not known and a reader sees it.
    pub(crate) fn gap(&self, partition: i32, end: i64, committed: &Offsets) -> Option<Gap> {
        let known = self.partitions.get(&partition)?;
        let committed = committed.get(&TopicPartition::new(self.topic.as_str(), partition)).copied().unwrap_or(0);
        let from = known.empty.map_or(committed, |empty| empty.after(committed));
        let stands_before_a_record = known.empty.is_some_and(|empty| empty.is_followed && empty.end == from);
        let end = end.min(known.end).min(from.saturating_add(GAP_MAX));
        (from < end && !stands_before_a_record).then_some(Gap { partition, committed, from, end })
    }

    /// Takes in what a reader sees first in a gap: a record, or none.
    pub(crate) fn see_gap(&mut self, gap: Gap, record: Option<i64>) {
        if let Some(known) = self.partitions.get_mut(&gap.partition) {
            let end = record.unwrap_or(gap.end);
            known.empty = Some(Empty { from: gap.committed, end, is_followed: record.is_some() });
        }
    }

    /// When the newest record that the sidecar has passed on was written: after the first of the two, if known, and no later
    /// than the second.
    pub(crate) fn passed_on_span(&self, partition: i32) -> Option<(Option<i64>, i64)> {
        let partition = self.partitions.get(&partition)?;
        partition.marks.span(partition.committed?.checked_sub(1).filter(|offset| *offset >= 0)?)
    }

    /// Since when the oldest record has been waiting.
    pub(crate) fn waiting_since_ms(&self) -> Option<i64> {
        self.partitions.values().filter_map(Partition::waiting_since_ms).min()
    }

    pub(crate) fn seen(&self) -> Vec<InputSeen> {
        self.partitions.iter().map(|(partition, known)| known.seen(*partition)).collect()
    }
}

impl Empty {
    /// The first offset from this one on that may be a record's.
    fn after(self, offset: i64) -> i64 {
        if (self.from..self.end).contains(&offset) { self.end } else { offset }
    }
}

impl Partition {
    fn restored(seen: &InputSeen) -> Self {
        let mut marks = Marks::default();
        if let (Some(committed), Some(since_ms)) = (seen.committed, seen.waiting_since_ms) {
            let since = Asked { at_ms: since_ms, answered_ms: since_ms };
            marks.see(committed, since);
            marks.see(seen.end_offset, since);
        }
        Self { end: seen.end_offset, marks, committed: seen.committed, empty: None }
    }

    fn seen(&self, partition: i32) -> InputSeen {
        InputSeen {
            partition,
            end_offset: self.end,
            committed: self.committed,
            waiting_since_ms: self.waiting_since_ms(),
            moved_at_ms: self.marks.moved_at_ms(),
        }
    }

    fn waiting_since_ms(&self) -> Option<i64> {
        let committed = self.committed.unwrap_or(0);
        let committed = self.empty.map_or(committed, |empty| empty.after(committed));
        let waits = self.end - committed > MARKER;
        waits.then(|| self.marks.span(committed).map(|(_, by_ms)| by_ms)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use mesh_kafka::TopicPartition;

    use super::*;

    fn at(ms: i64) -> Asked {
        Asked { at_ms: ms, answered_ms: ms }
    }

    fn port(ends: &[(i64, i64)]) -> InputPort {
        let mut port = InputPort::new("t".to_owned(), &[]);
        ends.iter().for_each(|(end, at_ms)| port.see_end(0, *end, at(*at_ms)));
        port
    }

    fn commit(port: &mut InputPort, offset: i64) {
        port.see_committed(&Offsets::from([(TopicPartition::new("t", 0), offset)]));
    }

    #[test]
    fn what_waits_does_so_since_it_was_seen_first() {
        let mut port = port(&[(0, 10), (5, 20), (5, 30), (9, 40)]);
        assert_eq!(port.seen()[0].waiting_since_ms, Some(20), "nothing is committed");
        commit(&mut port, 3);
        assert_eq!(port.seen()[0].waiting_since_ms, Some(20));
        commit(&mut port, 5);
        assert_eq!(port.seen()[0].waiting_since_ms, Some(40));
        assert_eq!(port.passed_on_span(0), Some((Some(10), 20)));
        assert!(port.is_behind());
        commit(&mut port, 9);
        assert_eq!((port.seen()[0].waiting_since_ms, port.is_behind()), (None, false));
        assert_eq!(port.passed_on_span(0), Some((Some(30), 40)));
    }

    #[test]
    fn one_offset_may_be_a_marker() {
        let mut port = port(&[(0, 10), (5, 20)]);
        commit(&mut port, 4);
        assert_eq!(port.seen()[0].waiting_since_ms, None);
    }

    #[test]
    fn offsets_without_records_keep_a_sidecar_from_nothing() {
        let mut port = port(&[(9, 10)]);
        let offsets = |offset| Offsets::from([(TopicPartition::new("t", 0), offset)]);
        let gap = |committed, from, end| Gap { partition: 0, committed, from, end };
        assert_eq!(port.gap(0, 3, &offsets(3)), None, "nothing is between");
        assert_eq!(port.gap(1, 3, &Offsets::new()), None, "not seen yet");
        assert_eq!(port.gap(0, 5, &offsets(2)), Some(gap(2, 2, 5)));
        port.see_gap(gap(2, 2, 5), None);
        assert_eq!((port.reached(&offsets(2)), port.reached(&offsets(3))), (offsets(5), offsets(5)));
        assert_eq!((port.reached(&offsets(1)), port.reached(&offsets(6))), (offsets(1), offsets(6)));
        assert_eq!(port.gap(0, 99, &offsets(2)), Some(gap(2, 5, 9)), "no further than a reader sees");
        port.see_gap(gap(2, 5, 9), Some(7));
        assert_eq!((port.reached(&offsets(2)), port.gap(0, 9, &offsets(2))), (offsets(7), None), "before a record");
        assert_eq!(port.gap(0, 9, &offsets(8)), Some(gap(8, 8, 9)), "behind it");
        port.see_end(0, 8, at(20));
        assert_eq!(port.reached(&offsets(2)), offsets(2), "made anew");
    }

    #[test]
    fn a_sidecar_that_never_committed_waits_for_records_alone() {
        let mut port = port(&[(i64::MAX, 10)]);
        let gap = port.gap(0, i64::MAX, &Offsets::new()).expect("unknown");
        assert_eq!((gap.from, gap.end), (0, GAP_MAX), "bounded");
        port.see_gap(gap, None);
        assert_eq!(port.reached(&Offsets::new()), Offsets::from([(TopicPartition::new("t", 0), GAP_MAX)]));
    }

    #[test]
    fn a_restart_goes_on_counting() {
        let mut before = port(&[(0, 10), (5, 20)]);
        commit(&mut before, 1);
        let mut after = InputPort::new("t".to_owned(), &before.seen());
        after.see_end(0, 8, at(90));
        assert_eq!(after.seen()[0].waiting_since_ms, Some(20));
        commit(&mut after, 5);
        assert_eq!(after.seen()[0].waiting_since_ms, Some(90));
    }

    #[test]
    fn a_port_made_anew_is_forgotten() {
        let mut port = port(&[(0, 10), (5, 20)]);
        commit(&mut port, 1);
        port.see_end(0, 0, at(30));
        assert_eq!(port.seen()[0], InputSeen { committed: None, waiting_since_ms: None, ..port.seen()[0] });
    }
}
