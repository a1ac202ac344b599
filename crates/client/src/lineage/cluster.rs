//! The one name of a Kafka cluster, whichever of its brokers was named to reach it.
//!
//! Brokers come and go, and each has several addresses. So the first `mesh apply` on a cluster writes down, on
//! `mesh.products` and by the cluster's id, what the cluster is called from then on; other addresses that it was seen at
//! are kept beside it, and stand in the `symlinks` facet of its topics.

use mesh_kafka::admin::Admin;
use mesh_kafka::{Error, Settings};
use serde::{Deserialize, Serialize};

use super::event::Dataset;
use super::facet::{Identifier, Symlinks};
use super::name::KafkaNamespace;
use crate::catalogue::Catalogue;

/// The most addresses that are kept beside a cluster's name.
pub const ALIASES_MAX: usize = 32;

/// What a cluster is called, and what else it might be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KafkaCluster {
    /// The namespace of its topics.
    pub namespace: KafkaNamespace,
    /// Other spellings, in alphabetical order.
    #[serde(default)]
    pub aliases: Vec<KafkaNamespace>,
}

impl KafkaCluster {
    /// The key on `mesh.products` of what a cluster is called.
    pub fn key(cluster_id: &str) -> String {
        format!("cluster/{cluster_id}/{KEY_END}")
    }

    /// The cluster's id, if the key is one of [`KafkaCluster::key`].
    pub fn id_in(key: &str) -> Option<&str> {
        key.strip_prefix("cluster/")?.strip_suffix(KEY_END)?.strip_suffix('/')
    }

    /// What a cluster is called that nobody has named yet: after the bootstrap servers, or else after its brokers.
    pub fn new(bootstrap_servers: &str, brokers: &[String]) -> Self {
        let named = Self::from(KafkaNamespace::of(bootstrap_servers));
        named.also_at(bootstrap_servers, brokers)
    }

    /// The same, with these addresses beside its name.
    #[must_use]
    pub fn also_at(mut self, bootstrap_servers: &str, brokers: &[String]) -> Self {
        let servers = KafkaNamespace::all_of(bootstrap_servers).into_iter();
        for alias in servers.chain(brokers.iter().map(|broker| KafkaNamespace::of_server(broker))) {
            if alias != self.namespace && !self.aliases.contains(&alias) && self.aliases.len() < ALIASES_MAX {
                self.aliases.push(alias);
            }
        }
        self.aliases.sort();
        self
    }

    /// What the cluster is called that these settings lead to: as written down in the catalogue, or else after the
    /// bootstrap servers.
    pub async fn named_in(catalogue: &Catalogue, kafka: &Settings) -> Result<Self, Error> {
        let id = Admin::new(kafka)?.cluster_id().await?;
        Ok(catalogue.cluster(&id).map_or_else(|| Self::new(kafka.bootstrap(), &[]), Self::clone))
    }

    /// Whether a namespace is this cluster's, by any of its names.
    pub fn is_called(&self, namespace: &str) -> bool {
        namespace == self.namespace.as_str() || self.aliases.iter().any(|alias| alias.as_str() == namespace)
    }

    /// A topic of the cluster.
    pub fn topic(&self, topic: &str) -> Dataset {
        let dataset = Dataset::topic(&self.namespace, topic);
        if self.aliases.is_empty() {
            return dataset;
        }
        let identifier = |alias: &KafkaNamespace| Identifier {
            namespace: alias.to_string(),
            name: topic.to_owned(),
            kind: "TOPIC".to_owned(),
        };
        dataset.with(&Symlinks { identifiers: self.aliases.iter().map(identifier).collect() })
    }
}

/// A cluster that is called by one name only.
impl From<KafkaNamespace> for KafkaCluster {
    fn from(namespace: KafkaNamespace) -> Self {
        Self { namespace, aliases: Vec::new() }
    }
}

const KEY_END: &str = "lineage";

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers(addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn its_name_stays_and_other_addresses_are_kept_beside_it() {
        let first = KafkaCluster::new("b2:9092,b1:9092", &brokers(&["B1:9092", "10.0.0.1:9092"]));
        assert_eq!(first.namespace.as_str(), "kafka://b1:9092");
        let aliases = |cluster: &KafkaCluster| cluster.aliases.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(aliases(&first), ["kafka://10.0.0.1:9092", "kafka://b2:9092"]);

        let later = first.clone().also_at("a0:9092", &brokers(&["b1:9092"]));
        assert_eq!(later.namespace, first.namespace, "an address before it in the alphabet changes nothing");
        assert_eq!(aliases(&later), ["kafka://10.0.0.1:9092", "kafka://a0:9092", "kafka://b2:9092"]);
        assert!(later.is_called("kafka://a0:9092") && later.is_called("kafka://b1:9092"));
        assert!(!later.is_called("kafka://else:9092"));
    }

    #[test]
    fn addresses_are_bounded() {
        let many: Vec<String> = (0..1_000).map(|n| format!("b{n}:9092")).collect();
        assert_eq!(KafkaCluster::new("a:9092", &many).aliases.len(), ALIASES_MAX);
    }

    #[test]
    fn its_key_names_it() {
        let key = KafkaCluster::key("MkU3OEVBNTcwNTJENDM2Qk");
        assert_eq!(KafkaCluster::id_in(&key), Some("MkU3OEVBNTcwNTJENDM2Qk"));
        for other in ["cluster/x", "cluster/lineage", "domain/crm", "7c9e6679/1/lineage"] {
            assert_eq!(KafkaCluster::id_in(other), None, "{other}");
        }
    }
}
