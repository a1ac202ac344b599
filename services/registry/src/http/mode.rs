//! `/mode`: what may be done.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    App, Problem,
    body::{Body, ModeBody},
    parameters::Parameters,
};
use crate::{log::Mode, state::Refusal};

/// `GET /mode` and `GET /mode/{subject}`.
pub(super) async fn show(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let Some(subject) = parameters.readable_scope()? else {
        return Ok(entity(state.mode(None).unwrap_or(Mode::ReadWrite)));
    };
    match state.mode(Some(&subject)) {
        Some(mode) => Ok(entity(mode)),
        None if parameters.flag("defaultToGlobal") => Ok(entity(state.mode_in_force(&subject))),
        None => Err(Refusal::ModeNotConfigured { subject: subject.to_string() }.into()),
    }
}

/// `PUT /mode` and `PUT /mode/{subject}`.
pub(super) async fn set(
    State(app): State<App>,
    parameters: Parameters,
    Body(body): Body<ModeBody>,
) -> Result<Json<Value>, Problem> {
    let (subject, force) = (parameters.writable_scope()?, parameters.flag("force"));
    let named = body.mode.map(|mode| Value::String(mode.to_uppercase()));
    let mode = named.and_then(|mode| serde_json::from_value::<Mode>(mode).ok()).ok_or(Refusal::InvalidMode)?;
    app.change(move |state| state.plan_mode(subject.clone(), mode, force)).await?;
    Ok(entity(mode))
}

/// `DELETE /mode` and `DELETE /mode/{subject}`; answers with the mode that was set.
pub(super) async fn unset(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let subject = parameters.writable_scope()?;
    Ok(entity(app.change(move |state| state.plan_mode_removal(subject.clone())).await?))
}

fn entity(mode: Mode) -> Json<Value> {
    Json(json!({ "mode": mode }))
}
