//! A topic as the cluster and the registry show it. Nothing is changed by looking.

use super::tail::{self, Look};
use crate::commands::product::{kafka_failure, registry_failure};
use crate::failure::Failure;
use mesh_avro::schema::{Kind, Schema};
use mesh_client::{RegisteredSchema, RegistryClient, RegistryError};
use mesh_contract::acl::{Operation, TopicRule};
use mesh_contract::{Compatibility, key_subject, value_subject};
use mesh_kafka::admin::{Admin, ClusterState, TopicState};
use mesh_kafka::{ErrorKind, Settings};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where is looked.
pub(super) struct Around {
    pub(super) kafka: Settings,
    pub(super) admin: Admin,
    pub(super) registry: RegistryClient,
    pub(super) cluster: ClusterState,
    rules: Rules,
    /// How many replicas a topic has that says nothing about it; none if that may not be seen.
    pub(super) replication: Option<u16>,
    /// How many of a topic's newest records are looked at.
    pub(super) records_max: usize,
    pub(super) now_ms: i64,
}

/// The cluster's rules on topics.
enum Rules {
    /// They may not be seen.
    Unseen,
    /// There are none: it asks nobody who they are, or lets in super users alone.
    None,
    Known(BTreeSet<TopicRule>),
}

/// Who may do something with a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// It may not be seen.
    Unseen,
    /// The cluster has no rules.
    Ruleless,
    /// These principals.
    Known(BTreeSet<String>),
}

/// A topic, with what its registry knows of it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) topic: String,
    pub(super) state: TopicState,
    /// How many replicas a topic has that says nothing about it.
    pub(super) replication: Option<u16>,
    pub(super) version: u32,
    pub(super) registered: Arc<RegisteredSchema>,
    pub(super) schema: Schema,
    /// The level in force, and whether it is the subject's own.
    pub(super) level: (Compatibility, bool),
    /// What the key's subject has, in words.
    pub(super) key: Option<String>,
    /// Who may read and write it by Kafka's rules.
    pub(super) readers: Who,
    pub(super) writers: Who,
    pub(super) look: Look,
}

impl Around {
    /// # Errors
    /// Kafka cannot be reached, or refuses.
    pub(super) async fn of(kafka: &Settings, registry: RegistryClient, records_max: usize) -> Result<Self, Failure> {
        let admin = Admin::new(kafka).map_err(kafka_failure)?;
        let settings = admin.broker_settings().await.map_err(kafka_failure)?;
        Ok(Self {
            kafka: kafka.clone(),
            cluster: admin.cluster().await.map_err(kafka_failure)?,
            rules: rules(&admin).await?,
            replication: settings.and_then(|settings| settings.get("default.replication.factor")?.parse().ok()),
            admin,
            registry,
            records_max,
            now_ms: jiff::Timestamp::now().as_millisecond(),
        })
    }

    /// Looks at a topic that is there; why it cannot be imported, where that shows.
    ///
    /// # Errors
    /// Kafka or the registry cannot be reached, or refuses.
    pub(super) async fn look(&self, topic: &str) -> Result<Result<Source, String>, Failure> {
        let described = match self.admin.describe(&self.cluster, &[topic]).await {
            Err(error) if error.kind() == ErrorKind::Unauthorised => {
                return Ok(Err("its settings may not be seen, so that nobody knows how long it keeps what: be let DescribeConfigs it".to_owned()));
            }
            described => described.map_err(kafka_failure)?,
        };
        let Some(state) = described.into_values().next() else { return Ok(Err("it is gone by now".to_owned())) };
        let subject = value_subject(topic);
        let version = match self.registry.latest(&subject).await {
            Ok(version) => version,
            Err(error @ (RegistryError::Refused { status: None, .. } | RegistryError::NotFound { .. })) => {
                return Ok(Err(error.to_string()));
            }
            Err(error) => return Err(registry_failure(error)),
        };
        let schema = match version.schema.parse() {
            Ok(schema) => schema,
            Err(error) => {
                return Ok(Err(format!("version {} of {subject} is not a valid schema: {error}", version.version)));
            }
        };
        if !matches!(schema.node(schema.root()).kind, Kind::Record { .. }) {
            return Ok(Err(format!("its schema is no record but {}", schema.node(schema.root()).kind.word())));
        }
        let asked = (self.records_max, self.now_ms);
        let look = tail::look(&self.kafka, &self.admin, &self.registry, (topic, &schema), asked).await;
        Ok(Ok(Source {
            look: look.map_err(kafka_failure)?,
            level: self.level(&subject).await?,
            key: self.key(topic).await?,
            readers: self.who(topic, Operation::Read),
            writers: self.who(topic, Operation::Write),
            topic: topic.to_owned(),
            state,
            replication: self.replication,
            version: version.version,
            registered: version.schema,
            schema,
        }))
    }

    async fn level(&self, subject: &str) -> Result<(Compatibility, bool), Failure> {
        if let Some(own) = self.registry.own_compatibility(subject).await.map_err(registry_failure)? {
            return Ok((own, true));
        }
        Ok((self.registry.compatibility(subject).await.map_err(registry_failure)?, false))
    }

    async fn key(&self, topic: &str) -> Result<Option<String>, Failure> {
        let version = match self.registry.latest(&key_subject(topic)).await {
            Ok(version) => version,
            Err(RegistryError::NotFound { .. } | RegistryError::Refused { status: None, .. }) => return Ok(None),
            Err(error) => return Err(registry_failure(error)),
        };
        Ok(version.schema.parse().ok().map(|schema| key_in_words(&schema)))
    }

    fn who(&self, topic: &str, operation: Operation) -> Who {
        match &self.rules {
            Rules::Unseen => Who::Unseen,
            Rules::None => Who::Ruleless,
            Rules::Known(rules) => Who::Known(allowed(rules, topic, operation)),
        }
    }
}

impl Who {
    /// Who may do it with this or with that.
    pub(super) fn or(self, other: &Who) -> Who {
        match (self, other) {
            (Who::Known(one), Who::Known(other)) => Who::Known(one.union(other).cloned().collect()),
            (Who::Known(_), other) => other.clone(),
            (own, _) => own,
        }
    }
}

/// # Errors
/// Kafka cannot be reached. That one may not see them is no error.
async fn rules(admin: &Admin) -> Result<Rules, Failure> {
    match admin.rights().await {
        Ok(Some(rights)) if !rights.topic_rules().is_empty() => Ok(Rules::Known(rights.topic_rules())),
        Ok(_) => Ok(Rules::None),
        Err(error) if error.kind() == ErrorKind::Unauthorised => Ok(Rules::Unseen),
        Err(error) => Err(kafka_failure(error)),
    }
}

fn key_in_words(schema: &Schema) -> String {
    match &schema.node(schema.root()).kind {
        Kind::Record { fields } => {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            format!("a record of {}", names.join(", "))
        }
        kind => format!("the type {}", kind.word()),
    }
}

/// Whom rules let do something with a topic from anywhere or somewhere, and none refuses it.
fn allowed(rules: &BTreeSet<TopicRule>, topic: &str, operation: Operation) -> BTreeSet<String> {
    let deciding: Vec<&TopicRule> = rules.iter().filter(|rule| rule.covers(topic) && rule.decides(operation)).collect();
    let is_refused =
        |principal: &str| deciding.iter().any(|rule| !rule.allows && rule.is_anywhere() && rule.concerns(principal));
    let allowed = deciding.iter().filter(|rule| rule.allows && !is_refused(&rule.principal));
    allowed.map(|rule| rule.principal.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(principal: &str, name: &str, prefixed: bool, allows: bool, operation: Option<Operation>) -> TopicRule {
        TopicRule {
            principal: principal.to_owned(),
            operation,
            name: name.to_owned(),
            prefixed,
            host: "*".to_owned(),
            allows,
        }
    }

    #[test]
    fn whom_rules_let_read_is_told_whatever_form_they_have() {
        let rules = [
            rule("User:ana", "orders", false, true, Some(Operation::Read)),
            rule("User:bi", "ord", true, true, Some(Operation::Read)),
            rule("User:admin", "*", false, true, None),
            rule("User:eve", "orders", false, true, Some(Operation::Read)),
            rule("User:eve", "orders", false, false, Some(Operation::Read)),
            rule("User:shop", "orders", false, true, Some(Operation::Write)),
            rule("User:else", "orders2", false, true, Some(Operation::Read)),
        ];
        let rules = rules.into();
        assert_eq!(Vec::from_iter(allowed(&rules, "orders", Operation::Read)), ["User:admin", "User:ana", "User:bi"]);
        assert_eq!(Vec::from_iter(allowed(&rules, "orders", Operation::Write)), ["User:admin", "User:shop"]);
    }
}
