//! What a record says of its product's freshness, and when a product is stale. Pure: the clock is handed in.

use mesh_contract::Span;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;

/// Whether a product keeps its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its newest fact is younger than its refresh rate.
    Fresh,
    /// Its newest fact is older than its refresh rate, but the promise does not count now: out of hours, or maintenance.
    Excused,
    /// It never had a fact, so that nothing can be said.
    Unknown,
    /// Its newest fact is older than its refresh rate.
    Stale,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fresh => "fresh",
            Self::Excused => "excused",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
        })
    }
}

/// The times that a record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// When the fact happened, as the record claims: `mesh-event-time`.
    pub event_ms: Option<i64>,
    /// The record's own timestamp.
    pub recorded_ms: Option<i64>,
}

impl Sighting {
    /// When the fact happened, as far as it can be believed at `now_ms`: never later than that, so that a date in the
    /// future cannot keep a product fresh. `None` if no time can be believed.
    pub fn believed_ms(self, now_ms: i64, tolerance_ms: i64) -> Option<i64> {
        let horizon_ms = now_ms.saturating_add(tolerance_ms);
        let claims = [self.event_ms, self.recorded_ms];
        let believable = claims.into_iter().flatten().find(|claim_ms| *claim_ms <= horizon_ms);
        believable.map(|claim_ms| claim_ms.min(now_ms))
    }
}

/// How old a product is, and whether that is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// Now minus the newest fact or heartbeat; none if there never was one.
    pub age_ms: Option<i64>,
}

/// Judges what was newest against the promise. Exactly as old as promised is still fresh. Time in which the promise does
/// not count makes nothing stale.
pub fn judge(newest_ms: Option<i64>, every: Span, calendar: &Calendar, now_ms: i64) -> Verdict {
    let Some(newest_ms) = newest_ms else {
        return Verdict { state: State::Unknown, age_ms: None };
    };
    let age_ms = now_ms.saturating_sub(newest_ms).max(0);
    let keeps = |age_ms: i64| u64::try_from(age_ms).is_ok_and(|age_ms| age_ms <= every.millis());
    let state = if keeps(age_ms) || keeps(calendar.promised_ms(newest_ms, now_ms)) {
        State::Fresh
    } else if calendar.is_promised(now_ms) {
        State::Stale
    } else {
        State::Excused
    };
    Verdict { state, age_ms: Some(age_ms) }
}

/// The state of a product is that of its worst view.
pub fn worst(states: impl IntoIterator<Item = State>) -> State {
    states.into_iter().max().unwrap_or(State::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const MINUTE: i64 = 60_000;

    fn hourly(newest_ms: Option<i64>, now_ms: i64) -> Verdict {
        judge(newest_ms, "1 hour".parse().expect("a span"), &Calendar::default(), now_ms)
    }

    fn believed(event_ms: Option<i64>, recorded_ms: Option<i64>) -> Option<i64> {
        Sighting { event_ms, recorded_ms }.believed_ms(NOW, MINUTE)
    }

    #[test]
    fn event_time_counts_before_the_records_timestamp() {
        assert_eq!(believed(Some(NOW - 5), Some(NOW - 1)), Some(NOW - 5));
        assert_eq!(believed(None, Some(NOW - 1)), Some(NOW - 1));
        assert_eq!(believed(None, None), None);
    }

    #[test]
    fn a_little_ahead_is_now() {
        assert_eq!(believed(Some(NOW + MINUTE), None), Some(NOW));
    }

    #[test]
    fn far_ahead_falls_back_to_the_record_and_then_says_nothing() {
        assert_eq!(believed(Some(NOW + MINUTE + 1), Some(NOW - 7)), Some(NOW - 7));
        assert_eq!(believed(Some(i64::MAX), Some(NOW + 1)), Some(NOW));
        assert_eq!(believed(Some(i64::MAX), Some(i64::MAX)), None);
        assert_eq!(believed(None, Some(i64::MAX)), None);
    }

    #[test]
    fn back_dated_history_is_believed_as_it_is() {
        assert_eq!(believed(Some(0), Some(NOW)), Some(0));
        assert_eq!(believed(Some(i64::MIN), None), Some(i64::MIN));
    }

    #[test]
    fn the_promise_is_kept_up_to_its_last_millisecond() {
        let hour_ago = NOW - 3_600_000;
        assert_eq!(hourly(Some(hour_ago), NOW).state, State::Fresh);
        assert_eq!(hourly(Some(hour_ago - 1), NOW).state, State::Stale);
    }

    #[test]
    fn without_data_nothing_is_said() {
        assert_eq!(hourly(None, NOW), Verdict { state: State::Unknown, age_ms: None });
    }

    #[test]
    fn a_clock_that_steps_back_makes_nothing_younger_than_now() {
        assert_eq!(hourly(Some(NOW + 5_000), NOW).age_ms, Some(0));
        assert_eq!(hourly(Some(i64::MIN), i64::MAX).state, State::Stale);
    }

    #[test]
    fn nights_do_not_count_where_the_promise_has_hours() {
        let office = Calendar::of(Some(&"Mon-Fri 08:00-18:00 UTC".parse().expect("hours")));
        let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_millisecond();
        let hour = "1 hour".parse().expect("a span");
        let of = |newest: &str, now: &str| judge(Some(at(newest)), hour, &office, at(now));
        let morning = of("2026-01-05T17:30:00Z", "2026-01-06T08:30:00Z");
        assert_eq!((morning.state, morning.age_ms), (State::Fresh, Some(15 * 3_600_000)));
        assert_eq!(of("2026-01-05T17:30:00Z", "2026-01-06T08:30:01Z").state, State::Stale);
        assert_eq!(of("2026-01-05T16:30:00Z", "2026-01-05T17:59:59Z").state, State::Stale);
        assert_eq!(of("2026-01-05T16:30:00Z", "2026-01-05T18:00:00Z").state, State::Excused);
    }

    #[test]
    fn the_worst_view_decides() {
        assert_eq!(worst([State::Fresh, State::Stale, State::Unknown]), State::Stale);
        assert_eq!(worst([State::Fresh, State::Unknown]), State::Unknown);
        assert_eq!(worst([]), State::Unknown);
    }
}
