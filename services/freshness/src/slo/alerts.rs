//! Who is told to act, from when to when. Pure.

use serde::{Deserialize, Serialize};

use super::BurnRates;
use super::Objective;
use crate::judge::State;

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody is woken.
    Page,
    /// Somebody looks at it on a working day.
    Ticket,
}

impl Severity {
    /// Both.
    pub const ALL: [Severity; 2] = [Severity::Page, Severity::Ticket];

    /// As alerts name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// What is alerted, since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Alerts {
    /// Since when somebody is paged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_since_ms: Option<i64>,
    /// Since when there is a ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_since_ms: Option<i64>,
}

/// What alerts follow from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grounds {
    pub(super) state: State,
    /// Since when it is in that state.
    pub(super) since_ms: i64,
    pub(super) is_blamed: bool,
    pub(super) rates: BurnRates,
    pub(super) objective: Objective,
    /// For how long a product must have been fresh again for its page to end.
    pub(super) settle_ms: i64,
}

impl Alerts {
    /// Since when there is one of this severity.
    pub fn since_ms(&self, severity: Severity) -> Option<i64> {
        match severity {
            Severity::Page => self.page_since_ms,
            Severity::Ticket => self.ticket_since_ms,
        }
    }

    /// Goes on to a moment. An alert begins while the product is stale by its own fault, stays though it is fresh for a
    /// while, and ends when its budget burns no longer; a page also once the product has been fresh long enough, and both where nothing is
    /// promised now.
    pub(super) fn advance(&mut self, grounds: &Grounds, now_ms: i64) {
        let begins = grounds.state == State::Stale && !grounds.is_blamed;
        let settled = grounds.state == State::Fresh && now_ms.saturating_sub(grounds.since_ms) >= grounds.settle_ms;
        let stays = matches!(grounds.state, State::Fresh | State::Stale);
        let next = |since_ms: Option<i64>, burns: bool, stays: bool| match since_ms {
            Some(since_ms) => (burns && stays).then_some(since_ms),
            None => (burns && begins).then_some(now_ms),
        };
        self.page_since_ms = next(self.page_since_ms, grounds.rates.is_page(grounds.objective), stays && !settled);
        self.ticket_since_ms = next(self.ticket_since_ms, grounds.rates.is_ticket(), stays);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const BURNS: BurnRates = BurnRates([20.0; 5]);

    fn grounds(state: State, rates: BurnRates) -> Grounds {
        let objective = Objective { share: 0.995, over_ms: 30 * super::super::DAY_MS };
        Grounds { state, since_ms: 0, is_blamed: false, rates, objective, settle_ms: 5 * MINUTE }
    }

    fn page(before: Option<i64>, grounds: &Grounds, now_ms: i64) -> Option<i64> {
        let mut alerts = Alerts { page_since_ms: before, ticket_since_ms: None };
        alerts.advance(grounds, now_ms);
        alerts.page_since_ms
    }

    #[test]
    fn a_page_begins_with_a_stale_product_alone() {
        assert_eq!(page(None, &grounds(State::Stale, BURNS), 7), Some(7));
        assert_eq!(page(None, &grounds(State::Stale, BurnRates::default()), 7), None, "a breach alone is no page");
        assert_eq!(page(None, &Grounds { is_blamed: true, ..grounds(State::Stale, BURNS) }, 7), None);
        for state in [State::Fresh, State::Excused, State::Unknown] {
            assert_eq!(page(None, &grounds(state, BURNS), 7), None, "{state}");
        }
    }

    #[test]
    fn a_page_ends_once_the_product_has_settled() {
        let fresh = grounds(State::Fresh, BURNS);
        assert_eq!(page(Some(3), &fresh, 5 * MINUTE - 1), Some(3), "it may flap");
        assert_eq!(page(Some(3), &fresh, 5 * MINUTE), None);
        assert_eq!(page(Some(3), &grounds(State::Fresh, BurnRates::default()), 9), None, "it does not burn any more");
        assert_eq!(page(Some(3), &grounds(State::Excused, BURNS), 9), None, "nothing is promised now");
        assert_eq!(page(Some(3), &Grounds { is_blamed: true, ..grounds(State::Stale, BURNS) }, 9), Some(3));
    }
}
