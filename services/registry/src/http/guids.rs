//! `/schemas/guids`: by what a schema is known in every registry.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{App, Problem, entity::SchemaEntity, parameters::Parameters};
use crate::state::{Filter, Refusal, State as Registered};

/// `GET /schemas/guids/{guid}`.
pub(super) async fn show(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let ids = readable(&state, &parameters)?;
    // There is one at least.
    let (context, id) = ids[0];
    Ok(Json(json!(SchemaEntity::new(state.schema(context, id)?))))
}

/// `GET /schemas/guids/{guid}/ids`: the context and id of each schema that it stands for.
pub(super) async fn ids(State(app): State<App>, parameters: Parameters) -> Result<Json<Value>, Problem> {
    let state = app.state()?;
    let ids = readable(&state, &parameters)?;
    Ok(Json(ids.into_iter().map(|(context, id)| json!({ "context": context, "id": id })).collect()))
}

/// What a GUID stands for and may be read; refused if nothing of it may be, not found if there is nothing.
fn readable<'s>(state: &'s Registered, parameters: &Parameters) -> Result<Vec<(&'s str, u32)>, Problem> {
    let text = parameters.guid();
    let unknown = || Refusal::GuidNotFound { guid: text.to_owned() };
    let guid = Uuid::try_parse(text).map_err(|_| unknown())?;
    let (mut ids, mut refusal) = (Vec::new(), unknown().into());
    for (context, id) in state.ids_of(guid) {
        match parameters.require_any_readable(id, state.uses(context, id, Filter::All)?) {
            Ok(()) => ids.push((context, id)),
            Err(forbidden) => refusal = forbidden,
        }
    }
    if ids.is_empty() { Err(refusal) } else { Ok(ids) }
}
