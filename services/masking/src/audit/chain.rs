//! What is told of one partition: one range of the input after the other.

use super::{
    answer::{Gap, GapKind, Span},
    event::Masked,
};

/// How far a partition is told, and what is missing.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The offset after the last that is told, and when that was.
    told: Option<(i64, i64)>,
    gaps: Vec<Gap>,
}

impl Chain {
    /// Takes the next event of the partition, in the order in which they were told.
    pub(super) fn take(&mut self, event: &Masked, span: &Span) {
        let first = event.source_offsets.first;
        let (next, told_ms, kind) = match self.told {
            Some((next, told_ms)) => (next, told_ms, GapKind::Between),
            None => (0, i64::MIN, GapKind::BeforeTheFirst),
        };
        // a remask begins again before what was told: that is no gap
        if first > next && span.meets(told_ms, event.since_ms) {
            self.gaps.push(Gap { partition: event.partition, first: next, last: first - 1, kind });
        }
        self.told = Some((event.source_offsets.last + 1, event.at_ms));
    }

    /// All gaps, once everything was taken; `committed` is the next offset that the sidecars will read.
    pub(super) fn gaps(mut self, partition: i32, committed: i64, span: &Span) -> Vec<Gap> {
        let (next, told_ms) = self.told.unwrap_or((0, i64::MIN));
        if committed > next && span.to_ms > told_ms {
            self.gaps.push(Gap { partition, first: next, last: committed - 1, kind: GapKind::NotToldYet });
        }
        self.gaps
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    const SPAN: Span = Span { from_ms: 1_000, to_ms: 2_000 };

    fn masked(first: i64, last: i64, since_ms: i64, at_ms: i64) -> Masked {
        let event = json!({
            "at_ms": at_ms, "since_ms": since_ms, "product": "shop.buyers", "major": 1, "revision": 1, "partition": 3,
            "source_offsets": { "first": first, "last": last }, "records": last - first + 1, "views": null,
        });
        serde_json::from_value(event).unwrap()
    }

    /// The gaps that events leave, as `(first, last, kind)`.
    fn gaps(events: &[Masked], committed: i64) -> Vec<(i64, i64, GapKind)> {
        let mut chain = Chain::default();
        events.iter().for_each(|event| chain.take(event, &SPAN));
        chain.gaps(3, committed, &SPAN).iter().map(|gap| (gap.first, gap.last, gap.kind)).collect()
    }

    #[test]
    fn one_range_after_the_other_leaves_none() {
        assert_eq!(gaps(&[masked(0, 9, 500, 900), masked(10, 19, 1_100, 1_200), masked(20, 20, 2_100, 2_200)], 21), []);
        // a remask reads the input anew
        assert_eq!(
            gaps(&[masked(0, 9, 1_000, 1_100), masked(3, 9, 1_200, 1_300), masked(10, 11, 1_400, 2_400)], 12),
            []
        );
        assert_eq!(gaps(&[], 0), [], "nothing was ever read");
    }

    #[test]
    fn what_is_missing_within_the_time_is_a_gap() {
        let events = [masked(0, 9, 500, 900), masked(15, 19, 1_500, 1_600), masked(20, 20, 2_100, 2_200)];
        assert_eq!(gaps(&events, 21), [(10, 14, GapKind::Between)]);
        assert_eq!(gaps(&[masked(5, 9, 1_500, 2_600)], 10), [(0, 4, GapKind::BeforeTheFirst)]);
        assert_eq!(gaps(&[masked(0, 9, 1_100, 1_200)], 14), [(10, 13, GapKind::NotToldYet)]);
        assert_eq!(gaps(&[], 7), [(0, 6, GapKind::NotToldYet)]);
    }

    #[test]
    fn what_is_missing_at_another_time_is_not_asked_about() {
        let before = [masked(0, 9, 100, 200), masked(15, 19, 300, 400), masked(20, 29, 1_500, 2_100)];
        assert_eq!(gaps(&before, 30), []);
        let after = [masked(0, 9, 100, 2_000), masked(15, 19, 2_300, 2_400)];
        assert_eq!(gaps(&after, 30), [], "the next that is told came later, and what came between did too");
    }
}
