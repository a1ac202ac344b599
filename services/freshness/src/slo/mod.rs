//! The objective of a product and how it fares: promised time that was good or bad, the error budget that is left, how fast it
//! burns, and whether somebody is to be paged. Pure: the clock is handed in.

mod alerts;
mod burn;
mod course;
mod ledger;
mod standing;

use mesh_contract::{RefreshRate, Span};
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;

pub use alerts::{Alerts, Severity};
pub use burn::{BurnRates, Window};
pub use course::{Course, Look, Outage};
pub use ledger::{Fault, Ledger, Sum};
pub use standing::{Burn, Standing};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// How often a promise must be kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// The share of promised time in which the product must be fresh, between 0 and 1.
    pub share: f64,
    /// The window over which that is measured, in milliseconds; 400 days at most.
    pub over_ms: i64,
}

impl Objective {
    /// What a contract promises.
    pub fn of(promise: &RefreshRate) -> Self {
        let over_ms = i64::try_from(promise.over.millis()).unwrap_or(i64::MAX).min(ledger::DAYS_MAX * DAY_MS);
        Self { share: promise.objective, over_ms }
    }

    /// The share of promised time that may be stale: never nothing.
    pub fn allowance(self) -> f64 {
        (1.0 - self.share).max(1e-9)
    }
}

/// What a product promises, and when that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// How often new facts come.
    pub every: Span,
    /// How often that must be kept.
    pub objective: Objective,
    /// When it counts, but for the times when Kafka cannot be reached.
    pub calendar: Calendar,
}

impl Promise {
    /// What a contract promises, by its hours alone.
    pub fn of(rate: &RefreshRate) -> Self {
        Self { every: rate.every, objective: Objective::of(rate), calendar: Calendar::of(rate.hours.as_ref()) }
    }

    /// How often new facts come, in milliseconds.
    pub fn every_ms(&self) -> i64 {
        i64::try_from(self.every.millis()).unwrap_or(i64::MAX)
    }
}
