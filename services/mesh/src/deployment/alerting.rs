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

/// What is expected to fire, with the labels that it has then, not with some that it should have.
fn fired() -> Vec<(String, Vec<(String, String)>)> {
    let tests = yaml(FIRED)["tests"].as_array().unwrap().clone();
    let expected = tests.iter().flat_map(|test| test["alert_rule_test"].as_array().unwrap());
    let alerts = expected.flat_map(|expected| {
        let name = expected["alertname"].as_str().unwrap();
        expected["exp_alerts"].as_array().unwrap().iter().map(move |alert| (name.to_owned(), labels(alert)))
    });
    alerts.collect()
}

fn labels(alert: &Value) -> Vec<(String, String)> {
    let labels = alert["exp_labels"].as_object().unwrap().iter();
    labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

#[test]
fn what_is_about_a_product_is_told_to_the_domain_that_owns_it_and_the_rest_to_the_platforms_team() {
    let mut routed = BTreeSet::new();
    for (alert, labels) in fired() {
        let label = |name: &str| labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str());
        assert_eq!(label("product").is_some(), label("domain").is_some(), "{alert}: {labels:?}");
        let how = if label("severity") == Some("page") { "page" } else { "told" };
        let given = labels.iter().map(|(name, value)| format!("{name}={value}"));
        let given: Vec<String> = given.chain([format!("alertname={alert}")]).collect();
        let team = label("domain").unwrap_or("platform");
        leads(&format!("{team}-{how}"), &given.iter().map(String::as_str).collect::<Vec<_>>());
        routed.insert(alert);
    }
    for group in yaml("deploy/prometheus/alerts.yml")["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            let alert = rule["alert"].as_str().unwrap();
            let of_product = rule["annotations"]["summary"].as_str().unwrap().contains("$labels.product");
            assert!(!of_product || routed.contains(alert), "{FIRED} does not show to whom {alert} leads");
        }
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
