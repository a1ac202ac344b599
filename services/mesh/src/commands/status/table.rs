//! The state of products as people read it.

use super::row::Row;
use comfy_table::{Table, presets::NOTHING};
use jiff::Timestamp;

const HEADER: [&str; 12] =
    ["product", "view", "state", "since", "age", "promise", "source", "delivery", "budget", "burn", "owner", "note"];

pub(super) fn render(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(HEADER);
    rows.iter().for_each(|row| _ = table.add_row(cells(row)));
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

fn cells(row: &Row) -> [String; 12] {
    let told = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        format!("{}@{}", row.product, row.version),
        row.view.clone(),
        row.state.to_string(),
        told(row.since.zip(row.evaluated_at).map(|(since, evaluated_at)| ago(since, evaluated_at))),
        told(row.age_seconds.map(span)),
        row.promise.clone(),
        told(row.source_delay_ms.map(delay)),
        told(row.delivery_delay_ms.map(delay)),
        told(row.budget_remaining.map(|share| format!("{:.1} %", share * 100.0))),
        told(row.burn.get("1h").map(|rate| format!("{rate:.1}"))),
        row.owner.clone(),
        note(row),
    ]
}

/// Who acts, and why: nothing if nobody has to.
fn note(row: &Row) -> String {
    let alert = row.alert.map(|severity| severity.as_str().to_owned());
    let causes = (!row.causes.is_empty()).then(|| format!("because of {}", row.causes.join(", ")));
    let maintenance = row.maintenance.as_ref().map(|reason| format!("maintenance: {reason}"));
    alert.into_iter().chain(causes).chain(maintenance).collect::<Vec<_>>().join("; ")
}

fn ago(since: Timestamp, now: Timestamp) -> String {
    span(u64::try_from(now.as_second() - since.as_second()).unwrap_or(0))
}

/// A delay: milliseconds where it is less than a second.
fn delay(ms: i64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { span(ms.unsigned_abs() / 1_000) }
}

/// A span of time in its two largest units: `2 d 3 h`.
pub(super) fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(length, _)| seconds >= *length).unwrap_or(units.len() - 1);
    let (length, name) = units[first];
    let rest = units.get(first + 1).map(|(next, unit)| (seconds % length / next, unit));
    let rest =
        rest.filter(|(count, _)| *count > 0).map_or_else(String::new, |(count, unit)| format!(" {count} {unit}"));
    format!("{} {name}{rest}", seconds / length)
}
