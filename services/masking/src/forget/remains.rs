//! What is left of a subject once its keys are gone: said, so that nobody takes one store for all of them.

use std::collections::BTreeMap;

use mesh_avro::mask::Rules;
use mesh_contract::{AppliedProduct, MaskRule};
use mesh_kafka::{ErrorKind, admin::Admin};
use serde::Serialize;

use super::{ForgetError, Forgettable, name, rules};

const DAY_MS: i64 = 86_400_000;

/// Something that is left, or may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remains {
    /// Where: a topic, a product, or something outside of the cluster.
    pub at: String,
    /// What of it.
    pub what: String,
    /// Until when, or what to do about it.
    pub until: String,
}

impl Remains {
    fn new(at: impl Into<String>, what: impl Into<String>, until: impl Into<String>) -> Remains {
        Remains { at: at.into(), what: what.into(), until: until.into() }
    }
}

pub(super) async fn of(forgettable: &Forgettable<'_>, admin: &Admin) -> Result<Vec<Remains>, ForgetError> {
    let mut found = Vec::new();
    for product in forgettable.majors() {
        found.extend(in_topics(product, admin).await?);
    }
    found.extend(derived(forgettable));
    found.push(Remains::new("the keys", "copies and backups made before", "until they are destroyed"));
    found.push(Remains::new(
        "running services",
        "the keys in their memory",
        "until they have read the keys again, some seconds",
    ));
    Ok(found)
}

async fn in_topics(product: &AppliedProduct, admin: &Admin) -> Result<Vec<Remains>, ForgetError> {
    let (topics, rules) = (product.contract.topics(), rules(product)?);
    let mut found = vec![
        Remains::new(&topics.input, "its records in clear", kept(admin, &topics.input).await?),
        Remains::new(
            &topics.quarantine,
            "refused records, sealed under the domain's key: `mesh quarantine show` opens them",
            kept(admin, &topics.quarantine).await?,
        ),
    ];
    for (index, view) in rules.views().iter().enumerate() {
        let Some(topic) = topics.view(view) else { continue };
        let what = in_view(&rules, index);
        found.push(Remains::new(topic, format!("view {view}: {what}"), kept(admin, topic).await?));
    }
    if let Some(finding) = under_the_products_key(product, &rules) {
        found.push(finding);
    }
    Ok(found)
}

/// What a view shows of a subject besides encrypted values.
fn in_view(rules: &Rules, view: usize) -> String {
    let masked: BTreeMap<&str, Option<&MaskRule>> = rules.masked(view).collect();
    let clear: Vec<&str> =
        rules.columns().map(|(column, _)| column).filter(|column| !masked.contains_key(column)).collect();
    let traces: Vec<String> = masked
        .iter()
        .filter(|(_, rule)| leaves_a_trace(**rule))
        .map(|(column, rule)| format!("{column} ({})", rule.map_or("by type".to_owned(), ToString::to_string)))
        .collect();
    let mut said = vec!["columns that are not sensitive in clear".to_owned()];
    if !clear.is_empty() {
        said.push(format!("sensitive ones that it grants in clear: {}", clear.join(", ")));
    }
    if !traces.is_empty() {
        said.push(format!("masked otherwise: {}", traces.join(", ")));
    }
    said.join("; ")
}

/// Whether what a rule writes says anything about the value.
fn leaves_a_trace(rule: Option<&MaskRule>) -> bool {
    !matches!(rule, Some(MaskRule::Encrypt | MaskRule::Redact(_) | MaskRule::Null | MaskRule::Zero | MaskRule::Drop))
}

/// Values that were encrypted before there was a subject, or have none.
fn under_the_products_key(product: &AppliedProduct, rules: &Rules) -> Option<Remains> {
    let encrypts = product.contract.sensitive_columns.iter().any(|column| column.mask == Some(MaskRule::Encrypt));
    let remask = format!("until `mesh remask {}`", name(product));
    match rules.subject() {
        None if encrypts => Some(Remains::new(
            name(product),
            "its contract names no subject: what it encrypts is under the product's key",
            "name one, then `mesh remask`",
        )),
        Some(subject) if product.revision > 1 => Some(Remains::new(
            name(product),
            format!("values encrypted under an earlier revision that did not name {subject} as the subject"),
            remask,
        )),
        _ => None,
    }
}

fn derived(forgettable: &Forgettable<'_>) -> Vec<Remains> {
    let own = &forgettable.product.contract;
    let reads = |other: &&&AppliedProduct| {
        other.contract.dependencies.iter().any(|dependency| dependency.product == own.product())
    };
    let said = |other: &AppliedProduct| {
        let hint = match &other.contract.subject {
            Some(_) => format!("`mesh forget {}` as well", name(other)),
            None => "it names no subject: its owner has to say".to_owned(),
        };
        Remains::new(name(other), "derived from this product: what it took over", hint)
    };
    forgettable.all.iter().filter(reads).map(|other| said(other)).collect()
}

/// How long a topic keeps what it holds.
async fn kept(admin: &Admin, topic: &str) -> Result<String, ForgetError> {
    match admin.config(topic).await {
        Ok(config) => {
            let value = |key: &str| config.get(key).map_or("", String::as_str);
            Ok(shown_retention(value("cleanup.policy"), value("retention.ms")))
        }
        Err(error) if error.kind() == ErrorKind::UnknownTopic => Ok("there is no such topic".to_owned()),
        Err(error) => Err(ForgetError::Look(error)),
    }
}

fn shown_retention(policy: &str, retention_ms: &str) -> String {
    let limit = retention_ms.parse::<i64>().ok().filter(|ms| *ms >= 0 && policy.contains("delete"));
    let newer = policy.contains("compact").then_some("until a newer event or a tombstone of its key, and compaction");
    let aged = limit.map(|ms| match (ms / DAY_MS, ms % DAY_MS) {
        (days, 0) if days > 0 => format!("for {days} days after it was written"),
        _ => format!("for {} seconds after it was written", ms / 1_000),
    });
    match (newer, aged) {
        (Some(newer), Some(aged)) => format!("{aged}, or {newer}"),
        (Some(newer), None) => newer.to_owned(),
        (None, Some(aged)) => aged,
        (None, None) => "for ever: nothing deletes it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_topic_keeps_what_it_holds() {
        let newer = "until a newer event or a tombstone of its key, and compaction";
        assert_eq!(shown_retention("compact", "604800000"), newer);
        assert_eq!(shown_retention("compact,delete", "-1"), newer);
        assert_eq!(shown_retention("delete", "604800000"), "for 7 days after it was written");
        assert_eq!(shown_retention("delete", "5000"), "for 5 seconds after it was written");
        assert_eq!(
            shown_retention("compact,delete", "86400000"),
            format!("for 1 days after it was written, or {newer}")
        );
        assert_eq!(shown_retention("delete", "-1"), "for ever: nothing deletes it");
    }
}
