//! When a promise counts: within its hours, outside maintenance, and only while Kafka could be reached. Pure.

mod hours;
mod span;
#[cfg(test)]
mod tests;

pub use span::Span;

use hours::Week;
use mesh_contract::{Hours, OfficeHours};

/// Longer spans are looked at from here: what is that old is stale whatever its hours.
const DAYS_MAX: i64 = 1_000;
const DAY_MS: i64 = 86_400_000;

/// When a promise counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calendar {
    /// Always, if none.
    hours: Option<Week>,
    /// Planned maintenance, in order.
    planned: Vec<Span>,
    /// Maintenance that comes each week.
    weekly: Vec<Week>,
    /// When Kafka could not be reached, in order: nobody could have kept a promise.
    away: Vec<Span>,
}

impl Calendar {
    /// A promise that counts in these hours; always, if there are none or their zone is unknown: what cannot be told
    /// excuses nothing.
    pub fn of(hours: Option<&OfficeHours>) -> Self {
        Self { hours: hours.and_then(Week::of), ..Self::default() }
    }

    /// The same, but for a planned maintenance.
    pub fn without(mut self, maintenance: Span) -> Self {
        if !maintenance.is_empty() {
            self.planned.push(maintenance);
            self.planned.sort_unstable();
        }
        self
    }

    /// The same, but for a maintenance that comes each week.
    pub fn without_weekly(mut self, maintenance: &Hours) -> Self {
        self.weekly.extend(Week::new(maintenance));
        self
    }

    /// The same, but for the times when Kafka could not be reached.
    pub fn away(mut self, away: &[Span]) -> Self {
        self.away = away.to_vec();
        self
    }

    /// The parts of a span in which the promise counted, in order.
    pub fn promised(&self, within: Span) -> Vec<Span> {
        span::without(self.unmaintained(within), &self.away)
    }

    /// How long the promise counted between two moments.
    pub fn promised_ms(&self, from_ms: i64, to_ms: i64) -> i64 {
        if self.is_always() {
            return Span::new(from_ms, to_ms).length_ms();
        }
        let oldest_ms = to_ms.saturating_sub(DAYS_MAX * DAY_MS);
        let before_ms = Span::new(from_ms, oldest_ms).length_ms();
        let within = Span::new(from_ms.max(oldest_ms), to_ms);
        self.promised(within).into_iter().fold(before_ms, |sum, span| sum.saturating_add(span.length_ms()))
    }

    /// The parts of a span within the hours that maintenance took, in order.
    pub fn maintained(&self, within: Span) -> Vec<Span> {
        if self.planned.is_empty() && self.weekly.is_empty() {
            return Vec::new();
        }
        span::without(self.open(within), &self.unmaintained(within))
    }

    /// Whether the promise counts at a moment.
    pub fn is_promised(&self, at_ms: i64) -> bool {
        self.is_always() || !self.promised(Span::new(at_ms, at_ms.saturating_add(1))).is_empty()
    }

    /// Whether maintenance is planned at a moment, whatever the hours.
    pub fn is_maintained(&self, at_ms: i64) -> bool {
        let moment = Span::new(at_ms, at_ms.saturating_add(1));
        let of_week = |week: &Week| week.open(moment).is_some_and(|open| !open.is_empty());
        self.planned.iter().any(|span| span.contains(at_ms)) || self.weekly.iter().any(of_week)
    }

    /// The last moment at which something of `from_ms` is no older than `length_ms` of promised time; the end of time if
    /// the promise does not count for so long.
    pub fn deadline_ms(&self, from_ms: i64, length_ms: i64) -> i64 {
        if self.is_always() {
            return from_ms.saturating_add(length_ms);
        }
        let (mut at_ms, mut left_ms) = (from_ms, length_ms);
        let mut step_ms = length_ms.max(DAY_MS);
        let end_ms = from_ms.saturating_add(DAYS_MAX * DAY_MS);
        while at_ms < end_ms {
            let next_ms = at_ms.saturating_add(step_ms);
            for span in self.promised(Span::new(at_ms, next_ms)) {
                if span.length_ms() > left_ms {
                    return span.from_ms + left_ms;
                }
                left_ms -= span.length_ms();
            }
            (at_ms, step_ms) = (next_ms, step_ms.saturating_mul(2));
        }
        i64::MAX
    }

    fn is_always(&self) -> bool {
        self.hours.is_none() && self.planned.is_empty() && self.weekly.is_empty() && self.away.is_empty()
    }

    /// Within the hours.
    fn open(&self, within: Span) -> Vec<Span> {
        if within.is_empty() {
            return Vec::new();
        }
        // a time that no calendar has excuses nothing
        self.hours.as_ref().and_then(|hours| hours.open(within)).unwrap_or_else(|| vec![within])
    }

    /// Within the hours, outside maintenance.
    fn unmaintained(&self, within: Span) -> Vec<Span> {
        let left = span::without(self.open(within), &self.planned);
        self.weekly.iter().fold(left, |left, week| span::without(left, &week.open(within).unwrap_or_default()))
    }
}
