//! Lineage is what really moved: its counts are the offsets', also when the sidecar is killed, and whatever becomes of the
//! back end that is told.

use crate::accounted::{INPUT, VIEWS, kill_one_at_work, publish_good};
use crate::secured::certificate;
use crate::support::{Collector, Finished, PATIENCE, Process, World, eventually, mesh};
use mesh_kafka::log::LogReader;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

const RECORDS: usize = 6_000;
const KILLS: usize = 2;
const MASKING: &str = "masking.crm.customers.v1";

#[test]
fn counts_are_the_offsets_through_kill_9_and_the_cluster_has_one_name() {
    let world = World::applied();
    publish_good(&world, 0..RECORDS / 3);
    for kill in 1..=KILLS {
        let numbers = kill * RECORDS / 3..(kill + 1) * RECORDS / 3;
        kill_one_at_work(&world, numbers, || sidecar(&world, world.bootstrap(), &[]));
    }
    // another name of the same broker
    let elsewhere = world.bootstrap().replace("127.0.0.1", "localhost");
    let mut last = sidecar(&world, &elsewhere, &[]);
    eventually("everything is masked", PATIENCE, || (masked(&world) >= RECORDS).then_some(()));
    last.signal(Signal::TERM);
    assert_eq!(last.wait(), 0, "{}", last.stderr());
    let subscribed = world.run(["subscribe", "crm.customers", "--job", "report", "--group", "g", "--until-end"]);
    assert_eq!(subscribed.expect(0).stdout.lines().count(), RECORDS);

    let events = events(&world);
    let all = RECORDS as u64;
    let moved = moved(&events);
    let of = |job: &str, topic: &str| moved.get(&(job.to_owned(), topic.to_owned())).copied();
    assert_eq!(of("publish.crm.customers.v1", INPUT), Some(all));
    assert_eq!(of(MASKING, INPUT), Some(all));
    VIEWS.iter().for_each(|(view, topic)| assert_eq!(of(MASKING, topic), Some(all), "{view}"));
    assert_eq!(of("report", VIEWS[0].1), Some(all));
    assert_eq!(moved.len(), 6, "nothing else was moved: {moved:?}");
    assert_names_are_one(&events, &world);
    assert_every_run_ended(&events);
}

#[test]
fn a_back_end_that_hangs_holds_nothing_up_and_one_that_answers_is_told_all() {
    let world = World::applied();
    let hanging = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let url = format!("http://{}", hanging.local_addr().expect("it listens"));
    let mut sidecar = sidecar(&world, world.bootstrap(), &["--lineage-url", &url]);
    publish_good(&world, 0..RECORDS);
    eventually("everything is masked", PATIENCE, || (masked(&world) >= RECORDS).then_some(()));
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.wait(), 0, "{}", sidecar.stderr());

    let collector = Collector::start("key-of-the-back-end");
    let mut command = world.mesh(["subscribe", "crm.customers", "--job", "report", "--until-end", "--lineage-gzip"]);
    let mut subscribed = Process::start(
        command.env("OPENLINEAGE_URL", collector.url()).env("OPENLINEAGE_API_KEY", "key-of-the-back-end"),
    );
    assert_eq!(subscribed.wait(), 0, "{}", subscribed.stderr());
    let told = collector.events();
    let on_kafka: Vec<Value> = events(&world).into_iter().filter(|event| event["job"]["name"] == "report").collect();
    assert_eq!(told, on_kafka, "both ways out carry the same events");
    assert_eq!(moved(&told).values().sum::<u64>(), RECORDS as u64);
}

#[test]
fn a_back_end_over_tls_is_told_by_who_trusts_its_authority() {
    let world = World::applied();
    let (certificate, key) = certificate(&world, "lineage");
    let mut command = world.mesh(["run", "lineage", "--format", "json"]);
    command.arg("--tls-certificate").arg(&certificate).arg("--tls-key").arg(key);
    let mut back_end = Process::start(&mut command);
    let line = back_end.line("lineage says where it listens", |line| line.contains("http_url"));
    let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
    let url = said["http_url"].as_str().filter(|url| url.starts_with("https://")).expect("it is behind TLS");
    eventually("lineage has caught up", PATIENCE, || {
        let said = back_end.stderr();
        if said.contains("lineage has caught up") { Ok(()) } else { Err(said) }
    });
    publish_good(&world, 0..10);
    let publish = |job: &str, trusts: &[&std::ffi::OsStr]| {
        let mut command = world.mesh(["publish", "crm.customers", "--job", job, "--lineage-url", url]);
        let told = Finished::of(command.arg(world.scratch("customers.jsonl")).args(trusts)).expect(0);
        told.stderr
    };
    let told = |job: &str| events(&world).iter().filter(|event| event["job"]["name"] == job).count();
    publish("trusting", &["--lineage-ca".as_ref(), certificate.as_os_str()]);
    // its start and its end, each written by itself and again by the back end
    assert_eq!(told("trusting"), 2 * 2);
    let stderr = publish("stranger", &[]);
    assert!(stderr.contains("UnknownIssuer"), "{stderr}");
    assert_eq!(told("stranger"), 2, "the back end was told nothing, and the records were published all the same");
}

fn sidecar(world: &World, bootstrap: &str, more: &[&str]) -> Process {
    let mut command = mesh(["run", "masking", "--domain", "crm", "--batch-records", "500", "--lineage-interval", "1"]);
    command.args(["--bootstrap-servers", bootstrap, "--registry-url", &world.registry_url]);
    Process::start(command.arg("--keys").arg(world.keys()).args(more))
}

/// How many records the default view holds, by what a plain reader of every partition sees.
fn masked(world: &World) -> usize {
    if world.extent(VIEWS[0].1) < RECORDS as i64 {
        return 0;
    }
    world.run(["subscribe", "crm.customers", "--until-end"]).expect(0).stdout.lines().count()
}

/// Everything on `mesh.lineage`, in order.
fn events(world: &World) -> Vec<Value> {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let mut reader = LogReader::open(&world.settings(), "mesh.lineage").await.expect("the topic is there");
        let mut events = Vec::new();
        let keep = |record: mesh_kafka::Record| {
            let event = record.value.as_deref().map(serde_json::from_slice::<Value>);
            events.extend(event.map(|event| event.expect("events are JSON")));
        };
        reader.read_to_end(keep).await.expect("Kafka answers");
        events
    })
}

/// How many records each job moved of each topic: of each run and partition the greatest count holds.
fn moved(events: &[Value]) -> BTreeMap<(String, String), u64> {
    let mut counted = BTreeMap::<(String, String, String, i64), u64>::new();
    for event in events.iter().filter(|event| event["run"].is_object()) {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        for (side, facets) in [("inputs", "inputFacets"), ("outputs", "outputFacets")] {
            for dataset in event[side].as_array().expect("a list") {
                for range in dataset[facets]["mesh_kafka"]["partitions"].as_array().expect("partitions are known") {
                    let key = (
                        text(&event["job"]["name"]),
                        text(&dataset["name"]),
                        text(&event["run"]["runId"]),
                        range["partition"].as_i64().expect("a number"),
                    );
                    let count = counted.entry(key).or_default();
                    *count = range["records"].as_u64().expect("a number").max(*count);
                }
            }
        }
    }
    let mut moved = BTreeMap::new();
    for ((job, topic, ..), records) in counted {
        *moved.entry((job, topic)).or_default() += records;
    }
    moved
}

fn assert_names_are_one(events: &[Value], world: &World) {
    let runs =
        events.iter().flat_map(|event| [&event["inputs"], &event["outputs"]]).filter_map(Value::as_array).flatten();
    let datasets = runs.chain(events.iter().map(|event| &event["dataset"]).filter(|dataset| dataset.is_object()));
    let names: BTreeSet<&str> = datasets.filter_map(|dataset| dataset["namespace"].as_str()).collect();
    assert_eq!(names, BTreeSet::from([format!("kafka://{}", world.bootstrap()).as_str()]));
}

/// Runs that were killed are ended by their successors, which say so; the others have ended by themselves.
fn assert_every_run_ended(events: &[Value]) {
    let mut ends = BTreeMap::<&str, Vec<&str>>::new();
    for event in events.iter().filter(|event| event["job"]["name"] == MASKING) {
        let run = event["run"]["runId"].as_str().expect("a text");
        let ends = ends.entry(run).or_default();
        ends.extend(event["eventType"].as_str().filter(|kind| ["COMPLETE", "ABORT", "FAIL"].contains(kind)));
    }
    // a successor that is killed in turn may have said so already
    ends.values_mut().for_each(Vec::dedup);
    assert!(ends.values().all(|ends| ends.len() == 1), "each ends in one way: {ends:?}");
    let aborted = ends.values().filter(|ends| ends[0] == "ABORT").count();
    assert!(aborted >= 1, "{ends:?}");
}
