//! Topics and their configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication, TopicResult};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::{Admin, REQUEST_TIMEOUT, options, unknown};
use crate::blocking::run as blocking;
use crate::{Error, ErrorKind};

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions; unset: the cluster's default.
    pub partitions: Option<u32>,
    /// How many replicas of each; unset: the cluster's default.
    pub replication: Option<u16>,
    /// Its configuration, such as `cleanup.policy`.
    pub config: BTreeMap<String, String>,
}

/// What became of a topic that was to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It was created.
    Created,
    /// It was there already; nothing was changed, whatever its configuration.
    Existed,
}

/// What became of a topic that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It was deleted.
    Deleted,
    /// It was not there.
    Absent,
}

impl TopicSpec {
    /// A topic with the cluster's defaults.
    pub fn new(name: impl Into<String>) -> Self {
        TopicSpec { name: name.into(), partitions: None, replication: None, config: BTreeMap::new() }
    }

    /// Sets the number of partitions.
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Sets the number of replicas.
    pub fn replication(mut self, replication: u16) -> Self {
        self.replication = Some(replication);
        self
    }

    /// Adds a configuration property.
    pub fn config(mut self, property: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(property.into(), value.into());
        self
    }

    fn to_new(&self) -> NewTopic<'_> {
        let partitions = self.partitions.map_or(-1, |count| i32::try_from(count).unwrap_or(i32::MAX));
        let replication = TopicReplication::Fixed(self.replication.map_or(-1, i32::from));
        let topic = NewTopic::new(&self.name, partitions, replication);
        self.config.iter().fold(topic, |topic, (property, value)| topic.set(property, value))
    }
}

impl Admin {
    /// Creates topics; says of each, in the given order, whether it was there already.
    ///
    /// Waits until the new ones can be written. If one is refused the others may have been created: call it again once
    /// the cause is mended.
    pub async fn create_topics(&self, topics: &[TopicSpec]) -> Result<Vec<Creation>, Error> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let operation = format!("create topics at {}", self.shared.settings.bootstrap());
        let new: Vec<NewTopic<'_>> = topics.iter().map(TopicSpec::to_new).collect();
        let results = self.shared.client.create_topics(&new, &options()).await;
        let results = results.map_err(|error| Error::kafka(operation, error))?;
        let creations = each(topics.iter().map(|topic| topic.name.as_str()), &results, |name, result| match result {
            Ok(_) => Ok(Creation::Created),
            Err((_, Code::TopicAlreadyExists)) => Ok(Creation::Existed),
            Err((_, code)) => Err(Error::code(format!("create topic {name}"), *code)),
        })?;
        let named = topics.iter().map(|topic| topic.name.as_str()).zip(&creations);
        let new: Vec<&str> =
            named.filter(|(_, creation)| **creation == Creation::Created).map(|(name, _)| name).collect();
        self.wait_for_leaders(&new).await?;
        Ok(creations)
    }

    /// Deletes topics; says of each, in the given order, whether it was there.
    pub async fn delete_topics(&self, topics: &[&str]) -> Result<Vec<Deletion>, Error> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let operation = format!("delete topics at {}", self.shared.settings.bootstrap());
        let results = self.shared.client.delete_topics(topics, &options()).await;
        let results = results.map_err(|error| Error::kafka(operation, error))?;
        each(topics.iter().copied(), &results, |name, result| match result {
            Ok(_) => Ok(Deletion::Deleted),
            Err((_, Code::UnknownTopicOrPartition | Code::UnknownTopic)) => Ok(Deletion::Absent),
            Err((_, code)) => Err(Error::code(format!("delete topic {name}"), *code)),
        })
    }

    /// Raises a topic's number of partitions to `total`; Kafka cannot lower it.
    pub async fn add_partitions(&self, topic: &str, total: u32) -> Result<(), Error> {
        let operation = format!("give topic {topic} {total} partitions");
        let new = NewPartitions::new(topic, total as usize);
        let results = self.shared.client.create_partitions([&new], &options()).await;
        let results = results.map_err(|error| Error::kafka(operation.as_str(), error))?;
        each([topic], &results, |_, result| {
            result.as_ref().map_err(|(_, code)| Error::code(operation.as_str(), *code)).map(|_| ())
        })?;
        Ok(())
    }

    /// The names of all topics, Kafka's own (`__consumer_offsets`) included, sorted.
    pub async fn topic_names(&self) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> = self.topics().await?.into_keys().collect();
        names.sort();
        Ok(names)
    }

    /// All topics with their numbers of partitions.
    pub async fn topics(&self) -> Result<BTreeMap<String, u32>, Error> {
        let operation = format!("list the topics at {}", self.shared.settings.bootstrap());
        self.metadata(operation, None, REQUEST_TIMEOUT).await
    }

    /// A topic's number of partitions; none if there is no such topic.
    pub async fn partitions(&self, topic: &str) -> Result<Option<u32>, Error> {
        let operation = format!("describe topic {topic} at {}", self.shared.settings.bootstrap());
        Ok(self.metadata(operation, Some(topic.to_owned()), REQUEST_TIMEOUT).await?.remove(topic))
    }

    /// A topic's configuration as it is in force, defaults included.
    ///
    /// # Errors
    /// Kafka cannot be reached, there is no such topic, or this client may not see its configuration
    /// ([`ErrorKind::Unauthorised`]): that takes DescribeConfigs of the topic.
    pub async fn config(&self, topic: &str) -> Result<BTreeMap<String, String>, Error> {
        let operation = configuration_of(topic);
        let described = self.shared.client.describe_configs([&ResourceSpecifier::Topic(topic)], &options()).await;
        let described = described.map_err(|error| Error::kafka(operation.as_str(), error))?;
        let resource = described.into_iter().next();
        let resource =
            resource.ok_or_else(|| Error::said(operation.as_str(), ErrorKind::Other, "the answer is empty"))?;
        let resource = resource.map_err(|code| Error::code(operation.as_str(), code))?;
        if resource.entries.is_empty() {
            return Err(self.untold(topic).await?);
        }
        Ok(resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect())
    }

    /// Why nothing is told of a topic's configuration: it may not be seen, or there is no such topic. rdkafka 0.39 takes a resource's error
    /// for a resource without a configuration, which there is none of.
    pub(super) async fn untold(&self, topic: &str) -> Result<Error, Error> {
        let why = "it may not be seen by this principal, which needs DescribeConfigs of the topic";
        Ok(match self.partitions(topic).await? {
            Some(_) => Error::said(configuration_of(topic), ErrorKind::Unauthorised, why),
            None => unknown(topic),
        })
    }

    /// Replaces a topic's own configuration **as a whole**: what is not named falls back to the cluster's default
    /// (librdkafka's Rust binding has no incremental change yet).
    pub async fn replace_config(&self, topic: &str, config: &BTreeMap<String, String>) -> Result<(), Error> {
        let operation = format!("configure topic {topic}");
        let alter = AlterConfig::new(ResourceSpecifier::Topic(topic));
        let alter = config.iter().fold(alter, |alter, (property, value)| alter.set(property, value));
        let altered = self.shared.client.alter_configs([&alter], &options()).await;
        let altered = altered.map_err(|error| Error::kafka(operation.as_str(), error))?;
        let refused = altered.into_iter().find_map(Result::err);
        refused.map_or(Ok(()), |(_, code)| Err(Error::code(operation, code)))
    }

    /// The topics that a metadata request tells of, with their numbers of partitions.
    pub(super) async fn metadata(
        &self,
        operation: String,
        topic: Option<String>,
        timeout: Duration,
    ) -> Result<BTreeMap<String, u32>, Error> {
        let shared = self.shared.clone();
        blocking(move || {
            let failed = |error| Error::kafka(operation.as_str(), error);
            let metadata = shared.client.inner().fetch_metadata(topic.as_deref(), timeout).map_err(failed)?;
            let mut found = BTreeMap::new();
            for topic in metadata.topics() {
                match topic.error().map(Code::from) {
                    None | Some(Code::LeaderNotAvailable) => {
                        found.insert(
                            topic.name().to_owned(),
                            u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX),
                        );
                    }
                    Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {}
                    Some(code) => return Err(failed(KafkaError::MetadataFetch(code))),
                }
            }
            Ok(found)
        })
        .await
    }

    /// Waits until every partition of new topics has a leader that answers.
    async fn wait_for_leaders(&self, topics: &[&str]) -> Result<(), Error> {
        let started = std::time::Instant::now();
        loop {
            match self.start_offsets(topics).await {
                // a broker may not have heard of them yet
                Err(error) if error.kind() == ErrorKind::UnknownTopic && started.elapsed() < REQUEST_TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                result => return result.map(|_| ()),
            }
        }
    }
}

/// What is done, as errors name it.
pub(super) fn configuration_of(topic: &str) -> String {
    format!("describe the configuration of topic {topic}")
}

/// Pairs Kafka's answers, which come in an order of their own, with what was asked.
fn each<'a, T>(
    names: impl IntoIterator<Item = &'a str>,
    results: &[TopicResult],
    mut judge: impl FnMut(&str, &TopicResult) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let by_name = |name: &str| {
        results.iter().find(|result| {
            name == match result {
                Ok(found) | Err((found, _)) => found.as_str(),
            }
        })
    };
    let answers = names.into_iter().map(|name| match by_name(name) {
        Some(result) => judge(name, result),
        None => Err(Error::said(format!("learn what became of topic {name}"), ErrorKind::Other, "Kafka did not say")),
    });
    answers.collect()
}
