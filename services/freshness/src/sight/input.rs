//! A product's input port: where its partitions end, and how far the sidecar has come. Pure.

use std::collections::BTreeMap;

use mesh_kafka::Offsets;

use super::marks::{Asked, Marks};
use crate::seen::InputSeen;

/// This many offsets behind the sidecar's may be the marker of a transaction, which no sidecar commits past.
const MARKER: i64 = 1;

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

impl Partition {
    fn restored(seen: &InputSeen) -> Self {
        let mut marks = Marks::default();
        if let (Some(committed), Some(since_ms)) = (seen.committed, seen.waiting_since_ms) {
            let since = Asked { at_ms: since_ms, answered_ms: since_ms };
            marks.see(committed, since);
            marks.see(seen.end_offset, since);
        }
        Self { end: seen.end_offset, marks, committed: seen.committed }
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
