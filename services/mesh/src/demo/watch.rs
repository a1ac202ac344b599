//! What the watching services saw: freshness, lineage, quarantine.

use super::cast::{Cast, PRODUCTS};
use super::publish::Published;
use super::story::{Edge, Freshness, Quarantined};
use crate::failure::Failure;
use mesh_freshness::{ProductReport, State};
use mesh_kafka::{Record, Settings};
use mesh_lineage::{Graph, Limits, intake};
use mesh_masking::quarantine::Entry;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often freshness is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Each product's freshness, as judged after `since_ms`; without those that were not judged before the deadline.
///
/// # Errors
/// Kafka does not answer.
pub async fn freshness(kafka: &Settings, since_ms: i64, deadline: Duration) -> Result<Vec<Freshness>, Failure> {
    let started = Instant::now();
    loop {
        let reports = mesh_freshness::report::read(kafka)
            .await
            .map_err(|error| Failure::internal("cannot read how fresh the products are").because(error))?;
        let judged = |report: &&ProductReport| report.evaluated_at_ms > since_ms && report.state != State::Unknown;
        let ours = |report: &&ProductReport| report.version == 1 && PRODUCTS.contains(&report.product.as_str());
        let mut found: Vec<Freshness> = reports.values().filter(ours).filter(judged).map(told).collect();
        if found.len() == PRODUCTS.len() || started.elapsed() > deadline {
            found.sort_by(|a, b| a.product.cmp(&b.product));
            return Ok(found);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn told(report: &ProductReport) -> Freshness {
    Freshness {
        product: report.product.clone(),
        state: report.state.to_string(),
        age_seconds: report.age_seconds(),
        promise: report.promise.clone(),
    }
}

/// The graph that these events make, from topic to topic.
pub fn edges(events: &[String]) -> Vec<Edge> {
    let mut graph = Graph::new(Limits::default());
    for event in events {
        // What the lineage service refuses is no part of its graph either.
        if let Ok(event) = intake::accept(event.as_bytes()) {
            let _ = graph.apply(&event);
        }
    }
    graph.now().topic_edges().into_iter().map(|edge| Edge { from: edge.from, to: edge.to, job: edge.job }).collect()
}

/// What is in quarantine, by product, what was sent, and the reason given.
#[derive(Debug, Default)]
pub struct Quarantine(BTreeMap<(String, &'static str, String), u64>);

impl Quarantine {
    /// Takes a record of a product's quarantine topic in. What nobody sent on purpose is taken in, too.
    pub fn take(&mut self, product: &str, record: &Record, published: &Published) {
        let entry = Entry::of(record);
        let origin = (entry.source_topic, entry.source_partition, entry.source_offset);
        let sent = published.bad.get(&origin).copied().unwrap_or(NOT_ON_PURPOSE);
        *self.0.entry((product.to_owned(), sent, entry.reason)).or_default() += 1;
    }

    /// The rows of the report.
    pub fn rows(self) -> Vec<Quarantined> {
        let row =
            |((product, sent, reason), records)| Quarantined { product, sent: str::to_owned(sent), reason, records };
        self.0.into_iter().map(row).collect()
    }
}

/// What the report says of a quarantined record that was not bad on purpose.
pub const NOT_ON_PURPOSE: &str = "not bad on purpose";

/// The groups that may read a view.
pub fn groups(cast: &Cast, product: &str, view: &str) -> Vec<String> {
    let grants = cast.product(product).contract.access_group.iter();
    grants.filter(|grant| grant.view == view).map(|grant| grant.group.clone()).collect()
}
