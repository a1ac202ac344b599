#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use mesh_client::lineage::{
    Dataset, Event, EventType, InputDataset, Job, JobRun, KafkaNamespace, OutputDataset, Run, RunEvent,
};
use mesh_contract::{AppliedProduct, Contract};
use serde_json::json;
use uuid::Uuid;

use super::*;

mod history;

pub(crate) use history::two_revisions;

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
        apply(&mut graph, &event).unwrap();
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

/// As if it had come by the door.
pub(crate) fn apply(graph: &mut Graph, event: &Event) -> Result<(), GraphFull> {
    let text = serde_json::to_vec(event).unwrap();
    graph.apply(&crate::intake::accept(&text).unwrap())
}

fn declare(graph: &mut Graph, products: &[AppliedProduct]) {
    let declarations: Vec<_> = products.iter().map(|applied| Declaration { applied, until_ms: None }).collect();
    graph.declare(&kafka().into(), &declarations).unwrap();
}

fn edges(graph: &Graph) -> Vec<(String, String, bool, bool)> {
    graph.now().product_edges().into_iter().map(|edge| (edge.from, edge.to, edge.declared, edge.observed)).collect()
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
        apply(&mut graph, &event.into()).unwrap();
    }
    apply(&mut graph, &moved("copy", &["a.b.v1"], &[])).unwrap();
    let job = graph.now().job("job:mesh:copy").unwrap();
    let observed = graph.now().link(job, Direction::Input, &topic("a.b.v1")).unwrap().observed.unwrap();
    assert_eq!(observed.records, 3, "two of the first run, one of the second");
    assert_eq!(graph.now().latest_run(job).unwrap().1.state(i64::MAX), RunState::Completed);
}

/// Killed with counts that it had not told; two others took its partitions over, and each tells of its own.
#[test]
fn what_a_killed_run_did_not_tell_is_told_by_its_successors_in_any_order() {
    let range = mesh_client::lineage::facet::PartitionRange::of_offsets;
    let killed = run_of("masking.a.b.v1");
    let tell = |ranges: &[(i32, u64)]| {
        let mut run = JobRun::with_id(Job::mesh("masking.a.b.v1"), kafka(), killed.id());
        ranges.iter().for_each(|(at, records)| run.read_range("a.b.v1.in", range(*at, 0, 999, *records), 1));
        run
    };
    let snapshot = tell(&[(0, 100), (1, 50)]).start(at(1));
    let one = tell(&[(0, 120)]).addendum(at(2));
    let other = tell(&[(1, 80)]).abort(at(3));
    for order in [[&snapshot, &one, &other], [&other, &snapshot, &one], [&one, &other, &snapshot]] {
        let mut graph = Graph::default();
        order.iter().chain(&order).for_each(|event| apply(&mut graph, &(**event).clone().into()).unwrap());
        let job = graph.now().job("job:mesh:masking.a.b.v1").unwrap();
        let link = graph.now().link(job, Direction::Input, &topic("a.b.v1.in")).unwrap();
        assert_eq!((link.observed.unwrap().records, graph.run_count()), (200, 1));
    }
}

#[test]
fn a_late_snapshot_does_not_wake_a_run_that_ended() {
    let mut graph = Graph::default();
    let mut run = run_of("copy");
    run.read("a.b.v1", 0, 0, 1);
    let late = run.snapshot(at(9)).unwrap();
    apply(&mut graph, &run.complete(at(5)).into()).unwrap();
    apply(&mut graph, &late.into()).unwrap();
    let job = graph.now().job("job:mesh:copy").unwrap();
    assert_eq!(graph.now().latest_run(job).unwrap().1.state(i64::MAX), RunState::Completed);
}

#[test]
fn nothing_moved_means_no_edge() {
    let mut graph = Graph::default();
    apply(&mut graph, &run_of("masking.a.b.v1").start(at(1)).into()).unwrap();
    assert_eq!((graph.now().jobs().count(), graph.edge_count(), graph.now().datasets().count()), (1, 0, 0));
}

#[test]
fn products_feed_products_through_jobs_between_them() {
    let graph = demo_graph();
    let to_offers = |from| edge(from, "upselling.offers", false, true);
    assert_eq!(edges(&graph), [to_offers("crm.customers"), to_offers("web.page_views")]);
    assert_eq!(graph.now().consumers("upselling.offers"), [("campaign".to_owned(), "upselling.offers.v1".to_owned())]);
    assert_eq!(graph.now().consumers("crm.customers"), []);
}

#[test]
fn topics_that_were_read_lead_to_those_that_were_written() {
    let mut graph = demo_graph();
    declare(&mut graph, &[product("crm", "orders", 1, &[]), product("upselling", "offers", 1, &["crm.orders"])]);
    let edges =
        graph.now().topic_edges().into_iter().map(|edge| format!("{} > {} by {}", edge.from, edge.to, edge.job));
    insta::assert_snapshot!(edges.collect::<Vec<_>>().join("\n"));
}

#[test]
fn trees_grow_both_ways() {
    let graph = demo_graph();
    let names = |tree: &ProductTree| tree.next.iter().map(|it| it.product.clone()).collect::<Vec<_>>();
    let upstream = graph.now().product_tree("upselling.offers", Side::Upstream, 100);
    assert_eq!(names(&upstream), ["crm.customers", "web.page_views"]);
    assert_eq!(names(&graph.now().product_tree("crm.customers", Side::Downstream, 100)), ["upselling.offers"]);
    assert_eq!(names(&graph.now().product_tree("crm.customers", Side::Upstream, 100)), Vec::<String>::new());
}

#[test]
fn declared_and_observed_are_told_apart() {
    let products = [
        product("crm", "customers", 1, &[]),
        product("crm", "orders", 1, &[]),
        product("upselling", "offers", 1, &["crm.customers", "crm.orders", "web.gone"]),
    ];
    let mut graph = demo_graph();
    declare(&mut graph, &products);
    let expected = [
        edge("crm.customers", "upselling.offers", true, true),
        edge("crm.orders", "upselling.offers", true, false),
        edge("web.page_views", "upselling.offers", false, true),
    ];
    assert_eq!(edges(&graph), expected);

    declare(&mut graph, &products[..2]);
    let observed = ["crm.customers", "web.page_views"].map(|from| edge(from, "upselling.offers", false, true));
    assert_eq!(edges(&graph), observed);
}

#[test]
fn a_declaration_that_goes_leaves_nothing_behind() {
    let products = [product("crm", "orders", 2, &[]), product("upselling", "offers", 1, &["crm.orders"])];
    let mut graph = Graph::default();
    declare(&mut graph, &products);
    assert!(graph.now().dataset(&topic("crm.orders.v2")).is_some_and(|node| node.readers.len() == 1));
    declare(&mut graph, &[]);
    assert_eq!((graph.now().jobs().count(), graph.edge_count()), (0, 0));
    assert!(graph.now().dataset(&topic("crm.orders.v2")).is_some_and(|node| node.readers.is_empty()));
}

#[test]
fn a_cycle_is_walked_once() {
    let mut graph = Graph::default();
    apply(&mut graph, &moved("there", &["a.x.v1"], &["a.y.v1.in"])).unwrap();
    apply(&mut graph, &moved("sidecar", &["a.y.v1.in"], &["a.y.v1"])).unwrap();
    apply(&mut graph, &moved("back", &["a.y.v1"], &["a.x.v1.in"])).unwrap();
    apply(&mut graph, &moved("self", &["a.x.v1"], &["a.x.v1"])).unwrap();
    let tree = graph.now().product_tree("a.x", Side::Upstream, 100);
    assert_eq!(tree.next[0].next[0].product, "a.x");
    assert_eq!(tree.next[0].next[0].next, []);
    assert_eq!(graph.now().neighbourhood(&topic("a.x.v1"), 100, 100).unwrap().nodes.len(), 8);
}

#[test]
fn a_neighbourhood_ends_at_its_depth_and_its_bound() {
    let graph = demo_graph();
    let ids = |depth, most| graph.now().neighbourhood(&topic("upselling.offers.v1"), depth, most).unwrap();
    assert_eq!(ids(0, 10).nodes.len(), 1);
    assert_eq!(ids(1, 10).nodes.len(), 3, "its writer and its reader");
    assert!(ids(100, 4).truncated && ids(100, 4).nodes.len() == 4);
    assert!(!ids(100, 100).truncated);
    assert_eq!(graph.now().neighbourhood("dataset:nowhere:nothing", 1, 10), None);
}

#[test]
fn a_flood_stays_within_the_bounds() {
    let limits = Limits { datasets_max: 10, jobs_max: 5, edges_of_job_max: 4, runs_of_job_max: 3, ..Limits::default() };
    let mut graph = Graph::new(limits);
    let mut reasons = Vec::new();
    for n in 0..100 {
        let event = moved(&format!("job{}", n % 7), &[&format!("in{n}")], &[&format!("out{n}")]);
        reasons.extend(apply(&mut graph, &event).err());
    }
    assert!(graph.now().datasets().count() <= 10 && graph.now().jobs().count() <= 5);
    let fits = |job: &JobNode| job.inputs.len() + job.outputs.len() <= 4 && job.runs.len() <= 3;
    assert!(graph.now().jobs().all(|(_, job)| fits(job)));
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
        apply(&mut graph, &event.into())
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
    apply(&mut graph, &steady.start(at(0)).into()).unwrap();
    (1..10).for_each(|second| apply(&mut graph, &run_of("copy").complete(at(second)).into()).unwrap());
    steady.read("a.b.v1", 0, 0, 1);
    apply(&mut graph, &steady.snapshot(at(20)).unwrap().into()).unwrap();
    let job = graph.now().job("job:mesh:copy").unwrap();
    assert_eq!(graph.now().latest_run(job).unwrap().0, &steady.id());
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
    apply(&mut graph, &event.into()).unwrap();
    let job = graph.now().job("job:mesh:flink").unwrap();
    let records = |way, name| graph.now().link(job, way, &topic(name)).unwrap().observed.unwrap().records;
    let (read, written) = (Direction::Input, Direction::Output);
    assert_eq!((records(read, "i"), records(written, "o"), records(written, "p")), (5, 4, 0));
}

#[test]
fn a_cluster_has_one_name_whichever_an_event_uses() {
    use mesh_client::lineage::KafkaCluster;
    let mut graph = Graph::default();
    let cluster = KafkaCluster::new("k:9092,other:9092", &[]);
    graph.declare(&cluster, &[]).unwrap();
    for name in ["k:9092", "other:9092"] {
        let mut run = JobRun::new(Job::mesh(name), KafkaNamespace::of(name));
        run.read("a.b.v1", 0, 0, 1);
        apply(&mut graph, &run.complete(at(1)).into()).unwrap();
    }
    assert_eq!(graph.dataset_count(), 1);
    assert_eq!(graph.now().jobs_of(&topic("a.b.v1"), Direction::Input).count(), 2);
}

#[test]
fn a_flood_of_names_runs_and_versions_stays_within_the_bounds() {
    let limits = Limits {
        name_bytes_max: 2_000,
        runs_max: 8,
        counts_max: 8,
        edges_max: 20,
        versions_of_dataset_max: 3,
        ..Limits::default()
    };
    let mut graph = Graph::new(limits);
    let mut reasons = Vec::new();
    for n in 0..100 {
        let event = moved(&format!("job{}", n % 9), &[&format!("in{n}")], &["out"]);
        reasons.extend(apply(&mut graph, &event).err());
    }
    for n in 0..10 {
        let told = Dataset::topic(&kafka(), "out")
            .with(&mesh_client::lineage::facet::DatasetVersion { dataset_version: n.to_string() });
        let mut event = RunEvent::new(EventType::Start, at(n), Run::new(Uuid::nil()), Job::mesh("job0"));
        event.outputs = vec![OutputDataset::new(told)];
        reasons.extend(apply(&mut graph, &event.into()).err());
    }
    assert!(graph.run_count() <= 8 && graph.edge_count() <= 20 && graph.counts <= 8 && graph.name_bytes <= 2_000);
    let out = graph.now().dataset(&topic("out")).unwrap();
    assert_eq!((out.versions.entries().len(), out.versions.forgotten_before_ms()), (3, Some(7_000)));
    assert!(
        [GraphFull::Names, GraphFull::Counts, GraphFull::Runs].iter().all(|it| reasons.contains(it)),
        "{reasons:?}"
    );
}

#[test]
fn a_job_is_designed_as_it_was_last_designed() {
    let design = |second: i64, inputs: &[&str]| {
        let inputs: Vec<_> = inputs.iter().map(|it| json!({"namespace": "kafka://k:9092", "name": it})).collect();
        Event::from_value(json!({
            "eventTime": at(second), "producer": "https://example.org", "inputs": inputs,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
            "job": {"namespace": "dbt", "name": "model"},
        }))
        .unwrap()
    };
    let mut graph = Graph::default();
    apply(&mut graph, &design(1, &["a", "b"])).unwrap();
    apply(&mut graph, &design(2, &["b"])).unwrap();
    let declared = |moment: Moment<'_>| {
        let job = moment.job("job:dbt:model").unwrap();
        moment.links(job, Direction::Input).filter(|link| link.declared).count()
    };
    assert_eq!((declared(graph.as_of(1_000)), declared(graph.now())), (2, 1));
}
