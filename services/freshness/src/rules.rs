//! Prometheus alert rules from contracts. Pure: contracts in, YAML out.

use std::fmt::Write as _;

use mesh_contract::{Contract, Domain};

/// How old an evaluation may be before the monitor itself is the matter.
const MONITOR_SILENT_SECONDS: u32 = 120;

/// The rules of these contracts, as a rule file. Whoever owns a product is named, with the runbook of its domain.
pub fn prometheus(contracts: &[&Contract], domains: &[&Domain]) -> String {
    let mut file = String::from("groups:\n");
    group(&mut file, "mesh-freshness-monitor");
    rule(&mut file, &monitor_silent());
    let mut owners: Vec<&str> = contracts.iter().map(|contract| contract.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    for owner in owners {
        group(&mut file, &format!("mesh-freshness-{owner}"));
        let domain = domains.iter().find(|domain| domain.domain == owner).copied();
        let mut own: Vec<_> = contracts.iter().filter(|contract| contract.owner == owner).collect();
        own.sort_by_key(|contract| (&contract.name, contract.version));
        own.iter().for_each(|contract| rule(&mut file, &stale(contract, domain)));
    }
    file
}

struct Rule {
    alert: &'static str,
    expr: String,
    hold: &'static str,
    labels: Vec<(&'static str, String)>,
    annotations: Vec<(&'static str, String)>,
}

fn stale(contract: &Contract, domain: Option<&Domain>) -> Rule {
    let (product, version) = (contract.product().to_string(), contract.version.to_string());
    let mut annotations = vec![
        (
            "summary",
            format!("{product} v{version} is stale: it promises new facts every {}", contract.refresh_rate.every),
        ),
        ("owner", domain.map_or_else(|| contract.owner.clone(), |domain| domain.team.name.clone())),
    ];
    annotations.extend(domain.map(|domain| ("contact", domain.team.contact.clone())));
    annotations.extend(domain.and_then(runbook).map(|url| ("runbook_url", url)));
    Rule {
        alert: "MeshProductStale",
        expr: format!(
            r#"max by (product, version) (mesh_freshness_stale{{product="{product}",version="{version}"}}) == 1"#
        ),
        hold: "0s",
        labels: vec![
            ("severity", "page".to_owned()),
            ("domain", contract.owner.clone()),
            ("product", product),
            ("version", version),
        ],
        annotations,
    }
}

/// Where the team said to go.
fn runbook(domain: &Domain) -> Option<String> {
    domain.team.escalation.clone().filter(|escalation| escalation.contains("://"))
}

/// Silence of the monitor must not look like freshness.
fn monitor_silent() -> Rule {
    let newest = "max(mesh_freshness_evaluated_timestamp_seconds)";
    Rule {
        alert: "MeshFreshnessMonitorSilent",
        expr: format!(
            "absent(mesh_freshness_evaluated_timestamp_seconds) or (time() - {newest} > {MONITOR_SILENT_SECONDS})"
        ),
        hold: "1m",
        labels: vec![("severity", "page".to_owned())],
        annotations: vec![(
            "summary",
            "no freshness was evaluated: whether products are stale is not known".to_owned(),
        )],
    }
}

fn group(file: &mut String, name: &str) {
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(file, "  - name: {}\n    rules:", quoted(name));
}

fn rule(file: &mut String, rule: &Rule) {
    let _ = writeln!(file, "      - alert: {}", rule.alert);
    let _ = writeln!(file, "        expr: {}", quoted(&rule.expr));
    let _ = writeln!(file, "        for: {}", rule.hold);
    for (section, entries) in [("labels", &rule.labels), ("annotations", &rule.annotations)] {
        let _ = writeln!(file, "        {section}:");
        for (name, value) in entries {
            let _ = writeln!(file, "          {name}: {}", quoted(&literal(value)));
        }
    }
}

/// Labels and annotations are templates to Prometheus; what people wrote is not.
fn literal(text: &str) -> String {
    text.replace("{{", r#"{{"{{"}}"#)
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use mesh_contract::{parse_contract, parse_domain};

    use super::*;

    fn contract(name: &str, text: &str) -> Contract {
        parse_contract(name, text).unwrap().value
    }

    #[test]
    fn every_product_pages_its_owner() {
        let customers = contract("topics/crm/customers.yaml", include_str!("../../../topics/crm/customers.yaml"));
        let views = contract("topics/web/page_views.yaml", include_str!("../../../topics/web/page_views.yaml"));
        let crm =
            parse_domain("topics/crm/domain.yaml", include_str!("../../../topics/crm/domain.yaml")).unwrap().value;
        insta::assert_snapshot!(prometheus(&[&views, &customers], &[&crm]));
    }

    #[test]
    fn what_people_wrote_is_no_template() {
        assert_eq!(literal("CRM {{ $labels }}"), r#"CRM {{"{{"}} $labels }}"#);
    }
}
