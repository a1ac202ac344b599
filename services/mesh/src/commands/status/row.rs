//! One view of one product, as machines read it.

use jiff::Timestamp;
use mesh_freshness::slo::{Alerts, Severity, Standing};
use mesh_freshness::{ProductReport, State, ViewReport};
use serde::Serialize;
use std::collections::BTreeMap;

/// One view of one product. Delays are milliseconds, shares are between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) product: String,
    pub(super) version: u32,
    pub(super) view: String,
    pub(super) state: State,
    pub(super) age_seconds: Option<u64>,
    pub(super) promise: String,
    pub(super) promise_seconds: u64,
    pub(super) owner: String,
    pub(super) topic: String,
    pub(super) newest: Option<Timestamp>,
    pub(super) heartbeat: Option<Timestamp>,
    pub(super) since: Option<Timestamp>,
    pub(super) evaluated_at: Option<Timestamp>,
    pub(super) source_delay_ms: Option<i64>,
    pub(super) delivery_delay_ms: Option<i64>,
    pub(super) objective: Option<f64>,
    pub(super) compliance: Option<f64>,
    pub(super) budget_remaining: Option<f64>,
    /// How many times too fast the budget is used, by window.
    pub(super) burn: BTreeMap<String, f64>,
    /// The most urgent that is alerted.
    pub(super) alert: Option<Severity>,
    /// The products upstream that are to blame.
    pub(super) causes: Vec<String>,
    /// Why it is excused now.
    pub(super) maintenance: Option<String>,
}

pub(super) fn rows(report: &ProductReport) -> impl Iterator<Item = Row> {
    report.views.iter().map(move |view| row(report, view))
}

fn row(report: &ProductReport, view: &ViewReport) -> Row {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    let slo = report.slo.as_ref();
    Row {
        product: report.product.clone(),
        version: report.version,
        view: view.view.clone(),
        state: view.state,
        age_seconds: view.age_seconds,
        promise: report.promise.clone(),
        promise_seconds: report.promise_seconds,
        owner: report.owner.clone(),
        topic: view.topic.clone(),
        newest: view.newest_ms.and_then(at),
        heartbeat: report.heartbeat_ms.and_then(at),
        since: at(report.since_ms),
        evaluated_at: at(report.evaluated_at_ms),
        source_delay_ms: view.source_delay_ms,
        delivery_delay_ms: view.delivery_delay_ms,
        objective: slo.map(|slo| slo.objective),
        compliance: slo.and_then(|slo| slo.compliance),
        budget_remaining: slo.map(|slo| slo.budget_remaining),
        burn: slo.map(burn).unwrap_or_default(),
        alert: alert(&report.alerts),
        causes: report.blamed.clone(),
        maintenance: report.maintenance.as_ref().map(|maintenance| maintenance.reason.clone()),
    }
}

fn burn(slo: &Standing) -> BTreeMap<String, f64> {
    slo.burn.iter().map(|burn| (burn.window.clone(), burn.rate)).collect()
}

fn alert(alerts: &Alerts) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| alerts.since_ms(*severity).is_some())
}
