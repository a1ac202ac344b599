//! Spans of time as contracts write them: `15 minutes`, `hour`, `2 years`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::text::serde_as_text;

/// No span is longer than this: a thousand years.
const SECONDS_MAX: u64 = 1_000 * 365 * 86_400;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A second.
    Second,
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 365 days.
    Year,
}

impl Unit {
    /// All of them, shortest first.
    pub const ALL: [Unit; 7] = [Unit::Second, Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];

    /// Its length. A month is 30 days and a year 365: a retention needs a length, not a calendar.
    pub fn seconds(self) -> u64 {
        match self {
            Unit::Second => 1,
            Unit::Minute => 60,
            Unit::Hour => 3_600,
            Unit::Day => 86_400,
            Unit::Week => 7 * 86_400,
            Unit::Month => 30 * 86_400,
            Unit::Year => 365 * 86_400,
        }
    }

    /// Its name in the singular.
    pub fn singular(self) -> &'static str {
        match self {
            Unit::Second => "second",
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Year => "year",
        }
    }

    /// Its name in the plural.
    pub fn plural(self) -> &'static str {
        match self {
            Unit::Second => "seconds",
            Unit::Minute => "minutes",
            Unit::Hour => "hours",
            Unit::Day => "days",
            Unit::Week => "weeks",
            Unit::Month => "months",
            Unit::Year => "years",
        }
    }

    fn named(name: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.singular() == name || unit.plural() == name)
    }
}

/// A span of time, of a whole number of one unit; keeps the unit that its author chose. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    count: u64,
    unit: Unit,
}

/// What is wrong with a span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpanError {
    /// Not of the form `<whole number> <unit>`.
    #[error("{text:?} is not a duration: write `<whole number> <unit>`, such as `15 minutes`, or minute, hour or day")]
    Form {
        /// What was given.
        text: String,
    },
    /// The unit does not exist.
    #[error("{unit:?} is not a unit of time: seconds, minutes, hours, days, weeks, months or years")]
    Unit {
        /// What was given.
        unit: String,
    },
    /// Zero, or more than a thousand years.
    #[error("{text:?} is not a usable duration: at least 1 second, at most 1000 years")]
    Range {
        /// What was given.
        text: String,
    },
}

impl Span {
    /// `count` of `unit`; none if zero or longer than a thousand years.
    pub fn new(count: u64, unit: Unit) -> Option<Span> {
        let seconds = count.checked_mul(unit.seconds())?;
        (1..=SECONDS_MAX).contains(&seconds).then_some(Span { count, unit })
    }

    /// Its length in seconds.
    pub fn seconds(self) -> u64 {
        self.count * self.unit.seconds()
    }

    /// Its length in milliseconds.
    pub fn millis(self) -> u64 {
        self.seconds() * 1_000
    }

    /// Its length.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds())
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Span, SpanError> {
        let shown = || text.chars().take(80).collect::<String>();
        let malformed = || SpanError::Form { text: shown() };
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).take(3).collect();
        let (count, unit) = match words[..] {
            [unit @ ("minute" | "hour" | "day")] => ("1", unit),
            [count, unit] => (count, unit),
            [unit] if unit.bytes().all(|b| b.is_ascii_alphabetic()) => {
                return Err(match Unit::named(unit) {
                    Some(_) => malformed(),
                    None => SpanError::Unit { unit: shown() },
                });
            }
            _ => return Err(malformed()),
        };
        if !count.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        let unit = Unit::named(unit).ok_or_else(|| SpanError::Unit { unit: unit.chars().take(80).collect() })?;
        let span = count.parse().ok().and_then(|count| Span::new(count, unit));
        span.ok_or_else(|| SpanError::Range { text: shown() })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "1 {}", self.unit.singular()),
            count => write!(f, "{count} {}", self.unit.plural()),
        }
    }
}

serde_as_text!(Span);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_unit_reads_in_singular_and_plural() {
        for unit in Unit::ALL {
            assert_eq!(format!("1 {}", unit.singular()).parse::<Span>().unwrap().seconds(), unit.seconds());
            assert_eq!(format!("3 {}", unit.plural()).parse::<Span>().unwrap().seconds(), 3 * unit.seconds());
        }
        assert_eq!("hour".parse::<Span>().unwrap(), "1 hour".parse().unwrap());
        assert_eq!("2 years".parse::<Span>().unwrap().to_string(), "2 years");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        assert!(matches!("2 fortnights".parse::<Span>(), Err(SpanError::Unit { unit }) if unit == "fortnights"));
        assert!(matches!("fortnight".parse::<Span>(), Err(SpanError::Unit { .. })));
        assert!(matches!("0 days".parse::<Span>(), Err(SpanError::Range { .. })));
        assert!(matches!("18446744073709551615 years".parse::<Span>(), Err(SpanError::Range { .. })));
        for text in ["", "15", "1.5 hours", "-1 days", "15minutes", "15 minutes long", "+1 day", "week"] {
            assert!(matches!(text.parse::<Span>(), Err(SpanError::Form { .. })), "{text}");
        }
    }
}
