//! What a plan consists of: changes as values, in the order in which they are safe.

use mesh_client::lineage::KafkaCluster;
use mesh_contract::acl::Acl;
use mesh_contract::{AppliedProduct, Compatibility, Domain, Limit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::apply) enum Change {
    /// Takes an access rule back.
    Revoke { rule: Acl },
    /// Adds an access rule.
    Grant { rule: Acl },
    /// Makes a topic.
    CreateTopic {
        topic: String,
        /// None: the cluster's default.
        partitions: Option<u32>,
        /// None: the cluster's default.
        replication: Option<u16>,
        settings: BTreeMap<String, String>,
        /// The key of the product that it is claimed for, if it is one's.
        product: Option<String>,
    },
    /// Gives a topic more partitions.
    AddPartitions { topic: String, from: u32, to: u32, port: Port },
    /// Changes settings of a topic; the others stay as they are.
    Configure { topic: String, settings: Vec<SettingChange>, port: Port },
    /// Holds a subject to a level.
    SetLevel { subject: String, from: Option<Compatibility>, to: Compatibility },
    /// Registers a schema.
    Register {
        subject: String,
        schema: Value,
        /// The types that it uses of other subjects, which are named like them and have their wanted versions by then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        references: Vec<String>,
    },
    /// Publishes a domain.
    PublishDomain { domain: Box<Domain> },
    /// Writes down what the cluster is called in lineage.
    NameCluster { key: String, cluster: KafkaCluster },
    /// Publishes a product, in the revision that it has here; when, is said when it is done.
    PublishProduct { product: Box<AppliedProduct>, is_new: bool },
    /// Limits what a principal may take; its other limits stay as they are.
    Limit { principal: String, limits: Vec<LimitChange> },
    /// Takes away what a principal was limited to, of which no domain speaks any more.
    Release { principal: String, limits: Vec<LimitChange> },
    /// Deletes a topic.
    DeleteTopic { topic: String },
}

/// Which end of the sidecar a topic is: what is written first must have room there last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::apply) enum Port {
    /// A topic of the backbone, an output port, or a quarantine.
    Other,
    /// An input port.
    Input,
}

/// A setting of a topic, as it is and as it will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::apply) struct SettingChange {
    pub(in crate::apply) setting: String,
    /// As it is in force; none if Kafka does not tell.
    pub(in crate::apply) from: Option<String>,
    /// None: the cluster's default.
    pub(in crate::apply) to: Option<String>,
}

/// A limit of a principal as it is and as it will be, as Kafka counts it; none: there is no such limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::apply) struct LimitChange {
    pub(in crate::apply) limit: Limit,
    pub(in crate::apply) from: Option<f64>,
    pub(in crate::apply) to: Option<f64>,
}

/// A change, as a line of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::apply) struct Row {
    pub(in crate::apply) action: &'static str,
    pub(in crate::apply) kind: &'static str,
    pub(in crate::apply) name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::apply) details: Vec<String>,
}

impl Change {
    /// When it is done: changes of one stage are done together. Rules come before the topics that they are about, so that
    /// nobody else ever sees these open; outputs have room before their input has; a level is loosened before a schema is
    /// registered and tightened after; a contract in force is published before its schemas, which the registry holds to it,
    /// and a new one last, so that whoever learns of it finds its topics and schemas. What a domain says of quotas is published
    /// before they are set and after they are gone, so that it is known whose they are wherever an apply ends.
    pub(in crate::apply) fn stage(&self) -> u8 {
        match self {
            Self::Revoke { .. } => 0,
            Self::Grant { .. } => 1,
            Self::CreateTopic { .. } => 2,
            Self::AddPartitions { port: Port::Other, .. } => 3,
            Self::AddPartitions { port: Port::Input, .. } => 4,
            Self::Configure { port: Port::Other, .. } => 5,
            Self::Configure { port: Port::Input, .. } => 6,
            Self::SetLevel { from, to, .. } if is_loosened(*from, *to) => 7,
            Self::Release { .. } => 8,
            Self::PublishDomain { .. } | Self::NameCluster { .. } | Self::PublishProduct { is_new: false, .. } => 9,
            Self::Limit { .. } => 10,
            Self::Register { .. } => 11,
            Self::SetLevel { .. } => 12,
            Self::PublishProduct { is_new: true, .. } => 13,
            Self::DeleteTopic { .. } => 14,
        }
    }

    /// The topic that it makes or changes.
    pub(in crate::apply) fn topic(&self) -> Option<&str> {
        match self {
            Self::CreateTopic { topic, .. }
            | Self::AddPartitions { topic, .. }
            | Self::Configure { topic, .. }
            | Self::DeleteTopic { topic } => Some(topic),
            _ => None,
        }
    }

    /// What is done by the changes of its stage, for whoever watches.
    pub(in crate::apply) fn words(&self, count: usize) -> String {
        let things = |one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        match self {
            Self::Revoke { .. } => format!("take back {}", things("access rule", "access rules")),
            Self::Grant { .. } => format!("add {}", things("access rule", "access rules")),
            Self::CreateTopic { .. } => format!("create {}", things("topic", "topics")),
            Self::AddPartitions { .. } => format!("add partitions to {}", things("topic", "topics")),
            Self::Configure { .. } => format!("configure {}", things("topic", "topics")),
            Self::SetLevel { from, to, .. } if is_loosened(*from, *to) => {
                format!("set the level of {}", things("subject", "subjects"))
            }
            Self::SetLevel { .. } => format!("tighten the level of {}", things("subject", "subjects")),
            Self::Register { .. } => format!("register {}", things("schema", "schemas")),
            Self::PublishDomain { .. } | Self::NameCluster { .. } | Self::PublishProduct { is_new: false, .. } => {
                format!("publish {}", things("change of the catalogue", "changes of the catalogue"))
            }
            Self::PublishProduct { .. } => format!("publish {}", things("new product", "new products")),
            Self::Limit { .. } => format!("limit {}", things("principal", "principals")),
            Self::Release { .. } => format!("take back {}", things("quota", "quotas")),
            Self::DeleteTopic { .. } => format!("delete {}", things("topic", "topics")),
        }
    }

    /// The change as a line of a report.
    pub(in crate::apply) fn row(&self) -> Row {
        let row = |action, kind, name: String, details| Row { action, kind, name, details };
        match self {
            Self::Revoke { rule } => row("revoke", "rule", rule.to_string(), Vec::new()),
            Self::Grant { rule } => row("grant", "rule", rule.to_string(), Vec::new()),
            Self::CreateTopic { topic, partitions, replication, settings, .. } => {
                let partitions = partitions.map(|count| format!("partitions = {count}"));
                let replication = replication.map(|count| format!("replication = {count}"));
                let settings = settings.iter().map(|(setting, value)| format!("{setting} = {value}"));
                let details = partitions.into_iter().chain(replication).chain(settings).collect();
                row("create", "topic", topic.clone(), details)
            }
            Self::AddPartitions { topic, from, to, .. } => {
                row("change", "topic", topic.clone(), vec![format!("partitions: {from} -> {to}")])
            }
            Self::Configure { topic, settings, .. } => {
                row("change", "topic", topic.clone(), settings.iter().map(SettingChange::text).collect())
            }
            Self::SetLevel { subject, from, to } => {
                let from = from.map_or_else(|| "the registry's".to_owned(), |level| level.to_string());
                row("change", "subject", subject.clone(), vec![format!("level: {from} -> {to}")])
            }
            Self::Register { subject, references, .. } => {
                let uses = references.iter().map(|name| format!("uses {name}")).collect();
                row("register", "subject", subject.clone(), uses)
            }
            Self::PublishDomain { domain } => row("publish", "domain", domain.domain.clone(), Vec::new()),
            Self::NameCluster { cluster, .. } => row("publish", "cluster", cluster.namespace.to_string(), Vec::new()),
            Self::PublishProduct { product, .. } => {
                let name = format!("{}@{}", product.contract.product(), product.contract.version);
                row("publish", "product", name, vec![format!("revision {}", product.revision)])
            }
            Self::Limit { principal, limits } => {
                row("change", "quota", principal.clone(), limits.iter().map(LimitChange::text).collect())
            }
            Self::Release { principal, limits } => {
                row("delete", "quota", principal.clone(), limits.iter().map(LimitChange::text).collect())
            }
            Self::DeleteTopic { topic } => row("delete", "topic", topic.clone(), Vec::new()),
        }
    }
}

/// Whether all that a level asks for was asked for before; a subject without a level of its own is new to the mesh.
fn is_loosened(from: Option<Compatibility>, to: Compatibility) -> bool {
    from.is_none_or(|from| from.and(to) == from)
}

impl SettingChange {
    /// `retention.ms: 604800000 -> 86400000`
    pub(in crate::apply) fn text(&self) -> String {
        let from = self.from.as_deref().unwrap_or("unknown");
        let to = self.to.as_deref().unwrap_or("the cluster's default");
        format!("{}: {from} -> {to}", self.setting)
    }
}

impl LimitChange {
    /// `produce: none -> 10 MB/s`
    pub(in crate::apply) fn text(&self) -> String {
        let text = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| self.limit.text(value));
        format!("{}: {} -> {}", self.limit.name(), text(self.from), text(self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_asks_for_something_new_is_tightened() {
        use Compatibility::{Backward, BackwardTransitive, Forward, Full, None as Nothing};
        for (from, to, is) in [
            (None, Full, true),
            (Some(Full), Backward, true),
            (Some(BackwardTransitive), Backward, true),
            (Some(Backward), Nothing, true),
            (Some(Backward), BackwardTransitive, false),
            (Some(Backward), Forward, false),
            (Some(Nothing), Backward, false),
        ] {
            assert_eq!(is_loosened(from, to), is, "{from:?} {to:?}");
        }
    }
}
