#![allow(clippy::unwrap_used)]

use super::*;
use mesh_contract::acl::{self, Part, Sidecars};
use mesh_contract::{Contract, parse_contract, parse_domain};

const CUSTOMERS: &str = include_str!("../../../../topics/crm/customers.yaml");
const CRM: &str = include_str!("../../../../topics/crm/domain.yaml");
const SCHEMA: &str = include_str!("../../../../schemas/crm/customer.avsc");

fn members() -> Members {
    let member = |group: &str, user: &str| (group.to_owned(), BTreeSet::from([format!("User:{user}")]));
    [member("analysts", "ana"), member("crm-support", "sue"), member("crm-stewards", "stan")].into()
}

fn rule(principal: &str, operation: Option<Operation>, name: &str) -> TopicRule {
    let (principal, host) = (principal.to_owned(), "*".to_owned());
    TopicRule { principal, operation, name: name.to_owned(), prefixed: false, host, allows: true }
}

/// The report on a cluster whose rules are those of the contract, changed.
fn reported(members: Option<&Members>, brokers: &Brokers, change: impl Fn(&mut BTreeSet<TopicRule>)) -> Report {
    let contract: Contract = parse_contract("topics/crm/customers.yaml", CUSTOMERS).unwrap().value;
    let domain = parse_domain("topics/crm/domain.yaml", CRM).unwrap().value;
    let table = acl::product(&contract, &domain.producers, &self::members(), &Sidecars::default());
    let mut rules = table.iter().filter_map(TopicRule::of).collect();
    change(&mut rules);
    let products = [Seen::of(&contract, &serde_json::from_str(SCHEMA).unwrap())];
    let administrators = [Part::Apply, Part::Access].map(|part| part.principal()).into();
    let administrators = &administrators;
    report(&Known { products: &products, domains: &[&domain], members, rules: &rules, administrators, brokers })
}

fn brokers() -> Brokers {
    let settings = [("super.users", "User:root; User:ops"), ("allow.everyone.if.no.acl.found", "false")];
    Brokers::of(&settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

#[test]
fn what_is_as_contracts_say_has_no_findings() {
    let report = reported(Some(&members()), &brokers(), |_| {});
    insta::assert_snapshot!(text(&report));
    insta::assert_snapshot!(markdown(&report));
}

#[test]
fn what_nobody_derives_what_is_missing_and_what_is_refused_are_findings() {
    let report = reported(Some(&members()), &brokers(), |rules| {
        rules.insert(TopicRule { prefixed: true, ..rule("User:eve", Some(Operation::Read), "crm.") });
        rules.insert(TopicRule {
            host: "10.0.0.1".to_owned(),
            ..rule("User:tool", Some(Operation::Write), "crm.customers.v1")
        });
        rules.insert(rule("User:*", Some(Operation::Describe), "*"));
        rules.insert(rule("User:eve", Some(Operation::Read), "crm.customers.v10"));
        rules.insert(TopicRule { allows: false, ..rule("User:sue", None, "crm.customers.v1.support") });
        rules.retain(|rule| rule.principal != "User:ana");
    });
    insta::assert_snapshot!(text(&report));
    let lines = serde_json::to_string_pretty(&report.findings).unwrap();
    insta::assert_snapshot!(lines);
}

#[test]
fn without_groups_a_reader_of_a_view_is_no_finding_but_one_of_the_input_port_is() {
    let report = reported(None, &Brokers::default(), |rules| {
        rules.insert(rule("User:eve", Some(Operation::Read), "crm.customers.v1"));
        rules.insert(rule("User:eve", Some(Operation::Read), "crm.customers.v1.in"));
    });
    let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("crm.customers.v1.in; it shows in clear address.street of crm.customers@1"), "{found:?}");
}

#[test]
fn whoever_may_change_what_the_backbone_keeps_is_a_finding_and_whoever_reads_it_is_not() {
    let change = |rules: &mut BTreeSet<TopicRule>| {
        rules.insert(rule("User:eve", Some(Operation::Write), "mesh.products"));
        rules.insert(rule("User:eve", Some(Operation::Write), "mesh.lineage"));
        rules.insert(rule("User:auditor", Some(Operation::Read), "mesh.audit"));
        rules.insert(rule("User:mirror", Some(Operation::Read), "_schemas"));
        rules.insert(rule("User:tool", None, "_schemas"));
    };
    let found = |members: Option<&Members>| {
        let report = reported(members, &brokers(), change);
        report.findings.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    let products = "undeclared: User:eve may Write topic mesh.products; no contract asks for it on mesh.products";
    let lineage = "undeclared: User:eve may Write topic mesh.lineage; no contract asks for it on mesh.lineage";
    let schemas = "undeclared: User:tool may do anything with topic _schemas; no contract asks for it on _schemas";
    assert_eq!(found(Some(&members())), [lineage, products, schemas]);
    assert_eq!(found(None), [products, schemas], "somebody in a group tells lineage what they read");
}

#[test]
fn an_administrator_of_whom_nobody_knows_is_a_finding() {
    let known = |administrators: BTreeSet<String>| {
        let (brokers, rules) = (brokers(), BTreeSet::new());
        let administrators = &administrators;
        let known =
            Known { products: &[], domains: &[], members: None, rules: &rules, administrators, brokers: &brokers };
        report(&known).findings
    };
    let eve = Finding::Administrator { principal: "User:eve".to_owned() };
    let who = ["User:eve", "User:root", "User:mesh-apply", "User:mesh-access"].map(str::to_owned);
    assert_eq!(known(who.into()), [eve]);
}

#[test]
fn a_topic_that_no_rule_is_about_may_be_open_to_everybody() {
    let brokers = Brokers { open_without_rules: true, ..brokers() };
    let report = reported(Some(&members()), &brokers, |rules| rules.retain(|rule| rule.name != "crm.customers.v1.in"));
    let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(
        matches!(found.as_slice(), [open] if open.starts_with("open: everybody may do everything with topic crm.customers.v1.in")),
        "{found:?}"
    );
}

#[test]
fn a_product_a_group_or_somebody_can_be_asked_for() {
    let report = reported(Some(&members()), &brokers(), |rules| {
        rules.insert(rule("User:eve", Some(Operation::Read), "crm.customers.v1"));
    });
    let groups: BTreeSet<String> = members().into_keys().collect();
    let find = |text: &str| report.find(text, &groups);
    assert_eq!(find("crm.customers"), Some(Selection::Product("crm.customers".to_owned())));
    assert_eq!(find("crm.customers@2"), None);
    assert_eq!(find("nobody"), None);
    let eve = report.clone().select(&find("eve").unwrap());
    assert_eq!((eve.products.len(), eve.products[0].ports.len(), eve.findings.len()), (1, 1, 1));
    let group = report.clone().select(&find("crm-stewards").unwrap());
    let topics: Vec<&str> = group.products[0].ports.iter().map(|port| port.topic.as_str()).collect();
    assert_eq!((topics, group.findings.len()), (vec!["crm.customers.v1.stewards", "crm.customers.v1.quarantine"], 0));
}

#[test]
fn what_feeds_a_version_reads_the_other_ones_input_port_as_contracts_say() {
    let old = parse_contract("topics/crm/customers.yaml", CUSTOMERS).unwrap().value;
    let (new, old) = (Contract { version: 2, ..old.clone() }, Contract { fed_by: Some(2), ..old });
    let domain = parse_domain("topics/crm/domain.yaml", CRM).unwrap().value;
    let table = |contract: &Contract| acl::product(contract, &domain.producers, &members(), &Sidecars::default());
    let rules = table(&old).union(&table(&new)).filter_map(TopicRule::of).collect();
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let products = [Seen::of(&old, &schema), Seen::of(&new, &schema)];
    let (brokers, members) = (brokers(), members());
    let administrators = &[Part::Apply, Part::Access].map(|part| part.principal()).into();
    let members = Some(&members);
    let known =
        Known { products: &products, domains: &[&domain], members, rules: &rules, administrators, brokers: &brokers };
    let report = report(&known);
    assert_eq!(report.findings, []);
    let shown = text(&report);
    assert_eq!(shown.matches("the feed of crm").count(), 3, "{shown}");
}
