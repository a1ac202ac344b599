//! A topic as a contract and a schema, each line with where it is from. Pure.

use super::said::{Said, Weight, file};
use super::select::Target;
use super::source::{Source, Who};
use super::{history, rate, sensitive};
use crate::new_files::NewFile;
use crate::tree::TOPICS;
use mesh_avro::schema::SchemaError;
use mesh_avro::sensitivity::SensitiveNames;
use mesh_contract::topic::{RESERVED_DOMAIN, input_topic};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A product that a topic becomes.
pub(super) struct Draft<'a> {
    pub(super) source: &'a Source,
    pub(super) target: &'a Target,
    pub(super) unique_id: Uuid,
    pub(super) names: &'a SensitiveNames,
    pub(super) now_ms: i64,
}

impl Draft<'_> {
    /// The contract's path: a version after the first has its number in it.
    pub(super) fn contract_file(target: &Target) -> String {
        let version = if target.major == 1 { String::new() } else { format!("@{}", target.major) };
        format!("{TOPICS}/{}/{}{version}.yaml", target.product.domain, target.product.name)
    }

    fn schema_file(&self) -> String {
        let Target { product, major, .. } = self.target;
        let version = if *major == 1 { String::new() } else { format!("-v{major}") };
        format!("schemas/{}/{}{version}.avsc", product.domain, product.name)
    }

    /// The contract, as what is said in it and as a file.
    pub(super) fn contract(&self) -> (Vec<Said>, NewFile) {
        let said = self.said();
        let head = format!(
            "Imported from the topic {} by `mesh import`. Each line says where it is from: a guess may be wrong, and what is marked TODO \
             only a person knows. `mesh check` checks this file, docs/contract.md has every key.",
            self.source.topic
        );
        let text = file(&head, &said);
        (said, NewFile { name: Self::contract_file(self.target), text })
    }

    /// The schema as it is registered; with all that it refers to in one file, where it refers to others.
    ///
    /// # Errors
    /// In one file it would nest too deep.
    pub(super) fn schema(&self) -> Result<NewFile, SchemaError> {
        let (schema, registered) = (&self.source.schema, &self.source.registered);
        let whole = if registered.references.is_empty() { schema.json().clone() } else { schema.whole()? };
        Ok(NewFile { name: self.schema_file(), text: format!("{whole:#}\n") })
    }

    fn said(&self) -> Vec<Said> {
        let (source, target) = (self.source, self.target);
        let key = source.look.keys.said(source.look.failed.as_deref(), source.key.as_deref());
        let keyed = !key.yaml.starts_with('#');
        // a topic whose settings do not tell is left out before
        let history = history::of(&source.state.settings, keyed);
        let said = [
            Some(Said::seen("unique_id", &self.unique_id.to_string(), "never changes, also across versions")),
            Some(Said::seen("owner", &target.product.domain, "")),
            Some(Said::seen("name", &target.product.name, "")),
            Some(Said::seen("version", &target.major.to_string(), "")),
            Some(self.description()),
            Some(Said::seen("schema", &self.schema_file(), self.schema_from())),
            Some(key),
            Some(self.compatibility()),
            Some(rate::of(&source.look, self.now_ms)),
            Some(history.unwrap_or_else(|| Said::todo("history", "7 days", "how long are events kept?"))),
            Some(Said::seen("partitions", &source.state.partitions.to_string(), "as the topic has")),
            self.replication(),
            Some(sensitive::of(&source.schema, self.names)),
            Some(self.access()),
        ];
        said.into_iter().flatten().collect()
    }

    fn description(&self) -> Said {
        let schema = &self.source.schema;
        match schema.node(schema.root()).doc.as_deref().map(str::trim).filter(|doc| !doc.is_empty()) {
            Some(doc) => Said::seen("description", &Value::from(doc).to_string(), "the schema's doc"),
            None => Said::todo("description", "\"TODO: what one record means\"", "what does one record mean?"),
        }
    }

    fn schema_from(&self) -> String {
        let (id, version) = (self.source.registered.id, self.source.version);
        let from = format!("version {version} of {}, id {id}", mesh_contract::value_subject(&self.source.topic));
        match self.source.registered.references.len() {
            0 => from,
            1 => format!("{from}, and the schema that it refers to"),
            count => format!("{from}, and the {count} schemas that it refers to"),
        }
    }

    fn compatibility(&self) -> Said {
        let (level, is_own) = self.source.level;
        let why =
            if is_own { "the subject's own level" } else { "the registry's level: the subject has none of its own" };
        Said::seen("compatibility", &level.to_string().to_lowercase(), why)
    }

    /// Said where it is not what any topic of the cluster has.
    fn replication(&self) -> Option<Said> {
        let (is, default) = (self.source.state.replication, self.source.replication);
        let why = match default {
            Some(default) if default == is => return None,
            Some(default) => format!("as the topic has; the cluster's default is {default}"),
            None => "as the topic has; the cluster's default may not be seen".to_owned(),
        };
        Some(Said::seen("replication", &is.to_string(), why))
    }

    /// Nobody, until somebody is let: who reads the topic reads it in clear.
    fn access(&self) -> Said {
        let now = match &self.source.readers {
            Who::Unseen => "Kafka's rules may not be seen, so that it is not known who reads the topic now".to_owned(),
            Who::Ruleless => {
                "the cluster has no access rules on topics: where it asks nobody who they are, whoever reaches it reads the topic itself".to_owned()
            }
            Who::Known(readers) if readers.is_empty() => "no rule of Kafka's lets anybody read the topic".to_owned(),
            Who::Known(readers) => format!("the topic itself may be read by {}", listed(readers)),
        };
        Said::todo("access_group", "[]", format!("which groups may read the masked view, such as [analysts]? {now}"))
    }

    /// What comes next for who writes and reads the topic.
    pub(super) fn next(&self) -> String {
        let port = input_topic(&self.target.product, self.target.major);
        if self.target.is_port {
            return format!(
                "`mesh apply --adopt {port}` takes the topic as it is, with the settings that the contract asks for"
            );
        }
        format!(
            "{} stays as it is, and Kafka renames no topic: `mesh apply` makes {port}; have producers write there, copy what is to be kept, \
             move readers to {}, and retire it when nobody reads it any more (docs/operations.md)",
            self.source.topic,
            mesh_contract::topic::output_topic(&self.target.product, self.target.major, mesh_contract::MASKED_VIEW),
        )
    }
}

/// A domain that has no file yet. `writers` may write the topics that become its products.
pub(super) fn domain(domain: &str, writers: &Who) -> (Vec<Said>, NewFile) {
    let (producers, others) = producers(writers);
    let said = vec![
        Said::seen("domain", domain, ""),
        Said::todo(
            "description",
            "\"TODO: what this domain is about\"",
            "what is this domain about, in a sentence or two?",
        ),
        Said::todo(
            "team",
            &format!("{{ name: {domain}, contact: \"TODO: who is asked, and who is paged\" }}"),
            "who owns it?",
        ),
        match (producers.is_empty(), writers) {
            (false, _) => Said::guess(
                "producers",
                &flow(&producers),
                format!("who may write its topics by Kafka's rules now{others}"),
            ),
            (true, writers) => {
                let why = match writers {
                    Who::Unseen => "Kafka's rules may not be seen".to_owned(),
                    Who::Ruleless => "the cluster has no access rules on topics".to_owned(),
                    Who::Known(_) => format!("no rule of Kafka's names a principal{others}"),
                };
                Said::absent(
                    "producers",
                    &format!("[User:{domain}-service]"),
                    Weight::Todo,
                    format!("who writes its topics? {why}"),
                )
            }
        },
    ];
    let head =
        "A domain: a bounded context with one owning team. Begun by `mesh import`; docs/contract.md has every key.";
    let text = file(head, &said);
    (said, NewFile { name: format!("{TOPICS}/{domain}/domain.yaml"), text })
}

/// Who can be named as a producer, and what is to be said of the others.
pub(super) fn producers(writers: &Who) -> (Vec<String>, String) {
    let Who::Known(writers) = writers else { return (Vec::new(), String::new()) };
    let own = format!("User:{RESERVED_DOMAIN}-");
    let is_one = |principal: &&String| {
        let name = principal.strip_prefix("User:");
        name.is_some_and(|name| !matches!(name, "" | "*")) && !principal.starts_with(&own)
    };
    let (named, others): (Vec<&String>, Vec<&String>) = writers.iter().partition(is_one);
    let others: BTreeSet<String> = others.into_iter().filter(|other| !other.starts_with(&own)).cloned().collect();
    let told = if others.is_empty() { String::new() } else { format!("; left out: {}", listed(&others)) };
    (named.into_iter().cloned().collect(), told)
}

fn flow(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| Value::from(text.as_str()).to_string()).collect();
    format!("[{}]", texts.join(", "))
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
