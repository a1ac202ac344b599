//! A cluster and a registry as they are, as far as a plan is concerned.

mod facts;
mod published;
mod quotas;
mod subjects;
mod topics;

use super::scope::Scope;
use super::{refused, registry::Registry};
use crate::failure::Failure;
use crate::readership;
use mesh_contract::acl::{AclTable, Operation};
use mesh_kafka::admin::{Admin, ClusterState, Rights, TopicState};
use mesh_kafka::{ErrorKind, Settings};
use std::collections::{BTreeMap, BTreeSet};

pub(super) use facts::{Facts, fingerprint, is_registered, moved, published, quota_fact};
pub(super) use published::{Entry, Published, claim_key};
pub(super) use quotas::Limits;
pub(super) use subjects::SubjectState;

/// Kafka's default, for a cluster that does not tell its own.
const RECORD_BYTES_DEFAULT: u64 = 1_048_588;

/// A cluster and a registry as they are.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// The cluster's id.
    pub(super) cluster_id: String,
    /// The addresses that its brokers tell of themselves.
    pub(super) addresses: Vec<String>,
    /// Its brokers and topics.
    pub(super) cluster: ClusterState,
    /// The topics that matter and are there.
    pub(super) topics: BTreeMap<String, TopicState>,
    /// How large a record may be in a topic that says nothing about it.
    pub(super) record_bytes: u64,
    /// What is on `mesh.products`.
    pub(super) published: Published,
    /// The subjects of the products' ports.
    pub(super) subjects: BTreeMap<String, SubjectState>,
    /// The cluster's access rules; none if it asks nobody who they are, or if they are to be left alone.
    pub(super) rights: Option<Rights>,
    /// What the principals are limited to that are, or were, to have a quota, and have one.
    pub(super) quotas: BTreeMap<String, Limits>,
    /// What one may do with the cluster itself.
    pub(super) allowed: BTreeSet<Operation>,
    /// What one may do with the topics that matter and are there.
    pub(super) allowed_on: BTreeMap<String, BTreeSet<Operation>>,
    /// Why topics that are to be deleted must stay: by topic, who reads them.
    pub(super) read: BTreeMap<String, Vec<String>>,
}

impl Observed {
    /// Looks at everything in scope, and at the topics that the mesh owns.
    ///
    /// # Errors
    /// Kafka or the registry cannot be reached, or refuses.
    pub(super) async fn look(
        kafka: &Settings,
        admin: &Admin,
        registry: &Registry,
        scope: &Scope,
    ) -> Result<Self, Failure> {
        let failed = |error| refused("cannot look at the cluster", error);
        let cluster = admin.cluster().await.map_err(failed)?;
        let published = Published::read(kafka, &cluster).await?;
        let mut names = scope.topics.clone();
        names.extend(published.owned());
        let there: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| cluster.topics.contains_key(*name)).collect();
        let rights = rights(admin, scope).await?;
        let (topics, allowed_on) = topics::look(kafka, admin, (&cluster, &there), (scope, rights.as_ref())).await?;
        Ok(Self {
            cluster_id: admin.cluster_id().await.map_err(failed)?,
            addresses: admin.brokers().await.map_err(failed)?,
            record_bytes: record_bytes(admin).await?,
            subjects: subjects::look(registry, scope, &published).await?,
            rights,
            quotas: quotas::look(admin, scope, &published).await?,
            allowed: admin.allowed_on_cluster().await.map_err(failed)?,
            allowed_on,
            read: read(kafka, admin, scope.deletions.iter().filter(|topic| topics.contains_key(*topic))).await?,
            cluster,
            topics,
            published,
        })
    }

    /// The rules that matter: those that are wanted, and all about topics of products.
    pub(super) fn rules(&self, scope: &Scope) -> AclTable {
        let (Some(rights), Some(wanted)) = (&self.rights, &scope.rights) else { return AclTable::new() };
        rights.table.iter().filter(|acl| wanted.concerns(acl)).cloned().collect()
    }
}

/// How large a record may be in a topic that says nothing about it.
async fn record_bytes(admin: &Admin) -> Result<u64, Failure> {
    let settings = admin.broker_settings().await.map_err(|error| refused("cannot look at a broker", error))?;
    let bytes = settings.as_ref().and_then(|settings| settings.get("message.max.bytes")?.parse().ok());
    Ok(bytes.unwrap_or(RECORD_BYTES_DEFAULT))
}

/// Why each of these topics must stay.
async fn read(
    kafka: &Settings,
    admin: &Admin,
    topics: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let read = readership::look(kafka, admin, topics).await;
    read.map_err(|error| refused("cannot tell who reads the topics that are to be deleted", error))
}

async fn rights(admin: &Admin, scope: &Scope) -> Result<Option<Rights>, Failure> {
    if scope.rights.is_none() {
        return Ok(None);
    }
    admin.rights().await.map_err(|error| match error.kind() {
        ErrorKind::Unauthorised => Failure::unreachable("cannot change who may do what at Kafka").because(error).hint(
            "be a principal that may Alter the cluster, or Describe it for a look (--kafka-config): mesh-apply, mesh-plan; --leave-access \
             leaves the rules to others",
        ),
        _ => refused("cannot look at who may do what at Kafka", error),
    })
}
