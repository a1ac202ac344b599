//! Contracts' freshness as OpenSLO v1 documents. Pure: contracts in, YAML out.
//!
//! A domain is a `Service` with an `AlertNotificationTarget` and the service's three burn-rate `AlertPolicy`s; a product is an
//! `SLO` of time slices. The indicator is the service's own word, minute by minute: time outside the promised hours and in
//! planned maintenance is not stale there.
//!
//! Spec: <https://github.com/OpenSLO/OpenSLO/blob/main/README.md>.

use std::collections::BTreeSet;

use mesh_contract::{Contract, Domain};
use serde_json::{Value, json};

use crate::yaml;

const DATA_SOURCE: &str = "mesh-prometheus";
/// Names are DNS labels of at most this many characters (RFC 1123).
const NAME_LENGTH_MAX: usize = 63;
/// How long a hash is that tells names apart.
const HASH_DIGITS: usize = 8;
const DESCRIPTION_LENGTH_MAX: usize = 1_050;

/// A burn rate that is alerted on: the budget's use, times so much faster than it lasts, over the long window and the
/// short one.
struct Burn {
    name: &'static str,
    severity: &'static str,
    rate: f64,
    long: &'static str,
    short: &'static str,
}

const BURNS: [Burn; 3] = [
    Burn { name: "page-fast", severity: "page", rate: 14.4, long: "1h", short: "5m" },
    Burn { name: "page-slow", severity: "page", rate: 6.0, long: "6h", short: "30m" },
    Burn { name: "ticket", severity: "ticket", rate: 1.0, long: "3d", short: "6h" },
];

/// The documents of these contracts and their domains, one YAML stream. `prometheus` is the address of the Prometheus that
/// scrapes the service.
pub fn documents(contracts: &[&Contract], domains: &[&Domain], prometheus: &str) -> String {
    let documents = objects(contracts, domains, prometheus);
    documents.iter().map(yaml::document).collect::<Vec<_>>().join("---\n")
}

/// The same as JSON values.
pub fn objects(contracts: &[&Contract], domains: &[&Domain], prometheus: &str) -> Vec<Value> {
    let owners: BTreeSet<&str> = contracts.iter().map(|contract| contract.owner.as_str()).collect();
    let mut contracts = contracts.to_vec();
    contracts.sort_by_key(|contract| (contract.product(), contract.version));
    let source = json!({ "type": "Prometheus", "connectionDetails": { "url": prometheus } });
    let mut objects = vec![object("DataSource", DATA_SOURCE, "Prometheus", source)];
    for owner in owners {
        objects.extend(of_domain(owner, domains.iter().find(|domain| domain.domain == owner).copied()));
    }
    objects.extend(contracts.into_iter().map(slo));
    objects
}

fn of_domain(owner: &str, domain: Option<&Domain>) -> Vec<Value> {
    let description = domain.map_or_else(|| format!("The domain {owner}."), |domain| domain.description.clone());
    let team = domain.map_or_else(|| owner.to_owned(), |domain| domain.team.name.clone());
    let contact = domain.map_or_else(|| owner.to_owned(), |domain| domain.team.contact.clone());
    let service = object("Service", &name(owner), &team, json!({ "description": described(&description) }));
    let told = json!({ "target": "alertmanager", "description": described(&format!("Alertmanager tells {contact}.")) });
    let told = object("AlertNotificationTarget", &target(owner), &team, told);
    let policies = BURNS.iter().map(|burn| policy(owner, burn));
    [service, told].into_iter().chain(policies).collect()
}

fn policy(owner: &str, burn: &Burn) -> Value {
    let condition = json!({
        "kind": "AlertCondition",
        "metadata": { "name": burn.name },
        "spec": {
            "severity": burn.severity,
            "condition": {
                "kind": "burnrate",
                "op": "gte",
                "threshold": burn.rate,
                "lookbackWindow": burn.long,
                "alertAfter": burn.short,
            },
        },
    });
    let spec = json!({
        "description": format!("The budget burns {} times too fast over {} and {}.", burn.rate, burn.long, burn.short),
        "alertWhenNoData": false,
        "alertWhenResolved": true,
        "alertWhenBreaching": true,
        "conditions": [condition],
        "notificationTargets": [{ "targetRef": target(owner) }],
    });
    object("AlertPolicy", &policy_name(owner, burn), &format!("{owner}: {}", burn.name), spec)
}

fn slo(contract: &Contract) -> Value {
    let (product, version) = (contract.product().to_string(), contract.version);
    let own = name(&format!("{product}-v{version}"));
    let query = format!(r#"max(mesh_freshness_stale{{product="{product}",version="{version}"}})"#);
    let source = json!({ "metricSourceRef": DATA_SOURCE, "type": "Prometheus", "spec": { "query": query } });
    let rate = &contract.refresh_rate;
    let objective = json!({
        "displayName": format!("new facts every {}", rate.every),
        "op": "lte",
        "value": 0,
        "target": rate.objective,
        "timeSliceTarget": 1.0,
        "timeSliceWindow": "1m",
    });
    let policies: Vec<Value> =
        BURNS.iter().map(|burn| json!({ "alertPolicyRef": policy_name(&contract.owner, burn) })).collect();
    let spec = json!({
        "description": described(&contract.description),
        "service": name(&contract.owner),
        "indicator": {
            "metadata": { "name": own, "displayName": format!("{product} v{version} is stale") },
            "spec": { "thresholdMetric": { "metricSource": source } },
        },
        "timeWindow": [{ "duration": window(rate.over.seconds()), "isRolling": true }],
        "budgetingMethod": "Timeslices",
        "objectives": [objective],
        "alertPolicies": policies,
    });
    object("SLO", &own, &format!("{product} v{version}: freshness"), spec)
}

fn object(kind: &str, name: &str, display: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "openslo/v1",
        "kind": kind,
        "metadata": { "name": name, "displayName": display },
        "spec": spec,
    })
}

fn target(owner: &str) -> String {
    name(&format!("{owner}-oncall"))
}

fn policy_name(owner: &str, burn: &Burn) -> String {
    name(&format!("{owner}-{}", burn.name))
}

/// A DNS label. Where another text could have the same, it gets a hash, so that two names stay two.
fn name(text: &str) -> String {
    let label = text.replace(['.', '_'], "-");
    let is_ambiguous = text.contains('_') || text.split_once('.').is_some_and(|(domain, _)| domain.contains('-'));
    if !is_ambiguous && label.len() <= NAME_LENGTH_MAX && !label.ends_with('-') {
        return label;
    }
    let kept: String = label.chars().take(NAME_LENGTH_MAX - HASH_DIGITS - 1).collect();
    format!("{}-{:08x}", kept.trim_end_matches('-'), fnv1a(text))
}

/// FNV-1a, 32 bits: the same in every version of this program, which `std`'s hashes are not.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn described(text: &str) -> String {
    text.chars().take(DESCRIPTION_LENGTH_MAX).collect()
}

/// A duration in the largest unit that fits: `30d`. Minutes are the smallest there is.
fn window(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h")];
    let fits = units.iter().find(|(length, _)| seconds.is_multiple_of(*length));
    fits.map_or_else(|| format!("{}m", seconds.div_ceil(60)), |(length, unit)| format!("{}{unit}", seconds / length))
}

#[cfg(test)]
mod tests;
