//! `/config`: compatibility levels.

use axum::{Json, extract::State};
use mesh_contract::Compatibility;
use serde_json::{Map, Value, json};

use super::{
    App, Problem,
    body::{Body, ConfigBody},
    parameters::Parameters,
};
use crate::{
    log::ConfigValue,
    state::{Refusal, level_of},
    subject::Subject,
};

/// `GET /config` and `GET /config/{subject}`.
pub(super) async fn show(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    match parameters.readable_scope()? {
        Some(subject) => show_subject(&app, &subject, parameters.flag("defaultToGlobal")).await,
        None => show_global(&app),
    }
}

fn show_global(app: &App) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let config = state.config(None).cloned().unwrap_or_default();
    Ok(Json(entity("compatibilityLevel", state.global_level(), &config)))
}

async fn show_subject(app: &App, subject: &Subject, in_force: bool) -> Result<Json<Value>, Problem> {
    drop(app.state()?);
    let governed = match in_force {
        true => app.products.newest_or_known().await?.of_subject(subject),
        false => None,
    };
    let state = app.state()?;
    let config = state.config(Some(subject)).cloned();
    let level = match config.as_ref().and_then(level_of) {
        Some(level) if governed.is_none() => level,
        _ if in_force => state.level_in_force(subject, governed.as_deref()),
        _ => return Err(Refusal::CompatibilityNotConfigured { subject: subject.to_string() }.into()),
    };
    Ok(Json(entity("compatibilityLevel", level, &config.unwrap_or_default())))
}

/// `PUT /config` and `PUT /config/{subject}`.
pub(super) async fn set(
    State(app): State<App>,
    parameters: Parameters,
    Body(mut body): Body<ConfigBody>,
) -> Result<Json<Value>, Problem> {
    // Clients spell out what they do not set.
    body.others.retain(|_, value| !value.is_null());
    let subject = parameters.writable_scope()?;
    let level = body.compatibility.as_deref().map(str::parse::<Compatibility>).transpose();
    let level = level.map_err(|_| Refusal::InvalidCompatibility)?;
    if level.is_none() && body.normalize.is_none() && body.others.is_empty() {
        return Err(Refusal::InvalidCompatibility.into());
    }
    let change = ConfigValue {
        subject: None,
        compatibility_level: level.map(|level| level.to_string()),
        normalize: body.normalize,
        others: body.others,
    };
    let echo = echo(level, &change);
    app.change(move |state| state.plan_config(subject.clone(), change.clone())).await?;
    Ok(Json(echo))
}

/// `DELETE /config` and `DELETE /config/{subject}`; answers with the level that was set.
pub(super) async fn unset(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let subject = parameters.writable_scope()?;
    let level = app.change(move |state| state.plan_config_removal(subject.clone())).await?;
    Ok(Json(json!({ "compatibilityLevel": level.to_string() })))
}

/// What was asked for, as it is answered.
fn echo(level: Option<Compatibility>, change: &ConfigValue) -> Value {
    match level {
        Some(level) => entity("compatibility", level, change),
        None => Value::Object(extras(change)),
    }
}

fn entity(level_property: &str, level: Compatibility, config: &ConfigValue) -> Value {
    let mut entity = Map::from_iter([(level_property.to_owned(), Value::String(level.to_string()))]);
    entity.extend(extras(config));
    Value::Object(entity)
}

fn extras(config: &ConfigValue) -> Map<String, Value> {
    let normalize = config.normalize.map(|normalize| ("normalize".to_owned(), Value::Bool(normalize)));
    normalize.into_iter().chain(config.others.clone()).collect()
}
