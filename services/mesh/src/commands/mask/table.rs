//! A record before and after, side by side, with the masked cells marked.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};
use serde_json::Value;
use std::collections::HashSet;

/// What marks a masked cell; colour alone would be lost on paper.
const MARK: &str = "● ";

/// Longest text of a cell, in characters.
const CELL_CHARS_MAX: usize = 80;

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    column: String,
    before: String,
    after: String,
    is_masked: bool,
}

/// The table of a record. `masked_columns` are those that the view masks, also where a value comes out the same.
pub(super) fn render(
    number: u64,
    view: &str,
    before: &Value,
    after: &Value,
    masked_columns: &HashSet<String>,
) -> String {
    let mut rows = Vec::new();
    compare(String::new(), before, Some(after), &mut rows);
    for row in &mut rows {
        row.is_masked |= masked_columns.contains(&without_indexes(&row.column));
    }
    let masked = rows.iter().filter(|row| row.is_masked).count();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        format!("record {number}"),
        "as written".to_owned(),
        format!("in view {view} ({masked} masked)"),
    ]);
    for row in rows {
        let after = if row.is_masked {
            Cell::new(format!("{MARK}{}", row.after)).fg(Color::Yellow).add_attribute(Attribute::Bold)
        } else {
            Cell::new(row.after)
        };
        table.add_row([Cell::new(row.column), Cell::new(row.before), after]);
    }
    table.to_string()
}

/// Walks both in step. `after` is none where the view has no such field.
fn compare(path: String, before: &Value, after: Option<&Value>, rows: &mut Vec<Row>) {
    match (before, after) {
        (Value::Object(fields), Some(Value::Object(shown))) if shown.keys().all(|key| fields.contains_key(key)) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(path, field, shown.get(name), rows);
            }
        }
        // A map whose keys are masked: entry by entry, in order.
        (Value::Object(entries), Some(Value::Object(shown))) if entries.len() == shown.len() => {
            for ((key, value), (shown_key, shown_value)) in entries.iter().zip(shown) {
                let entry = |key: &str, value: &Value| format!("{}: {}", clip(key), text(value));
                rows.push(Row {
                    column: format!("{path}{{}}"),
                    before: entry(key, value),
                    after: entry(shown_key, shown_value),
                    is_masked: true,
                });
            }
        }
        (Value::Array(items), Some(Value::Array(shown))) if items.len() == shown.len() && !items.is_empty() => {
            for (index, (item, shown)) in items.iter().zip(shown).enumerate() {
                compare(format!("{path}[{index}]"), item, Some(shown), rows);
            }
        }
        (_, Some(after)) => {
            rows.push(Row { column: path, before: text(before), after: text(after), is_masked: before != after });
        }
        (_, None) => {
            let after = "(not in this view)".to_owned();
            rows.push(Row { column: path, before: text(before), after, is_masked: true });
        }
    }
}

/// `contacts[0].email` as `contacts[].email`.
fn without_indexes(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| format!("{path}[{}", part.trim_start_matches(|c: char| c.is_ascii_digit())))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => clip(text),
        other => clip(&other.to_string()),
    }
}

/// A text cut to a cell, without anything that a terminal would obey.
fn clip(text: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut clipped: String = text.chars().take(CELL_CHARS_MAX).map(printable).collect();
    if text.chars().nth(CELL_CHARS_MAX).is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn masked_cells_are_marked() {
        let before = json!({
            "id": "c-1", "email": "jane@example.org", "notes": "x\u{1b}[2J", "gone": 7,
            "contacts": [{"kind": "work", "email": "jane@work.example"}], "labels": {"nick": "jd"}, "tags": [], "same": [{"k2": "***"}]
        });
        let after = json!({
            "id": "c-1", "email": "5f2a", "notes": "x\u{1b}[2J",
            "contacts": [{"kind": "work", "email": "77ab"}], "labels": {"9c01": "44de"}, "tags": [],
            "same": [{"k2": "***"}]
        });
        let masked = HashSet::from(["same[].k2".to_owned()]);
        insta::assert_snapshot!(render(1, "masked", &before, &after, &masked));
    }
}
