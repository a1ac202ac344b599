//! A product as the sidecar serves it: one revision of its contract, with what follows from it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mesh_avro::{keys::KeyName, mask::Rules, schema::Schema};
use mesh_contract::{AppliedProduct, History, Topics};

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
    /// The rules; or why this revision cannot be served, in which case its partitions are held.
    pub(crate) rules: Result<Rules, String>,
}

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
        let rules = rules(&applied);
        Product {
            identity: NEXT_IDENTITY.fetch_add(1, Ordering::Relaxed),
            name: contract.product().to_string().into(),
            domain: contract.owner.clone(),
            major: contract.version,
            revision: applied.revision,
            topics: contract.topics(),
            key: key_policy(&applied),
            headers: STANDARD_HEADERS.iter().map(ToString::to_string).chain(contract.headers.iter().cloned()).collect(),
            has_event_time: contract.refresh_rate.event_time.is_some(),
            quarantine_key: KeyName::quarantine(&contract.owner),
            rules,
            applied,
        }
    }

    /// A product of which only the name is known, because what was applied cannot be read: it is held.
    pub(crate) fn unreadable(known: &Product, why: String) -> Self {
        Product { rules: Err(why), ..Product::new(known.applied.clone()) }
    }

    /// The header's name, if headers of that name pass.
    pub(crate) fn passing(&self, header: &[u8]) -> Option<&str> {
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
