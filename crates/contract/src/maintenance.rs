//! Planned maintenance: times in which a product need not be fresh, whatever it promises otherwise.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Serialize};

use crate::hours::Hours;

/// A planned maintenance of a product, or of all products of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Maintenance {
    /// Once.
    Once(Once),
    /// Each week.
    Weekly(Weekly),
}

/// A maintenance from one moment to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Once {
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last; later than the first.
    pub to: Timestamp,
    /// Why.
    pub reason: String,
}

/// A maintenance that comes each week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weekly {
    /// When.
    pub hours: Hours,
    /// Why.
    pub reason: String,
}

impl Maintenance {
    /// Why.
    pub fn reason(&self) -> &str {
        match self {
            Self::Once(once) => &once.reason,
            Self::Weekly(weekly) => &weekly.reason,
        }
    }
}

/// A moment as people write it: `2026-12-24 18:00 Europe/Berlin`, or as RFC 3339 has it, `2026-12-24T17:00:00Z`. Of a time that
/// the clocks show twice it is the first, of one that they skip the one after the gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

/// Not a moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a moment: write `2026-12-24 18:00 Europe/Berlin`, or `2026-12-24T17:00:00Z`")]
pub struct MomentError(String);

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Moment, MomentError> {
        let moment = text.parse().ok().or_else(|| civil(text));
        moment.map(Moment).ok_or_else(|| MomentError(text.chars().take(80).collect()))
    }
}

/// A day, a time and a time zone.
fn civil(text: &str) -> Option<Timestamp> {
    let (local, zone) = text.rsplit_once(' ')?;
    let digits = local.len() == 16 && local.as_bytes().get(10) == Some(&b' ');
    let local: DateTime = local.parse().ok().filter(|_| digits)?;
    let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
    Some(zone.to_ambiguous_zoned(local).compatible().ok()?.timestamp())
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn moments_are_read_as_people_and_machines_write_them() {
        let read = |text: &str| text.parse::<Moment>().unwrap().to_string();
        assert_eq!(read("2026-12-24 18:00 Europe/Berlin"), "2026-12-24T17:00:00Z");
        assert_eq!(read("2026-12-24T18:00:00+01:00"), "2026-12-24T17:00:00Z");
        assert_eq!(read("2026-12-24T17:00Z"), "2026-12-24T17:00:00Z");
        assert_eq!(read("2026-03-29 02:30 Europe/Berlin"), "2026-03-29T01:30:00Z", "the clocks skip it");
        assert_eq!(read("2026-10-25 02:30 Europe/Berlin"), "2026-10-25T00:30:00Z", "the clocks show it twice");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "today",
            "2026-12-24",
            "2026-12-24 18:00",
            "2026-12-24 18:00 Mars/Crater",
            "2026-02-30 18:00 UTC",
            "2026-12-24T18:00:00",
            "18:00 UTC",
            "2026-12-24  8:00 UTC",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn its_json_tells_once_from_weekly() {
        let once = r#"{"from":"2026-12-24T17:00:00Z","to":"2026-12-27T05:00:00Z","reason":"year's end"}"#;
        let weekly = r#"{"hours":"Sun 02:00-04:00 UTC","reason":"patches"}"#;
        for json in [once, weekly] {
            let maintenance: Maintenance = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&maintenance).unwrap(), json);
        }
        assert!(serde_json::from_str::<Maintenance>(r#"{"from":"2026-12-24T17:00:00Z","reason":"?"}"#).is_err());
    }
}
