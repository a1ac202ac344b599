//! How much there was in each hour of the last day, or day of the last week: `/api/v1/stats/…`.

use std::collections::BTreeMap;
use std::ops::Range;

use axum::Json;
use axum::extract::State as Extract;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Unit, Zoned};
use serde_json::{Value, json};

use super::asked::{Asked, Period, Stats};
use super::problem::Problem;
use super::render;
use crate::State;
use crate::graph::Moment;

type Answer = Result<Json<Value>, Problem>;

/// Hours of a day, days of a week: the last is the present one.
const HOURS: i64 = 24;
const DAYS: i64 = 7;

pub(super) async fn lineage_events(Extract(state): Extract<State>, Asked(stats): Asked<Stats>) -> Answer {
    let intervals = intervals(&stats, Timestamp::now())?;
    Ok(state.recent(|recent| {
        let told = intervals.iter().map(|interval| {
            let counted = recent.transitions(interval);
            let mut told = bounds(interval);
            told["fail"] = json!(counted.fail);
            told["start"] = json!(counted.start);
            told["complete"] = json!(counted.complete);
            told["abort"] = json!(counted.abort);
            told
        });
        Json(told.collect())
    }))
}

pub(super) async fn jobs(Extract(state): Extract<State>, Asked(stats): Asked<Stats>) -> Answer {
    heard_of(&state, &stats, |moment| moment.jobs().map(|(_, job)| job.heard.first_ms).collect())
}

pub(super) async fn datasets(Extract(state): Extract<State>, Asked(stats): Asked<Stats>) -> Answer {
    heard_of(&state, &stats, |moment| moment.datasets().map(|(_, dataset)| dataset.heard.first_ms).collect())
}

/// A source is what data sets are in: a cluster, a database.
pub(super) async fn sources(Extract(state): Extract<State>, Asked(stats): Asked<Stats>) -> Answer {
    heard_of(&state, &stats, |moment| {
        let mut sources = BTreeMap::<&str, i64>::new();
        for (_, dataset) in moment.datasets() {
            let first_ms = sources.entry(dataset.namespace()).or_insert(dataset.heard.first_ms);
            *first_ms = dataset.heard.first_ms.min(*first_ms);
        }
        sources.into_values().collect()
    })
}

/// How many had been heard of by the end of each interval.
fn heard_of(state: &State, stats: &Stats, all: impl FnOnce(Moment<'_>) -> Vec<i64>) -> Answer {
    let intervals = intervals(stats, Timestamp::now())?;
    let mut first_ms = state.read(|graph| all(graph.now()));
    first_ms.sort_unstable();
    let told = intervals.iter().map(|interval| {
        let mut told = bounds(interval);
        told["count"] = json!(first_ms.partition_point(|first_ms| *first_ms < interval.end));
        told
    });
    Ok(Json(told.collect()))
}

fn bounds(interval: &Range<i64>) -> Value {
    json!({ "startInterval": render::instant(interval.start), "endInterval": render::instant(interval.end) })
}

/// In milliseconds since 1970, oldest first.
fn intervals(stats: &Stats, now: Timestamp) -> Result<Vec<Range<i64>>, Problem> {
    let zone = match (&stats.timezone, stats.period) {
        (Some(name), _) => {
            TimeZone::get(name).map_err(|_| Problem::bad_request("timezone is no name such as Europe/Berlin"))?
        }
        (None, Period::Day) => TimeZone::UTC,
        (None, Period::Week) => return Err(Problem::bad_request("Timezone must be specified for period 'WEEK'")),
    };
    let unit = if stats.period == Period::Day { Unit::Hour } else { Unit::Day };
    let out_of_range = |_| Problem::bad_request("the interval is out of range");
    let begin = now.to_zoned(zone).round(jiff::ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Floor));
    let begin = begin.map_err(out_of_range)?;
    let at = |index: i64| -> Result<i64, jiff::Error> {
        let span = if unit == Unit::Hour { (index - HOURS + 1).hours() } else { (index - DAYS + 1).days() };
        begin.checked_add(span).map(|at: Zoned| at.timestamp().as_millisecond())
    };
    let count = if unit == Unit::Hour { HOURS } else { DAYS };
    let interval = |index| Ok(at(index)?..at(index + 1)?);
    (0..count).map(interval).collect::<Result<_, jiff::Error>>().map_err(out_of_range)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(period: Period, timezone: Option<&str>) -> Vec<(String, String)> {
        let stats = Stats { period, timezone: timezone.map(str::to_owned) };
        let now = "2026-10-26T10:20:30Z".parse().unwrap();
        let found = intervals(&stats, now).unwrap();
        found.iter().map(|it| (render::instant(it.start), render::instant(it.end))).collect()
    }

    #[test]
    fn a_day_has_the_last_twenty_four_hours() {
        let hours = of(Period::Day, None);
        assert_eq!((hours.len(), &*hours[0].0), (24, "2026-10-25T11:00:00Z"));
        assert_eq!(hours[23], ("2026-10-26T10:00:00Z".to_owned(), "2026-10-26T11:00:00Z".to_owned()));
    }

    #[test]
    fn a_week_has_the_days_of_a_place_also_those_of_other_lengths() {
        let days = of(Period::Week, Some("Europe/Berlin"));
        assert_eq!((days.len(), &*days[0].0), (7, "2026-10-19T22:00:00Z"));
        assert_eq!(days[5], ("2026-10-24T22:00:00Z".to_owned(), "2026-10-25T23:00:00Z".to_owned()), "summer time ends");
        let nowhere = Stats { period: Period::Week, timezone: None };
        assert!(intervals(&nowhere, Timestamp::UNIX_EPOCH).is_err(), "whose days?");
    }
}
