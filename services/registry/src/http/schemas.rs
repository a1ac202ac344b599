//! `/schemas`: by id, wherever they are registered.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    App, Problem,
    entity::{SchemaEntity, VersionEntity},
    parameters::Parameters,
};
use crate::{
    schema::AVRO,
    state::{Filter, State as Registered},
    subject::Subject,
};

/// `GET /schemas/types`.
pub(super) async fn types() -> Json<[&'static str; 1]> {
    Json([AVRO])
}

/// `GET /schemas`: the versions of all subjects.
pub(super) async fn list(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let prefix = parameters.subject_prefix();
    let (filter, latest_only) = (parameters.filter(), parameters.flag("latestOnly"));
    let versions = state.subjects(&prefix, filter).filter(|subject| parameters.may_read(subject)).flat_map(|subject| {
        let count = if latest_only { 1 } else { usize::MAX };
        let mut newest: Vec<_> = state.versions(subject, filter).rev().take(count).collect();
        newest.reverse();
        newest.into_iter().map(move |(number, version)| VersionEntity::new(subject, number, version))
    });
    Ok(Json(json!(parameters.page(versions)?)))
}

/// `GET /schemas/ids/{id}`.
pub(super) async fn show(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    let state = app.state()?;
    let (context, id) = readable(&state, &parameters)?;
    let mut entity = SchemaEntity::new(state.schema(&context, id)?);
    entity.max_id = parameters.flag("fetchMaxId").then(|| state.highest_id(&context));
    // What consumers ask for most is written once, from the state itself.
    Ok(Json(entity).into_response())
}

/// `GET /schemas/ids/{id}/schema`: the text alone.
pub(super) async fn schema(State(app): State<App>, parameters: Parameters) -> Result<impl IntoResponse, Problem> {
    let state = app.state()?;
    let (context, id) = readable(&state, &parameters)?;
    Ok(state.schema(&context, id)?.text.to_string())
}

/// `GET /schemas/ids/{id}/subjects`: who uses an id.
pub(super) async fn subjects(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let (context, id) = readable(&state, &parameters)?;
    let uses = state.uses(&context, id, live_or_all(&parameters))?.filter(wanted(&parameters));
    let subjects: BTreeSet<&str> = uses.map(|(subject, _)| subject.as_str()).collect();
    Ok(Json(json!(parameters.page(subjects.into_iter())?)))
}

/// `GET /schemas/ids/{id}/versions`: where an id is used.
pub(super) async fn versions(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let (context, id) = readable(&state, &parameters)?;
    let uses = state.uses(&context, id, live_or_all(&parameters))?.filter(wanted(&parameters));
    let entities = uses.map(|(subject, version)| json!({ "subject": subject.as_str(), "version": version }));
    Ok(Json(json!(parameters.page(entities)?)))
}

/// The id that the path asks for, in its context, if any of its uses may be read.
fn readable(state: &Registered, parameters: &Parameters) -> Result<(String, u32), Problem> {
    let id = parameters.id()?;
    let context = state.context_of(parameters.asked_subject().as_ref(), id, &parameters.context());
    parameters.require_any_readable(id, state.uses(&context, id, Filter::All)?)?;
    Ok((context, id))
}

fn live_or_all(parameters: &Parameters) -> Filter {
    Filter::of(parameters.flag("deleted"), false)
}

/// Whether a use may be read, and is of the subject that the query asks for, if it asks for one and not for a context.
fn wanted<'a>(parameters: &'a Parameters) -> impl Fn(&(&Subject, u32)) -> bool + use<'a> {
    let asked = parameters.asked_subject().filter(|asked| !asked.name().is_empty());
    move |(subject, _)| {
        parameters.may_read(subject) && asked.as_ref().is_none_or(|asked| asked.name() == subject.name())
    }
}
