//! An output port: what its tails say, and who reads it. Pure.

use std::collections::BTreeMap;

use super::input::InputPort;
use super::marks::{Asked, Marks};
use crate::judge::Sighting;
use crate::seen::{DelaySample, OutputSeen, SubscriberSeen, ViewSeen};

/// An output port under watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputPort {
    pub(crate) view: String,
    pub(crate) topic: String,
    pub(crate) exists: bool,
    partitions: BTreeMap<i32, Partition>,
    pub(crate) subscribers: Vec<SubscriberSeen>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Partition {
    seen: OutputSeen,
    marks: Marks,
}

/// A part of a partition that was not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unseen {
    pub(crate) partition: i32,
    /// The first offset not looked at.
    pub(crate) from: i64,
    /// The offset after the last.
    pub(crate) end: i64,
}

/// What was found in an unseen part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The newest time that can be believed.
    pub(crate) newest_ms: Option<i64>,
    /// The last record's offset and times.
    pub(crate) last: Option<(i64, Sighting)>,
    /// When the last record became visible, if its transaction's marker follows it and says so.
    pub(crate) visible_ms: Option<i64>,
}

impl OutputPort {
    /// A port, with what the last process knew of it.
    pub(crate) fn new(view: String, topic: String, last: &[OutputSeen]) -> Self {
        let partition = |seen: &OutputSeen| (seen.partition, Partition { seen: *seen, marks: Marks::default() });
        let partitions = last.iter().map(partition).collect();
        Self { view, topic, exists: false, partitions, subscribers: Vec::new() }
    }

    /// Where a partition ends now, and so what of it is new. A partition that was made anew is forgotten first.
    pub(crate) fn see_end(&mut self, partition: i32, end: i64, asked: Asked) -> Option<Unseen> {
        let known = self.partitions.entry(partition).or_default();
        if end < known.seen.end_offset {
            *known = Partition::default();
        }
        known.seen.partition = partition;
        known.marks.see(end, asked);
        let from = known.seen.end_offset;
        (end != from).then_some(Unseen { partition, from, end })
    }

    /// What was found in an unseen part. Older facts, back-dated or out of order, make nothing older.
    pub(crate) fn observe(&mut self, unseen: Unseen, found: Found, input: &InputPort, now_ms: i64) {
        let known = self.partitions.entry(unseen.partition).or_default();
        known.seen.partition = unseen.partition;
        known.seen.end_offset = unseen.end;
        known.seen.newest_ms = known.seen.newest_ms.max(found.newest_ms);
        // a record that another followed at once says less than one that its marker follows
        let sampled =
            found.last.map(|(_, sighting)| sample(sighting, found.visible_ms, input, unseen.partition, now_ms));
        known.seen.sample = sampled.or(known.seen.sample);
    }

    /// Where a partition was seen to end.
    pub(crate) fn end(&self, partition: i32) -> Option<i64> {
        self.partitions.get(&partition).map(|known| known.seen.end_offset)
    }

    /// When a record became visible, at the latest: its own time as far as it lies in the span in which its offset came.
    pub(crate) fn visible_at_ms(&self, partition: i32, offset: i64, recorded_ms: Option<i64>) -> Option<i64> {
        let span = self.partitions.get(&partition)?.marks.span(offset)?;
        Some(believe(recorded_ms, span))
    }

    pub(crate) fn newest_ms(&self) -> Option<i64> {
        self.partitions.values().filter_map(|known| known.seen.newest_ms).max()
    }

    pub(crate) fn seen(&self) -> ViewSeen {
        ViewSeen {
            view: self.view.clone(),
            topic: self.topic.clone(),
            exists: self.exists,
            partitions: self.partitions.values().map(|known| known.seen).collect(),
            subscribers: self.subscribers.clone(),
        }
    }
}

/// The way of a record. Its timestamp is that of its input, as far as it lies where the input was seen to grow.
fn sample(sighting: Sighting, visible_ms: Option<i64>, input: &InputPort, partition: i32, now_ms: i64) -> DelaySample {
    let appended_ms = match input.passed_on_span(partition) {
        Some(span) => Some(believe(sighting.recorded_ms, span)),
        None => sighting.recorded_ms.filter(|recorded_ms| *recorded_ms <= now_ms),
    };
    let event_ms = sighting.event_ms.or(sighting.recorded_ms);
    let since = |earlier: Option<i64>, later: Option<i64>| Some(later?.saturating_sub(earlier?).max(0));
    DelaySample {
        at_ms: visible_ms.unwrap_or(now_ms),
        source_ms: since(event_ms, appended_ms),
        delivery_ms: since(appended_ms, visible_ms),
    }
}

/// A claimed time within the span that is known; else the nearer edge of it.
fn believe(claimed_ms: Option<i64>, (after_ms, by_ms): (Option<i64>, i64)) -> i64 {
    claimed_ms.unwrap_or(by_ms).min(by_ms).max(after_ms.unwrap_or(i64::MIN))
}

#[cfg(test)]
mod tests {
    use mesh_kafka::{Offsets, TopicPartition};

    use super::*;

    fn at(ms: i64) -> Asked {
        Asked { at_ms: ms, answered_ms: ms }
    }

    fn port() -> OutputPort {
        OutputPort::new("masked".to_owned(), "t".to_owned(), &[])
    }

    /// An input whose tenth record was written after 1,000 and by 2,000, and which is passed on.
    fn input() -> InputPort {
        let mut input = InputPort::new("t.in".to_owned(), &[]);
        input.see_end(0, 9, at(1_000));
        input.see_end(0, 10, at(2_000));
        input.see_committed(&Offsets::from([(TopicPartition::new("t.in", 0), 10)]));
        input
    }

    fn delays(event_ms: Option<i64>, recorded_ms: i64, visible_ms: i64) -> (Option<i64>, Option<i64>) {
        let sighting = Sighting { event_ms, recorded_ms: Some(recorded_ms) };
        let sample = sample(sighting, Some(visible_ms), &input(), 0, 2_000);
        (sample.source_ms, sample.delivery_ms)
    }

    #[test]
    fn delays_are_those_of_the_last_record() {
        assert_eq!(delays(Some(400), 1_500, 1_550), (Some(1_100), Some(50)));
        assert_eq!(delays(None, 1_500, 1_550), (Some(0), Some(50)));
    }

    #[test]
    fn a_back_dated_record_was_not_in_the_input_before_it_was_seen_to_grow() {
        assert_eq!(delays(Some(4), 5, 1_900), (Some(996), Some(900)));
    }

    #[test]
    fn a_record_from_the_future_was_there_when_it_was_seen() {
        assert_eq!(delays(Some(9_000), 9_000, 1_900), (Some(0), Some(0)));
    }

    #[test]
    fn without_a_look_at_the_input_the_records_own_time_counts_unless_it_is_ahead() {
        let nothing = InputPort::default();
        let of = |recorded_ms| {
            let sighting = Sighting { event_ms: Some(1), recorded_ms: Some(recorded_ms) };
            let sample = sample(sighting, Some(900), &nothing, 0, 1_000);
            (sample.source_ms, sample.delivery_ms)
        };
        assert_eq!(of(800), (Some(799), Some(100)));
        assert_eq!(of(1_001), (None, None));
    }

    #[test]
    fn what_no_marker_follows_says_nothing_of_its_delivery() {
        let sighting = Sighting { event_ms: None, recorded_ms: Some(1_500) };
        assert_eq!(sample(sighting, None, &input(), 0, 2_000).delivery_ms, None);
    }

    #[test]
    fn a_subscriber_stands_before_what_came_since_it_was_looked_at() {
        let mut port = port();
        port.see_end(0, 5, at(1_000));
        port.see_end(0, 9, at(2_000));
        assert_eq!(port.visible_at_ms(0, 7, Some(1_500)), Some(1_500));
        assert_eq!(port.visible_at_ms(0, 7, Some(3)), Some(1_000), "a replay of old history is no old lag");
        assert_eq!(port.visible_at_ms(0, 2, Some(3)), Some(3), "nobody looked before");
        assert_eq!(port.visible_at_ms(0, 9, None), None);
    }
}
