//! The same record as several groups see it, column by column.

use super::story::SideBySide;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is shown of a customer, in this order.
const COLUMNS: [&str; 9] = [
    "customer_id",
    "full_name",
    "email",
    "phone",
    "birth_date",
    "address.street",
    "address.city",
    "contacts[].email",
    "segment",
];

/// How long a whole hash is, and how much of it is shown.
const HASH_DIGITS: usize = 64;
const HASH_DIGITS_SHOWN: usize = 12;

/// One group's sight of the record.
#[derive(Debug, Clone)]
pub struct Sight {
    pub group: String,
    pub view: String,
    pub record: Value,
}

/// The table of what each of them sees.
pub fn compare(customer_id: &str, sights: &[Sight]) -> SideBySide {
    let seen: Vec<BTreeMap<String, String>> = sights.iter().map(|sight| columns(&sight.record)).collect();
    SideBySide {
        customer_id: customer_id.to_owned(),
        groups: sights.iter().map(|sight| (sight.group.clone(), sight.view.clone())).collect(),
        rows: COLUMNS.iter().map(|column| row(column, &seen)).collect(),
        elsewhere: None,
    }
}

fn row(column: &str, seen: &[BTreeMap<String, String>]) -> (String, Vec<String>) {
    let cell = |seen: &BTreeMap<String, String>| seen.get(column).cloned().unwrap_or_else(|| "-".to_owned());
    (column.to_owned(), seen.iter().map(cell).collect())
}

/// A record's leaves by path; the items of an array share one, `contacts[].email`.
fn columns(record: &Value) -> BTreeMap<String, String> {
    let mut columns = BTreeMap::new();
    collect(record, String::new(), &mut columns);
    columns
}

fn collect(value: &Value, path: String, columns: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, path, columns);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, format!("{path}[]"), columns)),
        leaf => {
            let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
            let joined = columns.entry(path).or_default();
            if !joined.is_empty() {
                joined.push('\n');
            }
            joined.push_str(&shortened(&text));
        }
    }
}

/// A hash is known by its beginning.
fn shortened(text: &str) -> String {
    let is_hash = text.len() == HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { format!("{}...", &text[..HASH_DIGITS_SHOWN]) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hashes_are_shortened_and_nothing_else() {
        assert_eq!(shortened(&"9f".repeat(32)), "9f9f9f9f9f9f...");
        assert_eq!(shortened("+1-212-555-0142"), "+1-212-555-0142");
        assert_eq!(shortened(&"n".repeat(64)), "n".repeat(64));
    }

    #[test]
    fn columns_line_up_and_items_share_one() {
        let sight = |group: &str, email: &str| Sight {
            group: group.to_owned(),
            view: "masked".to_owned(),
            record: json!({
                "customer_id": "C1",
                "email": email,
                "phone": null,
                "contacts": [{"kind": "gift", "email": "a"}, {"kind": "gift", "email": "b"}],
            }),
        };
        let table = compare("C1", &[sight("analysts", "9f86"), sight("stewards", "ada@example.org")]);
        let row = |name: &str| table.rows.iter().find(|(column, _)| column == name).map(|(_, cells)| cells.clone());
        assert_eq!(row("email"), Some(vec!["9f86".to_owned(), "ada@example.org".to_owned()]));
        assert_eq!(row("contacts[].email"), Some(vec!["a\nb".to_owned(); 2]));
        assert_eq!(row("phone"), Some(vec!["null".to_owned(); 2]));
        assert_eq!(row("address.street"), Some(vec!["-".to_owned(); 2]), "a column that is not there");
    }
}
