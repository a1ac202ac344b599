//! The graph around a node: `/api/v1/lineage` and `/api/v1/column-lineage`.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State as Extract;
use serde_json::{Value, json};
use uuid::Uuid;

use super::asked::{Around, Asked, When};
use super::problem::Problem;
use super::render;
use crate::State;
use crate::graph::{Column, ColumnGraph, Direction, Moment, NodeId, Side};

/// How many nodes are answered at most.
const NODES_MAX: usize = 10_000;

/// The nodes around one.
pub(super) async fn lineage(
    Extract(state): Extract<State>,
    Asked(query): Asked<Around>,
) -> Result<Json<Value>, Problem> {
    let id = query.node_id.as_str();
    if !["dataset:", "job:"].iter().any(|kind| id.starts_with(kind)) {
        return Err(not_a_node_id(id, "dataset:<namespace>:<name> or job:<namespace>:<name>"));
    }
    state.read(|graph| {
        let moment = graph.as_of(query.when().at_ms());
        let found = moment.neighbourhood(id, query.depth(), NODES_MAX);
        let found = found.ok_or_else(|| Problem::not_found(format_args!("Node '{id}'")))?;
        let nodes = found.nodes.iter().filter_map(|id| node(moment, id, &found.nodes));
        let answer = json!({ "graph": nodes.collect::<Vec<_>>(), "truncated": found.truncated });
        Ok(Json(dated(answer, moment, query.when(), found.nodes.iter())))
    })
}

/// Says of which instant an answer is, and whether all that was told up to then is still known.
pub(super) fn dated<'a>(
    mut answer: Value,
    moment: Moment<'_>,
    when: When,
    nodes: impl IntoIterator<Item = &'a NodeId>,
) -> Value {
    if let Some(as_of) = when.as_of() {
        let since_ms = moment.complete_since_ms(nodes);
        answer["asOf"] = json!(as_of);
        answer["completeSince"] = json!(since_ms.map(render::instant));
        answer["complete"] = json!(since_ms.is_none_or(|since_ms| since_ms <= moment.at_ms()));
    }
    answer
}

fn node(moment: Moment<'_>, id: &NodeId, within: &BTreeSet<NodeId>) -> Option<Value> {
    if let Some(dataset) = moment.dataset(id) {
        let edges = |direction: Direction| -> Vec<Value> {
            let jobs = moment.jobs_of(id, direction).filter(|(job, _)| within.contains(*job));
            let edge = |(job, node)| {
                let link = moment.link(node, direction, id)?;
                let (origin, destination) = if direction == Direction::Output { (job, id) } else { (id, job) };
                Some(render::edge(origin, destination, &link))
            };
            jobs.filter_map(edge).collect()
        };
        return Some(json!({
            "id": &**id, "type": "DATASET", "data": render::lineage_dataset(moment, dataset),
            "inEdges": edges(Direction::Output), "outEdges": edges(Direction::Input),
        }));
    }
    let job = moment.job(id)?;
    let links = |direction| moment.links(job, direction).filter(|link| within.contains(link.dataset));
    Some(json!({
        "id": &**id, "type": "JOB", "data": render::job(moment, job),
        "inEdges": links(Direction::Input).map(|link| render::edge(link.dataset, id, &link)).collect::<Vec<_>>(),
        "outEdges": links(Direction::Output).map(|link| render::edge(id, link.dataset, &link)).collect::<Vec<_>>(),
    }))
}

/// The columns around one, or around all of a data set, or all that a job writes.
pub(super) async fn column_lineage(
    Extract(state): Extract<State>,
    Asked(query): Asked<Around>,
) -> Result<Json<Value>, Problem> {
    state.read(|graph| {
        let mut moment = graph.as_of(query.when().at_ms());
        let (id, version) = versioned(moment, &query.node_id);
        if let Some(from_ms) = version {
            if query.with_downstream {
                let why = "Node version cannot be specified when withDownstream is true";
                return Err(Problem::bad_request(why));
            }
            moment = graph.as_of(from_ms);
        }
        let start = start(moment, id)?;
        let sides: &[Side] =
            if query.with_downstream { &[Side::Upstream, Side::Downstream] } else { &[Side::Upstream] };
        let found = moment.columns_around(start, sides, query.depth(), NODES_MAX);
        let nodes: Vec<Value> = found.nodes.iter().map(|column| column_node(moment, column, &found)).collect();
        let datasets = found.nodes.iter().map(|column| &column.dataset);
        let answer = json!({ "graph": nodes, "truncated": found.truncated });
        Ok(Json(dated(answer, moment, query.when(), datasets)))
    })
}

/// A node id may end with the id of a version: the data set as it was from then on.
fn versioned<'q>(moment: Moment<'_>, id: &'q str) -> (&'q str, Option<i64>) {
    let whole = (id, None);
    let Some((plain, version)) = id.rsplit_once('#').filter(|_| moment.dataset(id).is_none()) else { return whole };
    let Ok(version) = Uuid::try_parse(version) else { return whole };
    let Some(node) = moment.dataset(plain) else { return whole };
    let mut versions = node.versions.entries().iter();
    let found = versions.find(|(from_ms, _)| render::version_id(node, *from_ms) == version);
    found.map_or(whole, |(from_ms, _)| (plain, Some(*from_ms)))
}

fn start(moment: Moment<'_>, id: &str) -> Result<BTreeSet<Column>, Problem> {
    let not_found = || Problem::not_found(format_args!("Node '{id}'"));
    if let Some(field) = id.strip_prefix("datasetField:") {
        return field_of(moment, field).map(|column| BTreeSet::from([column])).ok_or_else(not_found);
    }
    if id.starts_with("dataset:") {
        let dataset = moment.id_of(id).ok_or_else(not_found)?;
        return Ok(moment.columns(dataset));
    }
    if id.starts_with("job:") {
        let job = moment.job(id).ok_or_else(not_found)?;
        let outputs = moment.links(job, Direction::Output);
        return Ok(outputs.flat_map(|link| moment.columns(link.dataset)).collect());
    }
    let forms = "datasetField:<namespace>:<name>:<column>, dataset:<namespace>:<name> or job:<namespace>:<name>";
    Err(not_a_node_id(id, forms))
}

/// Namespaces and names are full of colons: the data set is the one that there is.
fn field_of(moment: Moment<'_>, field: &str) -> Option<Column> {
    let mut splits = field.match_indices(':').rev().filter_map(|(at, _)| {
        let dataset = moment.id_of(&format!("dataset:{}", &field[..at]))?;
        let column = Column { dataset: dataset.clone(), column: field[at + 1..].into() };
        moment.columns(dataset).contains(&column).then_some(column)
    });
    splits.next()
}

/// As Marquez writes it: the edge of a column starts at the column, also where it leads to what it is made of.
fn column_node(moment: Moment<'_>, column: &Column, found: &ColumnGraph) -> Value {
    let into: Vec<_> = found.edges.iter().filter(|edge| edge.to == *column).cloned().collect();
    let out = found.edges.iter().filter(|edge| edge.from == *column);
    let (namespace, name) = render::split(moment, &column.dataset);
    let (kind, words) = render::transformation(&into);
    let id = column_id(moment, column);
    let ends = |others: BTreeSet<String>| -> Vec<Value> {
        others.into_iter().map(|other| json!({ "origin": id, "destination": other })).collect()
    };
    json!({
        "id": id,
        "type": "DATASET_FIELD",
        "data": {
            "namespace": namespace, "dataset": name, "datasetVersion": Value::Null,
            "field": &*column.column, "fieldType": field_type(moment, column),
            "transformationType": kind, "transformationDescription": words,
            "inputFields": into.iter().map(|edge| render::input_field(moment, edge)).collect::<Vec<_>>(),
        },
        "inEdges": ends(into.iter().map(|edge| column_id(moment, &edge.from)).collect()),
        "outEdges": ends(out.map(|edge| column_id(moment, &edge.to)).collect()),
    })
}

fn field_type(moment: Moment<'_>, column: &Column) -> Option<String> {
    let facts = moment.facts(moment.dataset(&column.dataset)?)?;
    let top = column.column.split(['.', '[', '{']).next()?;
    facts.fields().iter().find(|field| field.name == top && *column.column == *top)?.kind.clone()
}

fn column_id(moment: Moment<'_>, column: &Column) -> String {
    let (namespace, name) = render::split(moment, &column.dataset);
    format!("datasetField:{namespace}:{name}:{}", column.column)
}

fn not_a_node_id(id: &str, forms: &str) -> Problem {
    let id: String = id.chars().take(100).collect();
    Problem::bad_request(format!("'{id}' is no node id: write {forms}"))
}
