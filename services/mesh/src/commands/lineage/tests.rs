#![allow(clippy::unwrap_used)]

use super::*;
use mesh_lineage::Graph;
use mesh_lineage::graph::Declaration;
use jiff::Timestamp;
use mesh_client::lineage::{Event, Job, JobRun, KafkaNamespace};

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

fn lineage(product: &str) -> Lineage {
    let args = Args { product: product.parse().unwrap(), upstream: false, downstream: false };
    Lineage::of(graph().now(), &args)
}

#[test]
fn people_read_two_trees() {
    insta::assert_snapshot!(text::render(&lineage("upselling.offers")));
    insta::assert_snapshot!(text::render(&lineage("crm.customers")));
}

#[test]
fn one_side_alone_can_be_asked_for() {
    let args = Args { product: "upselling.offers".parse().unwrap(), upstream: true, downstream: false };
    insta::assert_snapshot!(text::render(&Lineage::of(graph().now(), &args)));
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
