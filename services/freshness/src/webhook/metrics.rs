//! What is counted of webhooks. Labels are the targets' names, which the file of targets bounds.

use metrics::{counter, gauge};

/// Outcomes that have not happened yet are counted from zero, so that the first one is seen to be one more.
pub(super) fn opened(target: &str) {
    for outcome in ["delivered", "failed", "dead"] {
        count(target, outcome, 0);
    }
    waiting(target, 0);
}

pub(super) fn delivered(target: &str) {
    count(target, "delivered", 1);
}

pub(super) fn failed(target: &str) {
    count(target, "failed", 1);
}

pub(super) fn dead(target: &str) {
    count(target, "dead", 1);
}

pub(super) fn waiting(target: &str, changes: usize) {
    gauge!("mesh_freshness_webhook_waiting", "target" => target.to_owned()).set(changes as f64);
}

fn count(target: &str, outcome: &'static str, more: u64) {
    let labels = [("target", target.to_owned()), ("outcome", outcome.to_owned())];
    counter!("mesh_freshness_webhook_deliveries_total", &labels).increment(more);
}
