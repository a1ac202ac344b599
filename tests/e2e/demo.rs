//! The demo: what it promises to machines, that it can be run again, and that its search for canaries finds them.

use crate::official::Official;
use crate::support::{Finished, Tree, World, mesh};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// The real data: purchases' customers, purchases, page events.
const LEAST: [(&str, u64); 3] = [("crm.customers", 23_570), ("crm.orders", 69_659), ("web.page_views", 31_106)];
const VIEWS: [(&str, &str); 6] = [
    ("crm.customers.v1", "crm.customers"),
    ("crm.customers.v1.support", "crm.customers"),
    ("crm.customers.v1.stewards", "crm.customers"),
    ("crm.orders.v1", "crm.orders"),
    ("web.page_views.v1", "web.page_views"),
    ("upselling.offers.v1", "upselling.offers"),
];
/// From topics that were read to topics that were written; quarantine topics aside.
pub(super) const EDGES: [(&str, &str); 9] = [
    ("crm.customers.v1", "upselling.offers.v1.in"),
    ("crm.customers.v1.in", "crm.customers.v1"),
    ("crm.customers.v1.in", "crm.customers.v1.stewards"),
    ("crm.customers.v1.in", "crm.customers.v1.support"),
    ("crm.orders.v1", "upselling.offers.v1.in"),
    ("crm.orders.v1.in", "crm.orders.v1"),
    ("upselling.offers.v1.in", "upselling.offers.v1"),
    ("web.page_views.v1", "upselling.offers.v1.in"),
    ("web.page_views.v1.in", "web.page_views.v1"),
];

pub(super) fn demo(tree: &Tree) -> Command {
    let mut command = mesh(["demo", "--format", "json", "--root"]);
    command.arg(tree.root());
    command
}

fn object(finished: &Finished) -> Value {
    let lines = finished.json_lines();
    assert_eq!(lines.len(), 1, "one object: {}", finished.stdout);
    lines[0].clone()
}

#[test]
fn it_tells_machines_what_it_saw_and_leaves_nothing_behind() {
    let tree = Tree::examples();
    let events = tree.root().join("lineage.jsonl");
    let finished = Finished::of(demo(&tree).arg("--lineage-events").arg(&events)).expect(0);
    let seen = object(&finished);
    assert_everything_is_accounted_for(&seen);
    assert_eq!(seen["canaries_leaked"], 0);
    assert_eq!(seen["refused_schemas"], 3);
    let states: Vec<(&str, &str)> = seen["freshness"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (row["product"].as_str().expect("a name"), row["state"].as_str().expect("a state")))
        .collect();
    let expected = [
        ("crm.customers", "fresh"),
        ("crm.orders", "fresh"),
        ("upselling.offers", "fresh"),
        ("web.page_views", "stale"),
    ];
    assert_eq!(states, expected);
    assert_eq!(edges(&seen), EDGES.map(|(from, to)| (from.to_owned(), to.to_owned())).into());
    let events = std::fs::read_to_string(events).expect("the file was asked for");
    assert!(events.lines().count() >= 4);
    let events = events.lines().map(|event| serde_json::from_str(event).expect("one JSON object a line")).collect();
    assert_events_are_openlineage(events);
}

/// Each follows the official schemas with all of its facets, and together they have every facet of a run that goes well.
fn assert_events_are_openlineage(events: Vec<Value>) {
    let official = Official::find();
    let mut facets = BTreeSet::new();
    for event in &events {
        assert!(event["eventTime"].is_string() && event["producer"].is_string(), "{event}");
        official.iter().for_each(|official| assert!(official.accept(event) > 0, "{event}"));
        name_facets(event, &mut facets);
    }
    let expected = [
        "columnLineage",
        "dataQualityAssertions",
        "documentation",
        "inputStatistics",
        "jobType",
        "lifecycleStateChange",
        "mesh_kafka",
        "outputStatistics",
        "ownership",
        "processing_engine",
        "schema",
        "tags",
        "version",
    ];
    let missing: Vec<_> = expected.into_iter().filter(|facet| !facets.contains(*facet)).collect();
    assert!(missing.is_empty(), "no event has {missing:?}, only {facets:?}");
}

fn name_facets(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, inner)| {
            if inner["_schemaURL"].is_string() {
                found.insert(key.clone());
            } else {
                name_facets(inner, found);
            }
        }),
        Value::Array(items) => items.iter().for_each(|inner| name_facets(inner, found)),
        _ => {}
    }
}

#[test]
fn it_runs_again_and_again_on_an_existing_cluster() {
    let world = World::start();
    for _ in 0..2 {
        let mut command = demo(&world.tree);
        let finished = Finished::of(command.args(["--bootstrap-servers", world.bootstrap()])).expect(0);
        let seen = object(&finished);
        assert_everything_is_accounted_for(&seen);
        assert_eq!(seen["canaries_leaked"], 0);
    }
}

#[test]
fn without_a_rule_its_canaries_leak_and_it_says_so() {
    let tree = Tree::examples();
    tree.replace(
        "topics/crm/customers.yaml",
        "  - { column: full_name,          class: pii.name,    mask: redact }\n",
        "",
    );
    // What the schema says of the column would mask it all the same.
    let marked = ", \"mesh.class\": \"pii.name\" }";
    tree.replace("schemas/crm/customer.avsc", marked, ", \"mesh.sensitive\": false }");
    let finished = Finished::of(&mut demo(&tree)).expect(1);
    let seen = object(&finished);
    assert_everything_is_accounted_for(&seen);
    // Four canary customers, each with a name of their own.
    assert_eq!(seen["canaries_leaked"], 4, "{}", finished.stderr);
}

#[test]
fn to_people_it_says_what_happened() {
    let tree = Tree::examples();
    let mut command = mesh(["demo", "--root"]);
    let finished = Finished::of(command.arg(tree.root())).expect(0);
    for said in
        ["What each group sees", "Quarantined", "0 canaries leaked", "web.page_views", "All happened as staged."]
    {
        assert!(finished.stdout.contains(said), "{said:?} is not in:\n{}", finished.stdout);
    }
    assert!(!finished.stderr.contains("ERROR"), "{}", finished.stderr);
}

/// Every view of a product holds what was published of it but for what is in quarantine.
fn assert_everything_is_accounted_for(seen: &Value) {
    let published = |product: &str| seen["published"][product].as_u64().expect("a count");
    for (product, least) in LEAST {
        assert!(published(product) > least, "{product}: {} with canaries and bad records", published(product));
    }
    let refused: u64 = products().iter().map(|product| published(product) - seen_in(seen, product)).sum();
    assert_eq!(seen["quarantined"].as_u64(), Some(refused));
    assert!(refused >= 15, "bad records of several kinds were sent to three products: {refused}");
}

fn products() -> BTreeSet<&'static str> {
    VIEWS.iter().map(|(_, product)| *product).collect()
}

/// How many records each view of a product holds: the same for all of them.
fn seen_in(seen: &Value, product: &str) -> u64 {
    let views = VIEWS.iter().filter(|(_, of)| *of == product);
    let counts: BTreeSet<u64> = views.map(|(topic, _)| seen["views"][topic].as_u64().expect("a count")).collect();
    assert_eq!(counts.len(), 1, "the views of {product} differ: {}", seen["views"]);
    *counts.first().expect("every product has a view")
}

fn edges(seen: &Value) -> BTreeSet<(String, String)> {
    let text = |edge: &Value, end: &str| edge[end].as_str().expect("a topic").to_owned();
    let edges = seen["lineage_edges"].as_array().expect("a list").iter();
    edges.map(|edge| (text(edge, "from"), text(edge, "to"))).filter(|(_, to)| !to.ends_with(".quarantine")).collect()
}
