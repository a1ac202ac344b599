//! The events of other systems.

use std::io::Read;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::MultiGzDecoder;
use mesh_contract::topic::LINEAGE_TOPIC;
use mesh_kafka::OutgoingRecord;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::{Refusal, State, intake, metrics};

/// The largest batch, in bytes.
pub(super) const BATCH_BYTES_MAX: usize = 10_000_000;
/// The most events of a batch.
const BATCH_EVENTS_MAX: usize = 1_000;

/// Accepts an event: it is answered once it is safe in the topic.
pub(super) async fn event(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let body = plain(&headers, body, intake::EVENT_BYTES_MAX)?;
    keep(&state, body).await.map(|()| StatusCode::CREATED)
}

/// Accepts many events, each for itself, as OpenLineage's batch endpoint does. What failed is named by its place, and
/// whether to send it again.
pub(super) async fn batch(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let body = plain(&headers, body, BATCH_BYTES_MAX)?;
    let text = std::str::from_utf8(&body).map_err(|error| Refusal::NotUtf8 { at: error.valid_up_to() })?;
    let events: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|_| Problem::bad_request("a batch is a JSON array of OpenLineage events"))?;
    if events.len() > BATCH_EVENTS_MAX {
        return Err(Problem::from(Refusal::TooMany { what: "events in a batch", most: BATCH_EVENTS_MAX }));
    }
    let mut failed = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let event = Bytes::copy_from_slice(event.get().as_bytes());
        if let Err(problem) = keep(&state, event).await {
            failed.push(Failed { index, problem });
        }
    }
    Ok(answer(events.len(), &failed))
}

/// An event of a batch that was not accepted.
struct Failed {
    index: usize,
    problem: Problem,
}

fn answer(received: usize, failed: &[Failed]) -> Response {
    let status = if failed.is_empty() { "success" } else { "partial_success" };
    let retriable = failed.iter().filter(|it| it.problem.is_retriable()).count();
    let summary = json!({
        "received": received, "successful": received - failed.len(), "failed": failed.len(),
        "retriable": retriable, "non_retriable": failed.len() - retriable,
    });
    let events: Vec<_> = failed.iter().map(Failed::told).collect();
    Json(json!({ "status": status, "summary": summary, "failed_events": events })).into_response()
}

impl Failed {
    fn told(&self) -> Value {
        let Self { index, problem } = self;
        json!({
            "index": index, "reason": problem.message(), "code": problem.reason(), "retriable": problem.is_retriable(),
        })
    }
}

async fn keep(state: &State, body: Bytes) -> Result<(), Problem> {
    let key = match intake::accept(&body) {
        Ok(event) => event.key(),
        Err(refusal) => {
            metrics::event_refused(&refusal);
            return Err(refusal.into());
        }
    };
    let starting = || Problem::unavailable("starting", "lineage is catching up, try again in a moment");
    let log = state.log().ok_or_else(starting)?;
    log.append(OutgoingRecord::to(LINEAGE_TOPIC).key(key).value(body)).await.map(|_| ()).map_err(|error| {
        tracing::warn!(%error, "an accepted lineage event was not written");
        Problem::unavailable("not-written", "the event could not be written, try again")
    })
}

/// The body as it was before the client compressed it, within the same bound.
fn plain(headers: &HeaderMap, body: Bytes, bytes_max: usize) -> Result<Bytes, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes());
    match encoding {
        None | Some(b"identity") => Ok(body),
        Some(b"gzip") => unzip(&body, bytes_max),
        Some(_) => Err(Problem::unsupported_encoding("bodies are plain or gzip".to_owned())),
    }
}

fn unzip(body: &[u8], bytes_max: usize) -> Result<Bytes, Problem> {
    let mut plain = Vec::new();
    let mut bounded = MultiGzDecoder::new(body).take(bytes_max as u64 + 1);
    bounded.read_to_end(&mut plain).map_err(|_| Problem::bad_request("the body is not gzip"))?;
    if plain.len() > bytes_max { Err(Refusal::TooLarge.into()) } else { Ok(plain.into()) }
}
