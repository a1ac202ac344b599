//! `/schemas`: by id, wherever they are registered.

use std::collections::BTreeSet;

use axum::{Json, extract::State, response::IntoResponse};
use serde_json::{Value, json};

use super::{
    App, Problem,
    entity::{SchemaEntity, VersionEntity},
    parameters::Parameters,
};
use crate::{schema::AVRO, state::Filter};

/// `GET /schemas/types`.
pub(super) async fn types() -> Json<[&'static str; 1]> {
    Json([AVRO])
}

/// `GET /schemas`: the versions of all subjects.
pub(super) async fn list(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let prefix = parameters.subject_prefix();
    let (filter, latest_only) = (parameters.filter(), parameters.flag("latestOnly"));
    let versions = state.subjects(&prefix, filter).flat_map(|subject| {
        let count = if latest_only { 1 } else { usize::MAX };
        let mut newest: Vec<_> = state.versions(subject, filter).rev().take(count).collect();
        newest.reverse();
        newest.into_iter().map(move |(number, version)| VersionEntity::new(subject, number, version))
    });
    Ok(Json(json!(parameters.page(versions)?)))
}

/// `GET /schemas/ids/{id}`.
pub(super) async fn show(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let (id, context) = (parameters.id()?, parameters.context());
    let state = app.state()?;
    let mut entity = SchemaEntity::new(state.schema(&context, id)?);
    entity.max_id = parameters.flag("fetchMaxId").then(|| state.highest_id(&context));
    Ok(Json(json!(entity)))
}

/// `GET /schemas/ids/{id}/schema`: the text alone.
pub(super) async fn schema(State(app): State<App>, parameters: Parameters) -> Result<impl IntoResponse, Problem> {
    let (id, context) = (parameters.id()?, parameters.context());
    Ok(app.state()?.schema(&context, id)?.text.to_string())
}

/// `GET /schemas/ids/{id}/subjects`: who uses an id.
pub(super) async fn subjects(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let uses = state.uses(&parameters.context(), parameters.id()?, live_or_all(&parameters))?;
    let subjects: BTreeSet<&str> = uses.map(|(subject, _)| subject.as_str()).filter(wanted(&parameters)).collect();
    Ok(Json(json!(parameters.page(subjects.into_iter())?)))
}

/// `GET /schemas/ids/{id}/versions`: where an id is used.
pub(super) async fn versions(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let uses = state.uses(&parameters.context(), parameters.id()?, live_or_all(&parameters))?;
    let wanted = wanted(&parameters);
    let uses = uses.filter(|(subject, _)| wanted(&subject.as_str()));
    let entities = uses.map(|(subject, version)| json!({ "subject": subject.as_str(), "version": version }));
    Ok(Json(json!(parameters.page(entities)?)))
}

fn live_or_all(parameters: &Parameters) -> Filter {
    Filter::of(parameters.flag("deleted"), false)
}

/// Whether a subject is the one that the query asks for, if it asks for one and not for a whole context.
fn wanted(parameters: &Parameters) -> impl Fn(&&str) -> bool {
    let asked = parameters.asked_subject().filter(|asked| asked.whole_context().as_ref() != Some(asked));
    move |subject| asked.as_ref().is_none_or(|asked| asked.as_str() == *subject)
}
