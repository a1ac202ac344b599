//! How an objective fares, as it is told.

use serde::{Deserialize, Serialize};

use super::{BurnRates, DAY_MS, Fault, Ledger, Objective, Window};
use crate::calendar::Calendar;

/// How an objective fares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The share of promised time in which the product must be fresh: 0.995.
    pub objective: f64,
    /// The window over which that is measured, in seconds.
    pub over_seconds: u64,
    /// The share in which it was, of what is known; none while nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliance: Option<f64>,
    /// The share of the window's error budget that is left: 1 if nothing was stale, 0 if all is spent, less if overspent.
    pub budget_remaining: f64,
    /// How fast the product itself burns it, the shortest window first.
    pub burn: Vec<Burn>,
}

/// How fast the budget is being spent over a window; 1 is as fast as it may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Burn {
    /// The window: `5m`.
    pub window: String,
    /// How many times as fast as it may.
    pub rate: f64,
}

impl Standing {
    /// At the ledger's end. Time before the product had its first facts counts as good for the budget, and as nothing for the
    /// compliance.
    pub fn of(ledger: &Ledger, objective: Objective, calendar: &Calendar, rates: &BurnRates) -> Self {
        let sum = ledger.sum(objective.over_ms);
        // the ledger's oldest day is a part of a bucket: what is promised begins where it does
        let begin_ms = ledger.until_ms.saturating_sub(objective.over_ms);
        let promised_ms = calendar.promised_ms(begin_ms, ledger.until_ms) as f64;
        let seen_ms = calendar.promised_ms(begin_ms.max(ledger.since_ms), ledger.until_ms) as f64;
        let known_ms = (seen_ms - sum.of(Fault::Unknown)).max(sum.bad_ms());
        let burn = |window: Window| Burn { window: window.as_str().to_owned(), rate: rates.over(window) };
        Self {
            objective: objective.share,
            over_seconds: u64::try_from(objective.over_ms / 1_000).unwrap_or(0),
            compliance: (known_ms > 0.0).then(|| 1.0 - sum.bad_ms() / known_ms),
            budget_remaining: 1.0 - sum.bad_ms() / (promised_ms.max(least_ms(objective)) * objective.allowance()),
            burn: Window::ALL.map(burn).to_vec(),
        }
    }
}

/// A budget is no smaller than that of a day, or of the window if that is shorter.
fn least_ms(objective: Objective) -> f64 {
    objective.over_ms.clamp(1, DAY_MS) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::calendar::Span;

    const NOW: i64 = 1_800_000_000_000;
    const MONTH: Objective = Objective { share: 0.995, over_ms: 30 * DAY_MS };

    fn standing(days: i64, faults: &[(Fault, i64)]) -> Standing {
        let mut ledger = Ledger::new(NOW - days * DAY_MS);
        for (fault, length_ms) in faults {
            ledger.add(*fault, &[Span::new(NOW - length_ms, NOW)]);
        }
        ledger.advance(NOW, MONTH.over_ms);
        Standing::of(&ledger, MONTH, &Calendar::default(), &BurnRates::default())
    }

    #[test]
    fn a_budget_is_spent_by_stale_time() {
        assert_eq!(standing(60, &[]).budget_remaining, 1.0);
        let half = standing(60, &[(Fault::Own, 6_480_000)]);
        assert!((half.budget_remaining - 0.5).abs() < 1e-9, "half of 3.6 h: {half:?}");
        assert!((half.compliance.unwrap() - 0.9975).abs() < 1e-9);
        assert!(
            standing(60, &[(Fault::Blamed, 10 * DAY_MS)]).budget_remaining < -60.0,
            "readers do not care whose fault it is"
        );
    }

    #[test]
    fn what_is_not_known_says_nothing() {
        assert_eq!(standing(0, &[]).compliance, None);
        assert_eq!(standing(10, &[(Fault::Unknown, 10 * DAY_MS)]).compliance, None);
        let known = standing(10, &[(Fault::Own, DAY_MS), (Fault::Unknown, 0)]);
        assert!((known.compliance.unwrap() - 0.9).abs() < 1e-9);
        assert_eq!(standing(10, &[(Fault::Unknown, 5 * DAY_MS)]).budget_remaining, 1.0);
    }

    #[test]
    fn three_minutes_do_not_burn_a_months_budget() {
        let mut ledger = Ledger::new(NOW - 180_000);
        ledger.add(Fault::Own, &[Span::new(NOW - 180_000, NOW)]);
        ledger.advance(NOW, MONTH.over_ms);
        let standing = Standing::of(&ledger, MONTH, &Calendar::default(), &BurnRates::default());
        assert!((standing.budget_remaining - (1.0 - 180.0 / 12_960.0)).abs() < 1e-9, "{standing:?}");
        assert_eq!(standing.compliance, Some(0.0));
    }

    proptest! {
        #[test]
        fn a_budget_is_finite_and_never_grows_by_stale_time(first in 0..60 * DAY_MS, more in 0..60 * DAY_MS, days in 0..90_i64) {
            let (less, more) = (standing(days, &[(Fault::Own, first)]), standing(days, &[(Fault::Own, first + more)]));
            prop_assert!(less.budget_remaining <= 1.0 && more.budget_remaining.is_finite());
            prop_assert!(more.budget_remaining <= less.budget_remaining + 1e-9);
            prop_assert!(less.compliance.is_none_or(|share| (0.0..=1.0).contains(&share)));
        }
    }
}
