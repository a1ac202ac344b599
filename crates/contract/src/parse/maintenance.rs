//! `maintenance`, of a product or a domain.

use super::contract::collect;
use super::keys;
use super::reader::{At, Reader};
use crate::maintenance::{Maintenance, Moment, Once, Weekly};
use crate::rules;

/// A list of maintenances.
pub(super) fn read(reader: &mut Reader, at: At<'_>) -> Option<Vec<Maintenance>> {
    collect(reader.items(&at)?, |at| maintenance(reader, at))
}

fn maintenance(reader: &mut Reader, at: At<'_>) -> Option<Maintenance> {
    let fields = reader.fields(&at, &keys::MAINTENANCE)?;
    let reason = fields.get("reason").and_then(|at| reader.text(&at));
    match (fields.get("from"), fields.get("to"), fields.get("hours")) {
        (Some(from), Some(to), None) => {
            let (from, to_at) = (moment(reader, &from), &to);
            let (from, to) = (from?, moment(reader, to_at)?);
            if to <= from {
                let message = format!("the maintenance ends at {to}, no later than it begins, at {from}");
                reader.refuse(rules::MAINTENANCE_INVALID, to_at.node.mark, message, None);
                return None;
            }
            Some(Maintenance::Once(Once { from: from.0, to: to.0, reason: reason? }))
        }
        (None, None, Some(hours)) => {
            let word = reader.word(&hours, "hours, such as `Sun 02:00-04:00 Europe/Berlin`")?;
            let hours = reader.parsed(rules::HOURS_INVALID, hours.node.mark, word.parse())?;
            Some(Maintenance::Weekly(Weekly { hours, reason: reason? }))
        }
        _ => {
            let message = "a maintenance has either `from` and `to`, or `hours`".to_owned();
            reader.refuse(rules::MAINTENANCE_INVALID, at.node.mark, message, None);
            None
        }
    }
}

fn moment(reader: &mut Reader, at: &At<'_>) -> Option<Moment> {
    let word = reader.word(at, "a moment, such as `2026-12-24 18:00 Europe/Berlin`")?;
    reader.parsed(rules::MAINTENANCE_INVALID, at.node.mark, word.parse())
}
