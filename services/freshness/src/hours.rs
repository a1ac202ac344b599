//! How much of a span of time was within the hours in which a promise counts. Pure; days are as long as their zone says.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};
use mesh_contract::{Hours, Weekday};

/// Longer spans are looked at from here: what is that old is stale whatever its hours.
const DAYS_MAX: i64 = 1_000;
const DAY_MS: i64 = 86_400_000;

/// The milliseconds between two moments that were within the hours. A zone that is unknown, or a time that no calendar
/// has, excuses nothing: the whole span counts.
pub fn promised_ms(hours: &Hours, from_ms: i64, to_ms: i64) -> i64 {
    let whole_ms = to_ms.saturating_sub(from_ms).max(0);
    let from_ms = from_ms.max(to_ms.saturating_sub(DAYS_MAX * DAY_MS));
    within(hours, from_ms, to_ms).unwrap_or(whole_ms)
}

fn within(hours: &Hours, from_ms: i64, to_ms: i64) -> Option<i64> {
    let zone = TimeZoneDatabase::bundled().get(&hours.zone).ok()?;
    let date = |ms| Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()).date());
    let (mut day, last) = (date(from_ms)?, date(to_ms)?);
    let mut promised_ms = 0;
    while day <= last {
        if hours.days.contains(&Weekday::from(day.weekday())) {
            let opened_ms = moment_ms(day, hours.from_minutes, &zone)?.max(from_ms);
            let closed_ms = moment_ms(day, hours.to_minutes, &zone)?.min(to_ms);
            promised_ms += (closed_ms - opened_ms).max(0);
        }
        day = day.tomorrow().ok()?;
    }
    Some(promised_ms)
}

/// A time of a day; 24:00 is the next day's midnight. A time that the clocks skip is the one after the gap.
fn moment_ms(day: Date, minutes: u16, zone: &TimeZone) -> Option<i64> {
    let midnight = day.at(0, 0, 0, 0);
    let moment = midnight.checked_add(i64::from(minutes).minutes()).ok()?;
    Some(zone.to_ambiguous_zoned(moment).compatible().ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn promised(hours: &str, from: &str, to: &str) -> i64 {
        promised_ms(&hours.parse().unwrap(), ms(from), ms(to))
    }

    #[test]
    fn a_weekend_does_not_count() {
        let office = "Mon-Fri 08:00-18:00 UTC";
        assert_eq!(promised(office, "2026-01-02T17:50:00Z", "2026-01-05T08:05:00Z"), 15 * MINUTE);
        assert_eq!(promised(office, "2026-01-03T00:00:00Z", "2026-01-04T23:59:00Z"), 0);
        assert_eq!(promised(office, "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"), 50 * HOUR);
    }

    #[test]
    fn hours_follow_their_zone_through_the_change_of_clocks() {
        let berlin = "Mon-Sun 08:00-18:00 Europe/Berlin";
        assert_eq!(promised(berlin, "2026-03-28T06:00:00Z", "2026-03-28T07:30:00Z"), 30 * MINUTE, "winter: 07:00 UTC");
        assert_eq!(promised(berlin, "2026-03-29T05:00:00Z", "2026-03-29T06:30:00Z"), 30 * MINUTE, "summer: 06:00 UTC");
        let nights = "Mon-Sun 00:00-24:00 Europe/Berlin";
        assert_eq!(promised(nights, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23 * HOUR, "the short day");
        assert_eq!(promised(nights, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 25 * HOUR, "the long day");
    }

    #[test]
    fn what_cannot_be_told_counts_whole() {
        let office: Hours = "Mon-Fri 08:00-18:00 UTC".parse().unwrap();
        assert_eq!(promised_ms(&office, ms("2026-01-02T00:00:00Z"), i64::MAX), i64::MAX - ms("2026-01-02T00:00:00Z"));
        assert_eq!(promised_ms(&Hours { zone: "Nowhere/Land".to_owned(), ..office }, 5, 9), 4);
    }

    #[test]
    fn ages_are_bounded_and_never_negative() {
        let office: Hours = "Mon-Fri 08:00-18:00 UTC".parse().unwrap();
        assert_eq!(promised_ms(&office, ms("2026-01-06T10:00:00Z"), ms("2026-01-05T10:00:00Z")), 0);
        assert!(promised_ms(&office, i64::MIN, ms("2026-01-05T10:00:00Z")) > 5_000 * HOUR);
    }
}
