//! What the service measures. Labels are products, versions and views, which contracts bound.

use metrics::{counter, gauge};

use crate::judge::State;
use crate::report::ProductReport;
use crate::slo::Severity;

/// A gauge with its labels and value.
type Gauge = (&'static str, Vec<(&'static str, String)>, f64);

/// Tells of a product; what was told of it before and is not any more disappears.
pub(crate) fn report(before: Option<&ProductReport>, now: Option<&ProductReport>) {
    let now: Vec<Gauge> = now.map(gauges).unwrap_or_default();
    let before: Vec<Gauge> = before.map(gauges).unwrap_or_default();
    let is_told = |gone: &Gauge| now.iter().any(|(name, labels, _)| (*name, labels) == (gone.0, &gone.1));
    // the recorder leaves out what is not a number
    before.iter().filter(|gone| !is_told(gone)).for_each(|(name, labels, _)| gauge!(*name, labels).set(f64::NAN));
    now.iter().for_each(|(name, labels, value)| gauge!(*name, labels).set(*value));
}

/// Everything that is told of a product.
fn gauges(report: &ProductReport) -> Vec<Gauge> {
    let product = [("product", report.product.clone()), ("version", report.version.to_string())];
    let mut gauges = Vec::new();
    let mut tell = |name, more: &[(&'static str, &str)], value: f64| {
        let more = more.iter().map(|(label, value)| (*label, (*value).to_owned()));
        gauges.push((name, product.iter().cloned().chain(more).collect(), value));
    };
    let flag = |is: bool| f64::from(u8::from(is));
    tell("mesh_freshness_stale", &[], flag(report.state == State::Stale));
    tell("mesh_freshness_excused", &[], flag(report.state == State::Excused));
    tell("mesh_freshness_unknown", &[], flag(report.state == State::Unknown));
    tell("mesh_freshness_maintenance", &[], flag(report.maintenance.is_some()));
    tell("mesh_freshness_promise_seconds", &[], report.promise_seconds as f64);
    if let Some(ends_at_ms) = report.ends_at_ms {
        tell("mesh_freshness_ends_timestamp_seconds", &[], ends_at_ms as f64 / 1_000.0);
    }
    for view in &report.views {
        let age_seconds = view.age_seconds.map_or(f64::NAN, |age_seconds| age_seconds as f64);
        tell("mesh_freshness_age_seconds", &[("view", &view.view)], age_seconds);
        let seconds = |delay_ms: Option<i64>| delay_ms.map_or(f64::NAN, |delay_ms| delay_ms as f64 / 1_000.0);
        tell("mesh_freshness_source_delay_seconds", &[("view", &view.view)], seconds(view.source_delay_ms));
        tell("mesh_freshness_delivery_delay_seconds", &[("view", &view.view)], seconds(view.delivery_delay_ms));
        for subscriber in &view.subscribers {
            let labels = [("view", view.view.as_str()), ("group", subscriber.group.as_str())];
            let lag_seconds = subscriber.lag_ms(report.evaluated_at_ms) as f64 / 1_000.0;
            tell("mesh_freshness_subscriber_lag_seconds", &labels, lag_seconds);
            tell("mesh_freshness_subscriber_lag_offsets", &labels, subscriber.offsets_behind as f64);
        }
    }
    for severity in Severity::ALL {
        let is_alerted = report.alerts.since_ms(severity).is_some();
        tell("mesh_freshness_alert", &[("severity", severity.as_str())], flag(is_alerted));
    }
    report.blamed.iter().for_each(|cause| tell("mesh_freshness_blamed", &[("cause", cause)], 1.0));
    if let Some(slo) = &report.slo {
        tell("mesh_freshness_objective_ratio", &[], slo.objective);
        tell("mesh_freshness_compliance_ratio", &[], slo.compliance.unwrap_or(f64::NAN));
        tell("mesh_freshness_error_budget_remaining_ratio", &[], slo.budget_remaining);
        slo.burn.iter().for_each(|burn| tell("mesh_freshness_burn_rate", &[("window", &burn.window)], burn.rate));
    }
    gauges
}

pub(crate) fn evaluated(now_ms: i64, products: usize) {
    gauge!("mesh_freshness_evaluated_timestamp_seconds").set(now_ms as f64 / 1_000.0);
    gauge!("mesh_freshness_watched_products").set(products as f64);
    // counted from zero, so that the first failure is seen to be one more
    counter!("mesh_freshness_failed_evaluations_total").increment(0);
}

pub(crate) fn evaluation_failed() {
    counter!("mesh_freshness_failed_evaluations_total").increment(1);
}

/// Tails were read: how many, with how many records, of what size.
pub(crate) fn tails_read(partitions: usize, records: u64, bytes: u64) {
    counter!("mesh_freshness_tail_reads_total").increment(partitions as u64);
    counter!("mesh_freshness_tail_records_total").increment(records);
    counter!("mesh_freshness_tail_bytes_total").increment(bytes);
}

/// How long a look at all ports took.
pub(crate) fn looked(seconds: f64) {
    gauge!("mesh_freshness_look_seconds").set(seconds);
}

/// How many consumer groups are followed, and how many are not because there are too many.
pub(crate) fn groups(followed: usize, left_out: usize) {
    gauge!("mesh_freshness_followed_groups").set(followed as f64);
    gauge!("mesh_freshness_left_out_groups").set(left_out as f64);
}

/// Kafka does not let the service see something that it would tell of.
pub(crate) fn refused(what: &'static str) {
    counter!("mesh_freshness_refused_requests_total", "what" => what).increment(1);
}

/// Whether this replica is the one that evaluates.
pub(crate) fn leads(is_it: bool) {
    gauge!("mesh_freshness_leader").set(f64::from(u8::from(is_it)));
}
