//! What was refused goes on record, with who asked for it.

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{Method, StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};
use mesh_audit::now_ms;
use mesh_runtime::Remote;
use serde_json::Value;

use super::{App, parameters::Parameters, replica};
use crate::refusals::{Kind, Refused};

/// Where schemas are registered, in whatever context.
const REGISTRATION: &str = "/subjects/{subject}/versions";
/// No answer of a refusal is longer than this.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Who asks for what.
struct Asked {
    parameters: Parameters,
    method: Method,
    route: String,
    host: Option<String>,
}

/// Notes a request that is refused. Of one that another replica hands on, that one tells, which knows who asked.
pub(super) async fn note(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = Asked::of(&mut parts).await.filter(|asked| !asked.is_handed_on(&parts));
    let response = next.run(Request::from_parts(parts, body)).await;
    match asked.and_then(|asked| Some((asked.kind(response.status())?, asked))) {
        Some((kind, asked)) => noted(&app, kind, &asked, response).await,
        None => response,
    }
}

async fn noted(app: &App, kind: Kind, asked: &Asked, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    // it is this process's own, or was read in whole from another replica
    let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else { return Response::from_parts(parts, Body::empty()) };
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = said["message"].as_str().unwrap_or_default();
    let code = said["error_code"].as_u64().unwrap_or_else(|| parts.status.as_u16().into());
    let refused = Refused::new(kind, format!("{} {}", asked.method, asked.route), code, message);
    let user = app.access.is_restricted().then(|| asked.parameters.principal().name());
    let subject = asked.parameters.subject().ok().map(|subject| subject.to_string());
    app.refusals.add(refused.asked_by(user, asked.host.clone()).about(subject.filter(|it| !it.is_empty())), now_ms());
    Response::from_parts(parts, Body::from(body))
}

impl Asked {
    /// Nothing, where no resource is asked for or nobody knows by whom.
    async fn of(parts: &mut Parts) -> Option<Asked> {
        let route = parts.extensions.get::<MatchedPath>()?.as_str().to_owned();
        let host = parts.extensions.get::<ConnectInfo<Remote>>().map(|remote| remote.0.0.ip().to_string());
        let parameters = Parameters::from_request_parts(parts, &()).await.ok()?;
        Some(Asked { parameters, method: parts.method.clone(), route, host })
    }

    /// Whether a replica asks, which may write everything: nobody else hides behind that.
    fn is_handed_on(&self, parts: &Parts) -> bool {
        replica::is_forwarded(&parts.headers) && self.parameters.principal().may_write_all()
    }

    /// What kind of refusal an answer is, if it is one that goes on record.
    fn kind(&self, status: StatusCode) -> Option<Kind> {
        let registers = self.method == Method::POST && self.route.ends_with(REGISTRATION) && !self.is_a_check();
        match status {
            StatusCode::FORBIDDEN => Some(Kind::Access),
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY if registers => Some(Kind::Schema),
            _ => None,
        }
    }

    /// What would be said of a schema is asked, and nothing is refused by the answer.
    fn is_a_check(&self) -> bool {
        self.route.contains("/compatibility/")
    }
}
