//! The sidecar's events as a whole: what is in them, and that the official schemas accept them.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jsonschema::{Registry, Validator};
use mesh_client::lineage::facet::PartitionRange;
use mesh_client::lineage::{Event, JobRun, KafkaNamespace, ProductDatasets, RunEvent};
use mesh_contract::{AppliedProduct, parse_contract};
use serde_json::{Value, json};

const CONTRACT: &str = include_str!("../../../topics/crm/customers.yaml");
const SCHEMA: &str = include_str!("../../../schemas/crm/customer.avsc");
const OWN_FACET: &str = include_str!("../../../docs/openlineage/MeshKafkaDatasetFacet.json");

fn applied() -> AppliedProduct {
    let contract = parse_contract("topics/crm/customers.yaml", CONTRACT).unwrap().value;
    let schema = serde_json::from_str(SCHEMA).unwrap();
    AppliedProduct { revision: 7, applied_at_ms: 0, contract, schema }
}

fn datasets() -> ProductDatasets {
    ProductDatasets::new(&KafkaNamespace::of("localhost:9092"), &applied())
}

fn moved_run() -> JobRun {
    let mut run = datasets().masking_run();
    run.read_range(
        "crm.customers.v1.in",
        PartitionRange { partition: 0, first_offset: 10, last_offset: 19, records: 10 },
        900,
    );
    run.wrote_records("crm.customers.v1", 9, 1_000);
    run.wrote("crm.customers.v1.support", 0, 4, 100);
    run.wrote("crm.customers.v1.quarantine", 0, 0, 50);
    run
}

fn every_event() -> Vec<RunEvent> {
    let mut run = moved_run();
    let at = Timestamp::UNIX_EPOCH;
    let start = datasets().masking_run().start(at);
    vec![start, run.snapshot(at).unwrap(), run.complete(at), run.abort(at), run.fail(at, "the broker went away")]
}

#[test]
fn what_was_not_moved_is_in_no_event() {
    let at = Timestamp::UNIX_EPOCH;
    let mut idle = datasets().masking_run();
    let start = idle.start(at);
    assert!(start.inputs.is_empty() && start.outputs.is_empty());
    assert_eq!(idle.snapshot(at), None);

    let event = moved_run().snapshot(at).unwrap();
    let outputs: Vec<_> = event.outputs.iter().map(|output| output.dataset.name.as_str()).collect();
    assert_eq!(outputs, ["crm.customers.v1", "crm.customers.v1.quarantine", "crm.customers.v1.support"]);
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
        let datasets = ProductDatasets::new(&KafkaNamespace::of("localhost:9092"), &applied);
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
    let written = every_event().remove(1);
    let read = Event::from_value(serde_json::to_value(&written).unwrap()).unwrap();
    assert_eq!(read.key(), "run:mesh/masking.crm.customers.v1");
    assert_eq!(read, Event::from(written));
}

#[test]
fn the_official_schemas_accept_every_event() {
    let Some(place) = std::env::var_os("OPENLINEAGE_SCHEMAS").map(PathBuf::from) else {
        eprintln!("skipped: OPENLINEAGE_SCHEMAS does not name a folder with OpenLineage.json and facets/");
        return;
    };
    let registry = registry(&place);
    let core = validator(&registry, "https://openlineage.io/spec/2-0-2/OpenLineage.json");
    for event in every_event() {
        let event = serde_json::to_value(event).unwrap();
        accept(&core, &event);
        let mut checked = 0;
        each_facet(&event, &mut |facet| {
            accept(&validator(&registry, facet["_schemaURL"].as_str().unwrap()), facet);
            checked += 1;
        });
        assert!(checked >= 3, "an event has facets of its run and job at least, not {checked}");
    }
    let mut wrong = serde_json::to_value(every_event().remove(0)).unwrap();
    wrong["job"]["facets"]["jobType"]["processingType"] = json!(1);
    let job_type = validator(&registry, wrong["job"]["facets"]["jobType"]["_schemaURL"].as_str().unwrap());
    assert!(!job_type.is_valid(&wrong["job"]["facets"]["jobType"]), "the schemas refuse what is wrong");
}

fn registry(place: &Path) -> Registry<'static> {
    let mut files = vec![place.join("OpenLineage.json")];
    files.extend(std::fs::read_dir(place.join("facets")).unwrap().map(|entry| entry.unwrap().path()));
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).chain([OWN_FACET.to_owned()]);
    let schemas = texts.map(|text| serde_json::from_str::<Value>(&text).unwrap());
    let add = |registry: jsonschema::RegistryBuilder<'static>, schema: Value| {
        let id = schema["$id"].as_str().unwrap().to_owned();
        registry.add(id, schema).unwrap()
    };
    schemas.fold(Registry::new(), add).prepare().unwrap()
}

fn validator(registry: &Registry<'static>, url: &str) -> Validator {
    let options = jsonschema::options().should_validate_formats(true).with_registry(registry);
    options.build(&json!({ "$ref": url })).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn accept(validator: &Validator, instance: &Value) {
    let errors: Vec<_> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{instance:#}");
}

fn each_facet(value: &Value, each: &mut dyn FnMut(&Value)) {
    match value {
        Value::Object(object) if object.contains_key("_schemaURL") => each(value),
        Value::Object(object) => object.values().for_each(|inner| each_facet(inner, each)),
        Value::Array(items) => items.iter().for_each(|inner| each_facet(inner, each)),
        _ => {}
    }
}
