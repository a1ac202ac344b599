//! A change as a CloudEvent, version 1.0, in structured JSON.

use bytes::Bytes;
use jiff::Timestamp;
use mesh_contract::Team;
use serde_json::{Map, Value, json};

use super::ledger::Change;
use super::progress::Told;
use crate::{ProductReport, ViewReport};

/// An event, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// The same however often the change is told.
    pub(super) id: String,
    pub(super) body: Bytes,
    /// What is remembered once it is told; nothing of a product that is gone.
    pub(super) told: Option<Told>,
    /// The product's key on `mesh.freshness`.
    pub(super) key: String,
}

/// The event of a change. `source` names the cluster, so that ids of several clusters do not collide.
pub(super) fn of(change: &Change, source: &str, team: Option<&Team>) -> Event {
    let id = id(change);
    let kind = if change.state.is_some() { "mesh.freshness.changed" } else { "mesh.freshness.forgotten" };
    let event = json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": kind,
        "subject": format!("{}@{}", change.product, change.version),
        "time": time(change.since_ms),
        "datacontenttype": "application/json",
        "data": data(change, team),
    });
    Event { id, body: Bytes::from(event.to_string()), told: change.told(), key: change.key.clone() }
}

/// Made of what the change is, so that whoever tells it anew gives it the same. No `.`: it separates what is signed.
fn id(change: &Change) -> String {
    let state = change.state.map_or_else(|| "forgotten".to_owned(), |state| state.to_string());
    format!("{}-{state}-{}", change.key.replace('/', "-"), change.since_ms)
}

fn data(change: &Change, team: Option<&Team>) -> Value {
    let mut data = json!({
        "product": change.product,
        "version": change.version,
        "owner": change.owner,
        "team": team.map(|team| json!({ "name": team.name, "contact": team.contact, "escalation": team.escalation })),
        "state": change.state,
        "previous": change.before,
        "since": time(change.since_ms),
    });
    if let Value::Object(data) = &mut data {
        data.extend(change.details.clone());
    }
    data
}

/// What else a receiver may want to know, as of the change.
pub(super) fn details(report: &ProductReport) -> Map<String, Value> {
    let view = |view: &ViewReport| json!({ "view": view.view, "topic": view.topic, "state": view.state, "age_seconds": view.age_seconds });
    let views: Value = report.views.iter().map(view).collect();
    Map::from_iter([
        ("promise".to_owned(), report.promise.as_str().into()),
        ("promise_seconds".to_owned(), report.promise_seconds.into()),
        ("age_seconds".to_owned(), report.age_seconds().into()),
        ("views".to_owned(), views),
    ])
}

fn time(ms: i64) -> Option<String> {
    Timestamp::from_millisecond(ms).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests;
