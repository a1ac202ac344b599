//! Where topics begin and end, and how far a group has read them.

use std::collections::BTreeMap;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

use super::{Admin, REQUEST_TIMEOUT, options};
use crate::blocking::run as blocking;
use crate::context::LogContext;
use crate::opened::Opened;
use crate::source::Committed;
use crate::{Error, ErrorKind, Offsets, TopicPartition};

/// What a group has committed, by partition.
pub type CommittedTexts = BTreeMap<TopicPartition, Committed>;

impl Admin {
    /// The offset of the first record that is left, of every partition of these topics.
    pub async fn start_offsets(&self, topics: &[&str]) -> Result<Offsets, Error> {
        self.edge(topics, Offset::Beginning).await
    }

    /// The offset after the last one that a read-committed consumer can see now, of every partition of these topics.
    ///
    /// Transaction markers and what compaction removed have offsets, too: the difference to the start is no count of records.
    pub async fn end_offsets(&self, topics: &[&str]) -> Result<Offsets, Error> {
        self.edge(topics, Offset::End).await
    }

    /// The end of every partition of these topics, once a read-committed consumer can see all that was written before this
    /// call: waits until the transactions that are open now are over, 20 s at most.
    ///
    /// A broker acknowledges a commit some milliseconds before consumers can see it. Who wants to read all that has been
    /// committed asks for this first.
    pub async fn settled_end_offsets(&self, topics: &[&str]) -> Result<Offsets, Error> {
        let asked = self.all_partitions(topics).await?;
        let operation = format!("wait for open transactions on {}", topics.join(", "));
        let shared = self.shared.clone();
        blocking(move || {
            let ends = shared.ends.written(&operation, asked)?;
            shared.ends.settle(&operation, &ends)?;
            Ok(ends)
        })
        .await
    }

    /// The offsets that a group has committed, of those partitions of these topics where it has committed any.
    pub async fn committed(&self, group: &str, topics: &[&str]) -> Result<Offsets, Error> {
        let (operation, committed) = self.read_committed(group, topics).await?;
        read_offsets(&operation, &committed)
    }

    /// Deletes all records before these offsets, for good; returns where each partition begins now.
    ///
    /// Kafka refuses this for a topic whose `cleanup.policy` has no `delete` in it ([`ErrorKind::Invalid`]).
    pub async fn delete_records(&self, before: &Offsets) -> Result<Offsets, Error> {
        let names: Vec<String> = before.keys().map(ToString::to_string).collect();
        let operation = format!("delete records of {}", names.join(", "));
        let failed = |error| Error::kafka(operation.as_str(), error);
        let mut list = TopicPartitionList::with_capacity(before.len());
        for (partition, offset) in before {
            let added = list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*offset));
            added.map_err(failed)?;
        }
        let deleted = self.shared.client.delete_records(&list, &options()).await.map_err(failed)?;
        read_offsets(&operation, &deleted)
    }

    /// The offset after the last one that was written, open transactions included, of every partition of these topics.
    pub async fn written_offsets(&self, topics: &[&str]) -> Result<Offsets, Error> {
        let asked = self.all_partitions(topics).await?;
        let operation = format!("read the ends of {}", topics.join(", "));
        let shared = self.shared.clone();
        blocking(move || shared.ends.written(&operation, asked)).await
    }

    /// What a group has committed, with the text that stands there, of those partitions of these topics where it has
    /// committed anything.
    pub async fn committed_texts(&self, group: &str, topics: &[&str]) -> Result<CommittedTexts, Error> {
        let (operation, committed) = self.read_committed(group, topics).await?;
        let mut texts = CommittedTexts::new();
        for element in committed.elements() {
            element.error().map_err(|error| Error::kafka(operation.as_str(), error))?;
            if let Offset::Offset(offset) = element.offset() {
                let partition = TopicPartition::new(element.topic(), element.partition());
                texts.insert(partition, Committed { offset, metadata: element.metadata().to_owned() });
            }
        }
        Ok(texts)
    }

    async fn read_committed(&self, group: &str, topics: &[&str]) -> Result<(String, TopicPartitionList), Error> {
        let asked = self.all_partitions(topics).await?;
        let operation = format!("read the committed offsets of group {group}");
        let fixed = [("group.id", group), ("enable.auto.commit", "false")];
        let settings = self.shared.settings.clone();
        let config = settings.client(&[], &fixed);
        blocking(move || {
            let failed = |error| Error::kafka(operation.as_str(), error);
            let member: Opened<BaseConsumer<LogContext>> = settings.open(&config, LogContext).map_err(failed)?;
            let committed = member.committed_offsets(asked, REQUEST_TIMEOUT).map_err(failed)?;
            Ok((operation, committed))
        })
        .await
    }

    async fn edge(&self, topics: &[&str], edge: Offset) -> Result<Offsets, Error> {
        let asked = self.all_partitions(topics).await?;
        let operation = format!("read the offsets of {}", topics.join(", "));
        let shared = self.shared.clone();
        blocking(move || shared.ends.visible(&operation, asked, edge)).await
    }

    async fn all_partitions(&self, topics: &[&str]) -> Result<TopicPartitionList, Error> {
        let mut list = TopicPartitionList::new();
        for topic in topics {
            let count = self.partitions(topic).await?.ok_or_else(|| unknown(topic))?;
            for partition in 0..count {
                list.add_partition(topic, i32::try_from(partition).unwrap_or(i32::MAX));
            }
        }
        Ok(list)
    }
}

/// The offsets of an answer; partitions without one are left out.
pub(crate) fn read_offsets(operation: &str, list: &TopicPartitionList) -> Result<Offsets, Error> {
    let mut offsets = Offsets::new();
    for element in list.elements() {
        element.error().map_err(|error| Error::kafka(operation, error))?;
        if let Offset::Offset(offset) = element.offset() {
            offsets.insert(TopicPartition::new(element.topic(), element.partition()), offset);
        }
    }
    Ok(offsets)
}

pub(crate) fn unknown(topic: &str) -> Error {
    Error::said(format!("find topic {topic}"), ErrorKind::UnknownTopic, "Kafka has no such topic")
}
