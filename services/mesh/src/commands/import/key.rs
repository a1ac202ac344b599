//! Which column keys the records, from the records themselves. What they hold is compared and forgotten.

use super::said::{Said, Weight};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const KEY: &str = "key";

/// A record's key.
#[derive(Debug)]
pub(super) enum RecordKey {
    /// Text as it is.
    Text(String),
    /// Avro in the wire format: a single value.
    Value(Value),
    /// Avro in the wire format: a record, or another type of several values.
    Compound,
    /// Neither.
    Opaque,
}

/// A column that could key records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) name: String,
    /// Whether it is text, whose keys are written as they are.
    pub(super) is_text: bool,
}

/// What the records say of their keys.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    records: usize,
    keyless: usize,
    compound: usize,
    opaque: usize,
    /// How many were compared with their columns.
    compared: usize,
    /// The columns that equalled the key in all of them.
    equal: Option<BTreeSet<Candidate>>,
    /// The same of columns that are no text, whose text the key is: not as the mesh's producers write them.
    as_text: Option<BTreeSet<Candidate>>,
}

impl Evidence {
    /// Takes a record: its key, and its columns where it is no tombstone.
    pub(super) fn take(&mut self, key: Option<&RecordKey>, columns: Option<&Map<String, Value>>, all: &[Candidate]) {
        self.records += 1;
        match key {
            None => self.keyless += 1,
            Some(RecordKey::Compound) => self.compound += 1,
            Some(RecordKey::Opaque) => self.opaque += 1,
            Some(RecordKey::Text(_) | RecordKey::Value(_)) => {}
        }
        let (Some(key), Some(columns)) = (key, columns) else { return };
        let (text, value) = match key {
            RecordKey::Text(text) => (Some(text.as_str()), None),
            RecordKey::Value(value) => (value.as_str(), Some(value)),
            _ => return,
        };
        self.compared += 1;
        let of = |candidate: &&Candidate| columns.get(&candidate.name);
        let is_equal = |candidate: &&Candidate| match candidate.is_text {
            true => text.is_some() && of(candidate).and_then(Value::as_str) == text,
            false => value.is_some() && of(candidate) == value,
        };
        let is_its_text = |candidate: &&Candidate| {
            let scalar = of(candidate).filter(|value| value.is_number() || value.is_string());
            let shown = scalar.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            !candidate.is_text && value.is_none() && shown.as_deref() == text
        };
        keep(&mut self.equal, all, is_equal);
        keep(&mut self.as_text, all, is_its_text);
    }

    /// Whether no record was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The contract's `key`; `subject` is what is known of the topic's key subject, `failed` why records were not looked at.
    pub(super) fn said(&self, failed: Option<&str>, key_subject: Option<&str>) -> Said {
        let names = |found: &BTreeSet<Candidate>| -> Vec<String> { found.iter().map(|one| one.name.clone()).collect() };
        let equal = self.equal.as_ref().map(names).unwrap_or_default();
        let compared = self.compared;
        match equal.as_slice() {
            [only] => {
                let mut why = format!("it equals the key of each of the {compared} records that were compared");
                if self.keyless > 0 {
                    why += &format!("; {} others have no key, which the sidecar would refuse", self.keyless);
                }
                return Said::guess(KEY, only, why);
            }
            [_, _, ..] => {
                let why = format!(
                    "which of {}? Each equals the keys of all {compared} records that were compared",
                    equal.join(", ")
                );
                return Said::absent(KEY, &equal[0], Weight::Todo, why);
            }
            [] => {}
        }
        if self.records > 0 && self.keyless == self.records {
            let why = format!("none of the {} newest records has a key", self.records);
            return Said::absent(KEY, "id", Weight::Seen, why);
        }
        Said::absent(KEY, "id", Weight::Todo, self.unknown(failed, key_subject))
    }

    /// Why no column is proposed.
    fn unknown(&self, failed: Option<&str>, key_subject: Option<&str>) -> String {
        let hint = key_subject.map(|said| format!("; the topic's key subject has {said}")).unwrap_or_default();
        if let Some(why) = failed {
            return format!("which column keys the records? They were not looked at: {why}{hint}");
        }
        if self.records == 0 {
            return format!("which column keys the records? The topic is empty{hint}");
        }
        let text = self.as_text.as_ref().and_then(|found| found.first());
        if let Some(Candidate { name, .. }) = text {
            return format!(
                "the keys are the text of {name}, which is no text: a product's producers write such a key in Avro, so that these \
                 keys would be refused; make the column a string, or have producers write the key in Avro"
            );
        }
        let keyed = self.records - self.keyless;
        let form = match (self.compound, self.opaque) {
            (compound, _) if compound == keyed => "they are records, and a product's key is one column",
            (_, opaque) if opaque == keyed => "they are neither text nor Avro",
            _ => "no column equals all of them",
        };
        format!("which column keys the records? Of {keyed} keys that were looked at, {form}{hint}")
    }
}

/// Keeps the candidates that still hold.
fn keep(found: &mut Option<BTreeSet<Candidate>>, all: &[Candidate], holds: impl Fn(&&Candidate) -> bool) {
    match found {
        None => *found = Some(all.iter().filter(holds).cloned().collect()),
        Some(found) => found.retain(|candidate| holds(&candidate)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn said(records: &[(Option<RecordKey>, Value)]) -> Said {
        let all = [("order_id", true), ("other_id", true), ("quantity", false)];
        let all = all.map(|(name, is_text)| Candidate { name: name.to_owned(), is_text });
        let mut evidence = Evidence::default();
        for (key, value) in records {
            evidence.take(key.as_ref(), value.as_object(), &all);
        }
        evidence.said(None, None)
    }

    fn text(text: &str) -> Option<RecordKey> {
        Some(RecordKey::Text(text.to_owned()))
    }

    fn order(id: &str, other: &str, quantity: i64) -> Value {
        json!({ "order_id": id, "other_id": other, "quantity": quantity })
    }

    #[test]
    fn the_column_that_equals_every_key_is_proposed() {
        let found = said(&[(text("a"), order("a", "a", 1)), (text("b"), order("b", "c", 2)), (text("b"), Value::Null)]);
        assert_eq!((found.yaml.as_str(), found.weight), ("key: order_id", Weight::Guess));
        let number = |n: i64| Some(RecordKey::Value(json!(n)));
        let found = said(&[(number(1), order("a", "a", 1)), (number(2), order("2", "c", 2))]);
        assert_eq!((found.yaml.as_str(), found.weight), ("key: quantity", Weight::Guess));
    }

    #[test]
    fn what_is_not_certain_is_asked() {
        let both = said(&[(text("a"), order("a", "a", 1))]);
        assert!(both.weight == Weight::Todo && both.why.starts_with("which of order_id, other_id?"), "{both:?}");
        let none = said(&[(text("x"), order("a", "b", 1))]);
        assert!(none.weight == Weight::Todo && none.why.ends_with("no column equals all of them"), "{none:?}");
        let as_text = said(&[(text("1"), order("a", "b", 1)), (text("2"), order("a", "b", 2))]);
        assert!(
            as_text.weight == Weight::Todo && as_text.why.starts_with("the keys are the text of quantity"),
            "{as_text:?}"
        );
        let records = said(&[(Some(RecordKey::Compound), order("a", "b", 1))]);
        assert!(records.why.contains("they are records, and a product's key is one column"), "{records:?}");
        assert!(said(&[]).why.ends_with("The topic is empty"));
    }

    #[test]
    fn a_topic_without_keys_has_no_key_column() {
        let found = said(&[(None, order("a", "a", 1)), (None, order("b", "c", 2))]);
        assert_eq!((found.yaml.as_str(), found.weight), ("# key: id", Weight::Seen));
    }
}
