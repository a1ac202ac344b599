//! `/subjects/{subject}/versions`.

use axum::{Json, extract::State, response::IntoResponse};
use serde_json::{Value, json};

use super::{
    App, Problem,
    body::{Body, SubmissionBody},
    entity::VersionEntity,
    parameters::Parameters,
};
use crate::state::{Filter, Refusal, Version};

/// `GET /subjects/{subject}/versions`.
pub(super) async fn list(State(app): State<App>, parameters: Parameters) -> Result<Json<Vec<i64>>, Problem> {
    let subject = parameters.readable_subject()?;
    let state = app.state()?;
    let filter = parameters.filter();
    let known = if filter == Filter::DeletedOnly { Filter::All } else { filter };
    if !state.has_subject(&subject, known) {
        return Err(Refusal::SubjectNotFound { subject: subject.to_string() }.into());
    }
    let negative = parameters.flag("deletedAsNegative");
    let numbers = state.versions(&subject, filter).map(|(number, version)| {
        let number = i64::from(number);
        if negative && version.deleted { -number } else { number }
    });
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
    let context = submission.subject.context().to_owned();
    let registered = app.change(move |state| state.plan_registration(&submission)).await?;
    let mut answer = json!({ "id": registered.id, "version": registered.version });
    // It may have been deleted since.
    if let Ok(schema) = app.state()?.schema(&context, registered.id) {
        answer["guid"] = json!(schema.guid);
    }
    Ok(Json(answer))
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
    Ok(Json(json!(parameters.page(state.referenced_by(&subject, number).into_iter())?)))
}

/// `GET /subjects/{subject}/metadata`: the newest version whose metadata has all the properties that the query names.
pub(super) async fn latest_with_metadata(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<Value>, Problem> {
    let (subject, wanted) = (parameters.readable_subject()?, parameters.key_values());
    let state = app.state()?;
    let filter = parameters.filter();
    let has_all = |version: &Version| {
        let metadata = version.schema.content.metadata.as_deref();
        let metadata = metadata.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        wanted.iter().all(|(key, value)| metadata["properties"][*key] == *value)
    };
    let found = state.versions(&subject, filter).rev().find(|(_, version)| has_all(version));
    let (number, version) = found.ok_or_else(|| match state.has_subject(&subject, filter) {
        true => Refusal::SchemaNotFound,
        false => Refusal::SubjectNotFound { subject: subject.to_string() },
    })?;
    Ok(Json(json!(VersionEntity::new(&subject, number, version))))
}

/// `DELETE /subjects/{subject}/versions/{version}`.
pub(super) async fn delete(State(app): State<App>, parameters: Parameters) -> Result<Json<u32>, Problem> {
    let (subject, selector, permanent) =
        (parameters.writable_subject()?, parameters.version()?, parameters.flag("permanent"));
    let deleted = app.change(move |state| state.plan_version_deletion(&subject, selector, permanent)).await?;
    Ok(Json(deleted))
}
