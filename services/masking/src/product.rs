//! A product as the sidecar serves it: one revision of its contract, with what follows from it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mesh_avro::{keys::KeyName, mask::Rules, schema::Schema};
use mesh_contract::{AppliedProduct, History, Topics};

use crate::Duty;

/// Headers that pass for every product: traces and CloudEvents, without those that often are the clear key.
const STANDARD_HEADERS: [&str; 7] =
    ["traceparent", "tracestate", "ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time"];

static NEXT_IDENTITY: AtomicU64 = AtomicU64::new(0);

/// One revision of a product's contract, ready to be served.
#[derive(Debug)]
pub(crate) struct Product {
    /// Distinguishes this value from every other, for caches.
    pub(crate) identity: u64,
    /// `crm.customers`
    pub(crate) name: Arc<str>,
    pub(crate) domain: String,
    pub(crate) duty: Duty,
    pub(crate) major: u32,
    pub(crate) revision: u64,
    pub(crate) applied: AppliedProduct,
    pub(crate) topics: Topics,
    /// What a key must be.
    pub(crate) key: KeyPolicy,
    /// Header names that pass.
    pub(crate) headers: Vec<String>,
    pub(crate) has_event_time: bool,
    pub(crate) quarantine_key: KeyName,
    /// What is done to its records; or why this revision cannot be served, in which case its partitions are held.
    pub(crate) work: Result<Work, String>,
    /// The version that feeds it, if that is what is done and it is known.
    pub(crate) source: Option<Arc<AppliedProduct>>,
}

/// What is done to a product's records.
#[derive(Debug)]
pub(crate) enum Work {
    /// They are masked by these rules.
    Mask(Rules),
    /// They are converted to this schema, from whichever they were written with.
    Convert(Schema),
}

/// The one output of what feeds a version: its input port, in the place of a view.
const FED: &str = "in";

/// What the contract says of records' keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyPolicy {
    /// No key column: a record's key says nothing that the contract knows, so it reaches no view.
    Dropped,
    /// The key is the key column's value, or null.
    Optional,
    /// The key is the key column's value: outputs are compacted by it.
    Required,
}

impl Product {
    pub(crate) fn new(applied: AppliedProduct) -> Self {
        let contract = &applied.contract;
        let work = rules(&applied).map(Work::Mask);
        Product {
            identity: NEXT_IDENTITY.fetch_add(1, Ordering::Relaxed),
            name: contract.product().to_string().into(),
            domain: contract.owner.clone(),
            duty: Duty::Mask,
            major: contract.version,
            revision: applied.revision,
            topics: contract.topics(),
            key: key_policy(&applied),
            headers: STANDARD_HEADERS.iter().map(ToString::to_string).chain(contract.headers.iter().cloned()).collect(),
            has_event_time: contract.refresh_rate.event_time.is_some(),
            quarantine_key: KeyName::quarantine(&contract.owner),
            work,
            source: None,
            applied,
        }
    }

    /// A version as it is fed by another: from that one's input port to its own. None if no version feeds it.
    pub(crate) fn fed(applied: AppliedProduct, source: Option<Arc<AppliedProduct>>) -> Option<Self> {
        let contract = &applied.contract;
        let Topics { input, quarantine, .. } = contract.topics();
        let topics = Topics { input: contract.fed_from()?, views: vec![(FED.to_owned(), input)], quarantine };
        let schema = Schema::parse_value(&applied.schema).map_err(|error| format!("its schema is not valid: {error}"));
        let work = schema.map(Work::Convert);
        // keys stay what they are, and event times are looked for where views are made
        let duty = Duty::Feed;
        Some(Product {
            duty,
            work,
            topics,
            key: KeyPolicy::Optional,
            has_event_time: false,
            source,
            ..Product::new(applied)
        })
    }

    /// The masking rules; none where they cannot be had, or it is fed.
    pub(crate) fn rules(&self) -> Option<&Rules> {
        match &self.work {
            Ok(Work::Mask(rules)) => Some(rules),
            _ => None,
        }
    }

    /// A product of which only the name is known, because what was applied cannot be read: it is held.
    pub(crate) fn unreadable(known: &Product, why: String) -> Self {
        Product { work: Err(why), ..known.anew() }
    }

    /// The same, distinguished from what was made of it before.
    pub(crate) fn renewed(known: &Product) -> Self {
        match &known.work {
            Ok(_) => known.anew(),
            Err(why) => Product { work: Err(why.clone()), ..known.anew() },
        }
    }

    fn anew(&self) -> Self {
        let fed = match self.duty {
            Duty::Mask => None,
            Duty::Feed => Product::fed(self.applied.clone(), self.source.clone()),
        };
        fed.unwrap_or_else(|| Product::new(self.applied.clone()))
    }

    /// The header's name, if headers of that name pass.
    pub(crate) fn passing<'n>(&'n self, header: &'n [u8]) -> Option<&'n str> {
        if self.duty == Duty::Feed {
            // Kafka's header names are text
            return std::str::from_utf8(header).ok();
        }
        self.headers.iter().find(|name| name.as_bytes() == header).map(String::as_str)
    }
}

fn rules(applied: &AppliedProduct) -> Result<Rules, String> {
    let schema = Schema::parse_value(&applied.schema).map_err(|error| format!("its schema is not valid: {error}"))?;
    Rules::of_applied(&applied.contract, &schema).map_err(|findings| {
        let shown: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
        shown.join("; ")
    })
}

fn key_policy(applied: &AppliedProduct) -> KeyPolicy {
    match (&applied.contract.key, &applied.contract.history) {
        (None, _) => KeyPolicy::Dropped,
        (Some(_), History::Latest) => KeyPolicy::Required,
        (Some(_), _) => KeyPolicy::Optional,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_contract::parse_contract;
    use serde_json::json;

    use super::*;

    fn product(lines: &str, schema: serde_json::Value) -> Product {
        let text = format!(
            "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: shop\nname: buyers\nversion: 1\n\
             description: Who buys.\nschema: schemas/shop/buyer.avsc\nrefresh_rate: hour\nstorage: stream\n\
             sensitive_columns: [email]\naccess_group: analysts\ndependencies: []\n{lines}"
        );
        let contract = parse_contract("topics/shop/buyers.yaml", &text).unwrap().value;
        Product::new(AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema })
    }

    fn schema() -> serde_json::Value {
        let field = |name: &str| json!({"name": name, "type": "string"});
        json!({"type": "record", "name": "Buyer", "fields": [field("id"), field("email")]})
    }

    #[test]
    fn only_listed_headers_pass() {
        let product = product("history: 2 days\nheaders: [x-trace]\n", schema());
        assert_eq!(product.passing(b"traceparent"), Some("traceparent"));
        assert_eq!(product.passing(b"x-trace"), Some("x-trace"));
        for clear in [&b"ce_subject"[..], b"ce_partitionkey", b"X-Trace", b"", b"\xff"] {
            assert_eq!(product.passing(clear), None);
        }
    }

    #[test]
    fn the_contract_says_what_a_key_must_be() {
        let key = |lines: &str| product(lines, schema()).key;
        assert_eq!(key("history: 2 days\n"), KeyPolicy::Dropped);
        assert_eq!(key("history: 2 days\nkey: id\n"), KeyPolicy::Optional);
        assert_eq!(key("history: latest\nkey: id\n"), KeyPolicy::Required);
    }

    #[test]
    fn rules_that_do_not_fit_are_told_not_shrugged_off() {
        assert!(product("history: 2 days\n", schema()).rules().is_some());
        let without = json!({"type": "record", "name": "Buyer", "fields": [{"name": "id", "type": "string"}]});
        assert!(product("history: 2 days\n", without).work.unwrap_err().contains("email"));
        assert!(product("history: 2 days\n", json!("no such type")).work.is_err());
    }
}
