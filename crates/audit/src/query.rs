//! Asks the audit who did what, when and why.

use mesh_contract::ProductRef;
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::log::LogReader;
use mesh_kafka::{Error, Record, Settings};
use serde::Serialize;
use serde_json::{Map, Value};

/// The event that tells of many denials at once.
const DENIED: &str = "access-denied";
/// The facts that may name a topic, or what a rule is about.
const PLACES: [&str; 4] = ["resource", "topic", "subject", "rule"];

/// What is asked for; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// About this product, or this major version of it.
    pub product: Option<ProductRef>,
    /// By this principal or user, or about it.
    pub principal: Option<String>,
    /// Of these kinds.
    pub what: Vec<String>,
    /// From here on, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Before here.
    pub until_ms: Option<i64>,
}

/// One thing that was told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Where it stands.
    pub offset: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What kind of thing.
    pub event: String,
    /// All that was told, but what and when.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
}

impl Query {
    /// Hands over what answers it, the oldest first.
    ///
    /// # Errors
    /// The audit cannot be read.
    pub async fn ask(&self, kafka: &Settings, mut each: impl FnMut(Row)) -> Result<(), Error> {
        let mut log = LogReader::open(kafka, AUDIT_TOPIC).await?;
        let asked = |record: Record| rows(&record).filter(|row| self.asks_for(row)).for_each(&mut each);
        log.read_to_end(asked).await
    }

    fn asks_for(&self, row: &Row) -> bool {
        self.since_ms.is_none_or(|since| row.at_ms >= since)
            && self.until_ms.is_none_or(|until| row.at_ms < until)
            && (self.what.is_empty() || self.what.contains(&row.event))
            && self.principal.as_deref().is_none_or(|principal| row.concerns(principal))
            && self.product.as_ref().is_none_or(|product| row.is_about(product))
    }
}

impl Row {
    /// A fact that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.facts.get(name).and_then(Value::as_str)
    }

    /// Who did it, if that was told: a member of `who`.
    pub fn who(&self, name: &str) -> Option<&str> {
        self.facts.get("who").and_then(|who| who.get(name)).and_then(Value::as_str)
    }

    /// Whether a principal or user did it, or it is about them.
    fn concerns(&self, principal: &str) -> bool {
        let named = [self.who("principal"), self.who("user"), self.text("principal"), self.text("by")];
        named.into_iter().flatten().any(|name| name == principal || name.strip_prefix("User:") == Some(principal))
    }

    fn is_about(&self, asked: &ProductRef) -> bool {
        let name = asked.product.to_string();
        let major = |text: &str| asked.major.is_none_or(|major| text == major.to_string());
        let by_name = self.text("product").is_some_and(|product| match product.split_once('@') {
            Some((product, version)) => product == name && major(version),
            None => {
                let told = self.facts.get("major").and_then(Value::as_u64);
                product == name && told.is_none_or(|told| major(&told.to_string()))
            }
        });
        by_name || PLACES.iter().filter_map(|place| self.text(place)).any(|place| names_a_topic(place, &name, major))
    }
}

/// Whether a text has a topic of a product in it: its name, `.v`, a number that will do, and no more of a name's first part.
fn names_a_topic(text: &str, product: &str, major: impl Fn(&str) -> bool) -> bool {
    let is_topic = |word: &str| {
        let version = word.strip_prefix(product).and_then(|rest| rest.strip_prefix(".v"));
        version.is_some_and(|version| {
            let digits = version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            !digits.is_empty() && major(digits)
        })
    };
    text.split_whitespace().any(is_topic)
}

/// What a record tells; nothing if it is none of the audit's.
fn rows(record: &Record) -> impl Iterator<Item = Row> + use<> {
    let told = record.value.as_deref().and_then(|value| serde_json::from_slice::<Map<String, Value>>(value).ok());
    let rows = told.and_then(|facts| row(record.offset, facts)).map(divided).unwrap_or_default();
    rows.into_iter()
}

fn row(offset: i64, mut facts: Map<String, Value>) -> Option<Row> {
    let event = facts.shift_remove("event")?.as_str()?.to_owned();
    let at_ms = facts.shift_remove("at_ms")?.as_i64()?;
    Some(Row { offset, at_ms, event, facts })
}

/// Denials are told together, and asked for one by one.
fn divided(mut row: Row) -> Vec<Row> {
    let denials = if row.event == DENIED { row.facts.shift_remove("denials") } else { None };
    let Some(Value::Array(denials)) = denials else { return vec![row] };
    row.facts.shift_remove("log");
    let one = |denial: Value| {
        let mut one = row.clone();
        if let Value::Object(denial) = denial {
            one.at_ms = denial.get("last_ms").and_then(Value::as_i64).unwrap_or(one.at_ms);
            one.facts.extend(denial);
        }
        one
    };
    denials.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn rows_of(value: Value) -> Vec<Row> {
        let Value::Object(facts) = value else { panic!("an object") };
        divided(row(7, facts).unwrap())
    }

    fn asks(query: &Query, value: Value) -> bool {
        rows_of(value).iter().any(|row| query.asks_for(row))
    }

    fn about(product: &str) -> Query {
        Query { product: Some(product.parse().unwrap()), ..Query::default() }
    }

    #[test]
    fn a_product_is_found_by_its_name_and_by_its_topics_and_no_other_is() {
        let told = |facts: Value| {
            let mut event = json!({"event": "e", "at_ms": 1});
            event.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
            event
        };
        for (facts, one, any) in [
            (json!({"product": "crm.customers", "major": 1}), true, true),
            (json!({"product": "crm.customers@1"}), true, true),
            (json!({"product": "crm.customers@2"}), false, true),
            (json!({"topic": "crm.customers.v1.in"}), true, true),
            (json!({"resource": "topic crm.customers.v10"}), false, true),
            (json!({"rule": "User:ann may Read topic crm.customers.v1.support"}), true, true),
            (json!({"subject": "crm.customers.v1-value"}), true, true),
            (json!({"topic": "crm.customers2.v1"}), false, false),
            (json!({"topic": "xcrm.customers.v1"}), false, false),
            (json!({"product": "crm.orders", "major": 1}), false, false),
        ] {
            assert_eq!(asks(&about("crm.customers@1"), told(facts.clone())), one, "{facts}");
            assert_eq!(asks(&about("crm.customers"), told(facts.clone())), any, "{facts}");
        }
    }

    #[test]
    fn denials_are_asked_for_one_by_one() {
        let denial = |principal: &str, last_ms: i64| json!({"principal": principal, "resource": "topic crm.customers.v1", "operation": "Read", "count": 3, "last_ms": last_ms});
        let event = json!({
            "event": "access-denied", "at_ms": 100, "log": {"file": "f"},
            "denials": [denial("User:ann", 40), denial("User:bob", 90)],
        });
        let rows = rows_of(event);
        let by_ann = Query { principal: Some("ann".to_owned()), ..Query::default() };
        let found: Vec<&Row> = rows.iter().filter(|row| by_ann.asks_for(row)).collect();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].at_ms, found[0].text("operation"), found[0].facts.get("log")), (40, Some("Read"), None));
    }

    #[test]
    fn time_and_kind_narrow_it() {
        let event = json!({"event": "access-granted", "at_ms": 50});
        let query = |since_ms, until_ms, what: &[&str]| Query {
            since_ms,
            until_ms,
            what: what.iter().map(ToString::to_string).collect(),
            ..Query::default()
        };
        assert!(asks(&query(Some(50), Some(51), &["access-granted", "x"]), event.clone()));
        assert!(!asks(&query(Some(51), None, &[]), event.clone()));
        assert!(!asks(&query(None, Some(50), &[]), event.clone()));
        assert!(!asks(&query(None, None, &["access"]), event));
    }
}
