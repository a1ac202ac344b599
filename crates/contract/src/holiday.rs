//! Days on which the hours of a promise do not open: `{ at: "Mon-Fri 08:00-18:00 Europe/Berlin", except: [12-25, 2027-03-26] }`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::hours::{Hours, HoursError};
use crate::text::serde_as_text;

/// A leap year: every day that some year has.
const LEAP_YEAR: i16 = 2_000;

/// A day on which hours do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holiday {
    /// Of one year: `2027-03-26`.
    Once(Date),
    /// Of each year that has it: `12-25`.
    Yearly {
        /// From 1.
        month: i8,
        /// From 1.
        day: i8,
    },
}

/// Not a holiday.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day of a year")]
pub struct HolidayError(String);

/// When a promise counts: hours of the week, but for holidays. Written as the hours alone where there are none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct OfficeHours {
    /// The hours of each week.
    pub at: Hours,
    /// The days, in the hours' zone, on which they do not open; hours that opened the day before end as ever.
    pub except: Vec<Holiday>,
}

/// The two forms of office hours.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Short(Hours),
    Long(Long),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    at: Hours,
    except: Vec<Holiday>,
}

impl Holiday {
    /// Whether this day is one.
    pub fn is_on(self, date: Date) -> bool {
        match self {
            Self::Once(day) => day == date,
            Self::Yearly { month, day } => (month, day) == (date.month(), date.day()),
        }
    }
}

impl FromStr for Holiday {
    type Err = HolidayError;

    fn from_str(text: &str) -> Result<Holiday, HolidayError> {
        let refused = || HolidayError(text.chars().take(80).collect());
        // dates alone: what jiff reads besides (a time, a zone, other ways to write a date) is refused
        let date = |text: &str| text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        match date(text) {
            Some(date) => Ok(Holiday::Once(date)),
            None => {
                let date = date(&format!("{LEAP_YEAR}-{text}")).ok_or_else(refused)?;
                Ok(Holiday::Yearly { month: date.month(), day: date.day() })
            }
        }
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once(date) => write!(f, "{date}"),
            Self::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
        }
    }
}

/// The short form.
impl FromStr for OfficeHours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<OfficeHours, HoursError> {
        text.parse().map(Hours::into)
    }
}

impl fmt::Display for OfficeHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)?;
        for (index, holiday) in self.except.iter().enumerate() {
            write!(f, "{}{holiday}", if index == 0 { " except " } else { ", " })?;
        }
        Ok(())
    }
}

impl From<Hours> for OfficeHours {
    fn from(at: Hours) -> Self {
        Self { at, except: Vec::new() }
    }
}

impl From<Written> for OfficeHours {
    fn from(written: Written) -> Self {
        match written {
            Written::Short(at) => at.into(),
            Written::Long(Long { at, except }) => Self { at, except },
        }
    }
}

impl From<OfficeHours> for Written {
    fn from(OfficeHours { at, except }: OfficeHours) -> Self {
        if except.is_empty() { Self::Short(at) } else { Self::Long(Long { at, except }) }
    }
}

serde_as_text!(Holiday);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn holidays_read_and_print_alike() {
        for text in ["2027-03-26", "12-25", "02-29", "2028-02-29"] {
            assert_eq!(text.parse::<Holiday>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_no_year_has_is_refused() {
        for text in ["", "2027-02-29", "02-30", "13-01", "2027-3-26", "12-25 ", "2027-03-26T00:00", "20270326", "1225"]
        {
            assert!(text.parse::<Holiday>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_of_each_year_is_on_it_every_year() {
        let on = |holiday: &str, date: &str| holiday.parse::<Holiday>().unwrap().is_on(date.parse().unwrap());
        assert!(on("12-25", "2026-12-25") && on("12-25", "2031-12-25") && !on("12-25", "2026-12-24"));
        assert!(on("2027-03-26", "2027-03-26") && !on("2027-03-26", "2028-03-26"));
    }

    #[test]
    fn people_read_holidays_behind_the_hours() {
        let hours: OfficeHours = "Mon-Fri 08:00-18:00 UTC".parse().unwrap();
        assert_eq!(hours.to_string(), "Mon-Fri 08:00-18:00 UTC");
        let except = ["12-25", "2027-03-26"].map(|day| day.parse().unwrap()).to_vec();
        assert_eq!(OfficeHours { except, ..hours }.to_string(), "Mon-Fri 08:00-18:00 UTC except 12-25, 2027-03-26");
    }

    #[test]
    fn hours_without_holidays_are_written_as_before() {
        let json =
            |text: &str| serde_json::from_str::<OfficeHours>(text).map(|hours| serde_json::to_string(&hours).unwrap());
        for text in
            [r#""Mon-Fri 08:00-18:00 UTC""#, r#"{"at":"Mon-Fri 08:00-18:00 UTC","except":["12-25","2027-03-26"]}"#]
        {
            assert_eq!(json(text).unwrap(), text);
        }
        assert!(json(r#"{"at":"Mon-Fri 08:00-18:00 UTC","except":["Christmas"]}"#).is_err());
    }
}
