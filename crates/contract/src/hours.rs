//! The hours in which a promise counts: `Mon-Fri 08:00-18:00 Europe/Berlin`.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZoneDatabase;

use crate::text::serde_as_text;

const DAY_MINUTES: u16 = 24 * 60;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weekday {
    /// Monday, the first.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday, the last.
    Sun,
}

impl Weekday {
    /// Monday to Sunday.
    pub const ALL: [Weekday; 7] =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

    /// Its three letters.
    pub fn as_str(self) -> &'static str {
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][self as usize]
    }

    fn named(name: &str) -> Option<Weekday> {
        Weekday::ALL.into_iter().find(|day| day.as_str().eq_ignore_ascii_case(name))
    }
}

impl From<jiff::civil::Weekday> for Weekday {
    fn from(day: jiff::civil::Weekday) -> Weekday {
        // Monday is 0 here and there, and there are seven of them.
        Weekday::ALL[usize::from(day.to_monday_zero_offset().unsigned_abs()) % 7]
    }
}

/// Office hours: outside them a product need not be fresh.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hours {
    /// The days, in the week's order, none twice.
    pub days: Vec<Weekday>,
    /// Minutes from midnight, inclusive.
    pub from_minutes: u16,
    /// Minutes from midnight, exclusive; 1440 is the day's end. Before `from_minutes`, they are the next day's: hours that
    /// span midnight belong to the day on which they begin.
    pub to_minutes: u16,
    /// The IANA name of the time zone.
    pub zone: String,
}

/// What is wrong with office hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoursError {
    /// Not of the form `<days> <from>-<to> <zone>`.
    #[error(
        "{text:?} are not hours: write `<days> <from>-<to> <time zone>`, such as `Mon-Fri 08:00-18:00 Europe/Berlin`"
    )]
    Form {
        /// What was given.
        text: String,
    },
    /// Not days of the week in the week's order.
    #[error("{days:?} are not days: write `Mon-Fri`, or `Mon,Wed,Fri`, in the week's order")]
    Days {
        /// What was given.
        days: String,
    },
    /// Not a time span of a day at most.
    #[error("{times:?} are not times: write `<from>-<to>`, such as `08:00-18:00`, or `22:00-06:00` for nights")]
    Times {
        /// What was given.
        times: String,
    },
    /// No such time zone.
    #[error("{zone:?} is not a time zone: write its IANA name, such as `Europe/Berlin`, or `UTC`")]
    Zone {
        /// What was given.
        zone: String,
    },
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Hours, HoursError> {
        let shown = |text: &str| text.chars().take(80).collect::<String>();
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).take(4).collect();
        let &[days, times, zone] = &words[..] else {
            return Err(HoursError::Form { text: shown(text) });
        };
        let (from_minutes, to_minutes) = parse_times(times).ok_or_else(|| HoursError::Times { times: shown(times) })?;
        let zone = canonical_zone(zone).ok_or_else(|| HoursError::Zone { zone: shown(zone) })?;
        let days = parse_days(days).ok_or_else(|| HoursError::Days { days: shown(days) })?;
        Ok(Hours { days, from_minutes, to_minutes, zone })
    }
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    let mut days: Vec<Weekday> = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (Weekday::named(first)?, Weekday::named(last)?);
        if first > last || days.last().is_some_and(|previous| *previous >= first) {
            return None;
        }
        days.extend(Weekday::ALL.into_iter().filter(|day| (first..=last).contains(day)));
    }
    Some(days)
}

fn parse_times(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (parse_time(from)?, parse_time(to)?);
    (from != to && from < DAY_MINUTES && to > 0).then_some((from, to))
}

fn parse_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
}

fn canonical_zone(name: &str) -> Option<String> {
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    zone.iana_name().map(str::to_owned)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_days(f, &self.days)?;
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, " {}-{} {}", time(self.from_minutes), time(self.to_minutes), self.zone)
    }
}

/// Consecutive days are written as a range from three on.
fn write_days(f: &mut fmt::Formatter<'_>, days: &[Weekday]) -> fmt::Result {
    let runs = days.chunk_by(|a, b| *a as u8 + 1 == *b as u8);
    for (index, run) in runs.enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        match run {
            [first, _, .., last] => write!(f, "{}-{}", first.as_str(), last.as_str())?,
            [first, second] => write!(f, "{},{}", first.as_str(), second.as_str())?,
            _ => f.write_str(run.first().map_or("", |day| day.as_str()))?,
        }
    }
    Ok(())
}

serde_as_text!(Hours);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hours_read_and_print_alike() {
        for text in [
            "Mon-Fri 08:00-18:00 Europe/Berlin",
            "Mon,Wed,Fri-Sun 00:00-24:00 UTC",
            "Sat,Sun 09:30-09:31 America/New_York",
            "Mon-Fri 22:00-06:00 UTC",
        ] {
            assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_week_begins_on_monday() {
        assert_eq!(Weekday::from(jiff::civil::Weekday::Monday), Weekday::Mon);
        assert_eq!(Weekday::from(jiff::civil::Weekday::Sunday), Weekday::Sun);
    }

    #[test]
    fn each_part_is_refused_by_its_own_error() {
        let error = |text: &str| text.parse::<Hours>().unwrap_err();
        assert!(matches!(error("Mon-Fri 08:00-18:00"), HoursError::Form { .. }));
        assert!(matches!(error("Fri-Mon 08:00-18:00 UTC"), HoursError::Days { .. }));
        assert!(matches!(error("Mon,Mon 08:00-18:00 UTC"), HoursError::Days { .. }));
        assert!(matches!(error("Mon 08:00-08:00 UTC"), HoursError::Times { .. }));
        assert!(matches!(error("Mon 18:00-00:00 UTC"), HoursError::Times { .. }), "24:00 is the day's end");
        assert!(matches!(error("Mon 24:00-08:00 UTC"), HoursError::Times { .. }));
        assert!(matches!(error("Mon 8-18 UTC"), HoursError::Times { .. }));
        assert!(matches!(error("Mon 08:00-24:01 UTC"), HoursError::Times { .. }));
        assert!(matches!(error("Mon 08:00-18:00 Europe/Atlantis"), HoursError::Zone { .. }));
    }
}
