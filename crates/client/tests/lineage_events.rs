//! The sidecar's events as a whole: what is in them, and that the official schemas accept them.
#![allow(clippy::unwrap_used)]

mod official;

use jiff::Timestamp;
use mesh_client::lineage::facet::{Assertion, DataQualityAssertions, Parent, PartitionRange};
use mesh_client::lineage::{DatasetEvent, Event, EventType, JobRun, KafkaCluster, ProductDatasets, RunEvent, design};
use mesh_contract::{AppliedProduct, parse_contract};
use official::Official;
use serde_json::{Value, json};

const CONTRACT: &str = include_str!("../../../topics/crm/customers.yaml");
const SCHEMA: &str = include_str!("../../../schemas/crm/customer.avsc");

fn applied() -> AppliedProduct {
    let contract = parse_contract("topics/crm/customers.yaml", CONTRACT).unwrap().value;
    let schema = serde_json::from_str(SCHEMA).unwrap();
    AppliedProduct { revision: 7, applied_at_ms: 0, contract, schema }
}

const RUN: uuid::Uuid = uuid::Uuid::from_u128(7);

fn cluster() -> KafkaCluster {
    KafkaCluster::new("localhost:9092,127.0.0.1:9092", &["broker-1:9092".to_owned()])
}

fn datasets() -> ProductDatasets {
    ProductDatasets::new(&cluster(), &applied())
}

fn moved_run() -> JobRun {
    let mut run = datasets().masking_run(RUN);
    run.read_range("crm.customers.v1.in", PartitionRange::of_offsets(0, 10, 19, 10), 900);
    run.wrote_records("crm.customers.v1", 9, 1_000);
    run.wrote("crm.customers.v1.support", 0, 4, 100);
    run.wrote_range("crm.customers.v1.quarantine", PartitionRange::of_records(0, 1), 50);
    run.quarantined("crm.customers.v1.in", 1);
    run
}

fn every_run_event() -> Vec<RunEvent> {
    let parent = Parent::parse("https://airflow.example.org/dag/01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
    let mut run = moved_run().part_of(&parent);
    let at = Timestamp::UNIX_EPOCH;
    let start = datasets().masking_run(RUN).start(at);
    let mut events = vec![start, run.snapshot(at).unwrap(), run.addendum(at)];
    events.extend(moved_run().end(EventType::Abort, at));
    events.extend([run.complete(at), run.fail(at, "the broker went away")]);
    events
}

/// As `mesh apply` tells of a derived product.
fn every_design_event() -> Vec<Event> {
    let mut derived = applied();
    derived.contract.dependencies = vec!["crm.orders".parse().unwrap(), "crm.gone".parse().unwrap()];
    let find = |wanted: &mesh_contract::ProductRef| (wanted.to_string() == "crm.orders").then(applied);
    design::of_applied(&cluster(), &derived, find, Timestamp::UNIX_EPOCH)
}

/// As `mesh retire` tells of a version whose input port is deleted.
fn retired_events() -> Vec<Event> {
    let mut ended = applied();
    let deprecated = json!({ "until": "2027-06-30", "reason": "names are split", "successor": "crm.customers@2" });
    ended.contract.deprecated = Some(serde_json::from_value(deprecated).unwrap());
    design::of_retired(&cluster(), &ended, &["crm.customers.v1.in".to_owned()], Timestamp::UNIX_EPOCH)
}

/// As the freshness service tells of an output port.
fn freshness_event() -> Event {
    let assertions = DataQualityAssertions { assertions: vec![Assertion::fresh("1 hour", "stale", false)] };
    DatasetEvent::new(Timestamp::UNIX_EPOCH, cluster().topic("crm.customers.v1").with(&assertions)).into()
}

fn every_event() -> Vec<Event> {
    let runs = every_run_event().into_iter().map(Event::from);
    runs.chain(every_design_event()).chain(retired_events()).chain([freshness_event()]).collect()
}

#[test]
fn what_was_not_moved_is_in_no_event() {
    let at = Timestamp::UNIX_EPOCH;
    let mut idle = datasets().masking_run(RUN);
    let start = idle.start(at);
    assert!(start.inputs.is_empty() && start.outputs.is_empty());
    assert_eq!(idle.snapshot(at), None);

    let event = moved_run().snapshot(at).unwrap();
    let outputs: Vec<_> = event.outputs.iter().map(|output| output.dataset.name.as_str()).collect();
    assert_eq!(outputs, ["crm.customers.v1", "crm.customers.v1.quarantine", "crm.customers.v1.support"]);
}

#[test]
fn a_retired_version_says_which_topics_are_gone_and_what_to_read_instead() {
    let told = retired_events().into_iter().map(|event| serde_json::to_value(event).unwrap());
    let told: Vec<(String, String)> = told
        .map(|event| {
            let facets = &event["dataset"]["facets"];
            let description = facets["documentation"]["description"].as_str().unwrap();
            let announced =
                "\n\nThis version is deprecated, there until 2027-06-30; read crm.customers@2 instead: names are split";
            assert!(description.ends_with(announced), "{description}");
            let change = facets["lifecycleStateChange"]["lifecycleStateChange"].as_str().unwrap();
            (event["dataset"]["name"].as_str().unwrap().to_owned(), change.to_owned())
        })
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(topic, change)| (topic.as_str(), change.as_str())).collect();
    assert_eq!(
        told,
        [
            ("crm.customers.v1.in", "DROP"),
            ("crm.customers.v1", "ALTER"),
            ("crm.customers.v1.stewards", "ALTER"),
            ("crm.customers.v1.support", "ALTER"),
            ("crm.customers.v1.quarantine", "ALTER"),
        ]
    );
}

#[test]
fn counts_are_of_the_whole_run_and_snapshots_only_of_news() {
    let mut run = moved_run();
    let at = Timestamp::UNIX_EPOCH;
    run.snapshot(at).unwrap();
    assert_eq!(run.snapshot(at), None);
    run.read("crm.customers.v1.in", 0, 25, 90);
    let event = serde_json::to_value(run.snapshot(at).unwrap()).unwrap();
    let moved = &event["inputs"][0]["inputFacets"]["mesh_kafka"];
    assert_eq!(moved["records"], 11);
    assert_eq!(moved["partitions"], json!([{"partition": 0, "firstOffset": 10, "lastOffset": 25, "records": 11}]));
    assert_eq!((&moved["contractVersion"], &moved["contractRevision"]), (&json!(1), &json!(7)));
}

#[test]
fn column_lineage_says_what_each_view_masks() {
    let masking = |view: &str, column: &str| {
        let dataset = serde_json::to_value(datasets().view(view).unwrap().dataset).unwrap();
        dataset["facets"]["columnLineage"]["fields"][column]["inputFields"][0]["transformations"][0].clone()
    };
    assert_eq!(masking("masked", "contacts[].email")["masking"], true);
    assert_eq!(masking("masked", "phone")["description"], "keep_last: 4");
    assert_eq!(masking("masked", "customer_id")["masking"], false);
    assert_eq!(masking("support", "phone")["masking"], false);
    assert_eq!(masking("support", "email")["masking"], true);
    assert_eq!(masking("stewards", "address.street")["masking"], false);
}

#[test]
fn column_lineage_is_what_the_masking_program_does() {
    let masked = |rule: &str| {
        let mut applied = applied();
        applied.contract.sensitive_columns.retain(|column| column.column.to_string() != "email");
        let text = serde_json::to_string(&applied.schema).unwrap();
        applied.schema = serde_json::from_str(&text.replacen("\"mesh.class\":\"pii.contact\"", rule, 1)).unwrap();
        let datasets = ProductDatasets::new(&cluster(), &applied);
        let dataset = serde_json::to_value(datasets.view("masked").unwrap().dataset).unwrap();
        let transformation =
            &dataset["facets"]["columnLineage"]["fields"]["email"]["inputFields"][0]["transformations"][0];
        (transformation["description"].clone(), transformation["masking"].clone())
    };
    let by_schema_alone = masked("\"mesh.class\":\"pii.contact\"");
    assert_eq!(by_schema_alone, (json!("hash"), json!(true)), "the rule of its type");
    assert_eq!(masked("\"mesh.sensitive\":false"), (Value::Null, json!(false)));
}

#[test]
fn an_event_reads_back_as_it_was_written() {
    let events = every_event();
    for written in &events {
        assert_eq!(&Event::from_value(serde_json::to_value(written).unwrap()).unwrap(), written);
    }
    let keys: Vec<String> = [0, 1, 7, 12].map(|index| events[index].key()).into();
    let (dataset, job) = ("dataset:kafka://127.0.0.1:9092/crm.customers.v1.in", "job:mesh/derive.crm.customers.v1");
    assert_eq!(keys, ["run:mesh/masking.crm.customers.v1", "run:https://airflow.example.org/dag", dataset, job]);
}

#[test]
fn a_contract_that_is_applied_tells_what_became_of_its_topics_and_what_it_declares() {
    let events = every_design_event();
    let json: Vec<Value> = events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    let (job, topics) = json.split_last().unwrap();
    let names: Vec<&str> = topics.iter().map(|event| event["dataset"]["name"].as_str().unwrap()).collect();
    let own = |end: &str| format!("crm.customers.v1{end}");
    assert_eq!((names[0], names[1], names[4]), (&*own(".in"), &*own(""), &*own(".quarantine")));
    assert!(names.contains(&&*own(".support")) && names.contains(&&*own(".stewards")) && names.len() == 5);
    for topic in topics {
        assert_eq!(topic["dataset"]["facets"]["lifecycleStateChange"]["lifecycleStateChange"], "ALTER", "revision 7");
    }
    assert_eq!(job["job"]["name"], "derive.crm.customers.v1");
    assert_eq!(job["job"]["facets"]["tags"]["tags"][0]["key"], "declared");
    let ends = |side: &str| job[side].as_array().unwrap().iter().map(|it| it["name"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (ends("inputs"), ends("outputs")),
        (vec![json!("crm.customers.v1")], vec![json!("crm.customers.v1.in")])
    );
}

#[test]
fn a_topic_has_one_name_and_the_clusters_other_addresses_beside_it() {
    let dataset = serde_json::to_value(datasets().input().dataset).unwrap();
    assert_eq!(dataset["namespace"], "kafka://127.0.0.1:9092");
    let symlinks = dataset["facets"]["symlinks"]["identifiers"].as_array().unwrap().clone();
    let namespaces: Vec<&str> = symlinks.iter().map(|link| link["namespace"].as_str().unwrap()).collect();
    assert_eq!(namespaces, ["kafka://broker-1:9092", "kafka://localhost:9092"]);
    assert_eq!(symlinks[0]["name"], "crm.customers.v1.in");
}

#[test]
fn what_could_not_be_let_through_is_a_finding_about_the_input() {
    let event = serde_json::to_value(moved_run().snapshot(Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    let assertion = &event["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0];
    assert_eq!((&assertion["success"], &assertion["actual"]), (&json!(false), &json!("1")));
}

#[test]
fn a_new_description_is_news_of_what_moves() {
    let (mut run, at) = (moved_run(), Timestamp::UNIX_EPOCH);
    run.snapshot(at).unwrap();
    run.describe_input(datasets().input());
    assert_eq!(run.snapshot(at), None, "it is described as before");
    let mut changed = applied();
    changed.revision = 8;
    run.describe_input(ProductDatasets::new(&cluster(), &changed).input());
    assert!(run.snapshot(at).is_some());
}

#[test]
fn the_official_schemas_accept_every_event() {
    let Some(official) = Official::find() else { return };
    for event in every_event() {
        let checked = official.accept(&serde_json::to_value(event).unwrap());
        assert!(checked >= 1, "an event has facets of what it is about");
    }
    let mut wrong = serde_json::to_value(every_run_event().remove(0)).unwrap();
    wrong["job"]["facets"]["jobType"]["processingType"] = json!(1);
    let job_type = &wrong["job"]["facets"]["jobType"];
    let refused = official.errors(job_type["_schemaURL"].as_str().unwrap(), job_type);
    assert!(!refused.is_empty(), "the schemas refuse what is wrong");
}
