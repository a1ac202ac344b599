//! What the demo saw: the facts that the report tells, and whether all of it happened as staged.

use super::search::Leak;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Everything a run saw.
#[derive(Debug, Clone, Default)]
pub struct Story {
    pub cluster: String,
    pub publications: Vec<Publication>,
    /// Records of each view's topic, as its access groups read them.
    pub views: Vec<ViewCount>,
    pub same_customer: SideBySide,
    pub joined: Joined,
    pub quarantined: Vec<Quarantined>,
    pub refused: Vec<Refused>,
    pub freshness: Vec<Freshness>,
    pub lineage: Vec<Edge>,
    pub hunt: Hunt,
    pub checks: Vec<Check>,
    pub seconds: f64,
}

/// What was published to one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub product: String,
    /// With which client, and what.
    pub how: String,
    pub records: u64,
    /// How many of them were bad on purpose.
    pub bad: u64,
}

/// What one view's readers got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewCount {
    pub product: String,
    pub view: String,
    pub topic: String,
    /// The groups that may read it.
    pub groups: Vec<String>,
    pub records: u64,
}

/// The same customer as each group sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SideBySide {
    pub customer_id: String,
    /// Group and view.
    pub groups: Vec<(String, String)>,
    /// Column and what each group sees there.
    pub rows: Vec<(String, Vec<String>)>,
    /// What the other domain's masked view shows of the same person.
    pub elsewhere: Option<String>,
}

/// What the upselling domain made of the masked views.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    pub customers: u64,
    pub orders: u64,
    pub page_views: u64,
    pub offers: u64,
    /// How many offers are about somebody whom the web pages have seen: joined on the hash.
    pub seen_on_the_web: u64,
    /// Some offers, as (customer, orders, spent, interest, reason).
    pub examples: Vec<[String; 5]>,
}

/// Refused records of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    pub product: String,
    /// What was sent.
    pub sent: String,
    /// The reason that quarantine gives.
    pub reason: String,
    pub records: u64,
}

/// A schema that the registry refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub subject: String,
    /// What the change was.
    pub change: String,
    /// What the registry said.
    pub answer: String,
}

/// One product's freshness.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Freshness {
    pub product: String,
    pub state: String,
    pub age_seconds: Option<u64>,
    /// What the contract promises.
    #[serde(skip)]
    pub promise: String,
}

/// One edge of the lineage graph: from a topic that was read to a topic that was written, and the job that did it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    pub from: String,
    pub to: String,
    #[serde(skip)]
    pub job: String,
}

/// The search for canaries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hunt {
    pub planted: usize,
    pub places: usize,
    pub topics: usize,
    pub records: u64,
    pub bytes: u64,
    /// Seen where a view grants them.
    pub granted: usize,
    pub leaks: BTreeSet<Leak>,
    /// Canary customers whose birth date came through whole where no view grants it: (topic, customer).
    pub birth_dates: BTreeSet<(String, String)>,
}

impl Hunt {
    /// How many canary values were seen by somebody who may not see them.
    pub fn leaked(&self) -> usize {
        let values: BTreeSet<usize> = self.leaks.iter().map(|leak| leak.canary).collect();
        let customers: BTreeSet<&str> = self.birth_dates.iter().map(|(_, customer)| customer.as_str()).collect();
        values.len() + customers.len()
    }
}

/// Something that was staged, and whether it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub what: String,
    /// Why it did not happen, if it did not.
    pub failure: Option<String>,
}

impl Check {
    /// A check that holds if `holds`; `or_else` says what was seen instead.
    pub fn new(what: impl Into<String>, holds: bool, or_else: impl FnOnce() -> String) -> Self {
        Self { what: what.into(), failure: (!holds).then(or_else) }
    }
}

/// The object that `--format json` prints.
#[derive(Debug, Serialize)]
pub struct Summary {
    published: BTreeMap<String, u64>,
    views: BTreeMap<String, u64>,
    quarantined: u64,
    refused_schemas: usize,
    canaries_leaked: usize,
    freshness: Vec<Freshness>,
    lineage_edges: Vec<Edge>,
    seconds: f64,
}

impl Story {
    /// Whether everything happened as staged.
    pub fn as_staged(&self) -> bool {
        self.checks.iter().all(|check| check.failure.is_none())
    }

    /// What was published, by product.
    pub fn published(&self) -> BTreeMap<String, u64> {
        let mut published = BTreeMap::new();
        for publication in &self.publications {
            *published.entry(publication.product.clone()).or_default() += publication.records;
        }
        published
    }

    /// How many records are in quarantine.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.iter().map(|row| row.records).sum()
    }

    /// The object that `--format json` prints.
    pub fn summary(&self) -> Summary {
        Summary {
            published: self.published(),
            views: self.views.iter().map(|view| (view.topic.clone(), view.records)).collect(),
            quarantined: self.quarantined(),
            refused_schemas: self.refused.len(),
            canaries_leaked: self.hunt.leaked(),
            freshness: self.freshness.clone(),
            lineage_edges: self.lineage.clone(),
            seconds: (self.seconds * 10.0).round() / 10.0,
        }
    }
}
