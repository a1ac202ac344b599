//! What principals are limited to, as the cluster has it.

use super::published::Published;
use crate::apply::refused;
use crate::apply::scope::Scope;
use crate::failure::Failure;
use mesh_contract::Limit;
use mesh_kafka::ErrorKind;
use mesh_kafka::admin::Admin;
use std::collections::{BTreeMap, BTreeSet};

/// The limits of a principal, as Kafka counts them.
pub(in crate::apply) type Limits = BTreeMap<Limit, f64>;

/// The limits of the principals that are, or were, to have any. Where there are none, nobody is asked: it takes a right of its own.
///
/// # Errors
/// Kafka cannot be reached, or does not let this client see it.
pub(super) async fn look(
    admin: &Admin,
    scope: &Scope,
    published: &Published,
) -> Result<BTreeMap<String, Limits>, Failure> {
    let mut principals = scope.quotas.clone();
    principals.extend(limited(published));
    if principals.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = admin.quotas().await.map_err(|error| match error.kind() {
        ErrorKind::Unauthorised => Failure::unreachable("cannot look at client quotas").because(error).hint(
            "be a principal that may DescribeConfigs the cluster (--kafka-config), or take `quotas` out of domain.yaml",
        ),
        _ => refused("cannot look at client quotas", error),
    })?;
    let limits = principals.into_iter().filter_map(|principal| {
        let quotas = found.get(principal.strip_prefix("User:")?)?;
        let limits = Limit::ALL.into_iter().filter_map(|limit| Some((limit, *quotas.get(limit.kafkas_name())?)));
        Some((principal.clone(), limits.collect::<Limits>())).filter(|(_, limits)| !limits.is_empty())
    });
    Ok(limits.collect())
}

/// The principals that the mesh limits, by what is published.
fn limited(published: &Published) -> BTreeSet<String> {
    published.domains().flat_map(|domain| domain.quotas.into_keys()).collect()
}
