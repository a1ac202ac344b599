#![allow(clippy::unwrap_used)]

use super::around::{Args, Lineage};
use super::*;
use jiff::Timestamp;
use mesh_client::lineage::{Event, Job, JobRun, KafkaNamespace};
use mesh_lineage::Graph;
use mesh_lineage::graph::Declaration;

/// A run that reads and writes one record of each of these topics.
fn moved(job: &str, inputs: &[&str], outputs: &[&str]) -> Event {
    let mut run = JobRun::new(Job::mesh(job), KafkaNamespace::of("k:9092"));
    inputs.iter().for_each(|topic| run.read(topic, 0, 0, 1));
    outputs.iter().for_each(|topic| run.wrote(topic, 0, 0, 1));
    run.complete(Timestamp::UNIX_EPOCH).into()
}

fn graph() -> Graph {
    let mut graph = Graph::default();
    for event in [
        moved("masking.crm.customers.v1", &["crm.customers.v1.in"], &["crm.customers.v1"]),
        moved("derive.upselling.offers.v1", &["crm.customers.v1", "web.page_views.v1"], &["upselling.offers.v1.in"]),
        moved("derive.mail.letters.v1", &["upselling.offers.v1"], &["mail.letters.v1.in"]),
        moved("cam\"paign", &["upselling.offers.v1"], &[]),
    ] {
        let text = serde_json::to_vec(&event).unwrap();
        graph.apply(&mesh_lineage::intake::accept(&text).unwrap()).unwrap();
    }
    let orders = applied("crm", "orders", &[]);
    let offers = applied("upselling", "offers", &["crm.customers", "crm.orders"]);
    let customers = applied("crm", "customers", &[]);
    let declarations = [&orders, &offers, &customers].map(|applied| Declaration { applied, until_ms: None });
    graph.declare(&KafkaNamespace::of("k:9092").into(), &declarations).unwrap();
    graph
}

fn applied(owner: &str, name: &str, dependencies: &[&str]) -> mesh_contract::AppliedProduct {
    let contract = serde_json::json!({
        "unique_id": uuid::Uuid::nil(), "owner": owner, "name": name, "version": 1, "description": "d", "schema": "s.avsc",
        "compatibility": "backward", "refresh_rate": {"every": "1 hour", "objective": 0.995, "over": "30 days"},
        "history": "latest", "storage": ["stream"], "sensitive_columns": [], "views": {}, "access_group": [],
        "dependencies": dependencies,
    });
    let contract = serde_json::from_value(contract).unwrap();
    mesh_contract::AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: serde_json::json!("string") }
}

fn args() -> Args {
    Args { product: None, upstream: false, downstream: false, columns: false, depth: None, when: When::default() }
}

fn lineage(product: &str) -> Lineage {
    Lineage::of(graph().now(), product, &args())
}

#[test]
fn the_command_line_fits_together() {
    use clap::{CommandFactory, Parser};
    crate::cli::Cli::command().debug_assert();
    let parse = |args: &[&str]| crate::cli::Cli::try_parse_from([&["mesh", "lineage"], args].concat()).is_ok();
    assert!(parse(&["crm.customers", "--columns"]) && parse(&["prove"]) && parse(&["impact", "crm.customers.email"]));
    assert!(!parse(&[]) && !parse(&["prove", "--columns"]) && !parse(&["crm.customers", "prove"]));
}

#[test]
fn people_read_two_trees() {
    insta::assert_snapshot!(text::render(&lineage("upselling.offers")));
    insta::assert_snapshot!(text::render(&lineage("crm.customers")));
}

#[test]
fn one_side_alone_can_be_asked_for() {
    let args = Args { upstream: true, ..args() };
    insta::assert_snapshot!(text::render(&Lineage::of(graph().now(), "upselling.offers", &args)));
}

#[test]
fn machines_read_trees_and_edges() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&lineage("crm.customers")).unwrap());
}

#[test]
fn graphviz_and_mermaid_draw_it() {
    insta::assert_snapshot!(picture::dot(&lineage("upselling.offers")));
    insta::assert_snapshot!(picture::mermaid(&lineage("upselling.offers")));
}

#[test]
fn a_tree_ends_where_it_is_told_to() {
    let args = Args { downstream: true, depth: Some(1), ..args() };
    let lineage = Lineage::of(graph().now(), "crm.customers", &args);
    assert_eq!(lineage.downstream.unwrap()[0].next, []);
}

/// Customers as in the examples, masked; a job copies what stewards see, and one derives offers of what analysts see.
fn examples() -> (Graph, Products) {
    use mesh_client::lineage::ProductDatasets;
    use mesh_contract::{AppliedProduct, parse_contract};
    let cluster = KafkaNamespace::of("k:9092").into();
    let applied = |contract: &str, schema: &str| AppliedProduct {
        revision: 1,
        applied_at_ms: 0,
        contract: parse_contract("contract.yaml", contract).unwrap().value,
        schema: serde_json::from_str(schema).unwrap(),
    };
    let customers = applied(
        include_str!("../../../../../topics/crm/customers.yaml"),
        include_str!("../../../../../schemas/crm/customer.avsc"),
    );
    let offers = applied(
        include_str!("../../../../../topics/upselling/offers.yaml"),
        include_str!("../../../../../schemas/upselling/offer.avsc"),
    );
    let mut graph = Graph::default();
    let declarations = [&customers, &offers].map(|applied| Declaration { applied, until_ms: None });
    graph.declare(&cluster, &declarations).unwrap();
    let mut masking = ProductDatasets::new(&cluster, &customers).masking_run(uuid::Uuid::nil());
    masking.read("crm.customers.v1.in", 0, 0, 1);
    let views = ["crm.customers.v1", "crm.customers.v1.stewards", "crm.customers.v1.support"];
    views.iter().for_each(|topic| masking.wrote(topic, 0, 0, 1));
    let events = [
        masking.complete(Timestamp::UNIX_EPOCH).into(),
        moved("copy", &["crm.customers.v1.stewards"], &["warehouse"]),
        moved("derive.upselling.offers.v1", &["crm.customers.v1"], &["upselling.offers.v1.in"]),
    ];
    for event in events {
        let text = serde_json::to_vec(&event).unwrap();
        graph.apply(&mesh_lineage::intake::accept(&text).unwrap()).unwrap();
    }
    (graph, Products::new([customers, offers].map(std::sync::Arc::new)))
}

#[test]
fn columns_are_told_with_what_they_are_made_of() {
    let (graph, _) = examples();
    let args = Args { columns: true, upstream: true, ..args() };
    let lineage = Lineage::of(graph.now(), "crm.customers", &args);
    insta::assert_snapshot!(text::render(&lineage));
    insta::assert_snapshot!(picture::dot(&lineage));
    insta::assert_snapshot!(picture::mermaid(&lineage));
}

#[test]
fn impact_names_who_sees_a_column() {
    let (graph, products) = examples();
    let of = |column| {
        let found = mesh_lineage::impact::Impact::of(graph.now(), &products, "crm.customers", column).unwrap();
        impact::render(&found)
    };
    insta::assert_snapshot!(of("email"));
    insta::assert_snapshot!(of("marketing_consent"));
}

#[test]
fn a_proof_names_what_it_fails_on() {
    let (graph, products) = examples();
    let proof = mesh_lineage::proof::Proof::of(graph.now(), &products, None);
    insta::assert_snapshot!(prove::render(&proof));
}

#[test]
fn a_proof_that_holds_says_what_for() {
    let (_, products) = examples();
    let nothing_moved = Graph::default();
    let proof = mesh_lineage::proof::Proof::of(nothing_moved.now(), &products, Some("crm.customers"));
    insta::assert_snapshot!(prove::render(&proof));
}

#[test]
fn erasure_names_where_a_subject_would_have_gone() {
    let (graph, products) = examples();
    let found = mesh_lineage::erasure::Erasure::of(graph.now(), &products, "crm.customers").unwrap();
    insta::assert_snapshot!(erasure::render(&found, Some("C-1\u{1b}[2J")));
}

#[test]
fn what_contracts_declare_and_what_was_seen_is_told_apart() {
    let found = mesh_lineage::finding::findings(graph().now(), None);
    insta::assert_snapshot!(check::render(&found));
    insta::assert_snapshot!(check::render(&[]));
}
