//! The state of products as people read it.

use super::Row;
use comfy_table::{Table, presets::NOTHING};

pub(super) fn render(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["product", "view", "state", "age", "promise", "owner"]);
    for row in rows {
        let product = format!("{}@{}", row.product, row.version);
        let age = row.age_seconds.map_or_else(|| "-".to_owned(), span);
        let (state, promise) = (row.state.to_string(), row.promise.clone());
        table.add_row([product, row.view.clone(), state, age, promise, row.owner.clone()]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
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
