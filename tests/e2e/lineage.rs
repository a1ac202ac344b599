//! Lineage as it is collected, served and used: the graph of the three domains, other systems' events, what people ask.

use crate::accounted::{INPUT, VIEWS, kill_one_at_work};
use crate::demo::{EDGES, demo};
use crate::support::{Finished, PATIENCE, Process, Python, World, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Runtime;

/// Records before each kill.
const PUBLISHED: usize = 2_000;
const KILLS: usize = 2;
const MASKING: &str = "job:mesh:masking.crm.customers.v1";

/// A lineage service and where it is.
struct Lineage {
    _process: Process,
    url: String,
    runtime: Runtime,
}

impl Lineage {
    /// Starts one, and waits until it has read the topics.
    fn start(world: &World) -> Self {
        let mut process = Process::start(&mut world.mesh(["run", "lineage", "--format", "json"]));
        let line = process.line("lineage says where it listens", |line| line.contains("http_url"));
        let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
        let url = said["http_url"].as_str().expect("an address").to_owned();
        let lineage = Self { _process: process, url, runtime: Runtime::new().expect("threads can be started") };
        eventually("lineage is ready", PATIENCE, || {
            let asked = lineage.runtime.block_on(reqwest::get(format!("{}/readyz", lineage.url))).ok()?;
            asked.status().is_success().then_some(())
        });
        lineage
    }

    /// The answer, with its status.
    fn ask(&self, path: &str) -> (u16, Value) {
        self.answer(reqwest::Client::new().get(format!("{}/api/v1/{path}", self.url)))
    }

    fn post(&self, body: Vec<u8>) -> (u16, Value) {
        self.answer(reqwest::Client::new().post(format!("{}/api/v1/lineage", self.url)).body(body))
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        self.runtime.block_on(async {
            let answer = request.send().await.expect("it answers");
            (answer.status().as_u16(), answer.json().await.unwrap_or_default())
        })
    }

    /// From every topic to every topic by way of a job that was seen to move records; quarantine topics aside.
    fn edges(&self) -> BTreeSet<(String, String)> {
        let (status, graph) = self.ask("lineage?nodeId=job:mesh:derive.upselling.offers.v1&depth=100");
        assert_eq!((status, &graph["truncated"]), (200, &json!(false)), "{graph}");
        let jobs = graph["graph"].as_array().expect("a list").iter().filter(|node| node["type"] == "JOB");
        let pairs = jobs.flat_map(|job| {
            let (read, written) = (moved(job, "inEdges", "origin"), moved(job, "outEdges", "destination"));
            let to = move |from: String| written.clone().into_keys().map(move |to| (from.clone(), to));
            read.into_keys().flat_map(to)
        });
        pairs.filter(|(_, to)| !to.ends_with(".quarantine")).collect()
    }
}

/// How many records a job moved of each topic.
fn moved(job: &Value, edges: &str, end: &str) -> BTreeMap<String, u64> {
    let seen = job[edges].as_array().expect("a list").iter().filter_map(|edge| {
        let id = edge[end].as_str().expect("a node id");
        Some((id.rsplit(':').next()?.to_owned(), edge["records"].as_u64()?))
    });
    seen.collect()
}

#[test]
fn the_graph_of_the_three_domains_is_the_expected_one_also_after_crashes() {
    let world = World::start();
    let mut command = demo(&world.tree);
    Finished::of(command.args(["--bootstrap-servers", world.bootstrap()])).expect(0);
    let expected: BTreeSet<_> = EDGES.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let lineage = Lineage::start(&world);
    assert_eq!(lineage.edges(), expected);
    assert_people_are_answered(&world);

    for kill in 0..KILLS {
        kill_one_at_work(&world, kill * PUBLISHED..(kill + 1) * PUBLISHED, || sidecar(&world));
    }
    let mut last = sidecar(&world);
    eventually("every record is counted once", PATIENCE, || counted(&world, &lineage));
    last.signal(Signal::TERM);
    assert_eq!(last.wait(), 0, "{}", last.stderr());
    assert_eq!(lineage.edges(), expected, "no edge is lost, none is false");
    // one that was not there meanwhile reads the same from the topic
    let later = Lineage::start(&world);
    assert_eq!(later.edges(), expected);
    assert_eq!(counted(&world, &later), Ok(()), "what its end repeated is not counted again");
}

fn sidecar(world: &World) -> Process {
    let mut command = world.mesh(["run", "masking", "--domain", "crm", "--batch-records", "500"]);
    Process::start(command.args(["--lineage-interval", "1"]))
}

/// Whether the graph counts each record of the input port once, and each in every view or in quarantine; if not, what it counts.
fn counted(world: &World, lineage: &Lineage) -> Result<(), String> {
    let graph = lineage.ask(&format!("lineage?nodeId={MASKING}&depth=1")).1;
    let job = graph["graph"].as_array().expect("a list").iter().find(|node| node["id"] == MASKING).expect("itself");
    let (read, written) = (moved(job, "inEdges", "origin"), moved(job, "outEdges", "destination"));
    let refused = written.get("crm.customers.v1.quarantine").copied().unwrap_or(0);
    let all = u64::try_from(world.extent(INPUT)).expect("a count");
    let once =
        read.get(INPUT) == Some(&all) && VIEWS.iter().all(|(_, topic)| written.get(*topic) == Some(&(all - refused)));
    once.then_some(()).ok_or_else(|| format!("of {all} records read {read:?}, written {written:?}"))
}

/// What people ask after the demo, and what they are told.
fn assert_people_are_answered(world: &World) {
    let checked = world.run(["lineage", "check"]).expect(0);
    assert_eq!(checked.stdout.trim(), "What was seen to move is what contracts declare.");
    let proof = world.run(["lineage", "prove", "--format", "json"]).expect(0).json_lines().remove(0);
    assert_eq!(proof["breaches"], json!([]));
    let email = proof["sources"].as_array().expect("a list").iter().find(|source| source["column"] == "email");
    assert_eq!(email.expect("it is sensitive")["granted"], 1, "the stewards' view: {proof}");

    let impact = world.run(["lineage", "impact", "crm.customers.email"]).expect(0).stdout;
    for said in ["crm.customers.v1.stewards email: in clear", "groups: crm-stewards", "upselling.offers.v1"] {
        assert!(impact.contains(said), "{said:?} is not in:\n{impact}");
    }
    let erasure = world.run(["lineage", "erasure", "crm.customers", "--subject", "C-1"]).expect(0).stdout;
    for said in ["records with customer_id C-1", "until a tombstone", "upselling.offers.v1", "each event for 3 months"]
    {
        assert!(erasure.contains(said), "{said:?} is not in:\n{erasure}");
    }
    let before = world.run(["lineage", "upselling.offers", "--as-of", "2000-01-01T00:00:00Z"]).expect(0).stdout;
    assert!(before.contains("comes from: no other product"), "{before}");
    world.run(["lineage", "impact", "crm.customers.e-mail"]).expect(2);
}

#[test]
fn other_systems_events_are_accepted_from_their_own_client_and_hostile_ones_are_not() {
    let world = World::applied();
    let lineage = Lineage::start(&world);
    Python::environment().run("lineage.py", &[&lineage.url], "");
    eventually("the events are in the graph", PATIENCE, || {
        (lineage.ask("namespaces/dbt/jobs").1["totalCount"] == 3).then_some(())
    });
    let job = lineage.ask("namespaces/dbt/jobs/customers").1;
    assert_eq!((&job["type"], &job["latestRun"]["state"]), (&json!("BATCH"), &json!("COMPLETED")));
    assert_eq!(job["outputs"], json!([{"namespace": "postgres://warehouse:5432", "name": "public.customers"}]));
    assert!(job["latestRun"]["parentRunId"].is_string());
    assert_eq!(lineage.ask("namespaces/dbt/jobs/broken").1["latestRun"]["state"], "FAILED");
    let column = "datasetField:postgres://warehouse:5432:public.customers:email_hash";
    let columns = lineage.ask(&format!("column-lineage?nodeId={column}")).1;
    assert_eq!(columns["graph"].as_array().expect("a list").len(), 2, "{columns}");
    let table = lineage.ask("namespaces/postgres:%2F%2Fwarehouse:5432/datasets/public.customers").1;
    assert_eq!((&table["type"], &table["owner"]), (&json!("DB_TABLE"), &json!("warehouse")));

    let event = |name: &str| {
        json!({
            "eventTime": "2026-01-01T00:00:00Z", "producer": "https://example.org", "inputs": [],
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
            "job": {"namespace": "hostile", "name": name},
        })
        .to_string()
    };
    let deep = event("x").replace("[]", &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)));
    let twice = event("x").replace("\"inputs\"", "\"job\":{\"namespace\":\"a\",\"name\":\"b\"},\"inputs\"");
    let hostile = [
        (event(&"x".repeat(900_000)).into_bytes(), 422, "name"),
        (event(&"x".repeat(1_100_000)).into_bytes(), 413, ""),
        (deep.into_bytes(), 400, "too-deep"),
        (twice.into_bytes(), 422, "duplicate-key"),
        (event("x").replace("2-0-2", "7-0-0").into_bytes(), 422, "unknown-version"),
        (
            event("\u{fffd}").into_bytes().into_iter().map(|byte| if byte == 0xef { 0xff } else { byte }).collect(),
            400,
            "not-utf8",
        ),
    ];
    for (body, status, reason) in hostile {
        let (answered, problem) = lineage.post(body);
        assert_eq!((answered, problem["reason"].as_str().unwrap_or_default()), (status, reason), "{problem}");
    }
    assert_eq!(lineage.ask("namespaces/hostile").0, 404, "nothing of it was kept");
    assert_eq!(lineage.post(event("kind").into_bytes()).0, 201);
    assert_freshness_is_told(&world, &lineage);
}

/// What the freshness service found of an output port is served with it. Nothing was ever written to this one, so that a
/// producer's word is enough.
fn assert_freshness_is_told(world: &World, lineage: &Lineage) {
    let _freshness = Process::start(&mut world.mesh(["run", "freshness", "--freshness-interval", "1"]));
    world.run(["heartbeat", "web.page_views", "--producer", "web-service"]).expect(0);
    let port = format!("namespaces/kafka:%2F%2F{}/datasets/web.page_views.v1", world.bootstrap());
    eventually("freshness is told of the port", PATIENCE, || {
        let told = lineage.ask(&port).1["facets"]["dataQualityAssertions"]["assertions"].take();
        let is_fresh = told[0]["assertion"] == "freshness" && told[0]["success"] == true;
        if is_fresh { Ok(()) } else { Err(told) }
    });
    let listed = lineage.ask("events/lineage?limit=1&sortDirection=desc").1;
    assert!(listed["totalCount"].as_u64() > Some(1) && listed["events"][0]["eventTime"].is_string(), "{listed}");
}
