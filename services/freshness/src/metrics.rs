//! What the service measures. Labels are products, versions and views, which contracts bound.

use metrics::{counter, gauge};

use crate::judge::State;
use crate::report::ProductReport;

pub(crate) fn report(report: &ProductReport) {
    let (product, version) = (report.product.clone(), report.version.to_string());
    for view in &report.views {
        let labels = [("product", product.clone()), ("version", version.clone()), ("view", view.view.clone())];
        let age_seconds = view.age_seconds.map_or(f64::NAN, |age_seconds| age_seconds as f64);
        gauge!("mesh_freshness_age_seconds", &labels).set(age_seconds);
        gauge!("mesh_freshness_promise_seconds", &labels).set(report.promise_seconds as f64);
    }
    let labels = [("product", product), ("version", version)];
    let flag = |state| f64::from(u8::from(report.state == state));
    gauge!("mesh_freshness_stale", &labels).set(flag(State::Stale));
    gauge!("mesh_freshness_unknown", &labels).set(flag(State::Unknown));
}

/// A product that is gone must page nobody.
pub(crate) fn forgotten(product: &str, version: u32) {
    let labels = [("product", product.to_owned()), ("version", version.to_string())];
    gauge!("mesh_freshness_stale", &labels).set(0.0);
    gauge!("mesh_freshness_unknown", &labels).set(0.0);
}

pub(crate) fn evaluated(now_ms: i64, products: usize) {
    gauge!("mesh_freshness_evaluated_timestamp_seconds").set(now_ms as f64 / 1_000.0);
    gauge!("mesh_freshness_watched_products").set(products as f64);
}

pub(crate) fn evaluation_failed() {
    counter!("mesh_freshness_failed_evaluations_total").increment(1);
}

pub(crate) fn tails_read(partitions: usize) {
    counter!("mesh_freshness_tail_reads_total").increment(partitions as u64);
}
