//! The newest events as they were written, and how many of each kind came in each hour: bounded, whatever comes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use bytes::Bytes;
use mesh_client::lineage::EventType;

use crate::event::{Event, Subject};

/// How many bytes of events are kept.
const BYTES_MAX: usize = 32 << 20;
/// How many events are kept.
const EVENTS_MAX: usize = 100_000;
/// How long the counts of an hour are kept: a week, and the hours that any time zone adds to it.
const HOURS_MAX: i64 = 9 * 24;
const HOUR_MS: i64 = 3_600_000;

/// The newest events, and counts of the last days.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    events: VecDeque<Kept>,
    bytes: usize,
    /// The event times before which others may be gone.
    forgotten_before_ms: Option<i64>,
    hours: BTreeMap<i64, Transitions>,
}

#[derive(Debug)]
struct Kept {
    at_ms: i64,
    text: Bytes,
}

/// How many events told of a run's transition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Transitions {
    /// Runs that began.
    pub(crate) start: u64,
    /// That ended well.
    pub(crate) complete: u64,
    /// That were stopped.
    pub(crate) abort: u64,
    /// That broke.
    pub(crate) fail: u64,
}

impl Recent {
    /// Keeps an event with its text, and forgets the oldest that there is no room for.
    pub(crate) fn note(&mut self, event: &Event<'_>, text: Bytes, now_ms: i64) {
        self.count(event, now_ms);
        self.bytes += text.len();
        self.events.push_back(Kept { at_ms: event.at_ms, text });
        while self.bytes > BYTES_MAX || self.events.len() > EVENTS_MAX {
            let Some(gone) = self.events.pop_front() else { break };
            self.bytes -= gone.text.len();
            self.forgotten_before_ms = self.forgotten_before_ms.max(Some(gone.at_ms));
        }
    }

    /// Counts by what events say of when they happened; of other days than the last ones nothing is kept.
    fn count(&mut self, event: &Event<'_>, now_ms: i64) {
        let (hour, now) = (event.at_ms.div_euclid(HOUR_MS), now_ms.div_euclid(HOUR_MS));
        let Subject::Run { transition: Some(transition), .. } = &event.subject else { return };
        if !(now - HOURS_MAX..=now).contains(&hour) {
            return;
        }
        let counts = self.hours.entry(hour).or_default();
        match transition {
            EventType::Start => counts.start += 1,
            EventType::Complete => counts.complete += 1,
            EventType::Abort => counts.abort += 1,
            EventType::Fail => counts.fail += 1,
            EventType::Running | EventType::Other => {}
        }
        self.hours = self.hours.split_off(&(now - HOURS_MAX));
    }

    /// The events of this time as they were written, oldest first.
    pub(crate) fn events(&self, within: &Range<i64>) -> Vec<&Bytes> {
        let mut found: Vec<_> = self.events.iter().filter(|kept| within.contains(&kept.at_ms)).collect();
        // of the same time: in the order in which they came
        found.sort_by_key(|kept| kept.at_ms);
        found.into_iter().map(|kept| &kept.text).collect()
    }

    /// Of events that happened before this instant not all are kept; `None` if all are.
    pub(crate) fn forgotten_before_ms(&self) -> Option<i64> {
        self.forgotten_before_ms
    }

    /// What happened within whole hours.
    pub(crate) fn transitions(&self, within: &Range<i64>) -> Transitions {
        let hours = within.start.div_euclid(HOUR_MS)..within.end.div_euclid(HOUR_MS);
        self.hours.range(hours).fold(Transitions::default(), |sum, (_, it)| Transitions {
            start: sum.start + it.start,
            complete: sum.complete + it.complete,
            abort: sum.abort + it.abort,
            fail: sum.fail + it.fail,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn event(kind: &str, at: &str, bytes: usize) -> String {
        serde_json::json!({
            "eventType": kind, "eventTime": at, "producer": "p".repeat(bytes),
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
            "run": {"runId": "01890a5d-ac96-774b-bcce-b302099a8057"}, "job": {"namespace": "n", "name": "j"},
        })
        .to_string()
    }

    fn note(recent: &mut Recent, text: &str) {
        let accepted = crate::intake::accept(text.as_bytes()).unwrap();
        recent.note(&accepted, Bytes::copy_from_slice(text.as_bytes()), 2 * HOUR_MS);
    }

    #[test]
    fn events_are_told_by_when_they_happened() {
        let mut recent = Recent::default();
        let texts =
            ["1970-01-01T00:00:03Z", "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"].map(|at| event("START", at, 1));
        texts.iter().for_each(|text| note(&mut recent, text));
        assert_eq!(recent.events(&(0..i64::MAX)), [&texts[1], &texts[2], &texts[0]]);
        assert_eq!(recent.events(&(1_000..2_000)), [&texts[1]]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut recent = Recent::default();
        let large = event("START", "1970-01-01T00:00:01Z", 900_000);
        (0..100).for_each(|_| note(&mut recent, &large));
        let held: usize = recent.events(&(0..i64::MAX)).iter().map(|text| text.len()).sum();
        assert!(held <= BYTES_MAX && held > BYTES_MAX - large.len() && recent.bytes == held, "{held}");
        assert_eq!(recent.forgotten_before_ms(), Some(1_000));
    }

    #[test]
    fn transitions_are_counted_by_the_hour_and_those_of_other_times_not_at_all() {
        let mut recent = Recent::default();
        let told = [
            ("START", "1970-01-01T00:10:00Z"),
            ("RUNNING", "1970-01-01T00:10:00Z"),
            ("FAIL", "1970-01-01T01:59:59Z"),
            ("COMPLETE", "1960-01-01T00:00:00Z"),
            ("ABORT", "2999-01-01T00:00:00Z"),
        ];
        told.iter().for_each(|(kind, at)| note(&mut recent, &event(kind, at, 1)));
        let first = Transitions { start: 1, ..Transitions::default() };
        assert_eq!(recent.transitions(&(0..HOUR_MS)), first);
        assert_eq!(recent.transitions(&(0..3 * HOUR_MS)), Transitions { fail: 1, ..first });
        assert_eq!(recent.hours.len(), 2);
    }
}
