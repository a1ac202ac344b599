//! A plan in a file: made once, looked at by people, applied as it is or not at all.

use super::observed::{Facts, fingerprint, is_registered, moved, published, quota_fact};
use super::plan::{Change, Plan, Step};
use super::scope::Scope;
use crate::failure::Failure;
use mesh_access::sight::Gain;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Of this form, and no other.
const FORMAT: u32 = 2;
/// No plan is larger.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A plan, what it was made on, and what it is about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    format: u32,
    pub(super) cluster_id: String,
    pub(super) fingerprint: String,
    pub(super) steps: Vec<Step>,
    facts: Facts,
    pub(super) scope: Scope,
    /// Who comes to see which sensitive column by it.
    gains: Vec<Gain>,
}

impl Saved {
    /// Writes a plan to a file, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(file: &Path, plan: &Plan, scope: &Scope) -> Result<(), Failure> {
        let failed = || Failure::usage(format!("cannot save the plan to {}", file.display()));
        let saved = Self {
            format: FORMAT,
            cluster_id: plan.cluster_id.clone(),
            fingerprint: fingerprint(&plan.facts),
            steps: plan.steps.clone(),
            facts: plan.facts.clone(),
            scope: scope.clone(),
            gains: plan.gains.clone(),
        };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed().because(error))?;
        serde_json::to_writer_pretty(&mut beside, &saved).map_err(|error| failed().because(error))?;
        beside.persist(file).map_err(|error| failed().because(error.error))?;
        Ok(())
    }

    /// Reads it.
    ///
    /// # Errors
    /// It is none, or was changed.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let failed = || Failure::usage(format!("cannot use the plan {}", file.display()));
        let size = std::fs::metadata(file).map_err(|error| failed().because(error))?.len();
        if size > BYTES_MAX {
            return Err(failed().because("it is too large to be one"));
        }
        let text = std::fs::read_to_string(file).map_err(|error| failed().because(error))?;
        let hint = "make it anew with `mesh plan --out FILE`";
        let saved: Self = serde_json::from_str(&text).map_err(|error| failed().because(error).hint(hint))?;
        if saved.format != FORMAT || saved.fingerprint != fingerprint(&saved.facts) {
            return Err(failed().because("it is of another version, or was changed by hand").hint(hint));
        }
        Ok(saved)
    }

    /// The plan as it was made; what spoke against no change, and what is left alone, is not kept.
    pub(super) fn plan(&self) -> Plan {
        Plan {
            cluster_id: self.cluster_id.clone(),
            steps: self.steps.clone(),
            gains: self.gains.clone(),
            facts: self.facts.clone(),
            looked_at: self.steps.len(),
            ..Plan::default()
        }
    }

    /// What has moved since it was made, but for what it does itself: an apply of it may have been killed in the middle.
    pub(super) fn moved(&self, now: &Facts) -> Vec<String> {
        let moved = moved(&self.facts, now).into_iter();
        let foreign =
            moved.filter(|(about, _, is)| !self.steps.iter().any(|step| explains(&step.change, about, is, now)));
        foreign.map(|(about, was, is)| format!("{about} was {was}, is {is}")).collect()
    }
}

/// Whether a change brings this about.
fn explains(change: &Change, about: &str, is: &str, now: &Facts) -> bool {
    let setting =
        |topic: &str| about.strip_prefix("topic ").and_then(|rest| rest.strip_prefix(topic)?.strip_prefix(": "));
    let is_topic = |topic: &str| about.strip_prefix("topic ") == Some(topic);
    match change {
        Change::Revoke { rule } => about == format!("rule {rule}") && is == "absent",
        Change::Grant { rule } => about == format!("rule {rule}") && is == "there",
        Change::CreateTopic { topic, partitions, settings, .. } => match setting(topic) {
            Some(name) => settings.get(name).map_or(is.ends_with("(default)"), |value| value == is),
            None => is_topic(topic) && partitions.is_none_or(|count| is.starts_with(&format!("{count} partitions,"))),
        },
        Change::AddPartitions { topic, to, .. } => is_topic(topic) && is.starts_with(&format!("{to} partitions,")),
        Change::Configure { topic, settings, .. } => setting(topic).is_some_and(|name| {
            settings.iter().filter(|change| change.setting == name).any(|change| match &change.to {
                Some(value) => value == is,
                None => is.ends_with("(default)"),
            })
        }),
        Change::SetLevel { subject, to, .. } => about == format!("subject {subject}: level") && is == to.to_string(),
        // which version it became is the registry's to say
        Change::Register { subject, .. } => {
            about.starts_with(&format!("subject {subject}: "))
                && !about.ends_with(": level")
                && is_registered(now, subject)
        }
        Change::PublishDomain { domain } => {
            about == format!("published domain/{}", domain.domain) && is_content(domain, is)
        }
        Change::NameCluster { .. } => false,
        Change::PublishProduct { product, .. } => {
            about == format!("published {}", product.key()) && is_content(product, is)
        }
        Change::Limit { principal, limits } | Change::Release { principal, limits } => limits.iter().any(|change| {
            let to = change.to.map_or_else(|| "absent".to_owned(), |value| change.limit.text(value));
            about == quota_fact(principal, change.limit) && is == to
        }),
        Change::DeleteTopic { topic } => is == "absent" && (is_topic(topic) || setting(topic).is_some()),
    }
}

/// Whether exactly this is published.
fn is_content(content: &impl Serialize, is: &str) -> bool {
    serde_json::to_vec(content).is_ok_and(|value| published(&value) == is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::plan::{Port, SettingChange};

    fn facts(facts: &[(&str, &str)]) -> Facts {
        facts.iter().map(|(about, fact)| ((*about).to_owned(), (*fact).to_owned())).collect()
    }

    #[test]
    fn what_a_plan_does_itself_has_not_moved() {
        let change = SettingChange { setting: "retention.ms".into(), from: Some("1".into()), to: Some("2".into()) };
        let change = Change::Configure { topic: "a.b.v1".into(), settings: vec![change], port: Port::Other };
        let then = facts(&[("topic a.b.v1: retention.ms", "1"), ("topic a.b.v1", "4 partitions, 1 replicas")]);
        let saved = Saved {
            format: FORMAT,
            cluster_id: "id".into(),
            fingerprint: fingerprint(&then),
            steps: vec![Step { change, asks: None }],
            facts: then,
            scope: Scope::default(),
            gains: Vec::new(),
        };
        let now = |retention: &str, size: &str| {
            saved.moved(&facts(&[("topic a.b.v1: retention.ms", retention), ("topic a.b.v1", size)]))
        };
        assert_eq!(now("1", "4 partitions, 1 replicas"), [""; 0]);
        assert_eq!(now("2", "4 partitions, 1 replicas"), [""; 0]);
        assert_eq!(now("3", "4 partitions, 1 replicas"), ["topic a.b.v1: retention.ms was 1, is 3"]);
        assert_eq!(
            now("2", "5 partitions, 1 replicas"),
            ["topic a.b.v1 was 4 partitions, 1 replicas, is 5 partitions, 1 replicas"]
        );
    }

    #[test]
    fn what_others_published_meanwhile_has_moved() {
        let text = include_str!("../../../../topics/crm/orders.yaml");
        let contract = mesh_contract::parse_contract("topics/crm/orders.yaml", text).expect("it is sound").value;
        let schema = serde_json::json!("string");
        let product = mesh_contract::AppliedProduct { revision: 2, applied_at_ms: 0, contract, schema };
        let about = format!("published {}", product.key());
        let others = {
            let mut others = product.clone();
            others.contract.description.push('!');
            others
        };
        let later = mesh_contract::AppliedProduct { applied_at_ms: 7, ..product.clone() };
        let is = |product: &mesh_contract::AppliedProduct| published(&serde_json::to_vec(product).expect("it is JSON"));
        let change = Change::PublishProduct { product: Box::new(product), is_new: false };
        assert!(explains(&change, &about, &is(&later), &Facts::new()));
        assert!(!explains(&change, &about, &is(&others), &Facts::new()), "the same revision of something else");
    }
}
