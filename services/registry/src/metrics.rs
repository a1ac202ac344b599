//! What the registry counts.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::state::State;

/// Says what each metric means; once at start.
pub(crate) fn describe() {
    describe_counter!("mesh_registry_requests_total", "HTTP requests, by route, method and status");
    describe_histogram!("mesh_registry_request_seconds", "time to answer an HTTP request, by route");
    describe_counter!("mesh_registry_log_writes_total", "records written to the log, by outcome");
    describe_counter!("mesh_registry_log_skipped_total", "records of the log that could not be applied, by reason");
    describe_counter!("mesh_registry_refusals_total", "requests that were refused and go on record, by event");
    describe_gauge!("mesh_registry_refusals_waiting", "different refusals that are not on record yet");
    describe_counter!("mesh_registry_refusals_left_out_total", "refusals of which only their number goes on record");
    describe_gauge!("mesh_registry_schemas", "schemas that have an id");
    describe_gauge!("mesh_registry_subjects", "subjects that have a version, deleted ones included");
}

/// Counts an answered request. `route` is a pattern, never a path.
pub(crate) fn request(route: &str, method: &str, status: u16, elapsed: Duration) {
    let labels = [("route", route.to_owned()), ("method", method.to_owned()), ("status", status.to_string())];
    counter!("mesh_registry_requests_total", &labels).increment(1);
    histogram!("mesh_registry_request_seconds", "route" => route.to_owned()).record(elapsed);
}

/// Counts an attempt to write to the log.
pub(crate) fn write(outcome: &'static str) {
    counter!("mesh_registry_log_writes_total", "outcome" => outcome).increment(1);
}

/// Counts a record that could not be applied.
pub(crate) fn skipped(reason: &'static str) {
    counter!("mesh_registry_log_skipped_total", "reason" => reason).increment(1);
}

/// Counts a refusal that goes on record as this event.
pub(crate) fn refused(event: &'static str) {
    counter!("mesh_registry_refusals_total", "event" => event).increment(1);
}

/// Shows how many different refusals wait to be on record.
#[expect(clippy::cast_precision_loss, reason = "there are hundreds at most")]
pub(crate) fn refusals_waiting(count: usize) {
    gauge!("mesh_registry_refusals_waiting").set(count as f64);
}

/// Counts a refusal that found no room to wait.
pub(crate) fn refusal_left_out() {
    counter!("mesh_registry_refusals_left_out_total").increment(1);
}

/// Shows the size of the state.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn state(state: &State) {
    gauge!("mesh_registry_schemas").set(state.schema_count() as f64);
    gauge!("mesh_registry_subjects").set(state.subject_count() as f64);
}
