//! `refresh_rate`, short and long.

use super::contract::collect;
use super::keys;
use super::reader::{At, Reader, shown};
use crate::holiday::{Holiday, OfficeHours};
use crate::hours::Hours;
use crate::refresh::RefreshRate;
use crate::yaml::Kind;
use crate::{objective, refresh, rules};

/// A duration, or a mapping.
pub(super) fn read(reader: &mut Reader, at: At<'_>) -> Option<RefreshRate> {
    if !matches!(at.node.kind, Kind::Map(_)) {
        return reader.span(&at).map(RefreshRate::every);
    }
    let fields = reader.fields(&at, &keys::REFRESH_RATE)?;
    let every = fields.get("every").and_then(|at| reader.span(&at));
    let event_time = fields.or(reader, "event_time", None, |reader, at| reader.column(&at).map(Some));
    let objective = fields.or(reader, "objective", objective::DEFAULT, percentage);
    let over = fields.or(reader, "over", refresh::default_window(), |reader, at| reader.span(&at));
    let hours = fields.or(reader, "hours", None, |reader, at| office_hours(reader, at).map(Some));
    Some(RefreshRate { every: every?, event_time: event_time?, objective: objective?, over: over?, hours: hours? })
}

/// Hours, or a mapping that names holidays as well.
fn office_hours(reader: &mut Reader, at: At<'_>) -> Option<OfficeHours> {
    if !matches!(at.node.kind, Kind::Map(_)) {
        return hours(reader, &at).map(OfficeHours::from);
    }
    let fields = reader.fields(&at, &keys::HOURS)?;
    let open = fields.get("at").and_then(|at| hours(reader, &at));
    let except = fields.or(reader, "except", Vec::new(), holidays);
    Some(OfficeHours { at: open?, except: except? })
}

fn hours(reader: &mut Reader, at: &At<'_>) -> Option<Hours> {
    let word = reader.word(at, "hours, such as `Mon-Fri 08:00-18:00 Europe/Berlin`")?;
    reader.parsed(rules::HOURS_INVALID, at.node.mark, word.parse())
}

fn holidays(reader: &mut Reader, at: At<'_>) -> Option<Vec<Holiday>> {
    let holidays = collect(reader.items(&at)?, |at| {
        let word = reader.word(&at, "a day, such as `2027-03-26`")?;
        reader.parsed(rules::HOLIDAY_INVALID, at.node.mark, word.parse::<Holiday>())
    })?;
    reader.refuse_repeats(&at.path, &holidays, Holiday::to_string);
    Some(holidays)
}

fn percentage(reader: &mut Reader, at: At<'_>) -> Option<f64> {
    let word = reader.word(&at, "a percentage, such as `99.5 %`")?;
    let objective = objective::parse(word);
    if objective.is_none() {
        let message = format!("\"{}\" is not an objective", shown(word));
        reader.refuse(rules::OBJECTIVE_INVALID, at.node.mark, message, None);
    }
    objective
}
