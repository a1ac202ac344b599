//! `/compatibility`: what registering would say, without registering.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    App, Problem,
    body::{Body, SubmissionBody},
    parameters::Parameters,
};
use crate::state::VersionSelector;

/// `POST /compatibility/subjects/{subject}/versions`: against as many versions as the level says.
pub(super) async fn check_all(
    State(app): State<App>,
    parameters: Parameters,
    body: Body<SubmissionBody>,
) -> Result<Json<Value>, Problem> {
    check(&app, &parameters, body, None).await
}

/// `POST /compatibility/subjects/{subject}/versions/{version}`: against one version.
pub(super) async fn check_one(
    State(app): State<App>,
    parameters: Parameters,
    body: Body<SubmissionBody>,
) -> Result<Json<Value>, Problem> {
    let version = parameters.version()?;
    check(&app, &parameters, body, Some(version)).await
}

async fn check(
    app: &App,
    parameters: &Parameters,
    Body(body): Body<SubmissionBody>,
    against: Option<VersionSelector>,
) -> Result<Json<Value>, Problem> {
    let mut submission = parameters.submission(parameters.readable_subject()?, body)?;
    drop(app.state()?);
    submission.governed = app.products.newest_or_known().await?.of_subject(&submission.subject);
    let violations = app.state()?.check(&submission, against)?.violations;
    let mut answer = json!({ "is_compatible": violations.is_empty() });
    if parameters.flag("verbose") {
        answer["messages"] = json!(violations);
    }
    Ok(Json(answer))
}
