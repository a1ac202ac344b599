//! How fast an error budget is being spent, and when that is worth a page. Pure.

use super::ledger::{Fault, Ledger};
use super::{DAY_MS, Objective};
use crate::calendar::Calendar;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A window counts as no shorter than this, or than itself: where little was promised in it (the morning after a weekend, say),
/// a minute is not taken for the whole.
const PROMISED_MIN_MS: i64 = 6 * HOUR_MS;

/// A window over which a burn rate is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// 5 minutes.
    FiveMinutes,
    /// 30 minutes.
    HalfHour,
    /// An hour.
    Hour,
    /// 6 hours.
    SixHours,
    /// 3 days.
    ThreeDays,
}

impl Window {
    /// All of them, the shortest first.
    pub const ALL: [Window; 5] =
        [Window::FiveMinutes, Window::HalfHour, Window::Hour, Window::SixHours, Window::ThreeDays];

    /// As metrics and alerts name it: `5m`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::HalfHour => "30m",
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::ThreeDays => "3d",
        }
    }

    /// Its length in milliseconds.
    pub fn length_ms(self) -> i64 {
        match self {
            Self::FiveMinutes => 5 * MINUTE_MS,
            Self::HalfHour => 30 * MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::SixHours => 6 * HOUR_MS,
            Self::ThreeDays => 3 * DAY_MS,
        }
    }
}

/// How fast the budget is being spent: 1 is a pace at which it would just last for the objective's window. By [`Window::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BurnRates(pub [f64; 5]);

impl BurnRates {
    /// Measures them at the ledger's end. Only what the product itself is to blame for counts: nobody is paged for others.
    pub fn measure(ledger: &Ledger, objective: Objective, calendar: &Calendar) -> Self {
        Self(Window::ALL.map(|window| rate(ledger, window, objective, calendar)))
    }

    /// Over one window.
    pub fn over(&self, window: Window) -> f64 {
        self.0[window as usize]
    }

    /// Whether it is worth a page: a budget that lasts for two days, seen for an hour, or for five days, seen for six hours,
    /// and still going on. However low the objective, six hours without a fresh minute are.
    pub fn is_page(&self, objective: Objective) -> bool {
        let most = 1.0 / objective.allowance();
        self.reaches(14.4, Window::Hour, Window::FiveMinutes)
            || self.reaches(most.min(6.0), Window::SixHours, Window::HalfHour)
    }

    /// Whether it is worth a ticket: it does not last for the objective's window.
    pub fn is_ticket(&self) -> bool {
        self.reaches(1.0, Window::ThreeDays, Window::SixHours)
    }

    fn reaches(&self, rate: f64, long: Window, short: Window) -> bool {
        // sums of buckets are exact to a part in many millions
        let rate = rate * (1.0 - 1e-9);
        self.over(long) >= rate && self.over(short) >= rate
    }
}

fn rate(ledger: &Ledger, window: Window, objective: Objective, calendar: &Calendar) -> f64 {
    let sum = ledger.sum(window.length_ms());
    let own_ms = sum.of(Fault::Own);
    if own_ms <= 0.0 {
        return 0.0;
    }
    own_ms / counted_ms(ledger, window, calendar) / objective.allowance()
}

/// How much of a window counts: what was promised in it, and no less than [`PROMISED_MIN_MS`].
fn counted_ms(ledger: &Ledger, window: Window, calendar: &Calendar) -> f64 {
    let least_ms = window.length_ms().min(PROMISED_MIN_MS);
    if window.length_ms() <= PROMISED_MIN_MS {
        return least_ms as f64;
    }
    let promised_ms = calendar.promised_ms(ledger.until_ms.saturating_sub(window.length_ms()), ledger.until_ms);
    promised_ms.max(least_ms) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::calendar::Span;

    const NOW: i64 = 1_800_000_000_000;

    fn objective(share: f64) -> Objective {
        Objective { share, over_ms: 30 * DAY_MS }
    }

    fn burn(share: f64, bad: &[(i64, i64)]) -> BurnRates {
        let mut ledger = Ledger::new(NOW - 10 * DAY_MS);
        let spans: Vec<Span> = bad.iter().map(|(from, to)| Span::new(NOW - from, NOW - to)).collect();
        ledger.add(Fault::Own, &spans);
        ledger.advance(NOW, 30 * DAY_MS);
        BurnRates::measure(&ledger, objective(share), &Calendar::default())
    }

    fn pages(share: f64, bad_ms: i64) -> bool {
        burn(share, &[(bad_ms, 0)]).is_page(objective(share))
    }

    #[test]
    fn time_to_page_follows_from_the_objective() {
        for (share, seconds) in [(0.9999, 5.184), (0.999, 51.84), (0.995, 259.2), (0.99, 518.4), (0.95, 2_592.0)] {
            let bad_ms = (seconds * 1_000.0_f64) as i64;
            assert!(pages(share, bad_ms + 1) && !pages(share, bad_ms - 1), "{share}");
        }
        assert!(pages(0.9, 3 * HOUR_MS + 36 * MINUTE_MS + 1) && !pages(0.9, 3 * HOUR_MS), "by six hours");
        assert!(pages(0.5, 6 * HOUR_MS) && !pages(0.5, 5 * HOUR_MS), "wholly stale is worth a page at last");
    }

    #[test]
    fn what_is_over_pages_nobody() {
        assert!(
            !burn(0.995, &[(60 * MINUTE_MS, 50 * MINUTE_MS)]).is_page(objective(0.995)),
            "the short windows are good"
        );
    }

    #[test]
    fn a_slow_burn_is_a_ticket() {
        let nightly = [(48 * HOUR_MS, 48 * HOUR_MS - 10 * MINUTE_MS), (24 * HOUR_MS, 24 * HOUR_MS - 10 * MINUTE_MS)];
        let third_night = [&nightly[..], &[(10 * MINUTE_MS, 0)]].concat();
        assert!(burn(0.995, &third_night).is_ticket());
        assert!(!burn(0.995, &nightly[..]).is_ticket());
    }

    #[test]
    fn a_short_history_burns_no_months_budget() {
        let mut ledger = Ledger::new(NOW - 3 * MINUTE_MS);
        ledger.add(Fault::Own, &[Span::new(NOW - 3 * MINUTE_MS, NOW)]);
        ledger.advance(NOW, 30 * DAY_MS);
        let rates = BurnRates::measure(&ledger, objective(0.995), &Calendar::default());
        assert!(!rates.is_page(objective(0.995)) && !rates.is_ticket(), "{rates:?}");
    }

    #[test]
    fn others_faults_do_not_burn() {
        let mut ledger = Ledger::new(NOW - DAY_MS);
        let day = [Span::new(NOW - DAY_MS, NOW)];
        [Fault::Blamed, Fault::Excused, Fault::Unknown].into_iter().for_each(|fault| ledger.add(fault, &day));
        ledger.advance(NOW, 30 * DAY_MS);
        assert_eq!(BurnRates::measure(&ledger, objective(0.995), &Calendar::default()), BurnRates::default());
    }

    #[test]
    fn slow_windows_count_what_was_promised() {
        let office = Calendar::of(Some(&"Mon-Fri 08:00-18:00 UTC".parse().unwrap()));
        let friday = "2026-01-02T18:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let mut ledger = Ledger::new(friday - 5 * DAY_MS);
        ledger.add(Fault::Own, &[Span::new(friday - HOUR_MS, friday)]);
        ledger.advance(friday, 30 * DAY_MS);
        let rates = BurnRates::measure(&ledger, objective(0.9), &office);
        assert!(
            (rates.over(Window::ThreeDays) - 1.0 / 3.0).abs() < 1e-9,
            "1 h of 30 h, of which 3 h may be: {rates:?}"
        );
    }

    proptest! {
        #[test]
        fn more_bad_time_never_burns_less(first in 0..6 * HOUR_MS, more in 0..6 * HOUR_MS, share in 0.1..0.9999_f64) {
            let (less, more) = (burn(share, &[(first, 0)]), burn(share, &[(first + more, 0)]));
            for window in Window::ALL {
                prop_assert!(more.over(window) >= less.over(window) - 1e-9);
            }
            prop_assert!(!less.is_page(objective(share)) || more.is_page(objective(share)));
        }
    }
}
