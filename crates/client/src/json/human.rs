//! Dates and times as people write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan as _};

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A unit of time that counts are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    fn nanos(self) -> i128 {
        match self {
            Unit::Millis => 1_000_000,
            Unit::Micros => 1_000,
            Unit::Nanos => 1,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Unit::Millis => "milliseconds",
            Unit::Micros => "microseconds",
            Unit::Nanos => "nanoseconds",
        }
    }
}

/// Why a text is not taken.
pub(super) enum Refusal {
    /// It is not of that form.
    Form,
    /// It is finer than the unit, or too far away.
    Range,
}

fn count(nanos: i128, unit: Unit) -> Result<i64, Refusal> {
    if nanos % unit.nanos() != 0 {
        return Err(Refusal::Range);
    }
    i64::try_from(nanos / unit.nanos()).map_err(|_| Refusal::Range)
}

/// Days since 1970.
pub(super) fn parse_date(text: &str) -> Result<i32, Refusal> {
    // a time behind it would be lost
    if text.len() > 12 || text.contains(['T', 't', ' ', ':']) {
        return Err(Refusal::Form);
    }
    let date: Date = text.parse().map_err(|_| Refusal::Form)?;
    let days = EPOCH.until(date).map_err(|_| Refusal::Range)?.get_days();
    Ok(days)
}

pub(super) fn show_date(days: i32) -> Option<String> {
    let span = jiff::Span::new().try_days(days).ok()?;
    Some(EPOCH.checked_add(span).ok()?.to_string())
}

/// Since midnight.
pub(super) fn parse_time(text: &str, unit: Unit) -> Result<i64, Refusal> {
    if text.contains(['-', 'T', 't', 'Z', '+']) {
        return Err(Refusal::Form);
    }
    let time: Time = text.parse().map_err(|_| Refusal::Form)?;
    count(nanos_of_day(time), unit)
}

fn nanos_of_day(time: Time) -> i128 {
    let seconds = i128::from(time.hour()) * 3600 + i128::from(time.minute()) * 60 + i128::from(time.second());
    seconds * 1_000_000_000 + i128::from(time.subsec_nanosecond())
}

pub(super) fn show_time(since_midnight: i64, unit: Unit) -> Option<String> {
    let nanos = i64::try_from(i128::from(since_midnight) * unit.nanos()).ok()?;
    if !(0..86_400_000_000_000).contains(&nanos) {
        return None;
    }
    Some(Time::midnight().checked_add(nanos.nanoseconds()).ok()?.to_string())
}

/// Since 1970, of an instant with its offset from UTC.
pub(super) fn parse_instant(text: &str, unit: Unit) -> Result<i64, Refusal> {
    let instant: Timestamp = text.parse().map_err(|_| Refusal::Form)?;
    count(instant.as_nanosecond(), unit)
}

fn instant(since_epoch: i64, unit: Unit) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(since_epoch) * unit.nanos()).ok()
}

pub(super) fn show_instant(since_epoch: i64, unit: Unit) -> Option<String> {
    Some(instant(since_epoch, unit)?.to_string())
}

/// Since 1970 of an unnamed time zone.
pub(super) fn parse_local(text: &str, unit: Unit) -> Result<i64, Refusal> {
    // an offset or a zone would be lost
    let (_, time) = text.split_once(['T', 't', ' ']).ok_or(Refusal::Form)?;
    if time.contains(['Z', 'z', '+', '-', '[']) {
        return Err(Refusal::Form);
    }
    let local: DateTime = text.parse().map_err(|_| Refusal::Form)?;
    let zoned = local.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| Refusal::Range)?;
    count(zoned.timestamp().as_nanosecond(), unit)
}

pub(super) fn show_local(since_epoch: i64, unit: Unit) -> Option<String> {
    Some(instant(since_epoch, unit)?.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string())
}
