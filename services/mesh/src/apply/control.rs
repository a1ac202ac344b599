//! The control topics: the backbone's own.

use super::refused;
use crate::failure::Failure;
use mesh_contract::topic::{AUDIT_TOPIC, FRESHNESS_TOPIC, HEARTBEATS_TOPIC, LINEAGE_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::admin::{Admin, TopicSpec};

const DAY_MS: u64 = 86_400_000;
/// How long lineage events stay on their topic; the lineage service keeps what it needs.
const LINEAGE_RETENTION_MS: u64 = 30 * DAY_MS;
/// How long it can be shown who was given or refused what.
const AUDIT_RETENTION_MS: u64 = 400 * DAY_MS;

/// Creates those that are not there.
pub(super) async fn create(admin: &Admin) -> Result<(), Failure> {
    let created = admin.create_topics(&specs()).await;
    created.map(drop).map_err(|error| refused("cannot create the control topics", error))
}

/// Creates the one that says who applies, if it is not there: where it is, nobody needs the right to make topics.
pub(super) async fn create_products(admin: &Admin) -> Result<(), Failure> {
    let there = admin.partitions(PRODUCTS_TOPIC).await;
    if there.map_err(|error| refused(format!("cannot look for {PRODUCTS_TOPIC}"), error))?.is_some() {
        return Ok(());
    }
    let spec: Vec<TopicSpec> = specs().into_iter().filter(|spec| spec.name == PRODUCTS_TOPIC).collect();
    let created = admin.create_topics(&spec).await;
    created.map(drop).map_err(|error| refused(format!("cannot create {PRODUCTS_TOPIC}"), error))
}

/// One partition each: their records are few, and their order matters.
pub(super) fn specs() -> Vec<TopicSpec> {
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
