//! Requests that were refused, counted together until they are on record. Whoever is refused does not wait for that: what is refused
//! changes nothing, and the registry answers whether or not the audit can be reached.

mod record;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mesh_audit::{Event, Who};
use tokio::sync::Notify;

pub(crate) use record::Record;

use crate::metrics;

/// So many different refusals wait; of more it is only told how many they were.
const WAITING_MAX: usize = 500;
/// A longer text is cut: what stands in it is a client's in part.
const TEXT_CHARS_MAX: usize = 1_000;
/// More rules of one refusal are not told.
const RULES_MAX: usize = 20;

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A schema: it is incompatible, is no schema, or does not say what is sensitive in it.
    Schema,
    /// Whoever asked may not.
    Access,
}

impl Kind {
    /// The event's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Schema => "schema-refused",
            Kind::Access => "registry-access-denied",
        }
    }
}

/// Who was refused what, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refused {
    kind: Kind,
    user: Option<String>,
    host: Option<String>,
    subject: Option<String>,
    request: String,
    code: u64,
    rules: Vec<String>,
    why: String,
}

impl Refused {
    /// A request (`POST /subjects/{subject}/versions`) that was answered so: Confluent's code, and the message.
    pub(crate) fn new(kind: Kind, request: String, code: u64, message: &str) -> Self {
        let (rules, why) = (rules(message), cut(message));
        Self { kind, user: None, host: None, subject: None, request, code, rules, why }
    }

    /// The same, asked by this user from this machine, as far as that is known.
    pub(crate) fn asked_by(self, user: Option<&str>, host: Option<String>) -> Self {
        Self { user: user.map(cut), host, ..self }
    }

    /// The same, about a subject.
    pub(crate) fn about(self, subject: Option<String>) -> Self {
        Self { subject: subject.as_deref().map(cut), ..self }
    }

    fn event(&self, count: Count) -> Event {
        let who = Who { user: self.user.clone(), host: self.host.clone(), ..Who::acting_with("the registry") };
        let event = Event::at(self.kind.name(), &who, count.last_ms).with("subject", &self.subject);
        let event = event.with("request", &self.request).with("code", self.code);
        let event = if self.rules.is_empty() { event } else { event.with("rules", &self.rules) };
        event.with("why", &self.why).with("count", count.count).with("first_ms", count.first_ms)
    }
}

/// How often, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    count: u64,
    first_ms: i64,
    last_ms: i64,
}

/// What was refused and is not on record yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    added: Notify,
}

/// What waits at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Waiting {
    refused: BTreeMap<Refused, Count>,
    /// There was no room for so many.
    left_out: u64,
}

impl Refusals {
    /// Counts a refusal.
    pub(crate) fn add(&self, refused: Refused, now_ms: i64) {
        metrics::refused(refused.kind.name());
        let mut waiting = self.lock();
        let has_room = waiting.refused.len() < WAITING_MAX;
        match waiting.refused.get_mut(&refused) {
            Some(count) => (count.count, count.last_ms) = (count.count + 1, now_ms),
            None if has_room => {
                waiting.refused.insert(refused, Count { count: 1, first_ms: now_ms, last_ms: now_ms });
            }
            None => {
                waiting.left_out += 1;
                metrics::refusal_left_out();
            }
        }
        metrics::refusals_waiting(waiting.refused.len());
        drop(waiting);
        self.0.added.notify_one();
    }

    /// Returns when there is something to tell.
    pub(crate) async fn added(&self) {
        self.0.added.notified().await;
    }

    /// What waits now.
    pub(crate) fn waiting(&self) -> Waiting {
        self.lock().clone()
    }

    /// This is on record; what came meanwhile still waits.
    pub(crate) fn settle(&self, told: &Waiting) {
        let mut waiting = self.lock();
        waiting.left_out = waiting.left_out.saturating_sub(told.left_out);
        for (refused, count) in &told.refused {
            if let Some(own) = waiting.refused.get_mut(refused) {
                (own.count, own.first_ms) = (own.count.saturating_sub(count.count), own.last_ms);
            }
        }
        waiting.refused.retain(|_, count| count.count > 0);
        metrics::refusals_waiting(waiting.refused.len());
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// As it goes on record.
    pub(crate) fn events(&self, now_ms: i64) -> Vec<Event> {
        let left_out = (self.left_out > 0).then(|| {
            let who = Who::acting_with("the registry");
            Event::at("refusals-left-out", &who, now_ms).with("count", self.left_out)
        });
        self.refused.iter().map(|(refused, count)| refused.event(*count)).chain(left_out).collect()
    }
}

/// The rules that a refusal names, each once: `{rule: field-without-default, path: …}`.
fn rules(message: &str) -> Vec<String> {
    let named = message.split("{rule: ").skip(1).filter_map(|rest| rest.split_once(',').map(|(rule, _)| rule));
    let is_rule = |rule: &&str| rule.len() <= 64 && rule.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let mut rules: Vec<String> = named.filter(is_rule).map(str::to_owned).collect();
    rules.sort_unstable();
    rules.dedup();
    rules.truncate(RULES_MAX);
    rules
}

fn cut(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(subject: &str) -> Refused {
        let message = "Schema being registered is incompatible, details: [{rule: type-changed, path: a, x}, \
                       {rule: field-without-default, path: b, y}, {rule: type-changed, path: c, z}]";
        let refused = Refused::new(Kind::Schema, "POST /subjects/{subject}/versions".to_owned(), 409, message);
        refused.asked_by(Some("crm"), Some("10.0.0.7".to_owned())).about(Some(subject.to_owned()))
    }

    #[test]
    fn a_refusal_is_who_what_when_and_why() {
        let refusals = Refusals::default();
        (1..=3).for_each(|ms| refusals.add(refused("crm.orders.v1.in-value"), ms));
        let events: Vec<String> = refusals.waiting().events(9).iter().map(|event| format!("{event}")).collect();
        insta::assert_snapshot!(events.join("\n"), @r#"{"event":"schema-refused","at_ms":3,"who":{"user":"crm","host":"10.0.0.7","with":"the registry"},"subject":"crm.orders.v1.in-value","request":"POST /subjects/{subject}/versions","code":409,"rules":["field-without-default","type-changed"],"why":"Schema being registered is incompatible, details: [{rule: type-changed, path: a, x}, {rule: field-without-default, path: b, y}, {rule: type-changed, path: c, z}]","count":3,"first_ms":1}"#);
    }

    #[test]
    fn what_came_while_others_were_told_still_waits() {
        let refusals = Refusals::default();
        refusals.add(refused("a"), 1);
        let told = refusals.waiting();
        refusals.add(refused("a"), 2);
        refusals.add(refused("b"), 3);
        refusals.settle(&told);
        let left = refusals.waiting().refused;
        assert_eq!(left.values().map(|count| (count.count, count.first_ms)).collect::<Vec<_>>(), [(1, 2), (1, 3)]);
        refusals.settle(&refusals.waiting());
        assert_eq!(refusals.waiting(), Waiting::default());
    }

    #[test]
    fn of_what_finds_no_room_the_number_is_told() {
        let refusals = Refusals::default();
        (0..WAITING_MAX + 7).for_each(|n| refusals.add(refused(&n.to_string()), 1));
        refusals.add(refused("0"), 1);
        let waiting = refusals.waiting();
        assert_eq!((waiting.refused.len(), waiting.left_out), (WAITING_MAX, 7));
        assert_eq!(waiting.events(1).len(), WAITING_MAX + 1);
        refusals.settle(&waiting);
        assert_eq!(refusals.waiting(), Waiting::default());
    }

    #[test]
    fn what_a_client_writes_is_cut_and_is_no_rule() {
        let message = format!("{{rule: Not A Rule, x}} {{rule: {}, x}} a\nb {}", "a".repeat(65), "é".repeat(2_000));
        let refused = Refused::new(Kind::Access, "GET /".to_owned(), 40301, &message);
        assert_eq!(refused.rules, [""; 0]);
        assert!(refused.why.chars().count() == TEXT_CHARS_MAX && refused.why.contains("a?b"));
    }
}
