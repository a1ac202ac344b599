//! Nodes as Marquez writes them, with `declared` and `records` on edges besides.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mesh_client::lineage::EventType;
use serde_json::{Value, json};

use crate::graph::{DatasetNode, Edge, Graph, JobNode, Neighbourhood, NodeId, RunNode};

pub(super) fn nodes(graph: &Graph, found: &Neighbourhood) -> Vec<Value> {
    found.nodes.iter().filter_map(|id| node(graph, id, &found.nodes)).collect()
}

fn node(graph: &Graph, id: &NodeId, within: &BTreeSet<NodeId>) -> Option<Value> {
    if let Some(dataset) = graph.dataset(id) {
        let edge = |job: &NodeId, is_in: bool| {
            let job_node = graph.job(job).filter(|_| within.contains(job))?;
            let edges = if is_in { &job_node.outputs } else { &job_node.inputs };
            let (origin, destination) = if is_in { (job, id) } else { (id, job) };
            Some(link(origin, destination, edges.get(id)?))
        };
        let inward: Vec<Value> = dataset.writers.iter().filter_map(|job| edge(job, true)).collect();
        let outward: Vec<Value> = dataset.readers.iter().filter_map(|job| edge(job, false)).collect();
        return Some(json!({
            "id": &**id, "type": "DATASET", "data": self::dataset(dataset),
            "inEdges": inward, "outEdges": outward,
        }));
    }
    let job = graph.job(id)?;
    let inward = job.inputs.iter().filter(|(dataset, _)| within.contains(*dataset));
    let outward = job.outputs.iter().filter(|(dataset, _)| within.contains(*dataset));
    Some(json!({
        "id": &**id, "type": "JOB", "data": self::job(graph, job),
        "inEdges": inward.map(|(dataset, edge)| link(dataset, id, edge)).collect::<Vec<_>>(),
        "outEdges": outward.map(|(dataset, edge)| link(id, dataset, edge)).collect::<Vec<_>>(),
    }))
}

fn link(origin: &NodeId, destination: &NodeId, edge: &Edge) -> Value {
    let observed = edge.observed;
    json!({
        "origin": &**origin,
        "destination": &**destination,
        "declared": edge.declared,
        "records": observed.map(|observed| observed.records),
        "lastSeenAt": observed.map(|observed| instant(observed.last_seen_ms)),
    })
}

pub(super) fn dataset(node: &DatasetNode) -> Value {
    let fields = node.fields.iter().map(|field| {
        let classes = node.tags.iter().flat_map(|tags| &tags.tags).filter(|tag| {
            let inside = tag.field.as_deref().and_then(|tagged| tagged.strip_prefix(field.name.as_str()));
            inside.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
        });
        let tags: BTreeSet<_> = classes.map(|tag| tag.value.as_str()).collect();
        json!({ "name": field.name, "type": field.kind, "description": field.description, "tags": tags })
    });
    json!({
        "id": { "namespace": node.namespace, "name": node.name },
        "type": if node.namespace.starts_with("kafka://") { "STREAM" } else { "DB_TABLE" },
        "name": node.name,
        "physicalName": node.name,
        "namespace": node.namespace,
        "sourceName": node.namespace,
        "createdAt": instant(node.seen.first_ms),
        "updatedAt": instant(node.seen.last_ms),
        "lastModifiedAt": instant(node.seen.last_ms),
        "description": node.description,
        "owner": node.owner,
        "version": node.version,
        "fields": fields.collect::<Vec<_>>(),
        "tags": [],
        "columnLineage": node.column_lineage,
        "deleted": false,
    })
}

pub(super) fn job(graph: &Graph, node: &JobNode) -> Value {
    let names = |ids: &mut dyn Iterator<Item = &NodeId>| -> Vec<Value> {
        let found = ids.filter_map(|id| graph.dataset(id));
        found.map(|dataset| json!({ "namespace": dataset.namespace, "name": dataset.name })).collect()
    };
    json!({
        "id": { "namespace": node.namespace, "name": node.name },
        "type": node.processing_type.as_deref().map_or("BATCH", |kind| if kind == "STREAMING" { "STREAM" } else { kind }),
        "name": node.name,
        "simpleName": node.name.rsplit('.').next(),
        "namespace": node.namespace,
        "createdAt": instant(node.seen.first_ms),
        "updatedAt": instant(node.seen.last_ms),
        "owner": node.owner,
        "inputs": names(&mut node.inputs.keys()),
        "outputs": names(&mut node.outputs.keys()),
        "latestRun": node.latest_run().map(|(id, run)| self::run(id, run)),
    })
}

pub(super) fn runs(node: &JobNode) -> Vec<Value> {
    node.runs.iter().rev().map(|(id, node)| run(id, node)).collect()
}

fn run(id: &uuid::Uuid, node: &RunNode) -> Value {
    let state = match node.state {
        Some(EventType::Complete) => "COMPLETED",
        Some(EventType::Abort) => "ABORTED",
        Some(EventType::Fail) => "FAILED",
        Some(EventType::Start | EventType::Running) => "RUNNING",
        Some(EventType::Other) | None => "NEW",
    };
    json!({ "id": id, "state": state, "createdAt": instant(node.seen.first_ms), "updatedAt": instant(node.seen.last_ms) })
}

pub(super) fn namespaces(graph: &Graph) -> Vec<Value> {
    let of_datasets = graph.datasets().map(|(_, node)| node.namespace.as_str());
    let names: BTreeSet<_> = of_datasets.chain(graph.jobs().map(|(_, node)| node.namespace.as_str())).collect();
    names.into_iter().map(|name| json!({ "name": name, "isHidden": false })).collect()
}

fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}
