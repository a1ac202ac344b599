//! What was masked under which rules: counted for `mesh.audit` without a gap, and nothing twice.
//!
//! Counts that were not told yet ride in the committed offset's metadata, in the same transaction as the outputs they
//! count: whoever takes the partition over, after whatever, counts on. They are told in such a transaction, too, so that
//! what is on `mesh.audit` of a partition is one range of offsets after the other.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use mesh_avro::mask::Rules;
use mesh_contract::MaskRule;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{counts::Tally, product::Product};

/// Written with so many schemas, a count is told before its time: it has to stay a short text (Kafka's
/// `offset.metadata.max.bytes` is 4096).
const SCHEMAS_MAX: usize = 32;
/// The rule of a column for which the contract names none.
const RULE_OF_TYPE: &str = "by type";

/// What was done to a partition under one revision since it was last told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    #[serde(rename = "from")]
    first: i64,
    #[serde(rename = "to")]
    last: i64,
    /// When the first of it was done.
    #[serde(rename = "at")]
    since_ms: i64,
    #[serde(rename = "n")]
    records: u64,
    #[serde(rename = "t", default)]
    tombstones: u64,
    /// By reason.
    #[serde(rename = "q", default)]
    quarantined: BTreeMap<String, u64>,
    /// By the id of the writer's schema.
    #[serde(rename = "s", default)]
    schemas: BTreeMap<u32, u64>,
    /// By the version of the keys.
    #[serde(rename = "k", default)]
    keys: BTreeMap<u32, u64>,
}

impl Account {
    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Counts what a transaction does with a version of the keys; 0 where none was needed.
    pub(crate) fn add(&mut self, tally: &Tally, key_version: u32, now_ms: i64) {
        if self.is_empty() {
            (self.first, self.since_ms) = (tally.first, now_ms);
        }
        self.last = tally.last;
        self.records += tally.records;
        self.tombstones += tally.tombstones;
        for (reason, count) in &tally.quarantined {
            *self.quarantined.entry((*reason).to_owned()).or_default() += count;
        }
        for (id, count) in &tally.schemas {
            *self.schemas.entry(*id).or_default() += count;
        }
        if key_version > 0 {
            *self.keys.entry(key_version).or_default() += tally.records;
        }
    }

    /// Whether it is time to tell.
    pub(crate) fn is_due(&self, now_ms: i64, interval: Duration) -> bool {
        let age_ms = u64::try_from(now_ms - self.since_ms).unwrap_or(0);
        !self.is_empty() && (u128::from(age_ms) >= interval.as_millis() || self.schemas.len() > SCHEMAS_MAX)
    }

    /// The event. Without `product` the revision is another than is known here: its rules stand on `mesh.products`.
    pub(crate) fn event(&self, of: &Product, revision: u64, partition: i32, now_ms: i64) -> Value {
        let let_through = self.records - self.quarantined.values().sum::<u64>();
        let views = (of.revision == revision).then(|| views(of, let_through));
        json!({
            "event": "records-masked",
            "at_ms": now_ms,
            "since_ms": self.since_ms,
            "product": &*of.name,
            "major": of.major,
            "revision": revision,
            "partition": partition,
            "source_offsets": { "first": self.first, "last": self.last },
            "records": self.records,
            "tombstones": self.tombstones,
            "quarantined": self.quarantined,
            "schemas": self.schemas,
            "keys": self.keys,
            "views": views,
        })
    }
}

/// The time as Kafka has it: milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Each view, how many records went to it, and the rule that each masked column of them was masked by.
fn views(product: &Product, records: u64) -> Vec<Value> {
    let Some(rules) = product.rules() else { return Vec::new() };
    let view =
        |(index, name): (usize, &String)| json!({ "view": name, "records": records, "masked": masked(rules, index) });
    rules.views().iter().enumerate().map(view).collect()
}

/// The columns that a view of a product masks, with their rules; `Some(None)` where it has no such view, `None` where its rules cannot
/// be had.
pub(super) fn rules_of_view(product: &Product, view: &str) -> Option<Option<BTreeMap<String, String>>> {
    let rules = product.rules()?;
    let index = rules.views().iter().position(|name| name == view);
    Some(index.map(|index| masked(rules, index)))
}

fn masked(rules: &Rules, view: usize) -> BTreeMap<String, String> {
    let rule = |rule: Option<&MaskRule>| rule.map_or(RULE_OF_TYPE.to_owned(), ToString::to_string);
    rules.masked(view).map(|(column, given)| (column.to_owned(), rule(given))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_contract::{AppliedProduct, parse_contract};

    use super::*;

    fn product() -> Product {
        let text = "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: 1\n\
                    description: Who buys.\nschema: schemas/shop/buyer.avsc\nkey: id\nrefresh_rate: hour\n\
                    history: 2 days\nstorage: stream\nsensitive_columns:\n  - email\n  - { column: phone, mask: { keep_last: 4 } }\n\
                    views:\n  support: { clear: [phone] }\naccess_group:\n  - { group: analysts }\n  - { group: support, view: support }\n\
                    dependencies: []\n";
        let contract = parse_contract("topics/shop/buyers.yaml", text).unwrap().value;
        let field = |name: &str| json!({"name": name, "type": "string"});
        let schema =
            json!({"type": "record", "name": "Buyer", "fields": [field("id"), field("email"), field("phone")]});
        Product::new(AppliedProduct { revision: 3, applied_at_ms: 0, contract, schema })
    }

    fn tally(offsets: std::ops::Range<i64>) -> Tally {
        let mut tally = Tally::default();
        offsets.for_each(|offset| tally.record(offset, 10));
        tally.quarantined("truncated");
        tally.masked(7);
        tally
    }

    #[test]
    fn counts_grow_and_survive_the_metadata() {
        let mut account = Account::default();
        account.add(&tally(5..8), 1, 1_000);
        account.add(&tally(8..20), 2, 2_000);
        let text = serde_json::to_string(&account).unwrap();
        assert_eq!(
            text, r#"{"from":5,"to":19,"at":1000,"n":15,"t":0,"q":{"truncated":2},"s":{"7":2},"k":{"1":3,"2":12}}"#,
            "what stands in committed offsets is read by later versions"
        );
        assert_eq!(serde_json::from_str::<Account>(&text).unwrap(), account);
    }

    #[test]
    fn due_is_what_is_old_or_long() {
        let mut account = Account::default();
        assert!(!account.is_due(1_000_000, Duration::ZERO), "nothing to tell");
        account.add(&tally(5..8), 1, 1_000);
        let interval = Duration::from_secs(60);
        assert!(!account.is_due(60_999, interval) && account.is_due(61_000, interval));
        assert!(!account.is_due(0, interval), "a clock that was set back");
        (0..40).for_each(|id| _ = account.schemas.insert(id, 1));
        assert!(account.is_due(1_000, interval));
        assert!(serde_json::to_string(&account).unwrap().len() < 1_000);
    }

    #[test]
    fn the_event_says_what_was_masked_how_in_which_view() {
        let mut account = Account::default();
        account.add(&tally(5..8), 1, 1_000);
        let event = account.event(&product(), 3, 2, 9_000);
        assert_eq!(
            event["views"],
            json!([
                {"view": "masked", "records": 2, "masked": {"email": "by type", "phone": "keep_last: 4"}},
                {"view": "support", "records": 2, "masked": {"email": "by type"}},
            ])
        );
        assert_eq!((&event["records"], &event["source_offsets"]), (&json!(3), &json!({"first": 5, "last": 7})));
        assert_eq!(account.event(&product(), 2, 2, 9_000)["views"], Value::Null, "another revision's rules");
    }
}
