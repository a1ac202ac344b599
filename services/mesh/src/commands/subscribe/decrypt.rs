//! Encrypted columns in clear again, for who holds the keys.

use crate::failure::Failure;
use mesh_avro::keys::KeyRing;
use mesh_avro::mask::{DecryptError, Rules, decrypt_bytes, decrypt_text};
use mesh_avro::schema::Schema;
use mesh_contract::{AppliedProduct, ColumnPath, MaskRule, Step};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Decrypts the values of a view.
pub(super) struct Decrypter {
    keys: Arc<dyn KeyRing>,
    /// `crm.customers.v1`
    product: String,
    columns: Vec<Column>,
    /// Values whose keys are gone.
    pub(super) forgotten: u64,
}

struct Column {
    name: String,
    class: String,
    steps: Vec<Step>,
}

impl Decrypter {
    /// What the contract in force says is encrypted in the view.
    pub(super) fn new(product: &AppliedProduct, view: &str, keys: Arc<dyn KeyRing>) -> Result<Self, Failure> {
        let unusable =
            || Failure::usage("cannot tell which columns are encrypted: the contract as applied is of no use");
        let schema = Schema::parse_value(&product.schema).map_err(|error| unusable().because(error))?;
        let rules = Rules::of_applied(&product.contract, &schema).map_err(|_| unusable())?;
        let at = rules.views().iter().position(|known| known == view);
        let encrypted = rules.masked(at.unwrap_or(usize::MAX)).filter(|(_, rule)| *rule == Some(&MaskRule::Encrypt));
        let column = |(name, _): (&str, _)| {
            let class = rules.columns().find(|(column, _)| *column == name).map(|(_, class)| class.to_owned())?;
            let path: ColumnPath = name.parse().ok()?;
            Some(Column { name: name.to_owned(), class, steps: path.steps().to_vec() })
        };
        let columns: Vec<Column> = encrypted.filter_map(column).collect();
        if columns.is_empty() {
            return Err(
                Failure::usage(format!("no column of the view {view} is encrypted")).hint("leave --decrypt out")
            );
        }
        let product = format!("{}.v{}", product.contract.product(), product.contract.version);
        Ok(Self { keys, product, columns, forgotten: 0 })
    }

    /// The columns that are decrypted.
    pub(super) fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// Puts what can be decrypted in clear; what cannot be stays as it is.
    pub(super) fn decrypt(&mut self, value: &mut Value) {
        let Decrypter { keys, product, columns, forgotten } = self;
        for column in columns {
            let mut open = |sealed: &str| {
                let opened = opened(&**keys, product, column, sealed);
                *forgotten += u64::from(opened == Err(DecryptError::Forgotten));
                opened.ok()
            };
            walk(value, &column.steps, &mut open);
        }
    }
}

/// A value as it is in JSON: text, or bytes as code points up to U+00FF.
fn opened(keys: &dyn KeyRing, product: &str, column: &Column, sealed: &str) -> Result<String, DecryptError> {
    match decrypt_text(keys, &column.class, product, &column.name, sealed) {
        Err(DecryptError::Form) => {}
        opened => return opened,
    }
    let bytes = sealed.chars().map(|point| u8::try_from(point).map_err(|_| DecryptError::Form));
    let bytes = bytes.collect::<Result<Vec<u8>, DecryptError>>()?;
    let clear = decrypt_bytes(keys, &column.class, product, &column.name, &bytes)?;
    Ok(clear.into_iter().map(char::from).collect())
}

/// Goes along a column's path, and opens every text at its end.
fn walk(value: &mut Value, steps: &[Step], open: &mut impl FnMut(&str) -> Option<String>) {
    match (steps.split_first(), value) {
        (None, value) => open_all(value, open),
        (Some((Step::Field(name), rest)), Value::Object(fields)) => {
            fields.get_mut(name).into_iter().for_each(|field| walk(field, rest, open));
        }
        (Some((Step::Items, rest)), Value::Array(items)) => items.iter_mut().for_each(|item| walk(item, rest, open)),
        (Some((Step::Values, rest)), Value::Object(entries)) => {
            entries.values_mut().for_each(|entry| walk(entry, rest, open));
        }
        // null, or of another shape
        _ => {}
    }
}

/// A column that is a record, array or map means every leaf in it, a map's keys included.
fn open_all(value: &mut Value, open: &mut impl FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(clear) = open(text) {
                *text = clear;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| open_all(item, open)),
        Value::Object(entries) => {
            let opened: Map<String, Value> = std::mem::take(entries)
                .into_iter()
                .map(|(key, mut entry)| {
                    open_all(&mut entry, open);
                    (open(&key).unwrap_or(key), entry)
                })
                .collect();
            *entries = opened;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Opens what ends in `!`.
    fn opened(column: &str, mut value: Value) -> Value {
        let path: ColumnPath = column.parse().expect("a path");
        walk(&mut value, path.steps(), &mut |text| text.strip_suffix('!').map(str::to_owned));
        value
    }

    #[test]
    fn only_what_the_column_means_is_opened() {
        let value = json!({ "a": "1!", "b": { "c": "2!", "d": "3" }, "e": ["4!", null], "f": { "5!": { "g": "6!" } } });
        let seen = |column: &str, pointer: &str| opened(column, value.clone()).pointer(pointer).cloned();
        assert_eq!(seen("a", "/a"), Some(json!("1")));
        assert_eq!(seen("a", "/b"), Some(value["b"].clone()));
        assert_eq!(seen("b", "/b"), Some(json!({ "c": "2", "d": "3" })));
        assert_eq!(seen("b.c", "/b/c"), Some(json!("2")));
        assert_eq!(seen("e[]", "/e"), Some(json!(["4", null])));
        assert_eq!(seen("f", "/f"), Some(json!({ "5": { "g": "6" } })));
        assert_eq!(seen("f{}.g", "/f"), Some(json!({ "5!": { "g": "6" } })));
        assert_eq!(opened("a.x[]", value.clone()), value);
    }
}
