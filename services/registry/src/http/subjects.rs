//! `/subjects`.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    App, Problem,
    body::{Body, SubmissionBody},
    entity::VersionEntity,
    parameters::Parameters,
};

/// `GET /subjects`.
pub(super) async fn list(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let prefix = parameters.subject_prefix();
    let subjects = state.subjects(&prefix, parameters.filter()).filter(|subject| parameters.may_read(subject));
    let subjects = subjects.map(ToString::to_string);
    Ok(Json(json!(parameters.page(subjects)?)))
}

/// `POST /subjects/{subject}`: which version a schema is.
pub(super) async fn look_up(
    State(app): State<App>,
    parameters: Parameters,
    Body(body): Body<SubmissionBody>,
) -> Result<Json<Value>, Problem> {
    let submission = parameters.submission(parameters.readable_subject()?, body)?;
    let state = app.state()?;
    let (number, version) = state.look_up(&submission, parameters.filter())?;
    Ok(Json(json!(VersionEntity::new(&submission.subject, number, version))))
}

/// `DELETE /subjects/{subject}`.
pub(super) async fn delete(State(app): State<App>, parameters: Parameters) -> Result<Json<Vec<u32>>, Problem> {
    let (subject, permanent) = (parameters.writable_subject()?, parameters.flag("permanent"));
    let deleted = app.change(move |state| state.plan_subject_deletion(&subject, permanent)).await?;
    Ok(Json(deleted))
}
