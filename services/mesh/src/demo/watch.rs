//! What the watching services saw: freshness, lineage, quarantine.

use super::cast::{Cast, PRODUCTS};
use super::failed;
use super::hunt::{Mark, read_since};
use super::publish::{Published, Stage};
use super::story::{Edge, Freshness, Quarantined};
use crate::failure::Failure;
use mesh_contract::topic::LINEAGE_TOPIC;
use mesh_freshness::{ProductReport, State};
use mesh_kafka::Settings;
use mesh_kafka::admin::Admin;
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

/// The lineage events of this run, as they were written.
///
/// # Errors
/// Kafka does not answer.
pub async fn lineage_events(kafka: &Settings, mark: &Mark) -> Result<Vec<String>, Failure> {
    let failed = failed::kafka("read the lineage events");
    let admin = Admin::new(kafka).map_err(&failed)?;
    let partitions = admin.partitions(LINEAGE_TOPIC).await.map_err(&failed)?.unwrap_or(0);
    let mut events = Vec::new();
    let take = |record: mesh_kafka::Record| {
        events.extend(record.value.and_then(|value| String::from_utf8(value.to_vec()).ok()));
    };
    read_since(kafka, mark, (LINEAGE_TOPIC, partitions), take).await.map_err(&failed)?;
    Ok(events)
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
    graph.topic_edges().into_iter().map(|edge| Edge { from: edge.from, to: edge.to, job: edge.job }).collect()
}

/// What is in quarantine of this run, by what was sent and the reason given. What nobody sent on purpose is there, too.
///
/// # Errors
/// Kafka does not answer.
pub async fn quarantined(stage: &Stage, mark: &Mark, published: &Published) -> Result<Vec<Quarantined>, Failure> {
    let failed = failed::kafka("read the quarantine");
    let partitions = Admin::new(&stage.kafka).map_err(&failed)?.topics().await.map_err(&failed)?;
    let mut counts: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for product in PRODUCTS {
        let topic = stage.cast.topics(product).quarantine;
        let partitions = partitions.get(&topic).copied().unwrap_or(0);
        let count = |record: mesh_kafka::Record| {
            let entry = Entry::of(&record);
            let origin = (entry.source_topic, entry.source_partition, entry.source_offset);
            let sent = published.bad.get(&origin).copied().unwrap_or(NOT_ON_PURPOSE);
            *counts.entry((product.to_owned(), sent.to_owned(), entry.reason)).or_default() += 1;
        };
        read_since(&stage.kafka, mark, (&topic, partitions), count).await.map_err(&failed)?;
    }
    let row = |((product, sent, reason), records)| Quarantined { product, sent, reason, records };
    Ok(counts.into_iter().map(row).collect())
}

/// What the report says of a quarantined record that was not bad on purpose.
pub const NOT_ON_PURPOSE: &str = "not bad on purpose";

/// The groups that may read a view.
pub fn groups(cast: &Cast, product: &str, view: &str) -> Vec<String> {
    let grants = cast.product(product).contract.access_group.iter();
    grants.filter(|grant| grant.view == view).map(|grant| grant.group.clone()).collect()
}
