//! When hours of the week are open. Pure; days are as long as their zone says.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};
use mesh_contract::{Holiday, Hours, OfficeHours, Weekday};

use super::Span;

/// Hours of the week in their zone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Week {
    hours: Hours,
    except: Vec<Holiday>,
    zone: TimeZone,
}

impl Week {
    /// None if the zone is unknown.
    pub(super) fn new(hours: &Hours) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(&hours.zone).ok()?;
        Some(Self { hours: hours.clone(), except: Vec::new(), zone })
    }

    /// The same, but for holidays.
    pub(super) fn of(office: &OfficeHours) -> Option<Self> {
        Some(Self { except: office.except.clone(), ..Self::new(&office.at)? })
    }

    /// When they are open within a span, in order; none if no calendar has such a time.
    pub(super) fn open(&self, within: Span) -> Option<Vec<Span>> {
        let date = |ms| Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(self.zone.clone()).date());
        // what opened yesterday may close today
        let (mut day, last) = (date(within.from_ms)?.yesterday().ok()?, date(within.to_ms)?);
        let mut open: Vec<Span> = Vec::new();
        while day <= last {
            if self.opens_on(day) {
                let span = self.day(day)?.and(within);
                match open.last_mut().filter(|before| before.to_ms >= span.from_ms) {
                    // the clocks may put a closing after the next opening
                    Some(before) => before.to_ms = before.to_ms.max(span.to_ms),
                    None if span.is_empty() => {}
                    None => open.push(span),
                }
            }
            day = day.tomorrow().ok()?;
        }
        Some(open)
    }

    fn opens_on(&self, day: Date) -> bool {
        let is_among_the_days = self.hours.days.contains(&Weekday::from(day.weekday()));
        is_among_the_days && !self.except.iter().any(|holiday| holiday.is_on(day))
    }

    /// A day's hours; those that end before they begin end on the next day.
    fn day(&self, day: Date) -> Option<Span> {
        let Hours { from_minutes, to_minutes, .. } = self.hours;
        let closes = if to_minutes <= from_minutes { day.tomorrow().ok()? } else { day };
        Some(Span::new(self.moment_ms(day, from_minutes)?, self.moment_ms(closes, to_minutes)?))
    }

    /// A time of a day; 24:00 is the next day's midnight. A time that the clocks skip is the one after the gap, one that
    /// they show twice is the first.
    fn moment_ms(&self, day: Date, minutes: u16) -> Option<i64> {
        let moment = day.at(0, 0, 0, 0).checked_add(i64::from(minutes).minutes()).ok()?;
        Some(self.zone.to_ambiguous_zoned(moment).compatible().ok()?.timestamp().as_millisecond())
    }
}
