//! Who may do what at Kafka: a table that follows from the contracts. Literal names only: no rule of one product reaches another's.

mod rule;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

pub use rule::TopicRule;
pub use table::{CONTROL_TOPICS, backbone, product, quotas, readers};

/// What a rule is about, by its literal name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "name", rename_all = "kebab-case")]
pub enum Resource {
    /// The cluster itself: making topics, changing rules.
    Cluster,
    /// A topic.
    Topic(String),
    /// A consumer group.
    Group(String),
    /// A transactional id.
    TransactionalId(String),
}

/// What is allowed, in Kafka's words. Reading, writing, deleting and altering include describing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Learn that it is there, its partitions and offsets.
    Describe,
    /// Learn its configuration.
    DescribeConfigs,
    /// Fetch its records; of a group: be a member, commit.
    Read,
    /// Append to it; of a transactional id: use it.
    Write,
    /// Make it; of the cluster: make topics.
    Create,
    /// Delete it, or its records.
    Delete,
    /// Change it; of the cluster: change who may do what.
    Alter,
    /// Change its configuration.
    AlterConfigs,
    /// Whatever there is to do with it. No rule of a contract says so: people's rules do.
    All,
}

/// A rule: this principal may do this, from any host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Acl {
    /// As Kafka names it: `User:crm-service`.
    pub principal: String,
    /// On what.
    pub resource: Resource,
    /// What.
    pub operation: Operation,
}

/// Rules, each once.
pub type AclTable = BTreeSet<Acl>;

/// The members of each group of the directory, as Kafka's principals. A group that it does not know has no members.
pub type Members = BTreeMap<String, BTreeSet<String>>;

/// The replicas of the masking sidecar: their names and threads are part of transactional ids, which rules name literally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecars {
    /// The replicas' names.
    pub replicas: Vec<String>,
    /// How many threads each has for a domain.
    pub tasks: usize,
}

impl Default for Sidecars {
    /// One replica with one thread, as a sidecar has them unless told otherwise.
    fn default() -> Self {
        Sidecars { replicas: vec!["0".to_owned()], tasks: 1 }
    }
}

/// A part of the backbone that has a principal of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The schema registry.
    Registry,
    /// The masking sidecars of a domain.
    Masking(String),
    /// What feeds a domain's versions from others.
    Feed(String),
    /// The freshness monitor.
    Freshness,
    /// The lineage service.
    Lineage,
    /// The audit's notary.
    Audit,
    /// `mesh apply`, which makes topics and these rules.
    Apply,
    /// What keeps the members' rules as the directory says.
    Access,
    /// Who looks and changes nothing, such as CI: `mesh plan`, `mesh drift`, `mesh access`.
    Plan,
}

impl Part {
    /// The name of its user at Kafka: `mesh-registry`, `mesh-masking-crm`.
    pub fn user(&self) -> String {
        match self {
            Part::Registry => "mesh-registry".to_owned(),
            Part::Masking(domain) => format!("mesh-masking-{domain}"),
            Part::Feed(domain) => format!("mesh-feed-{domain}"),
            Part::Freshness => "mesh-freshness".to_owned(),
            Part::Lineage => "mesh-lineage".to_owned(),
            Part::Audit => "mesh-audit".to_owned(),
            Part::Apply => "mesh-apply".to_owned(),
            Part::Access => "mesh-access".to_owned(),
            Part::Plan => "mesh-plan".to_owned(),
        }
    }

    /// Its principal: `User:mesh-registry`.
    pub fn principal(&self) -> String {
        format!("User:{}", self.user())
    }
}

impl Operation {
    /// Each that Kafka tells apart.
    pub const ALL: [Operation; 8] = [
        Operation::Describe,
        Operation::DescribeConfigs,
        Operation::Read,
        Operation::Write,
        Operation::Create,
        Operation::Delete,
        Operation::Alter,
        Operation::AlterConfigs,
    ];

    /// Whether it lets somebody read.
    pub fn is_reading(self) -> bool {
        matches!(self, Operation::Read | Operation::All)
    }

    /// As Kafka writes it.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Describe => "Describe",
            Operation::DescribeConfigs => "DescribeConfigs",
            Operation::Read => "Read",
            Operation::Write => "Write",
            Operation::Create => "Create",
            Operation::Delete => "Delete",
            Operation::Alter => "Alter",
            Operation::AlterConfigs => "AlterConfigs",
            Operation::All => "All",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Cluster => f.write_str("the cluster"),
            Resource::Topic(name) => write!(f, "topic {name}"),
            Resource::Group(name) => write!(f, "group {name}"),
            Resource::TransactionalId(name) => write!(f, "transactional id {name}"),
        }
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = match self.operation {
            Operation::All => "do anything with",
            operation => operation.name(),
        };
        write!(f, "{} may {operation} {}", self.principal, self.resource)
    }
}

#[cfg(test)]
mod tests;
