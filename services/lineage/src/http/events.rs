//! The events as they were told: `/api/v1/events/lineage`.

use axum::extract::State as Extract;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use super::asked::{Asked, Span};
use super::render;
use crate::State;

/// A page of events, each as it was written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    events: Vec<&'a RawValue>,
    total_count: usize,
    /// Of events before this instant not all are kept here; the topic has them.
    truncated_before: Option<String>,
}

pub(super) async fn events(Extract(state): Extract<State>, Asked(span): Asked<Span>) -> Response {
    let body = state.recent(|recent| {
        let mut found = recent.events(&span.within());
        if span.is_newest_first() {
            found.reverse();
        }
        let total_count = found.len();
        // what was accepted is JSON
        let shown = span.page(found).into_iter().filter_map(|text| serde_json::from_slice(text).ok());
        let truncated_before = recent.forgotten_before_ms().map(render::instant);
        serde_json::to_vec(&Page { events: shown.collect(), total_count, truncated_before })
    });
    let body = body.expect("texts and numbers are JSON");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
