//! Prometheus alert rules from contracts. Pure: contracts in, a rule file out.
//!
//! | alert | severity | fires while |
//! |---|---|---|
//! | `MeshProductStale` | page | the product burns its error budget fast: the service's own verdict |
//! | `MeshFreshnessBudgetBurn` | ticket | it burns the budget slowly, but would not have any left |
//! | `MeshProductBreach` | info | its newest fact is older than promised |
//! | `MeshUpstreamStale` | info | it is stale because a product that it is derived from is |
//! | `MeshFreshnessMonitorSilent`, `…Failing` | page, ticket | nobody knows how fresh products are |
//!
//! The rules read the service's verdict (`mesh_freshness_alert`) instead of computing burn rates in PromQL from
//! `mesh_freshness_stale`: the service knows hours, maintenance, blame and what was not known, keeps its windows on
//! `mesh.freshness`, and so forgets nothing when it, or Prometheus, is restarted. Gaps up to `BRIDGED` between two
//! scrapes neither resolve an alert nor fire it anew.

mod monitor;
mod product;
mod rule;

use mesh_contract::{Contract, Domain};
use serde_json::{Value, json};

use crate::yaml;
use rule::Rule;

/// How long the last sample of a gauge counts: as long as Prometheus' own look-back, but also through a restart of the
/// service, whose series would end there.
const BRIDGED: &str = "5m";
/// The page of the runbook that has a section for each alert.
const RUNBOOK: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/docs/operations.md");

/// The rules of these contracts, as a rule file. Whoever owns a product is named, with the runbook of its domain.
pub fn prometheus(contracts: &[&Contract], domains: &[&Domain]) -> String {
    yaml::document(&groups(contracts, domains))
}

/// The same as the JSON value that the file stands for.
pub fn groups(contracts: &[&Contract], domains: &[&Domain]) -> Value {
    let mut owners: Vec<&str> = contracts.iter().map(|contract| contract.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    let of_owner = |owner: &str| {
        let domain = domains.iter().find(|domain| domain.domain == owner).copied();
        let mut own: Vec<_> = contracts.iter().filter(|contract| contract.owner == owner).collect();
        own.sort_by_key(|contract| (&contract.name, contract.version));
        let rules = own.into_iter().flat_map(|contract| product::rules(contract, domain));
        group(&format!("mesh-freshness-{owner}"), rules)
    };
    let monitor = group("mesh-freshness-monitor", monitor::rules());
    let groups: Vec<Value> = std::iter::once(monitor).chain(owners.into_iter().map(of_owner)).collect();
    json!({ "groups": groups })
}

fn group(name: &str, rules: impl IntoIterator<Item = Rule>) -> Value {
    json!({ "name": name, "rules": rules.into_iter().map(Rule::into_json).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests;
