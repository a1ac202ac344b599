//! Things as Marquez writes them, with `declared`, `records` and the like besides.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mesh_client::lineage::facet::SchemaField;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::facet::Tag;
use crate::graph::columns::{Form, covers};
use crate::graph::{
    ColumnEdge, DatasetNode, Direction, Facts, JobNode, Link, Moment, NodeId, RunNode, RunState, dataset_id,
};

/// A dataset, and where its columns come from.
pub(super) fn dataset(moment: Moment<'_>, id: &NodeId, node: &DatasetNode) -> Value {
    let mut told = lineage_dataset(moment, node);
    told["deleted"] = json!(false);
    told["columnLineage"] = json!(column_lineage(moment, id));
    told
}

/// A dataset as a node of the graph has it.
pub(super) fn lineage_dataset(moment: Moment<'_>, node: &DatasetNode) -> Value {
    let facts = version_at(moment, node);
    let mut told = described(node, facts.map(|(_, facts)| facts));
    told["facets"] = facets(moment, node);
    let current = facts.map(|(from_ms, _)| version_id(node, from_ms));
    told["id"] = json!({ "namespace": node.namespace(), "name": node.name() });
    told["createdAt"] = json!(instant(node.heard.first_ms));
    told["updatedAt"] = json!(instant(node.heard.last_ms.min(moment.at_ms())));
    told["lastModifiedAt"] = json!(last_written_ms(moment, node).map(instant));
    told["currentVersion"] = json!(current);
    told
}

/// What was told of a data set from an instant on.
pub(super) fn version(node: &DatasetNode, from_ms: i64, facts: &Facts) -> Value {
    let id = version_id(node, from_ms);
    let mut told = described(node, Some(facts));
    told["id"] = json!({ "namespace": node.namespace(), "name": node.name(), "version": id });
    told["version"] = json!(id);
    told["createdAt"] = json!(instant(from_ms));
    told["lifecycleState"] = told["lastLifecycleState"].clone();
    told["createdByRun"] = Value::Null;
    told
}

fn described(node: &DatasetNode, facts: Option<&Facts>) -> Value {
    let tags = facts.map_or(&[][..], Facts::tags);
    let fields = facts.map_or(&[][..], Facts::fields).iter().map(|it| field(it, tags));
    let own = tags.iter().filter(|tag| tag.field.is_none()).map(|tag| tag.value.as_str());
    json!({
        "type": if is_stream(node) { "STREAM" } else { "DB_TABLE" },
        "name": node.name(),
        "physicalName": node.name(),
        "namespace": node.namespace(),
        "sourceName": node.namespace(),
        "description": facts.and_then(Facts::description),
        "owner": facts.and_then(Facts::owner),
        "contractVersion": facts.and_then(Facts::version),
        "lastLifecycleState": facts.and_then(Facts::lifecycle),
        "fields": fields.collect::<Vec<_>>(),
        "tags": own.collect::<BTreeSet<_>>(),
        "facets": {},
    })
}

/// As in Marquez, what jobs found of what they read is told of the data set, too; here with the job's name.
fn facets(moment: Moment<'_>, node: &DatasetNode) -> Value {
    let assertions = moment.assertions(&dataset_id(node.namespace(), node.name())).map(|(job, assertion)| {
        let mut told = json!(assertion);
        if let Some(job) = job {
            told["job"] = json!(**job);
        }
        told
    });
    let assertions: Vec<Value> = assertions.collect();
    if assertions.is_empty() { json!({}) } else { json!({ "dataQualityAssertions": { "assertions": assertions } }) }
}

fn field(field: &SchemaField, tags: &[Tag]) -> Value {
    let inside = tags.iter().filter(|tag| tag.field.as_deref().is_some_and(|tagged| covers(&field.name, tagged)));
    let tags: BTreeSet<_> = inside.map(|tag| tag.value.as_str()).collect();
    json!({ "name": field.name, "type": field.kind, "description": field.description, "tags": tags })
}

fn is_stream(node: &DatasetNode) -> bool {
    ["kafka://", "pulsar://", "kinesis://", "arn:aws:kinesis"].iter().any(|it| node.namespace().starts_with(it))
}

fn version_at<'a>(moment: Moment<'_>, node: &'a DatasetNode) -> Option<(i64, &'a Facts)> {
    let until = node.versions.entries().iter().take_while(|(from_ms, _)| *from_ms <= moment.at_ms());
    until.last().map(|(from_ms, facts)| (*from_ms, facts))
}

/// Always the same for the same version, whoever computes it.
pub(super) fn version_id(node: &DatasetNode, from_ms: i64) -> Uuid {
    let mut digest = Sha256::new();
    for part in [node.namespace().as_bytes(), node.name().as_bytes(), &from_ms.to_be_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn last_written_ms(moment: Moment<'_>, node: &DatasetNode) -> Option<i64> {
    let id = dataset_id(node.namespace(), node.name());
    let writers = moment.jobs_of(&id, Direction::Output);
    let seen = writers.filter_map(|(_, job)| moment.link(job, Direction::Output, &id)?.observed);
    seen.map(|observed| observed.last_seen_ms).max()
}

fn column_lineage(moment: Moment<'_>, id: &NodeId) -> Vec<Value> {
    let columns = moment.columns(id).into_iter().filter_map(|column| {
        let edges: Vec<ColumnEdge> = moment.made_of(&column).into_iter().filter(|edge| edge.to == column).collect();
        (!edges.is_empty()).then(|| {
            let (kind, words) = transformation(&edges);
            json!({
                "name": &*column.column,
                "inputFields": edges.iter().map(|edge| input_field(moment, edge)).collect::<Vec<_>>(),
                "transformationType": kind,
                "transformationDescription": words,
            })
        })
    });
    columns.collect()
}

/// A column that goes into another.
pub(super) fn input_field(moment: Moment<'_>, edge: &ColumnEdge) -> Value {
    let (namespace, name) = split(moment, &edge.from.dataset);
    let (kind, words) = transformation(std::slice::from_ref(edge));
    json!({
        "namespace": namespace, "dataset": name, "datasetVersion": Value::Null, "field": &*edge.from.column,
        "transformationType": kind, "transformationDescription": words,
    })
}

/// What was done, in Marquez' words: `MASKED` only if nothing came through otherwise.
pub(super) fn transformation(edges: &[ColumnEdge]) -> (Option<&'static str>, Option<&str>) {
    let strongest = edges.iter().max_by_key(|edge| edge.form);
    let kind = strongest.map(|edge| match edge.form {
        Form::Clear => "IDENTITY",
        Form::Masked => "MASKED",
        Form::Decides => "INDIRECT",
    });
    (kind, strongest.and_then(|edge| edge.how.as_deref()))
}

/// A node's namespace and name; also of a data set that only others name.
pub(super) fn split(moment: Moment<'_>, id: &NodeId) -> (String, String) {
    if let Some(node) = moment.dataset(id) {
        return (node.namespace().to_owned(), node.name().to_owned());
    }
    let rest = id.strip_prefix("dataset:").unwrap_or(id);
    let (namespace, name) = rest.rsplit_once(':').unwrap_or(("", rest));
    (namespace.to_owned(), name.to_owned())
}

/// A job.
pub(super) fn job(moment: Moment<'_>, node: &JobNode) -> Value {
    let names = |direction| -> Vec<Value> {
        let links = moment.links(node, direction).filter_map(|link| moment.dataset(link.dataset));
        links.map(|dataset| json!({ "namespace": dataset.namespace(), "name": dataset.name() })).collect()
    };
    let kind = match node.processing_type() {
        Some(kind) if kind.eq_ignore_ascii_case("streaming") => "STREAM",
        Some(kind) if kind.eq_ignore_ascii_case("service") => "SERVICE",
        _ => "BATCH",
    };
    let latest = moment.latest_run(node).map(|(id, run)| self::run(moment, node, *id, run));
    json!({
        "id": { "namespace": node.namespace(), "name": node.name() },
        "type": kind,
        "name": node.name(),
        "simpleName": node.name().rsplit('.').next(),
        "parentJobName": Value::Null,
        "namespace": node.namespace(),
        "createdAt": instant(node.heard.first_ms),
        "updatedAt": instant(node.heard.last_ms.min(moment.at_ms())),
        "owner": node.owner(),
        "description": node.description(),
        "location": Value::Null,
        "inputs": names(Direction::Input),
        "outputs": names(Direction::Output),
        "tags": [],
        "latestRun": latest,
    })
}

/// A run.
pub(super) fn run(moment: Moment<'_>, job: &JobNode, id: Uuid, node: &RunNode) -> Value {
    let at_ms = moment.at_ms();
    let state = match node.state(at_ms) {
        RunState::New => "NEW",
        RunState::Running => "RUNNING",
        RunState::Completed => "COMPLETED",
        RunState::Aborted => "ABORTED",
        RunState::Failed => "FAILED",
    };
    let (began_ms, ended_ms) = (node.heard.first_ms, node.ended_ms(at_ms));
    json!({
        "id": id,
        "state": state,
        "createdAt": instant(began_ms),
        "updatedAt": instant(node.heard.last_ms.min(at_ms)),
        "startedAt": instant(began_ms),
        "endedAt": ended_ms.map(instant),
        "durationMs": ended_ms.map(|ended_ms| ended_ms - began_ms),
        "nominalStartTime": Value::Null,
        "nominalEndTime": Value::Null,
        "args": {},
        "jobVersion": { "namespace": job.namespace(), "name": job.name(), "version": Value::Null },
        "parentRunId": node.parent,
        "inputDatasetVersions": moved(moment, node, Direction::Input),
        "outputDatasetVersions": moved(moment, node, Direction::Output),
        "facets": {},
    })
}

/// What a run moved of each data set, in the version that this has at that moment.
fn moved(moment: Moment<'_>, run: &RunNode, direction: Direction) -> Vec<Value> {
    let statistics = if direction == Direction::Input { "inputStatistics" } else { "outputStatistics" };
    let moved = run.moved(direction).filter_map(|(id, records)| Some((moment.dataset(id)?, records)));
    let told = moved.map(|(dataset, records)| {
        let version = version_at(moment, dataset).map(|(from_ms, _)| version_id(dataset, from_ms));
        let id = json!({ "namespace": dataset.namespace(), "name": dataset.name(), "version": version });
        // counts are of the whole run: what they were in its midst is not kept
        let is_counted = records > 0 && run.heard.last_ms <= moment.at_ms();
        let facets = if is_counted { json!({ statistics: { "rowCount": records } }) } else { json!({}) };
        json!({ "datasetVersionId": id, "facets": facets })
    });
    told.collect()
}

/// An edge, seen from one of its ends.
pub(super) fn edge(origin: &NodeId, destination: &NodeId, link: &Link<'_>) -> Value {
    let observed = link.observed;
    json!({
        "origin": &**origin,
        "destination": &**destination,
        "declared": link.declared,
        "records": observed.map(|observed| observed.records),
        "countedAt": observed.map(|observed| instant(observed.counted_at_ms)),
        "firstSeenAt": observed.map(|observed| instant(observed.first_seen_ms)),
        "lastSeenAt": observed.map(|observed| instant(observed.last_seen_ms)),
    })
}

/// As RFC 3339.
pub(super) fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}
