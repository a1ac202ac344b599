//! Who is called: the rules of freshness and Alertmanager's configuration, judged by Prometheus' and Alertmanager's own tools.

use super::{root, strings, text, yaml};
use crate::tree::WorkingTree;
use mesh_freshness::rules;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const RULES: &str = "deploy/prometheus/freshness.yml";
/// Which alerts of the backbone fire with which labels, as Prometheus' own tool confirms.
const FIRED: &str = "deploy/prometheus/alerts_test.yml";
const ALERTMANAGER: &str = "deploy/alertmanager/alertmanager.yml";

/// Runs a tool of Debian's packages `prometheus` and `prometheus-alertmanager` to a good end: what it says.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} is needed ({error}): install Debian's packages prometheus and prometheus-alertmanager")
    });
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

fn tree() -> WorkingTree {
    let names = crate::schema_rules::NameOptions::default().names().unwrap();
    WorkingTree::read(&root(), &names).unwrap().sound().unwrap()
}

#[test]
fn the_rules_of_freshness_are_those_of_the_contracts() {
    let tree = tree();
    let contracts: Vec<_> = tree.products.iter().map(|product| &product.contract.value).collect();
    let domains: Vec<_> = tree.domains.iter().map(|domain| &domain.value).collect();
    let wanted = rules::prometheus(&contracts, &domains);
    assert!(text(RULES) == wanted, "make it anew: mesh freshness rules > {RULES}");
}

#[test]
fn prometheus_own_tool_takes_the_rules_and_they_fire_as_they_should() {
    for file in [RULES, "deploy/prometheus/alerts.yml"] {
        run("promtool", &["check", "rules", file]);
    }
    run("promtool", &["check", "config", "deploy/prometheus/prometheus.yml"]);
    run("promtool", &["test", "rules", "deploy/prometheus/freshness_test.yml", FIRED]);
}

#[test]
fn every_alert_of_freshness_has_its_section_of_the_runbook() {
    let mut alerts = BTreeSet::new();
    for group in yaml(RULES)["groups"].as_array().unwrap() {
        alerts.extend(group["rules"].as_array().unwrap().iter().map(|rule| rule["alert"].as_str().unwrap().to_owned()));
    }
    assert_eq!(alerts.len(), 7);
    for alert in alerts {
        assert!(text("docs/operations.md").contains(&format!("\n### {alert}\n")), "docs/operations.md: {alert}");
    }
}

/// Asserts that an alert with these labels is sent to this receiver, and to no other.
fn leads(receiver: &str, labels: &[&str]) {
    let verify = format!("--verify.receivers={receiver}");
    let config = format!("--config.file={ALERTMANAGER}");
    run("amtool", &[&["config", "routes", "test", &config, &verify], labels].concat());
}

#[test]
fn pages_reach_the_domain_that_owns_the_product() {
    run("amtool", &["check-config", ALERTMANAGER]);
    for domain in tree().domains {
        let domain = domain.value.domain;
        let owner = format!("domain={domain}");
        leads(&format!("{domain}-page"), &["severity=page", &owner, "product=x", "alertname=MeshProductStale"]);
        leads(&format!("{domain}-told"), &["severity=info", &owner, "product=x", "alertname=MeshUpstreamStale"]);
        leads(&format!("{domain}-told"), &["severity=ticket", &owner, "product=x"]);
    }
    leads("platform-page", &["severity=page", "alertname=MeshFreshnessMonitorSilent"]);
    leads("platform-told", &["severity=ticket", "alertname=MeshFreshnessMonitorFailing"]);
}

/// With the labels that the alert has when it fires, not with some that it should have.
#[test]
fn quarantined_records_are_told_to_the_domain_that_owns_the_product() {
    let fired = yaml(FIRED);
    let told: Vec<&Value> = fired["tests"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|test| test["alert_rule_test"].as_array().unwrap())
        .filter(|expected| expected["alertname"] == "MeshQuarantined")
        .flat_map(|expected| expected["exp_alerts"].as_array().unwrap())
        .collect();
    assert!(!told.is_empty());
    for alert in told {
        let labels = alert["exp_labels"].as_object().unwrap();
        let labels = labels.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
        let labels: Vec<String> = labels.chain(["alertname=MeshQuarantined".to_owned()]).collect();
        leads("crm-told", &labels.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for domain in tree().domains {
        let domain = domain.value.domain;
        let labels = ["alertname=MeshQuarantined", "severity=ticket", &format!("domain={domain}"), "reason=truncated"];
        leads(&format!("{domain}-told"), &labels);
    }
}

#[test]
fn a_page_is_one_for_a_product_and_nothing_keeps_it_back() {
    let config = yaml(ALERTMANAGER);
    assert_eq!(strings(&config["route"]["group_by"]), ["alertname", "product", "version"]);
    for rule in config["inhibit_rules"].as_array().unwrap() {
        let inhibited = strings(&rule["target_matchers"]).concat();
        assert!(!inhibited.contains("MeshProductStale"), "{rule}");
    }
}

#[test]
fn prometheus_tells_the_alertmanager_that_is_there() {
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let told = &prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"][0];
    let (host, port) = told.as_str().and_then(|address| address.split_once(':')).unwrap();
    let service: Value = super::services()[host].clone();
    assert!(
        strings(&service["ports"]).iter().any(|published| published.ends_with(&format!(":{port}"))),
        "{host}:{port}"
    );
}
