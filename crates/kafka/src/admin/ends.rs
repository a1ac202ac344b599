//! Where a topic ends once the transactions that are open now are over.
//!
//! A broker acknowledges a commit before its marker is in every partition: for some milliseconds a read-committed consumer
//! does not see what has been committed. Whoever must see all that was acknowledged waits for that.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};

use super::REQUEST_TIMEOUT;
use super::offsets::read_offsets;
use crate::blocking::{Observer, Shared};
use crate::context::LogContext;
use crate::opened::Opened;
use crate::{Error, ErrorKind, Offsets, Settings};

/// Longer than any of our own transactions may stay open, whose timeout is 10 s.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Two consumers that ask for offsets, read committed and not, and never fetch a record: a broker answers a connection's
/// requests one after another, so that behind a waiting fetch an answer would wait, too.
pub(crate) struct Ends {
    committed: Opened<BaseConsumer<LogContext>>,
    uncommitted: Opened<BaseConsumer<LogContext>>,
}

impl Ends {
    /// Those of this cluster; all parts of a process share them.
    pub(crate) fn of(settings: &Settings) -> Result<Shared<Ends>, Error> {
        static KNOWN: Mutex<Vec<(Settings, Observer<Ends>)>> = Mutex::new(Vec::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, ends)| ends.get().is_some());
        let found = known.iter().find(|(of, _)| of == settings).and_then(|(_, ends)| ends.get());
        if let Some(ends) = found {
            return Ok(ends);
        }
        let ends = Shared::new(Ends {
            committed: asking(settings, "read_committed")?,
            uncommitted: asking(settings, "read_uncommitted")?,
        });
        known.push((settings.clone(), ends.observe()));
        Ok(ends)
    }

    /// Where partitions begin, or end as a read-committed consumer sees it now. Blocks.
    pub(crate) fn visible(&self, operation: &str, asked: TopicPartitionList, edge: Offset) -> Result<Offsets, Error> {
        ask(&self.committed, operation, asked, edge)
    }

    /// Where partitions end, open transactions included. Blocks.
    pub(crate) fn written(&self, operation: &str, asked: TopicPartitionList) -> Result<Offsets, Error> {
        ask(&self.uncommitted, operation, asked, Offset::End)
    }

    /// Waits until a read-committed consumer can see all that is before `ends`. Blocks.
    pub(crate) fn settle(&self, operation: &str, ends: &Offsets) -> Result<(), Error> {
        let started = Instant::now();
        let mut pending: Vec<_> = ends.iter().collect();
        while !pending.is_empty() {
            let mut asked = TopicPartitionList::new();
            for (partition, _) in &pending {
                asked.add_partition(&partition.topic, partition.partition);
            }
            let visible = self.visible(operation, asked, Offset::End)?;
            pending.retain(|(partition, end)| visible.get(partition).is_none_or(|visible| visible < *end));
            if !pending.is_empty() && started.elapsed() > SETTLE_TIMEOUT {
                let cause = format!("a transaction has been open for {} s", SETTLE_TIMEOUT.as_secs());
                return Err(Error::said(operation, ErrorKind::Unreachable, cause));
            }
            std::thread::sleep(Duration::from_millis(if pending.is_empty() { 0 } else { 2 }));
        }
        Ok(())
    }
}

fn asking(settings: &Settings, isolation_level: &str) -> Result<Opened<BaseConsumer<LogContext>>, Error> {
    let fixed = [("enable.auto.commit", "false"), ("isolation.level", isolation_level)];
    settings
        .open(&settings.client(&[], &fixed), LogContext)
        .map_err(|error| Error::kafka("set up a client that asks for offsets", error))
}

fn ask(
    consumer: &BaseConsumer<LogContext>,
    operation: &str,
    mut asked: TopicPartitionList,
    edge: Offset,
) -> Result<Offsets, Error> {
    if asked.count() == 0 {
        return Ok(Offsets::new());
    }
    let failed = |error| Error::kafka(operation, error);
    asked.set_all_offsets(edge).map_err(failed)?;
    let started = Instant::now();
    loop {
        let answer = consumer.offsets_for_times(asked.clone(), REQUEST_TIMEOUT);
        match answer.map_err(failed).and_then(|answer| read_offsets(operation, &answer)) {
            // a new topic's leader, or a new leader of an old one, is known before it is ready
            Err(error) if error.is_leaderless() && started.elapsed() < REQUEST_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}
