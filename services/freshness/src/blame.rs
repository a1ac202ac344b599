//! Who is to blame for a stale product: itself, or what it is derived from. Pure.
//!
//! A product upstream explains why another is stale while it itself has had nothing new for longer than it promises, and, once it has
//! recovered, for one refresh period of the other. It explains nothing to a product that
//!
//! - was stale for more than a refresh period before (its own last fact may be that much older than the last upstream),
//! - went stale so long after the recovery that the outage cannot have delayed it,
//! - has facts waiting in its own input port, which its sidecar does not let through, or
//! - was paged before: whoever was woken keeps the page until the product is fresh.
//!
//! Blame is followed to where it ends, through products that are stale for the same reason. In a circle somebody is always
//! left to blame.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::State;
use crate::slo::{Course, Promise};

/// Records may wait for the sidecar for so long without anything being wrong with it.
const IN_FLIGHT_MS: i64 = 60_000;

/// What blame follows from, of one product.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What is remembered of it, this look included.
    pub course: &'a Course,
    /// What it promises.
    pub promise: &'a Promise,
    /// The products that it is derived from, by key.
    pub upstream: &'a [String],
    /// Since when the oldest record of its own input port has been waiting for its sidecar, if one is.
    pub waiting_since_ms: Option<i64>,
}

/// The products that are to blame, of each that others are to blame for: all by key.
pub fn causes(cases: &BTreeMap<&str, Case<'_>>, now_ms: i64) -> BTreeMap<String, Vec<String>> {
    let mut inquiry = Inquiry { cases, now_ms, answers: BTreeMap::new(), asked: BTreeSet::new() };
    let late = cases.iter().filter(|(_, case)| case.is_late());
    late.for_each(|(key, _)| drop(inquiry.causes(key)));
    let blamed = inquiry.answers.into_iter().filter(|(_, causes)| !causes.is_empty());
    blamed.map(|(key, causes)| (key.to_owned(), causes.into_iter().collect())).collect()
}

struct Inquiry<'a> {
    cases: &'a BTreeMap<&'a str, Case<'a>>,
    now_ms: i64,
    answers: BTreeMap<&'a str, BTreeSet<String>>,
    /// Those whose answer is being looked for: a circle ends here.
    asked: BTreeSet<&'a str>,
}

impl<'a> Inquiry<'a> {
    fn causes(&mut self, key: &'a str) -> BTreeSet<String> {
        if let Some(known) = self.answers.get(key) {
            return known.clone();
        }
        let Some(case) = self.cases.get(key).copied() else { return BTreeSet::new() };
        self.asked.insert(key);
        let mut causes = BTreeSet::new();
        let suspects = if case.is_own_fault(self.now_ms) { &[] } else { case.upstream };
        for upstream in suspects.iter().map(String::as_str) {
            if !self.asked.contains(upstream) && self.explains(upstream, case) {
                causes.extend(self.roots(upstream));
            }
        }
        self.asked.remove(key);
        self.answers.insert(key, causes.clone());
        causes
    }

    /// Where the blame for a product ends that explains another.
    fn roots(&mut self, key: &'a str) -> BTreeSet<String> {
        let Some(case) = self.cases.get(key).copied() else { return BTreeSet::new() };
        let remembered = case.course.outage.iter().filter(|outage| !outage.is_open).flat_map(|outage| &outage.causes);
        let mut roots: BTreeSet<String> = remembered.cloned().collect();
        if case.is_late() {
            roots = self.causes(key);
        }
        if roots.is_empty() {
            roots.insert(key.to_owned());
        }
        roots
    }

    fn explains(&self, upstream: &str, case: Case<'_>) -> bool {
        let Some(outage) = self.cases.get(upstream).and_then(|upstream| upstream.course.outage.as_ref()) else {
            return false;
        };
        let (stale_since_ms, every_ms) = (case.late_since_ms(), case.promise.every_ms());
        let was_first = outage.from_ms <= stale_since_ms.saturating_add(every_ms);
        if outage.is_open {
            return was_first;
        }
        let lasted_ms = outage.until_ms.saturating_sub(outage.newest_ms);
        let delayed_it = stale_since_ms <= outage.until_ms.saturating_add(lasted_ms);
        let grace_ends_ms = case.course.calendar(case.promise).deadline_ms(outage.until_ms, every_ms);
        was_first && delayed_it && self.now_ms <= grace_ends_ms
    }
}

impl Case<'_> {
    /// Stale, or it would be if its promise counted now.
    fn is_late(&self) -> bool {
        let is_overdue = self.course.outage.as_ref().is_some_and(|outage| outage.is_open);
        is_overdue || self.course.state == Some(State::Stale)
    }

    /// Since when it is late.
    fn late_since_ms(&self) -> i64 {
        let overdue = self.course.outage.as_ref().filter(|_| self.course.state != Some(State::Stale));
        overdue.map_or(self.course.since_ms, |outage| outage.from_ms)
    }

    fn is_own_fault(&self, now_ms: i64) -> bool {
        let every_ms = self.promise.every_ms();
        let waits_too_long = self.waiting_since_ms.is_some_and(|since_ms| {
            let waits_ms = now_ms.saturating_sub(since_ms);
            waits_ms > every_ms || (waits_ms > every_ms.min(IN_FLIGHT_MS) && since_ms <= self.late_since_ms())
        });
        waits_too_long || self.course.alerts.page_since_ms.is_some()
    }
}

#[cfg(test)]
mod tests;
