//! How often a product promises new facts, and how well it must keep the promise.

use serde::{Deserialize, Serialize};

use crate::column::ColumnPath;
use crate::holiday::OfficeHours;
use crate::objective;
use crate::span::{Span, Unit};

/// A freshness SLA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshRate {
    /// How often new facts come.
    pub every: Span,
    /// The column that says when a fact happened; the record's timestamp if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<ColumnPath>,
    /// The share of the time in which the product must be fresh, between 0 and 1.
    pub objective: f64,
    /// The window over which the objective is measured.
    pub over: Span,
    /// When the promise counts; always if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<OfficeHours>,
}

impl RefreshRate {
    /// New facts every so often, with the default objective: 99.5 % of the time over 30 days.
    pub fn every(every: Span) -> RefreshRate {
        RefreshRate { every, event_time: None, objective: objective::DEFAULT, over: default_window(), hours: None }
    }
}

/// The window of an objective that names none.
pub(crate) fn default_window() -> Span {
    Span::new(30, Unit::Day).expect("30 days are between 1 second and 1000 years")
}
