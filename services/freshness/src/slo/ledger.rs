//! What became of a product's promised time: four rings of buckets, from a minute to a day, so that the last hour is known to
//! the minute and the whole window to the day, in bounded room. Only what was not good is written down: a product that
//! keeps its promise costs nothing. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DAY_MS;
use crate::calendar::Span;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The longest window that is kept; an objective over more than that is measured over that.
pub(crate) const DAYS_MAX: i64 = 400;

/// What a span of promised time was, if not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Stale, and nobody upstream is to blame.
    Own = 0,
    /// Stale because something upstream was.
    Blamed = 1,
    /// Within planned maintenance: promised by the hours, but excused.
    Excused = 2,
    /// Not known: nobody looked, and nothing seen later tells.
    Unknown = 3,
}

/// Milliseconds of each [`Fault`], in its order.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Sum(pub [f64; 4]);

impl Sum {
    /// Of one fault.
    pub fn of(&self, fault: Fault) -> f64 {
        self.0[fault as usize]
    }

    /// Stale, whoever is to blame.
    pub fn bad_ms(&self) -> f64 {
        self.of(Fault::Own) + self.of(Fault::Blamed)
    }
}

/// What became of a product's promised time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// From when on it is written: when the product was first seen to have facts.
    pub since_ms: i64,
    /// Up to when.
    pub until_ms: i64,
    #[serde(default, skip_serializing_if = "Ring::is_empty")]
    minutes: Ring<MINUTE_MS, 60>,
    #[serde(default, skip_serializing_if = "Ring::is_empty")]
    fives: Ring<{ 5 * MINUTE_MS }, 72>,
    #[serde(default, skip_serializing_if = "Ring::is_empty")]
    hours: Ring<HOUR_MS, 72>,
    #[serde(default, skip_serializing_if = "Ring::is_empty")]
    days: Ring<DAY_MS, DAYS_MAX>,
}

impl Ledger {
    /// One that begins now.
    pub fn new(now_ms: i64) -> Self {
        Self {
            since_ms: now_ms,
            until_ms: now_ms,
            minutes: Ring::default(),
            fives: Ring::default(),
            hours: Ring::default(),
            days: Ring::default(),
        }
    }

    /// Writes down what spans of promised time were.
    pub fn add(&mut self, fault: Fault, spans: &[Span]) {
        for span in spans {
            self.minutes.add(fault, *span);
            self.fives.add(fault, *span);
            self.hours.add(fault, *span);
            self.days.add(fault, *span);
        }
    }

    /// Goes on to a moment, and forgets what is older than every window: of days, those of the objective's. A clock that was set
    /// back takes back what it said since then, by whole buckets.
    pub fn advance(&mut self, now_ms: i64, over_ms: i64) {
        if now_ms < self.until_ms.saturating_sub(MINUTE_MS) {
            self.minutes.take_back(now_ms);
            self.fives.take_back(now_ms);
            self.hours.take_back(now_ms);
            self.days.take_back(now_ms);
        }
        self.until_ms = now_ms;
        self.since_ms = self.since_ms.min(now_ms);
        self.minutes.prune(now_ms, i64::MAX);
        self.fives.prune(now_ms, i64::MAX);
        self.hours.prune(now_ms, i64::MAX);
        self.days.prune(now_ms, over_ms);
    }

    /// What was not good in the last `window_ms`, from the finest buckets that reach back so far.
    pub fn sum(&self, window_ms: i64) -> Sum {
        let window = Span::new(self.until_ms.saturating_sub(window_ms), self.until_ms);
        if window_ms <= HOUR_MS {
            self.minutes.sum(window)
        } else if window_ms <= 6 * HOUR_MS {
            self.fives.sum(window)
        } else if window_ms <= 72 * HOUR_MS {
            self.hours.sum(window)
        } else {
            self.days.sum(window)
        }
    }
}

/// `COUNT` buckets of `LENGTH_MS` milliseconds each, by their number since 1970; those without anything are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Ring<const LENGTH_MS: i64, const COUNT: i64> {
    buckets: BTreeMap<i64, [u32; 4]>,
}

impl<const LENGTH_MS: i64, const COUNT: i64> Ring<LENGTH_MS, COUNT> {
    fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    fn add(&mut self, fault: Fault, span: Span) {
        // older than the ring reaches back from the span's end is old by then, too
        let reach_ms = span.to_ms.saturating_sub(LENGTH_MS.saturating_mul(COUNT + 1));
        let mut from_ms = span.from_ms.max(reach_ms);
        while from_ms < span.to_ms {
            let number = from_ms.div_euclid(LENGTH_MS);
            let to_ms = span.to_ms.min((number + 1).saturating_mul(LENGTH_MS));
            let milliseconds = &mut self.buckets.entry(number).or_default()[fault as usize];
            *milliseconds = milliseconds.saturating_add(u32::try_from(to_ms - from_ms).unwrap_or(u32::MAX));
            from_ms = to_ms;
        }
    }

    fn prune(&mut self, now_ms: i64, over_ms: i64) {
        let reach_ms = LENGTH_MS.saturating_mul(COUNT).min(over_ms);
        let oldest = now_ms.saturating_sub(reach_ms).div_euclid(LENGTH_MS);
        if self.buckets.first_key_value().is_some_and(|(number, _)| *number < oldest) {
            self.buckets = self.buckets.split_off(&oldest);
        }
    }

    fn take_back(&mut self, now_ms: i64) {
        self.buckets.split_off(&now_ms.div_euclid(LENGTH_MS));
    }

    /// Of the oldest bucket, the part that the window covers.
    fn sum(&self, window: Span) -> Sum {
        let mut sum = Sum::default();
        for (number, faults) in self.buckets.range(window.from_ms.div_euclid(LENGTH_MS)..) {
            let from_ms = number.saturating_mul(LENGTH_MS);
            let bucket = Span::new(from_ms, from_ms.saturating_add(LENGTH_MS));
            // nothing was written down later than the window's end
            let covered = bucket.to_ms.saturating_sub(window.from_ms.max(from_ms)) as f64 / LENGTH_MS as f64;
            sum.0.iter_mut().zip(faults).for_each(|(sum, ms)| *sum += f64::from(*ms) * covered);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn own(ledger: &Ledger, window_ms: i64) -> i64 {
        ledger.sum(window_ms).of(Fault::Own).round() as i64
    }

    fn with(fault: Fault, from_ms: i64, to_ms: i64) -> Ledger {
        let mut ledger = Ledger::new(from_ms);
        ledger.add(fault, &[Span::new(from_ms, to_ms)]);
        ledger.advance(to_ms, 30 * DAY_MS);
        ledger
    }

    #[test]
    fn every_window_sees_what_lies_in_it() {
        let mut ledger = with(Fault::Own, NOW - 2 * HOUR_MS, NOW);
        let windows = [5 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 3 * DAY_MS, 30 * DAY_MS];
        let seen = windows.map(|window_ms| own(&ledger, window_ms));
        assert_eq!(seen, [5 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 2 * HOUR_MS, 2 * HOUR_MS]);
        ledger.advance(NOW + 5 * HOUR_MS, 30 * DAY_MS);
        assert_eq!([own(&ledger, HOUR_MS), own(&ledger, 6 * HOUR_MS)], [0, HOUR_MS]);
        ledger.advance(NOW + 40 * DAY_MS, 30 * DAY_MS);
        assert_eq!(ledger, Ledger { until_ms: NOW + 40 * DAY_MS, ..Ledger::new(NOW - 2 * HOUR_MS) });
    }

    #[test]
    fn what_is_written_is_short_and_reads_back() {
        let ledger = with(Fault::Blamed, NOW - 90_000, NOW);
        let json = serde_json::to_string(&ledger).expect("JSON");
        insta::assert_snapshot!(json, @r#"{"since_ms":1799999910000,"until_ms":1800000000000,"minutes":{"29999998":[0,30000,0,0],"29999999":[0,60000,0,0]},"fives":{"5999999":[0,90000,0,0]},"hours":{"499999":[0,90000,0,0]},"days":{"20833":[0,90000,0,0]}}"#);
        assert_eq!(serde_json::from_str::<Ledger>(&json).expect("a ledger"), ledger);
        let healthy = serde_json::to_string(&Ledger::new(NOW)).expect("JSON");
        assert_eq!(healthy, r#"{"since_ms":1800000000000,"until_ms":1800000000000}"#);
    }

    #[test]
    fn room_is_bounded_however_long_a_span_is() {
        let mut ledger = with(Fault::Own, i64::MIN, NOW);
        assert!(serde_json::to_string(&ledger).expect("JSON").len() < 32_000);
        ledger.advance(NOW, 30 * DAY_MS);
        assert_eq!(own(&ledger, 30 * DAY_MS), 30 * DAY_MS);
        assert!(serde_json::to_string(&ledger).expect("JSON").len() < 12_000);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_how_many_steps_it_is_written(cuts in prop::collection::vec(0..7_200_000_i64, 0..20)) {
            let mut cuts = cuts;
            cuts.extend([0, 7_200_000]);
            cuts.sort_unstable();
            let mut stepwise = Ledger::new(NOW);
            for pair in cuts.windows(2) {
                stepwise.add(Fault::Unknown, &[Span::new(NOW + pair[0], NOW + pair[1])]);
                stepwise.advance(NOW + pair[1], 30 * DAY_MS);
            }
            let mut once = Ledger::new(NOW);
            once.add(Fault::Unknown, &[Span::new(NOW, NOW + 7_200_000)]);
            once.advance(NOW + 7_200_000, 30 * DAY_MS);
            prop_assert_eq!(stepwise, once);
        }

        #[test]
        fn a_window_holds_no_more_than_its_length(from_ms in 0..DAY_MS, length_ms in 0..4 * DAY_MS, window_ms in 1..40 * DAY_MS) {
            let ledger = with(Fault::Own, NOW + from_ms, NOW + from_ms + length_ms);
            prop_assert!(own(&ledger, window_ms) <= window_ms.min(length_ms));
        }
    }
}
