//! JSON values as the YAML that people read and edit: block style, two spaces a level.

use std::fmt::Write as _;

use serde_json::Value;

/// What plain scalars must not be, lest YAML reads them as something else than a string. YAML 1.1's as well: what reads these
/// files may be of that age.
const RESERVED: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];

/// One document, without a marker before it.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    block(&mut text, value, 0);
    text.trim_start_matches('\n').to_owned() + "\n"
}

/// Appends what stands after a key's `:` or an item's `-`.
fn block(text: &mut String, value: &Value, level: usize) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                // Writing to a String cannot fail, here and below.
                let _ = write!(text, "\n{:indent$}{}:", "", scalar(key), indent = level * 2);
                block(text, value, level + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                block(&mut inner, item, level + 1);
                // an item's first line stands beside its dash
                let _ = write!(text, "\n{:indent$}- {}", "", inner.trim_start(), indent = level * 2);
            }
        }
        Value::String(string) => {
            let _ = write!(text, " {}", scalar(string));
        }
        other => {
            let _ = write!(text, " {other}");
        }
    }
}

/// Plain where that is beyond doubt; else a JSON string, which is a YAML string.
fn scalar(string: &str) -> String {
    let begins = string.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = string.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.'));
    let is_reserved = RESERVED.contains(&string.to_ascii_lowercase().as_str());
    if begins && plain && !is_reserved { string.to_owned() } else { Value::from(string).to_string() }
}

#[cfg(test)]
mod tests {
    use saphyr::{LoadableYamlNode, Yaml};
    use serde_json::json;

    use super::*;

    /// As a YAML library reads it.
    fn read(node: &Yaml<'_>) -> Value {
        if let Some(items) = node.as_sequence() {
            return items.iter().map(read).collect();
        }
        if let Some(entries) = node.as_mapping() {
            let entry = |(key, value): (&Yaml<'_>, &Yaml<'_>)| (key.as_str().unwrap_or("").to_owned(), read(value));
            return Value::Object(entries.iter().map(entry).collect());
        }
        let scalar = node.as_bool().map(Value::from).or_else(|| node.as_integer().map(Value::from));
        let scalar = scalar.or_else(|| node.as_floating_point().map(Value::from));
        scalar.or_else(|| node.as_str().map(Value::from)).unwrap_or(Value::Null)
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = json!({
            "plain": "crm.customers", "number": 3, "share": 0.995, "none": null, "yes": true, "empty": [], "nothing": {},
            "texts": ["", "no", "NaN", "5m", "a: b", "# no comment", "- x", "{{ $labels }}", "two\nlines", "\"'\\", "ü \u{7f}", "1e3", "~"],
            "nested": [[1, [2, 3]], { "a": { "b": [{ "c": 1, "d": [] }] }, "e": "f" }, []],
        });
        let text = document(&value);
        let documents = Yaml::load_from_str(&text).expect("YAML");
        assert_eq!(documents.iter().map(read).collect::<Vec<_>>(), [value], "{text}");
    }
}
