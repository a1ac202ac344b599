//! `/subjects/{subject}/versions`.

use axum::{Json, extract::State, response::IntoResponse};
use serde_json::{Value, json};

use super::{
    App, Problem,
    body::{Body, SubmissionBody},
    entity::VersionEntity,
    parameters::Parameters,
};
use crate::state::{Filter, Refusal};

/// `GET /subjects/{subject}/versions`.
pub(super) async fn list(State(app): State<App>, parameters: Parameters) -> Result<Json<Vec<u32>>, Problem> {
    let subject = parameters.readable_subject()?;
    let state = app.state()?;
    let filter = parameters.filter();
    let known = if filter == Filter::DeletedOnly { Filter::All } else { filter };
    if !state.has_subject(&subject, known) {
        return Err(Refusal::SubjectNotFound { subject: subject.to_string() }.into());
    }
    let numbers = state.versions(&subject, filter).map(|(number, _)| number);
    Ok(Json(parameters.page(numbers)?))
}

/// `POST /subjects/{subject}/versions`: registers a schema.
pub(super) async fn register(
    State(app): State<App>,
    parameters: Parameters,
    Body(body): Body<SubmissionBody>,
) -> Result<Json<Value>, Problem> {
    let mut submission = parameters.submission(parameters.writable_subject()?, body)?;
    let existing = app.state()?.registered(&submission);
    if existing.is_none() {
        submission.governed = app.products.newest().await?.of_subject(&submission.subject);
    }
    let registered = app.change(move |state| state.plan_registration(&submission)).await?;
    Ok(Json(json!({ "id": registered.id, "version": registered.version })))
}

/// `GET /subjects/{subject}/versions/{version}`.
pub(super) async fn show(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let (subject, selector) = (parameters.readable_subject()?, parameters.version()?);
    let state = app.state()?;
    let (number, version) = state.version(&subject, selector, parameters.filter())?;
    Ok(Json(json!(VersionEntity::new(&subject, number, version))))
}

/// `GET /subjects/{subject}/versions/{version}/schema`: the text alone.
pub(super) async fn schema(State(app): State<App>, parameters: Parameters) -> Result<impl IntoResponse, Problem> {
    let (subject, selector) = (parameters.readable_subject()?, parameters.version()?);
    let state = app.state()?;
    let (_, version) = state.version(&subject, selector, parameters.filter())?;
    Ok(version.schema.text.to_string())
}

/// `GET /subjects/{subject}/versions/{version}/referencedby`: ids of schemas.
pub(super) async fn referenced_by(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let (subject, selector) = (parameters.readable_subject()?, parameters.version()?);
    let state = app.state()?;
    let (number, _) = state.version(&subject, selector, Filter::All)?;
    Ok(Json(json!(state.referenced_by(&subject, number))))
}

/// `DELETE /subjects/{subject}/versions/{version}`.
pub(super) async fn delete(State(app): State<App>, parameters: Parameters) -> Result<Json<u32>, Problem> {
    let (subject, selector, permanent) =
        (parameters.writable_subject()?, parameters.version()?, parameters.flag("permanent"));
    let deleted = app.change(move |state| state.plan_version_deletion(&subject, selector, permanent)).await?;
    Ok(Json(deleted))
}
