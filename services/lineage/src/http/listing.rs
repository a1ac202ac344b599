//! Namespaces, data sets, jobs, runs, tags, and the search for them.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State as Extract;
use serde_json::{Value, json};
use uuid::Uuid;

use super::asked::{Asked, Filter, Named, Page, Search, Sort, When};
use super::problem::Problem;
use super::render;
use crate::State;
use crate::graph::{self, DatasetNode, Heard, JobNode, Moment};

type Answer = Result<Json<Value>, Problem>;

pub(super) async fn namespaces(Extract(state): Extract<State>, Asked(page): Asked<Page>) -> Json<Value> {
    state.read(|graph| {
        let all = all_namespaces(graph.as_of(page.when().at_ms()));
        let shown = page.of(all).into_iter().map(|(name, heard)| namespace_told(name, heard));
        Json(json!({ "namespaces": shown.collect::<Vec<_>>() }))
    })
}

pub(super) async fn namespace(Extract(state): Extract<State>, Named(name): Named<String>) -> Answer {
    state.read(|graph| {
        let found = all_namespaces(graph.now()).remove(name.as_str());
        found.map(|heard| Json(namespace_told(&name, heard))).ok_or_else(|| not_found("Namespace", &name))
    })
}

fn all_namespaces(moment: Moment<'_>) -> BTreeMap<&str, Heard> {
    let datasets = moment.datasets().map(|(_, node)| (node.namespace(), node.heard));
    let jobs = moment.jobs().map(|(_, node)| (node.namespace(), node.heard));
    let mut all = BTreeMap::<&str, Heard>::new();
    for (name, heard) in datasets.chain(jobs) {
        let known = all.entry(name).or_insert(heard);
        known.first_ms = known.first_ms.min(heard.first_ms);
        known.last_ms = known.last_ms.max(heard.last_ms);
    }
    all
}

fn namespace_told(name: &str, heard: Heard) -> Value {
    json!({
        "name": name, "createdAt": render::instant(heard.first_ms), "updatedAt": render::instant(heard.last_ms),
        "ownerName": "anonymous", "description": Value::Null, "isHidden": false,
    })
}

pub(super) async fn datasets(
    Extract(state): Extract<State>,
    Named(namespace): Named<String>,
    Asked(page): Asked<Page>,
) -> Answer {
    state.read(|graph| {
        let moment = graph.as_of(page.when().at_ms());
        let all: Vec<_> = moment.datasets().filter(|(_, node)| node.namespace() == namespace).collect();
        known_namespace(moment, &namespace)?;
        let (count, shown) = (all.len(), page.of(all));
        let shown: Vec<_> = shown.into_iter().map(|(id, node)| render::dataset(moment, id, node)).collect();
        Ok(Json(json!({ "datasets": shown, "totalCount": count })))
    })
}

pub(super) async fn dataset(
    Extract(state): Extract<State>,
    Named((namespace, name)): Named<(String, String)>,
    Asked(when): Asked<When>,
) -> Answer {
    state.read(|graph| {
        let moment = graph.as_of(when.at_ms());
        let (id, node) = find_dataset(moment, &namespace, &name)?;
        Ok(Json(super::around::dated(render::dataset(moment, &id, node), moment, when, [&id])))
    })
}

pub(super) async fn versions(
    Extract(state): Extract<State>,
    Named((namespace, name)): Named<(String, String)>,
    Asked(page): Asked<Page>,
) -> Answer {
    state.read(|graph| {
        let moment = graph.as_of(page.when().at_ms());
        let (_, node) = find_dataset(moment, &namespace, &name)?;
        let known = node.versions.entries().iter().rev().filter(|(from_ms, _)| *from_ms <= moment.at_ms());
        let all: Vec<_> = known.collect();
        let count = all.len();
        let shown = page.of(all).into_iter().map(|(from_ms, facts)| render::version(node, *from_ms, facts));
        Ok(Json(json!({
            "versions": shown.collect::<Vec<_>>(), "totalCount": count,
            "truncatedBefore": node.versions.forgotten_before_ms().map(render::instant),
        })))
    })
}

pub(super) async fn version(
    Extract(state): Extract<State>,
    Named((namespace, name, id)): Named<(String, String, String)>,
) -> Answer {
    let wanted = Uuid::try_parse(&id).map_err(|_| Problem::bad_request("a version is a UUID"))?;
    state.read(|graph| {
        let (_, node) = find_dataset(graph.now(), &namespace, &name)?;
        let mut known = node.versions.entries().iter();
        let found = known.find(|(from_ms, _)| render::version_id(node, *from_ms) == wanted);
        let (from_ms, facts) = found.ok_or_else(|| not_found("Dataset version", &id))?;
        Ok(Json(render::version(node, *from_ms, facts)))
    })
}

pub(super) async fn all_jobs(Extract(state): Extract<State>, Asked(page): Asked<Page>) -> Json<Value> {
    state.read(|graph| {
        let moment = graph.as_of(page.when().at_ms());
        Json(jobs_told(moment, &page, moment.jobs().map(|(_, node)| node).collect()))
    })
}

pub(super) async fn jobs(
    Extract(state): Extract<State>,
    Named(namespace): Named<String>,
    Asked(page): Asked<Page>,
) -> Answer {
    state.read(|graph| {
        let moment = graph.as_of(page.when().at_ms());
        known_namespace(moment, &namespace)?;
        let all = moment.jobs().map(|(_, node)| node).filter(|node| node.namespace() == namespace);
        Ok(Json(jobs_told(moment, &page, all.collect())))
    })
}

fn jobs_told(moment: Moment<'_>, page: &Page, all: Vec<&JobNode>) -> Value {
    let (count, shown) = (all.len(), page.of(all));
    json!({ "jobs": shown.into_iter().map(|node| render::job(moment, node)).collect::<Vec<_>>(), "totalCount": count })
}

pub(super) async fn job(
    Extract(state): Extract<State>,
    Named((namespace, name)): Named<(String, String)>,
    Asked(when): Asked<When>,
) -> Answer {
    state.read(|graph| {
        let moment = graph.as_of(when.at_ms());
        let id = graph::job_id(&namespace, &name);
        let node = moment.job(&id).ok_or_else(|| not_found("Job", &name))?;
        Ok(Json(super::around::dated(render::job(moment, node), moment, when, [&id])))
    })
}

pub(super) async fn runs(
    Extract(state): Extract<State>,
    Named((namespace, name)): Named<(String, String)>,
    Asked(page): Asked<Page>,
) -> Answer {
    state.read(|graph| {
        let moment = graph.as_of(page.when().at_ms());
        let job = moment.job(&graph::job_id(&namespace, &name)).ok_or_else(|| not_found("Job", &name))?;
        let all: Vec<_> = moment.runs(job).rev().collect();
        let (count, shown) = (all.len(), page.of(all));
        let shown: Vec<_> = shown.into_iter().map(|(id, run)| render::run(moment, job, *id, run)).collect();
        Ok(Json(json!({ "runs": shown, "totalCount": count })))
    })
}

pub(super) async fn run(Extract(state): Extract<State>, Named(id): Named<String>, Asked(when): Asked<When>) -> Answer {
    let wanted = Uuid::try_parse(&id).map_err(|_| Problem::bad_request("a run's id is a UUID"))?;
    state.read(|graph| {
        let moment = graph.as_of(when.at_ms());
        let (job, run) = moment.run(&wanted).ok_or_else(|| not_found("Run", &id))?;
        Ok(Json(render::run(moment, job, wanted, run)))
    })
}

/// The classes that columns are tagged with.
pub(super) async fn tags(Extract(state): Extract<State>, Asked(page): Asked<Page>) -> Json<Value> {
    state.read(|graph| {
        let moment = graph.as_of(page.when().at_ms());
        let facts = moment.datasets().filter_map(|(_, node)| moment.facts(node));
        let names: BTreeSet<&str> = facts.flat_map(|facts| facts.tags()).map(|tag| tag.value.as_str()).collect();
        let shown = page.of(names).into_iter().map(|name| json!({ "name": name, "description": Value::Null }));
        Json(json!({ "tags": shown.collect::<Vec<_>>() }))
    })
}

pub(super) async fn search(Extract(state): Extract<State>, Asked(search): Asked<Search>) -> Json<Value> {
    state.read(|graph| {
        let moment = graph.now();
        let wanted = search.q.to_lowercase();
        let fits = |namespace: &str, name: &str| {
            let within = search.namespace.as_deref().is_none_or(|it| it == namespace);
            within && name.to_lowercase().contains(&wanted)
        };
        let datasets = moment.datasets().filter(|_| search.filter != Some(Filter::Job));
        let datasets = datasets.filter(|(_, it)| fits(it.namespace(), it.name()));
        let jobs = moment.jobs().filter(|_| search.filter != Some(Filter::Dataset));
        let jobs = jobs.filter(|(_, it)| fits(it.namespace(), it.name()));
        let datasets = datasets.map(|(id, it)| (it.name(), it.namespace(), &**id, "DATASET", it.heard.last_ms));
        let jobs = jobs.map(|(id, it)| (it.name(), it.namespace(), &**id, "JOB", it.heard.last_ms));
        let mut found: Vec<_> = datasets.chain(jobs).collect();
        match search.sort {
            Sort::Name => found.sort_unstable(),
            Sort::UpdateAt => found.sort_unstable_by_key(|(name, .., last_ms)| (-last_ms, *name)),
        }
        let results = found.iter().take(search.limit()).map(|(name, namespace, id, kind, last_ms)| {
            json!({ "name": name, "namespace": namespace, "nodeId": id, "type": kind, "updatedAt": render::instant(*last_ms) })
        });
        Json(json!({ "totalCount": found.len(), "results": results.collect::<Vec<_>>() }))
    })
}

fn find_dataset<'a>(
    moment: Moment<'a>,
    namespace: &str,
    name: &str,
) -> Result<(graph::NodeId, &'a DatasetNode), Problem> {
    let id = moment.id_of_dataset(namespace, name);
    let node = moment.dataset(&id).ok_or_else(|| not_found("Dataset", name))?;
    Ok((id, node))
}

fn known_namespace(moment: Moment<'_>, name: &str) -> Result<(), Problem> {
    let is_known = all_namespaces(moment).contains_key(name);
    if is_known { Ok(()) } else { Err(not_found("Namespace", name)) }
}

/// In Marquez' words.
fn not_found(what: &str, name: &str) -> Problem {
    Problem::not_found(format_args!("{what} '{name}'"))
}
