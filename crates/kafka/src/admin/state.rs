//! Topics as they are, single settings changed, and what this client may do.

use std::collections::{BTreeMap, BTreeSet};

use mesh_contract::acl::Operation;
use rdkafka::admin::{ConfigSource, ResourceSpecifier};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::rights::operation_of;
use super::topics::configuration_of;
use super::{Admin, REQUEST_TIMEOUT, native, options};
use crate::blocking::run as blocking;
use crate::{Error, ErrorKind};

/// So many resources are described in one request.
const RESOURCES_PER_REQUEST: usize = 500;

/// A topic as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicState {
    /// How many partitions it has.
    pub partitions: u32,
    /// How many replicas the partition has that has the fewest.
    pub replication: u16,
    /// Its settings as they are in force, defaults included.
    pub settings: BTreeMap<String, String>,
    /// The names of those that are set on the topic itself.
    pub own: BTreeSet<String>,
}

/// A cluster as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterState {
    /// How many brokers are alive.
    pub brokers: usize,
    /// All topics, Kafka's own included: how many partitions each has, and replicas at least.
    pub topics: BTreeMap<String, (u32, u16)>,
}

/// By topic and setting: the new value, or none to fall back to the cluster's default.
pub type SettingChanges = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// The members of a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// The group.
    pub group: String,
    /// How many members it has now.
    pub count: usize,
    /// The topics that are assigned to them.
    pub topics: BTreeSet<String>,
}

impl Admin {
    /// The cluster's brokers and topics.
    pub async fn cluster(&self) -> Result<ClusterState, Error> {
        let shared = self.shared.clone();
        let operation = format!("list the topics at {}", shared.settings.bootstrap());
        blocking(move || {
            let metadata = shared.client.inner().fetch_metadata(None, REQUEST_TIMEOUT);
            let metadata = metadata.map_err(|error| Error::kafka(operation, error))?;
            let topics = metadata.topics().iter().map(|topic| {
                let partitions = u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX);
                let replicas = topic.partitions().iter().map(|partition| partition.replicas().len()).min();
                let replication = u16::try_from(replicas.unwrap_or(0)).unwrap_or(u16::MAX);
                (topic.name().to_owned(), (partitions, replication))
            });
            Ok(ClusterState { brokers: metadata.brokers().len(), topics: topics.collect() })
        })
        .await
    }

    /// These topics of a cluster as they are; one that is gone by now is left out.
    ///
    /// # Errors
    /// Kafka cannot be reached, or does not let this client see the settings of one of them ([`ErrorKind::Unauthorised`]): that takes
    /// DescribeConfigs of the topic.
    pub async fn describe(
        &self,
        cluster: &ClusterState,
        topics: &[&str],
    ) -> Result<BTreeMap<String, TopicState>, Error> {
        let mut found = BTreeMap::new();
        for topics in topics.chunks(RESOURCES_PER_REQUEST) {
            let operation = || format!("describe the configuration of {} topics", topics.len());
            let resources: Vec<ResourceSpecifier<'_>> =
                topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
            let described = self.shared.client.describe_configs(&resources, &options()).await;
            let described = described.map_err(|error| Error::kafka(operation(), error))?;
            if described.len() != topics.len() {
                return Err(Error::said(operation(), ErrorKind::Other, "the answer is not about all of them"));
            }
            // the answers come in the order of the questions
            for (topic, resource) in topics.iter().zip(described) {
                let failed = |code| Error::code(configuration_of(topic), code);
                let entries = resource.map_err(failed)?.entries;
                if entries.is_empty() {
                    match self.untold(topic).await? {
                        error if error.kind() == ErrorKind::UnknownTopic => continue,
                        error => return Err(error),
                    }
                }
                let (partitions, replication) = cluster.topics.get(*topic).copied().unwrap_or_default();
                let mut state = TopicState { partitions, replication, ..TopicState::default() };
                for entry in entries {
                    if entry.source == ConfigSource::DynamicTopic {
                        state.own.insert(entry.name.clone());
                    }
                    state.settings.extend(entry.value.map(|value| (entry.name, value)));
                }
                found.insert((*topic).to_owned(), state);
            }
        }
        Ok(found)
    }

    /// A broker's settings, which are the defaults of topics; none if they may not be seen.
    pub async fn broker_settings(&self) -> Result<Option<BTreeMap<String, String>>, Error> {
        let operation = format!("describe the configuration of a broker at {}", self.shared.settings.bootstrap());
        let (shared, failed) = (self.shared.clone(), operation.clone());
        let broker = blocking(move || {
            let metadata = shared.client.inner().fetch_metadata(None, REQUEST_TIMEOUT);
            let metadata = metadata.map_err(|error| Error::kafka(failed.as_str(), error))?;
            let broker = metadata.brokers().iter().map(|broker| broker.id()).min();
            broker.ok_or_else(|| Error::said(failed, ErrorKind::Unreachable, "no broker is known"))
        });
        let broker = broker.await?;
        let described = self.shared.client.describe_configs([&ResourceSpecifier::Broker(broker)], &options()).await;
        let described = described.map_err(|error| Error::kafka(operation.as_str(), error))?;
        match described.into_iter().next() {
            // rdkafka 0.39 takes a resource's error for a resource without a configuration, which there is none of
            Some(Ok(resource)) if resource.entries.is_empty() => Ok(None),
            Some(Ok(resource)) => {
                let settings = resource.entries.into_iter();
                Ok(Some(settings.filter_map(|entry| Some((entry.name, entry.value?))).collect()))
            }
            Some(Err(Code::ClusterAuthorizationFailed)) => Ok(None),
            Some(Err(code)) => Err(Error::code(operation, code)),
            None => Err(Error::said(operation, ErrorKind::Other, "the answer is empty")),
        }
    }

    /// Changes single settings of topics; all others stay as they are.
    pub async fn change_settings(&self, changes: &SettingChanges) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let (shared, changes) = (self.shared.clone(), changes.clone());
        blocking(move || {
            let operation = || format!("configure {} topics", changes.len());
            let refused = native::change_settings(shared.client.inner(), &changes, REQUEST_TIMEOUT);
            match refused.map_err(|code| Error::code(operation(), code))?.into_iter().next() {
                None => Ok(()),
                Some(refused) => {
                    let operation = format!("configure topic {}", refused.topic);
                    Err(Error::answered(operation, refused.code, refused.said))
                }
            }
        })
        .await
    }

    /// The members of these groups, which are there.
    pub async fn members(&self, groups: &[String]) -> Result<Vec<Members>, Error> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let (shared, groups) = (self.shared.clone(), groups.to_vec());
        blocking(move || {
            let client = shared.client_with_group()?;
            let members = native::group_members(client, &groups, REQUEST_TIMEOUT);
            members.map_err(|code| Error::code(format!("describe {} consumer groups", groups.len()), code))
        })
        .await
    }

    /// What this client may do with the cluster itself; everything, where nobody is asked who they are.
    pub async fn allowed_on_cluster(&self) -> Result<BTreeSet<Operation>, Error> {
        let shared = self.shared.clone();
        blocking(move || {
            let allowed = native::on_cluster(shared.client.inner(), REQUEST_TIMEOUT);
            let allowed = allowed.map_err(|code| Error::code("ask what one may do with the cluster", code))?;
            Ok(allowed.into_iter().filter_map(operation_of).collect())
        })
        .await
    }

    /// What this client may do with these topics; nothing with those that are not there, or that it may not see.
    pub async fn allowed_on_topics(&self, topics: &[String]) -> Result<BTreeMap<String, BTreeSet<Operation>>, Error> {
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (shared, topics) = (self.shared.clone(), topics.to_vec());
        blocking(move || {
            let allowed = native::on_topics(shared.client.inner(), &topics, REQUEST_TIMEOUT);
            let allowed = allowed.map_err(|code| Error::code("ask what one may do with topics", code))?;
            let known = |(topic, operations): (String, Vec<_>)| {
                (topic, operations.into_iter().filter_map(operation_of).collect())
            };
            Ok(allowed.into_iter().map(known).collect())
        })
        .await
    }
}
