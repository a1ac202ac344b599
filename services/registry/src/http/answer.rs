//! What every answer gets: its media type, and to be counted.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::metrics;

const SCHEMA_REGISTRY_V1: &str = "application/vnd.schemaregistry.v1+json";
const SCHEMA_REGISTRY: &str = "application/vnd.schemaregistry+json";
const JSON: &str = "application/json";

/// Answers in the media type that the client prefers, and counts the request.
pub(super) async fn label(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let media_type = preferred(request.headers());
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    metrics::request(&route, method_label(&method), response.status().as_u16(), started.elapsed());
    response
}

/// The first of ours that the client accepts; anybody else gets the registry's own.
fn preferred(headers: &HeaderMap) -> &'static str {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = accepted.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
    let ours = ranges.filter_map(|range| {
        [SCHEMA_REGISTRY_V1, SCHEMA_REGISTRY, JSON].into_iter().find(|media_type| range.trim() == *media_type)
    });
    ours.min_by_key(|media_type| [SCHEMA_REGISTRY_V1, SCHEMA_REGISTRY, JSON].iter().position(|ours| ours == media_type))
        .unwrap_or(SCHEMA_REGISTRY_V1)
}

/// Methods are the client's words, so only known ones become labels.
fn method_label(method: &axum::http::Method) -> &'static str {
    ["GET", "POST", "PUT", "DELETE"].into_iter().find(|known| method.as_str() == *known).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_own_media_type_unless_the_client_wants_plain_json() {
        let cases = [
            (None, SCHEMA_REGISTRY_V1),
            (Some("*/*"), SCHEMA_REGISTRY_V1),
            (Some("application/json"), JSON),
            (Some("application/json, application/vnd.schemaregistry+json;q=0.9"), SCHEMA_REGISTRY),
            (
                Some("application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json"),
                SCHEMA_REGISTRY_V1,
            ),
        ];
        for (accept, expected) in cases {
            let headers = accept.map(|accept| (header::ACCEPT, HeaderValue::from_static(accept)));
            assert_eq!(preferred(&HeaderMap::from_iter(headers)), expected);
        }
    }
}
