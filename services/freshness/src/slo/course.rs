//! What became of a product's promise over time, and what is remembered of it. Pure: the clock is handed in.
//!
//! Between two looks a product was fresh until the newest fact of the later look was due: facts do not vanish, and within a look's interval
//! the earliest moment counts that the evidence permits. After a longer silence only what is proven counts: good until the
//! fact of the earlier look was due, bad since that of the later look is. What lies between is not known, and so is the time when Kafka
//! could not be reached.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::alerts::Grounds;
use super::{Alerts, BurnRates, Fault, Ledger, Promise, Standing};
use crate::calendar::{Calendar, Span};
use crate::judge::{State, judge};

/// How many times of which Kafka could not be reached are remembered at once.
const AWAY_MAX: usize = 16;

/// What is remembered of a product from one look to the next, and over restarts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Course {
    /// What became of promised time; none before the product has facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// The newest fact or heartbeat that every view had at the last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_ms: Option<i64>,
    /// The state at the last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Since when it is in that state: when the look was; but stale it is since its fact was due.
    #[serde(default)]
    pub since_ms: i64,
    /// When Kafka could not be reached since the newest fact: the promise did not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Span>,
    /// The last time when it had nothing new for longer than it promises, whatever the hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// Who is told to act.
    #[serde(default)]
    pub alerts: Alerts,
}

/// A time when a product had nothing new for longer than it promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The newest fact before it.
    pub newest_ms: i64,
    /// From when on that was too old.
    pub from_ms: i64,
    /// When it was last seen to be so; once it is over, when it was first seen to be over.
    pub until_ms: i64,
    /// Whether it still is.
    pub is_open: bool,
    /// The products upstream that were to blame for it, by key; none if it itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

/// A look at a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// When.
    pub now_ms: i64,
    /// The newest fact or proven heartbeat that every view has; of views without any, if others have some, none counts.
    pub newest_ms: Option<i64>,
    /// Whether a view has nothing at all.
    pub is_partial: bool,
    /// Longer than this after the look before it, and only what is proven counts.
    pub gap_max_ms: i64,
    /// When Kafka could not be reached, if it could not since the last look.
    pub away: Option<Span>,
}

impl Course {
    /// Takes a look in: the state that follows. What time was spent on is written by [`Course::account`], once it is known who is to
    /// blame.
    pub fn look(&mut self, look: Look, promise: &Promise) -> State {
        self.note_away(look);
        let calendar = self.calendar(promise);
        let verdict = judge(look.newest_ms, promise.every, &calendar, look.now_ms);
        let state = if look.is_partial && verdict.state != State::Stale { State::Unknown } else { verdict.state };
        self.note_outage(look, promise.every_ms());
        if self.state != Some(state) {
            let newest_ms = look.newest_ms.filter(|_| state == State::Stale);
            let due_ms = newest_ms.map(|newest_ms| calendar.deadline_ms(newest_ms, promise.every_ms()));
            self.since_ms = due_ms.unwrap_or(look.now_ms).min(look.now_ms);
            self.state = Some(state);
        }
        state
    }

    /// Writes down what the time since the last look was spent on, and who is to act. `causes` are to blame, by key; a page
    /// ends once the product has been fresh again for `settle_ms`.
    pub fn account(&mut self, look: Look, promise: &Promise, causes: &[String], settle_ms: i64) {
        if let Some(outage) = self.outage.as_mut().filter(|outage| outage.is_open) {
            outage.causes = causes.to_vec();
        }
        let calendar = self.calendar(promise);
        let mut ledger = self.ledger.take().unwrap_or_else(|| Ledger::new(look.now_ms));
        for (fault, spans) in self.spent(ledger.until_ms, look, promise, !causes.is_empty()) {
            ledger.add(fault, &spans);
        }
        ledger.advance(look.now_ms, promise.objective.over_ms);
        let rates = BurnRates::measure(&ledger, promise.objective, &calendar);
        let grounds = Grounds {
            state: self.state.unwrap_or(State::Unknown),
            since_ms: self.since_ms,
            is_blamed: !causes.is_empty(),
            rates,
            objective: promise.objective,
            settle_ms,
        };
        self.alerts.advance(&grounds, look.now_ms);
        // a product without facts has no history yet
        self.ledger = Some(ledger).filter(|_| self.newest_ms.or(look.newest_ms).is_some());
        self.newest_ms = look.newest_ms;
    }

    /// How the objective fares.
    pub fn standing(&self, promise: &Promise, now_ms: i64) -> Standing {
        let calendar = self.calendar(promise);
        let history = self.ledger.as_ref().map_or_else(|| Cow::Owned(Ledger::new(now_ms)), Cow::Borrowed);
        let rates = BurnRates::measure(&history, promise.objective, &calendar);
        Standing::of(&history, promise.objective, &calendar, &rates)
    }

    /// When the promise counts, given when Kafka could not be reached.
    pub fn calendar<'a>(&self, promise: &'a Promise) -> Cow<'a, Calendar> {
        match &self.away[..] {
            [] => Cow::Borrowed(&promise.calendar),
            away => Cow::Owned(promise.calendar.clone().away(away)),
        }
    }

    /// What the time since the last look was spent on, if not on being fresh.
    fn spent(&self, from_ms: i64, look: Look, promise: &Promise, is_blamed: bool) -> Vec<(Fault, Vec<Span>)> {
        let calendar = self.calendar(promise);
        let passed = Span::new(from_ms, look.now_ms);
        if passed.is_empty() {
            return Vec::new();
        }
        let due_ms = |newest_ms: Option<i64>| {
            let due_ms = newest_ms.map(|newest_ms| calendar.deadline_ms(newest_ms, promise.every_ms()));
            due_ms.unwrap_or(i64::MIN).clamp(passed.from_ms, passed.to_ms)
        };
        // none has ever been seen: nothing is known at all
        let bad_from_ms = if look.newest_ms.is_some() { due_ms(look.newest_ms) } else { passed.to_ms };
        let is_gap = passed.length_ms() > look.gap_max_ms;
        let known_to_ms = match look {
            Look { is_partial: true, .. } | Look { newest_ms: None, .. } => passed.from_ms,
            _ if is_gap => due_ms(self.newest_ms).min(bad_from_ms),
            _ => bad_from_ms,
        };
        let fault = if is_blamed { Fault::Blamed } else { Fault::Own };
        let away = self.away.iter().flat_map(|away| promise.calendar.promised(away.and(passed)));
        vec![
            (Fault::Unknown, calendar.promised(Span::new(known_to_ms, bad_from_ms))),
            (fault, calendar.promised(Span::new(bad_from_ms, passed.to_ms))),
            (Fault::Unknown, away.collect()),
            (Fault::Excused, promise.calendar.maintained(passed)),
        ]
    }

    /// Remembers when Kafka could not be reached, as long as that matters to the age of the newest fact.
    fn note_away(&mut self, look: Look) {
        let newest_ms = look.newest_ms.unwrap_or(look.now_ms);
        self.away.retain(|away| away.to_ms > newest_ms && away.from_ms < look.now_ms);
        let before_ms = self.ledger.as_ref().map_or(i64::MIN, |ledger| ledger.until_ms);
        let away = look.away.map(|away| away.and(Span::new(before_ms, look.now_ms)));
        let Some(away) = away.filter(|away| !away.is_empty()) else { return };
        match self.away.last_mut().filter(|last| last.to_ms >= away.from_ms) {
            Some(last) => last.to_ms = last.to_ms.max(away.to_ms),
            None => self.away.push(away),
        }
        let too_many = self.away.len().saturating_sub(AWAY_MAX);
        self.away.drain(..too_many);
    }

    /// Remembers the last time when nothing new came for longer than promised, whatever the hours.
    fn note_outage(&mut self, look: Look, every_ms: i64) {
        let due_ms = look.newest_ms.map(|newest_ms| newest_ms.saturating_add(every_ms));
        let is_overdue = due_ms.is_some_and(|due_ms| look.now_ms > due_ms);
        match (self.outage.as_mut(), look.newest_ms, due_ms) {
            (Some(outage), ..) if outage.is_open => (outage.until_ms, outage.is_open) = (look.now_ms, is_overdue),
            (_, Some(newest_ms), Some(from_ms)) if is_overdue => {
                let causes = Vec::new();
                self.outage = Some(Outage { newest_ms, from_ms, until_ms: look.now_ms, is_open: true, causes });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
