//! A router of which only some paths answer anybody.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Access;

/// How clients may say who they are.
const CHALLENGE: &str = "Basic realm=\"mesh\", charset=\"UTF-8\", Bearer realm=\"mesh\"";

/// Lets in whoever may read anything, and to change something whoever may write anything.
pub fn guarded(router: Router, access: Access) -> Router {
    router.layer(middleware::from_fn_with_state(access, ask))
}

async fn ask(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let principal = match access.identify(request.headers()).await {
        Ok(principal) => principal,
        Err(denied) => {
            let mut response = refusal(StatusCode::UNAUTHORIZED, &denied.to_string());
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
            return response;
        }
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let may = if reads { principal.may_read_any() } else { principal.may_write_any() };
    if !may {
        return refusal(StatusCode::FORBIDDEN, &format!("{} may not do this", principal.name()));
    }
    request.extensions_mut().insert(principal);
    next.run(request).await
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}
