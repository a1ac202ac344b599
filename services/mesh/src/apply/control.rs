//! The control topics: the backbone's own.

use super::refused;
use super::report::{Change, TopicChange};
use crate::failure::Failure;
use mesh_contract::topic::{AUDIT_TOPIC, FRESHNESS_TOPIC, HEARTBEATS_TOPIC, LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::admin::{Admin, Creation, TopicSpec};

const DAY_MS: u64 = 86_400_000;
/// How long lineage events stay on their topic; the lineage service keeps what it needs.
const LINEAGE_RETENTION_MS: u64 = 30 * DAY_MS;
/// How long it can be shown who was given or refused what.
const AUDIT_RETENTION_MS: u64 = 400 * DAY_MS;

/// Creates those that are not there.
pub(super) async fn create(admin: &Admin) -> Result<Vec<TopicChange>, Failure> {
    let specs = specs();
    let created = admin.create_topics(&specs).await;
    let created = created.map_err(|error| refused("cannot create the control topics", error))?;
    let change = |(spec, creation): (TopicSpec, Creation)| TopicChange {
        topic: spec.name,
        change: if creation == Creation::Created { Change::Created } else { Change::Unchanged },
        differs: Vec::new(),
    };
    Ok(specs.into_iter().zip(created).map(change).collect())
}

/// One partition each: their records are few, and their order matters.
fn specs() -> Vec<TopicSpec> {
    let compacted = [PRODUCTS_TOPIC, HEARTBEATS_TOPIC, FRESHNESS_TOPIC].map(|name| (name, "compact", None));
    let kept = [(LINEAGE_TOPIC, LINEAGE_RETENTION_MS), (AUDIT_TOPIC, AUDIT_RETENTION_MS)];
    let kept = kept.map(|(name, retention)| (name, "delete", Some(retention)));
    let all = compacted.into_iter().chain(kept);
    all.map(|(name, policy, retention)| {
        let spec = TopicSpec::new(name).partitions(1).config("cleanup.policy", policy);
        match retention {
            Some(retention) => spec.config("retention.ms", retention.to_string()),
            None => spec,
        }
    })
    .collect()
}
