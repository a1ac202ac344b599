//! What was observed, as plain facts: what a saved plan was made on, and what has moved since.

use super::Observed;
use crate::apply::scope::Scope;
use crate::apply::topics::MANAGED;
use mesh_contract::Limit;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Facts by what they are about, in words.
pub(in crate::apply) type Facts = BTreeMap<String, String>;

/// What the schema is that a subject is to have, before it is registered.
const UNREGISTERED: &str = "not registered";
/// What is not there.
const ABSENT: &str = "absent";
/// So many digits of a hash tell values apart well enough for a person.
const DIGITS: usize = 12;

impl Observed {
    /// What the plan is made on. Topics, subjects and rules that are none of the mesh's are no part of it.
    pub(in crate::apply) fn facts(&self, scope: &Scope) -> Facts {
        let mut facts = Facts::from([("cluster".to_owned(), self.cluster_id.clone())]);
        for topic in &scope.topics {
            facts.insert(format!("topic {topic}"), ABSENT.to_owned());
        }
        for (name, topic) in &self.topics {
            let size = format!("{} partitions, {} replicas", topic.partitions, topic.replication);
            facts.insert(format!("topic {name}"), size);
            for setting in MANAGED {
                if let Some(value) = topic.settings.get(setting) {
                    let own = if topic.own.contains(setting) { "" } else { " (default)" };
                    facts.insert(format!("topic {name}: {setting}"), format!("{value}{own}"));
                }
            }
        }
        for (name, subject) in &self.subjects {
            let level = subject.level.map_or_else(|| "the registry's".to_owned(), |level| level.to_string());
            facts.insert(format!("subject {name}: level"), level);
            let versions: Vec<String> = subject.versions.iter().map(ToString::to_string).collect();
            facts.insert(format!("subject {name}: versions"), versions.join(", "));
            let schema =
                subject.wanted.map_or_else(|| UNREGISTERED.to_owned(), |(version, _)| format!("version {version}"));
            facts.insert(schema_fact(name), schema);
        }
        for (key, value) in self.published.in_force() {
            facts.insert(format!("published {key}"), published(value));
        }
        for (principal, limits) in &self.quotas {
            let limits = limits.iter().map(|(limit, value)| (quota_fact(principal, *limit), limit.text(*value)));
            facts.extend(limits);
        }
        facts.extend(self.rules(scope).iter().map(|rule| (format!("rule {rule}"), "there".to_owned())));
        facts
    }
}

/// What is published, told by its content: when it was applied does not count.
pub(in crate::apply) fn published(value: &[u8]) -> String {
    let applied = serde_json::from_slice::<serde_json::Value>(value).unwrap_or_default();
    match (applied.get("revision"), applied.get("contract"), applied.get("schema")) {
        (Some(revision), Some(contract), Some(schema)) => {
            format!("revision {revision} ({})", digest(format!("{contract}{schema}").as_bytes()))
        }
        _ => digest(value),
    }
}

fn digest(value: &[u8]) -> String {
    let mut digits = hex(&Sha256::digest(value));
    digits.truncate(DIGITS);
    digits
}

fn schema_fact(subject: &str) -> String {
    format!("subject {subject}: the contract's schema")
}

/// What says how far a principal is limited; nothing does where it is not.
pub(in crate::apply) fn quota_fact(principal: &str, limit: Limit) -> String {
    format!("quota {principal}: {}", limit.name())
}

/// Whether a subject has the schema that it is to have.
pub(in crate::apply) fn is_registered(facts: &Facts, subject: &str) -> bool {
    facts.get(&schema_fact(subject)).is_some_and(|fact| fact != UNREGISTERED)
}

/// A fingerprint of facts.
pub(in crate::apply) fn fingerprint(facts: &Facts) -> String {
    let mut hash = Sha256::new();
    for (about, fact) in facts {
        // lengths, so that no two sets of facts read alike
        for text in [about, fact] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
    format!("sha256:{}", hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What has moved between two looks: about what, what it was, and what it is.
pub(in crate::apply) fn moved(then: &Facts, now: &Facts) -> Vec<(String, String, String)> {
    let abouts = then.keys().chain(now.keys().filter(|about| !then.contains_key(*about)));
    let fact = |facts: &Facts, about: &String| facts.get(about).cloned().unwrap_or_else(|| ABSENT.to_owned());
    let pairs = abouts.map(|about| (about.clone(), fact(then, about), fact(now, about)));
    pairs.filter(|(_, was, is)| was != is).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(facts: &[(&str, &str)]) -> Facts {
        facts.iter().map(|(about, fact)| ((*about).to_owned(), (*fact).to_owned())).collect()
    }

    #[test]
    fn what_moved_is_told() {
        let (then, now) = (facts(&[("a", "1"), ("b", "2"), ("c", "3")]), facts(&[("b", "2"), ("c", "4"), ("d", "5")]));
        let told: Vec<String> =
            moved(&then, &now).iter().map(|(about, was, is)| format!("{about}: {was}, {is}")).collect();
        assert_eq!(told, ["a: 1, absent", "c: 3, 4", "d: absent, 5"]);
        assert!(moved(&now, &now).is_empty());
    }

    #[test]
    fn fingerprints_tell_facts_apart() {
        let print = |given: &[(&str, &str)]| fingerprint(&facts(given));
        assert_eq!(print(&[("a", "b")]), print(&[("a", "b")]));
        assert_ne!(print(&[("a", "bc")]), print(&[("ab", "c")]));
        assert_ne!(print(&[("a", "b")]), print(&[("a", "b"), ("c", "d")]));
    }
}
