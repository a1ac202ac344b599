//! As whom each part of the backbone speaks to Kafka.

use super::Cluster;
use crate::apply::Wanted;
use crate::failure::Failure;
use crate::tree::WorkingTree;
use mesh_contract::acl::{AclTable, Part, backbone};
use mesh_kafka::Settings;
use mesh_kafka::admin::Admin;
use mesh_kafka::embedded::{EmbeddedKafka, User};
use mesh_masking::Duty;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// As whom each part of the backbone speaks to Kafka: each as itself, or all as one.
#[derive(Debug, Clone)]
pub struct Principals {
    everybody: Settings,
    own: BTreeMap<Part, Settings>,
    /// The files that let other clients in, by user; on a Kafka that asks nobody, none.
    pub files: BTreeMap<String, PathBuf>,
    /// The operator's.
    pub operator_file: Option<PathBuf>,
}

impl Principals {
    /// All parts as one.
    pub fn one(settings: Settings) -> Self {
        Self { everybody: settings, own: BTreeMap::new(), files: BTreeMap::new(), operator_file: None }
    }

    /// On a secured Kafka of our own, a user for each part, each producer and each member that the contracts name, with what
    /// they say these may do. On another cluster, all as one.
    ///
    /// # Errors
    /// Kafka does not take the users or the rules.
    pub async fn of(cluster: &Cluster, tree: Option<&WorkingTree>, wanted: Option<&Wanted>) -> Result<Self, Failure> {
        match cluster {
            Cluster::Embedded(kafka) if kafka.operator().is_some() => Self::make(kafka, tree, wanted).await,
            _ => Ok(Self::one(cluster.settings())),
        }
    }

    async fn make(kafka: &EmbeddedKafka, tree: Option<&WorkingTree>, wanted: Option<&Wanted>) -> Result<Self, Failure> {
        let (parts, names) = (parts(tree), Self::users(tree, wanted));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let added = kafka.add_users(&names).await.map_err(|error| {
            let hint = error.hint();
            Failure::unreachable("cannot add the users of the secured Kafka").because(error).hint(hint)
        })?;
        let operator = Admin::new(&kafka.settings()).map_err(not_allowed)?;
        // all of it, before the services start: who may write nothing at all is not let in as a producer
        allow(&operator, &wanted.map_or_else(backbone, |wanted| wanted.table.clone())).await?;
        let users: BTreeMap<&str, &User> = added.iter().map(|user| (user.name.as_str(), user)).collect();
        let settings = |part: &Part| users.get(part.user().as_str()).map(|user| user.settings.clone());
        Ok(Self {
            everybody: kafka.settings(),
            own: parts.into_iter().filter_map(|part| Some((part.clone(), settings(&part)?))).collect(),
            files: added.iter().map(|user| (user.name.clone(), user.file.clone())).collect(),
            operator_file: kafka.operator().map(|user| user.file.clone()),
        })
    }

    /// The names of all users that a secured Kafka has for these contracts, besides its operator.
    pub fn users(tree: Option<&WorkingTree>, wanted: Option<&Wanted>) -> BTreeSet<String> {
        let others = wanted.into_iter().flat_map(|wanted| &wanted.table);
        let others = others.filter_map(|acl| acl.principal.strip_prefix("User:")).map(str::to_owned);
        parts(tree).iter().map(Part::user).chain(others).collect()
    }

    /// As whom this part speaks.
    pub fn part(&self, part: &Part) -> &Settings {
        self.own.get(part).unwrap_or(&self.everybody)
    }

    /// As whom whoever runs the command speaks: the operator.
    pub fn operator(&self) -> &Settings {
        &self.everybody
    }

    /// The domains whose sidecars have a principal of their own, with how they speak; none if all parts are one.
    pub fn sidecars(&self, duty: Duty) -> impl Iterator<Item = (&str, &Settings)> {
        self.own.iter().filter_map(move |(part, settings)| match (part, duty) {
            (Part::Masking(domain), Duty::Mask) | (Part::Feed(domain), Duty::Feed) => Some((domain.as_str(), settings)),
            _ => None,
        })
    }

    /// The folder of the files that let other clients in.
    pub fn folder(&self) -> Option<&Path> {
        self.operator_file.as_deref().and_then(Path::parent)
    }
}

/// Allows what a table says; it holds when this returns. Nothing is taken back.
///
/// # Errors
/// Kafka does not take the rules.
pub async fn allow(operator: &Admin, table: &AclTable) -> Result<(), Failure> {
    operator.grant(table).await.map_err(not_allowed)
}

fn not_allowed(error: mesh_kafka::Error) -> Failure {
    Failure::unreachable("cannot allow the backbone what it needs")
        .because(error)
        .hint("be the operator, or a principal that may Alter the cluster (--kafka-config)")
}

/// The parts that a backbone of these contracts has.
fn parts(tree: Option<&WorkingTree>) -> Vec<Part> {
    let domains: BTreeSet<&String> =
        tree.into_iter().flat_map(|tree| &tree.products).map(|product| &product.contract.value.owner).collect();
    let sidecars = domains.into_iter().cloned().map(Part::Masking);
    let contracts = tree.into_iter().flat_map(|tree| &tree.products).map(|product| &product.contract.value);
    let fed: BTreeSet<&String> = contracts.filter(|it| it.fed_by.is_some()).map(|it| &it.owner).collect();
    let feeds = fed.into_iter().cloned().map(Part::Feed);
    [Part::Registry, Part::Freshness, Part::Lineage, Part::Apply, Part::Audit, Part::Access, Part::Plan]
        .into_iter()
        .chain(sidecars)
        .chain(feeds)
        .collect()
}
