//! Many partitions asked at once: where they end, and how new what they hold is; what groups have committed.

use std::collections::{BTreeMap, BTreeSet};

use super::native::{self, Answer, Spec};
use super::{Admin, REQUEST_TIMEOUT};
use crate::blocking::run as blocking;
use crate::{Error, ErrorKind, Offsets, TopicPartition};

/// librdkafka looks each partition of an answer up among those of its request: larger requests cost more than they save.
const PARTITIONS_PER_REQUEST: usize = 256;

/// What partitions' leaders said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that answered.
    pub found: BTreeMap<TopicPartition, Listed>,
    /// Those that did not, with the reason: a topic that is gone, a leader that is not there yet.
    pub missing: BTreeMap<TopicPartition, ErrorKind>,
}

/// What a partition's leader said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The asked-for offset.
    pub offset: i64,
    /// The timestamp that stands there, in milliseconds since 1970, where one was asked for and the partition holds anything.
    pub timestamp_ms: Option<i64>,
}

impl Admin {
    /// Where these partitions end as a read-committed consumer sees it now.
    ///
    /// Unlike [`Admin::end_offsets`] it takes partitions, not topics, so that nobody is asked how many there are, and some
    /// that are missing do not keep the others from being told.
    pub async fn visible_ends(&self, asked: Vec<TopicPartition>) -> Result<Listing, Error> {
        self.list(asked, Spec::VisibleEnd).await
    }

    /// The newest timestamp in these partitions, and where it stands (KIP-734).
    ///
    /// **Transaction markers count**, with the time at which the broker wrote them: where every record came in a
    /// transaction, this is when the last one became visible, unless a record claims a later time.
    pub async fn newest_timestamps(&self, asked: Vec<TopicPartition>) -> Result<Listing, Error> {
        self.list(asked, Spec::NewestTimestamp).await
    }

    /// The names of all consumer groups, sorted.
    pub async fn group_names(&self) -> Result<Vec<String>, Error> {
        let shared = self.shared.clone();
        blocking(move || {
            let names = native::list_groups(shared.client.inner(), REQUEST_TIMEOUT);
            let mut names = names.map_err(|code| Error::code("list the consumer groups", code))?;
            names.sort();
            Ok(names)
        })
        .await
    }

    /// All that a group has committed, whatever the topic. Offsets of a transaction that is still open do not count.
    pub async fn group_offsets(&self, group: &str) -> Result<Offsets, Error> {
        let (shared, group) = (self.shared.clone(), group.to_owned());
        blocking(move || {
            let client = shared.client_with_group()?;
            let offsets = native::group_offsets(client, &group, REQUEST_TIMEOUT);
            offsets.map_err(|code| Error::code(format!("read the committed offsets of group {group}"), code))
        })
        .await
    }

    async fn list(&self, asked: Vec<TopicPartition>, spec: Spec) -> Result<Listing, Error> {
        let shared = self.shared.clone();
        blocking(move || {
            let mut listing = Listing::default();
            for asked in asked.chunks(PARTITIONS_PER_REQUEST) {
                // librdkafka refuses a request that asks for a partition twice
                let asked: Vec<TopicPartition> = BTreeSet::from_iter(asked).into_iter().cloned().collect();
                match native::list_offsets(shared.client.inner(), &asked, spec, REQUEST_TIMEOUT) {
                    Ok(answers) => answers.into_iter().for_each(|answer| listing.take(answer)),
                    // librdkafka's word for: no leader of any of them is known
                    Err(rdkafka::error::RDKafkaErrorCode::NoEnt) => {
                        let missing = asked.into_iter().map(|partition| (partition, ErrorKind::UnknownTopic));
                        listing.missing.extend(missing);
                    }
                    Err(code) => return Err(Error::code("ask for the offsets of partitions", code)),
                }
            }
            Ok(listing)
        })
        .await
    }
}

impl Listing {
    fn take(&mut self, answer: Answer) {
        match answer.error {
            None if answer.offset < 0 && answer.timestamp_ms < 0 => {
                // an empty partition has no newest timestamp
                self.found.insert(answer.partition, Listed { offset: 0, timestamp_ms: None });
            }
            None => {
                let timestamp_ms = (answer.timestamp_ms >= 0).then_some(answer.timestamp_ms);
                self.found.insert(answer.partition, Listed { offset: answer.offset, timestamp_ms });
            }
            Some(code) => {
                self.missing.insert(answer.partition, Error::code("ask for an offset", code).kind());
            }
        }
    }
}
