#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use mesh_client::lineage::{EventType, InputDataset, JobRun, KafkaNamespace, OutputDataset, Run};
use mesh_contract::{AppliedProduct, Contract};
use serde_json::json;
use uuid::Uuid;

use super::*;

fn kafka() -> KafkaNamespace {
    KafkaNamespace::of("k:9092")
}

fn topic(name: &str) -> String {
    format!("dataset:kafka://k:9092:{name}")
}

fn run_of(job: &str) -> JobRun {
    JobRun::new(Job::mesh(job), kafka())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A run that reads one record of each input and writes one of each output.
fn moved(job: &str, inputs: &[&str], outputs: &[&str]) -> Event {
    let mut run = run_of(job);
    inputs.iter().for_each(|topic| run.read(topic, 0, 0, 1));
    outputs.iter().for_each(|topic| run.wrote(topic, 0, 0, 1));
    run.complete(at(1)).into()
}

fn demo_graph() -> Graph {
    let mut graph = Graph::default();
    for event in [
        moved("masking.crm.customers.v1", &["crm.customers.v1.in"], &["crm.customers.v1", "crm.customers.v1.support"]),
        moved("masking.web.page_views.v1", &["web.page_views.v1.in"], &["web.page_views.v1"]),
        moved("derive.upselling.offers.v1", &["crm.customers.v1", "web.page_views.v1"], &["upselling.offers.v1.in"]),
        moved("masking.upselling.offers.v1", &["upselling.offers.v1.in"], &["upselling.offers.v1"]),
        moved("campaign", &["upselling.offers.v1"], &[]),
    ] {
        graph.apply(&event).unwrap();
    }
    graph
}

fn product(owner: &str, name: &str, version: u32, dependencies: &[&str]) -> AppliedProduct {
    let contract: Contract = serde_json::from_value(json!({
        "unique_id": Uuid::nil(), "owner": owner, "name": name, "version": version, "description": "d", "schema": "s.avsc",
        "compatibility": "backward", "refresh_rate": {"every": "1 hour", "objective": 0.995, "over": "30 days"},
        "history": "latest", "storage": ["stream"], "sensitive_columns": [], "views": {}, "access_group": [],
        "dependencies": dependencies,
    }))
    .unwrap();
    AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: json!("string") }
}

fn edges(graph: &Graph) -> Vec<(String, String, bool, bool)> {
    graph.product_edges().into_iter().map(|edge| (edge.from, edge.to, edge.declared, edge.observed)).collect()
}

fn edge(from: &str, to: &str, declared: bool, observed: bool) -> (String, String, bool, bool) {
    (from.to_owned(), to.to_owned(), declared, observed)
}

#[test]
fn counts_equal_what_was_moved_however_often_it_was_told() {
    let mut graph = Graph::default();
    let mut run = run_of("copy");
    run.read("a.b.v1", 0, 0, 1);
    let first = run.snapshot(at(1)).unwrap();
    run.read("a.b.v1", 0, 1, 1);
    let second = run.snapshot(at(2)).unwrap();
    let end = run.complete(at(3));
    for event in [first, second.clone(), second, end] {
        graph.apply(&event.into()).unwrap();
    }
    graph.apply(&moved("copy", &["a.b.v1"], &[])).unwrap();
    let job = graph.job("job:mesh:copy").unwrap();
    let observed = job.inputs[topic("a.b.v1").as_str()].observed.unwrap();
    assert_eq!(observed.records, 3, "two of the first run, one of the second");
    assert_eq!(job.latest_run().unwrap().1.state, Some(EventType::Complete));
}

#[test]
fn a_late_snapshot_does_not_wake_a_run_that_ended() {
    let mut graph = Graph::default();
    let mut run = run_of("copy");
    run.read("a.b.v1", 0, 0, 1);
    let late = run.snapshot(at(9)).unwrap();
    graph.apply(&run.complete(at(5)).into()).unwrap();
    graph.apply(&late.into()).unwrap();
    assert_eq!(graph.job("job:mesh:copy").unwrap().latest_run().unwrap().1.state, Some(EventType::Complete));
}

#[test]
fn nothing_moved_means_no_edge() {
    let mut graph = Graph::default();
    graph.apply(&run_of("masking.a.b.v1").start(at(1)).into()).unwrap();
    assert_eq!((graph.jobs().count(), graph.edge_count(), graph.datasets().count()), (1, 0, 0));
}

#[test]
fn products_feed_products_through_jobs_between_them() {
    let graph = demo_graph();
    let to_offers = |from| edge(from, "upselling.offers", false, true);
    assert_eq!(edges(&graph), [to_offers("crm.customers"), to_offers("web.page_views")]);
    assert_eq!(graph.consumers("upselling.offers"), [("campaign".to_owned(), "upselling.offers.v1".to_owned())]);
    assert_eq!(graph.consumers("crm.customers"), []);
}

#[test]
fn topics_that_were_read_lead_to_those_that_were_written() {
    let mut graph = demo_graph();
    graph
        .declare(&kafka(), &[product("crm", "orders", 1, &[]), product("upselling", "offers", 1, &["crm.orders"])])
        .unwrap();
    let edges = graph.topic_edges().into_iter().map(|edge| format!("{} > {} by {}", edge.from, edge.to, edge.job));
    insta::assert_snapshot!(edges.collect::<Vec<_>>().join("\n"));
}

#[test]
fn trees_grow_both_ways() {
    let graph = demo_graph();
    let names = |tree: &ProductTree| tree.next.iter().map(|it| it.product.clone()).collect::<Vec<_>>();
    let upstream = graph.product_tree("upselling.offers", Side::Upstream);
    assert_eq!(names(&upstream), ["crm.customers", "web.page_views"]);
    assert_eq!(names(&graph.product_tree("crm.customers", Side::Downstream)), ["upselling.offers"]);
    assert_eq!(names(&graph.product_tree("crm.customers", Side::Upstream)), Vec::<String>::new());
}

#[test]
fn declared_and_observed_are_told_apart() {
    let products = [
        product("crm", "customers", 1, &[]),
        product("crm", "orders", 1, &[]),
        product("upselling", "offers", 1, &["crm.customers", "crm.orders", "web.gone"]),
    ];
    let mut graph = demo_graph();
    graph.declare(&kafka(), &products).unwrap();
    let expected = [
        edge("crm.customers", "upselling.offers", true, true),
        edge("crm.orders", "upselling.offers", true, false),
        edge("web.page_views", "upselling.offers", false, true),
    ];
    assert_eq!(edges(&graph), expected);

    graph.declare(&kafka(), &products[..2]).unwrap();
    let observed = ["crm.customers", "web.page_views"].map(|from| edge(from, "upselling.offers", false, true));
    assert_eq!(edges(&graph), observed);
}

#[test]
fn a_declaration_that_goes_leaves_nothing_behind() {
    let products = [product("crm", "orders", 2, &[]), product("upselling", "offers", 1, &["crm.orders"])];
    let mut graph = Graph::default();
    graph.declare(&kafka(), &products).unwrap();
    assert!(graph.dataset(&topic("crm.orders.v2")).is_some_and(|node| node.readers.len() == 1));
    graph.declare(&kafka(), &[] as &[AppliedProduct]).unwrap();
    assert_eq!((graph.jobs().count(), graph.edge_count()), (0, 0));
    assert!(graph.dataset(&topic("crm.orders.v2")).is_some_and(|node| node.readers.is_empty()));
}

#[test]
fn a_cycle_is_walked_once() {
    let mut graph = Graph::default();
    graph.apply(&moved("there", &["a.x.v1"], &["a.y.v1.in"])).unwrap();
    graph.apply(&moved("sidecar", &["a.y.v1.in"], &["a.y.v1"])).unwrap();
    graph.apply(&moved("back", &["a.y.v1"], &["a.x.v1.in"])).unwrap();
    graph.apply(&moved("self", &["a.x.v1"], &["a.x.v1"])).unwrap();
    let tree = graph.product_tree("a.x", Side::Upstream);
    assert_eq!(tree.next[0].next[0].product, "a.x");
    assert_eq!(tree.next[0].next[0].next, []);
    assert_eq!(graph.neighbourhood(&topic("a.x.v1"), 100, 100).unwrap().nodes.len(), 8);
}

#[test]
fn a_neighbourhood_ends_at_its_depth_and_its_bound() {
    let graph = demo_graph();
    let ids = |depth, most| graph.neighbourhood(&topic("upselling.offers.v1"), depth, most).unwrap();
    assert_eq!(ids(0, 10).nodes.len(), 1);
    assert_eq!(ids(1, 10).nodes.len(), 3, "its writer and its reader");
    assert!(ids(100, 4).truncated && ids(100, 4).nodes.len() == 4);
    assert!(!ids(100, 100).truncated);
    assert_eq!(graph.neighbourhood("dataset:nowhere:nothing", 1, 10), None);
}

#[test]
fn a_flood_stays_within_the_bounds() {
    let limits = Limits { datasets_max: 10, jobs_max: 5, edges_of_job_max: 4, runs_of_job_max: 3, ..Limits::default() };
    let mut graph = Graph::new(limits);
    let mut reasons = Vec::new();
    for n in 0..100 {
        let event = moved(&format!("job{}", n % 7), &[&format!("in{n}")], &[&format!("out{n}")]);
        reasons.extend(graph.apply(&event).err());
    }
    assert!(graph.datasets().count() <= 10 && graph.jobs().count() <= 5);
    let fits = |job: &JobNode| job.inputs.len() + job.outputs.len() <= 4 && job.runs.len() <= 3;
    assert!(graph.jobs().all(|(_, job)| fits(job)));
    assert!(reasons.contains(&GraphFull::Jobs) && reasons.contains(&GraphFull::Datasets));
}

#[test]
fn what_is_told_of_data_sets_stays_within_its_bytes() {
    use mesh_client::lineage::facet::Documentation;
    let mut graph = Graph::new(Limits { facet_bytes_max: 1_000, ..Limits::default() });
    let mut tell = |name: &str, bytes| {
        let told = Dataset::topic(&kafka(), name).with(&Documentation { description: "x".repeat(bytes) });
        let mut event = RunEvent::new(EventType::Start, at(1), Run::new(Uuid::nil()), Job::mesh("j"));
        event.inputs = vec![InputDataset::new(told)];
        graph.apply(&event.into())
    };
    assert_eq!(tell("a", 600), Ok(()));
    assert_eq!(tell("b", 600), Err(GraphFull::Facets));
    assert_eq!(tell("a", 10), Ok(()), "what is told anew takes the place of the old");
    assert_eq!(tell("b", 300), Ok(()));
}

#[test]
fn a_run_that_goes_on_outlives_those_that_ended() {
    let mut graph = Graph::new(Limits { runs_of_job_max: 2, ..Limits::default() });
    let mut steady = run_of("copy");
    graph.apply(&steady.start(at(0)).into()).unwrap();
    (1..10).for_each(|second| graph.apply(&run_of("copy").complete(at(second)).into()).unwrap());
    steady.read("a.b.v1", 0, 0, 1);
    graph.apply(&steady.snapshot(at(20)).unwrap().into()).unwrap();
    assert_eq!(graph.job("job:mesh:copy").unwrap().latest_run().unwrap().0, &steady.id());
}

#[test]
fn other_systems_are_counted_by_the_standard_facets() {
    use mesh_client::lineage::facet::{InputStatistics, OutputStatistics};
    let dataset = |name: &str| Dataset::topic(&kafka(), name);
    let mut event = RunEvent::new(EventType::Complete, at(1), Run::new(Uuid::nil()), Job::mesh("flink"));
    let (read, written) = (InputStatistics { row_count: 5, size: None }, OutputStatistics { row_count: 4, size: None });
    event.inputs = vec![InputDataset::new(dataset("i")).with(&read)];
    event.outputs = vec![OutputDataset::new(dataset("o")).with(&written), OutputDataset::new(dataset("p"))];
    let mut graph = Graph::default();
    graph.apply(&event.into()).unwrap();
    let job = graph.job("job:mesh:flink").unwrap();
    let records = |edges: &BTreeMap<NodeId, Edge>, name| edges[topic(name).as_str()].observed.unwrap().records;
    assert_eq!((records(&job.inputs, "i"), records(&job.outputs, "o"), records(&job.outputs, "p")), (5, 4, 0));
}
