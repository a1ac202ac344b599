//! Who asks. What they may is decided where the subject is known: see [`Parameters`](super::parameters::Parameters).

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{App, Problem, problem::UNAUTHENTICATED};

/// How clients may say who they are.
const CHALLENGE: &str = "Basic realm=\"registry\", charset=\"UTF-8\", Bearer realm=\"registry\"";

/// Lets a request pass with whoever sent it. The root says only that a registry is here, to anybody.
pub(super) async fn ask(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if request.uri().path() == "/" {
        return next.run(request).await;
    }
    match app.access.identify(request.headers()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(denied) => {
            let mut response = Problem::new(UNAUTHENTICATED, denied.to_string()).into_response();
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
            response
        }
    }
}
