//! Whether a newer record of a key has come in the meantime.
//!
//! The input is read on from the oldest record that is to be replayed. A later record of the same key has overtaken it,
//! unless it is held back in the quarantine itself. A record that is no longer in the input was taken by compaction or by
//! retention: what has come after it cannot be told any more, so that it counts as overtaken, too.

use std::collections::{HashMap, HashSet};

use mesh_kafka::{Record, Settings, TopicPartition, consumer::read_range};

use super::ReplayError;

/// What the input's one partition says of some records.
pub(super) struct Newer {
    input: TopicPartition,
    /// The newest offset of each key that is asked for.
    newest: HashMap<Vec<u8>, i64>,
    /// The offsets that are asked for, until they were seen.
    unseen: HashSet<i64>,
    /// Everything before it was looked at.
    scanned_to: i64,
}

impl Newer {
    /// Prepares to look for records that are newer than these: their offsets in the input, and their keys.
    pub(super) fn than<'r>(input: TopicPartition, asked: impl Iterator<Item = (i64, &'r [u8])>) -> Self {
        let mut newer = Newer { input, newest: HashMap::new(), unseen: HashSet::new(), scanned_to: i64::MAX };
        for (offset, key) in asked {
            newer.newest.insert(key.to_vec(), -1);
            newer.unseen.insert(offset);
            newer.scanned_to = newer.scanned_to.min(offset);
        }
        newer
    }

    /// Looks at what the input holds before `end` and was not looked at yet.
    pub(super) async fn scan(
        &mut self,
        kafka: &Settings,
        end: i64,
        is_held_back: impl Fn(i64) -> bool,
    ) -> Result<(), ReplayError> {
        if self.newest.is_empty() || self.scanned_to >= end {
            return Ok(());
        }
        let (input, offsets) = (self.input.clone(), self.scanned_to..end);
        let read = read_range(kafka, &input, offsets, |record| self.take(&record, &is_held_back));
        read.await.map_err(ReplayError::ReadInput)?;
        self.scanned_to = end;
        Ok(())
    }

    fn take(&mut self, record: &Record, is_held_back: impl Fn(i64) -> bool) {
        self.unseen.remove(&record.offset);
        if let Some(newest) = record.key.as_deref().and_then(|key| self.newest.get_mut(key))
            && !is_held_back(record.offset)
        {
            *newest = record.offset;
        }
    }

    /// Whether a newer record than this one is known, or cannot be ruled out.
    pub(super) fn has_overtaken(&self, offset: i64, key: &[u8]) -> bool {
        self.unseen.contains(&offset) || self.newest.get(key).is_some_and(|newest| *newest > offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64, key: &str) -> Record {
        Record {
            topic: "t".into(),
            partition: 0,
            offset,
            timestamp_ms: None,
            key: Some(key.to_owned().into()),
            value: None,
            headers: Vec::new(),
        }
    }

    fn newer(asked: &[(i64, &str)], input: &[(i64, &str)], held_back: &[i64]) -> Newer {
        let asked = asked.iter().map(|(offset, key)| (*offset, key.as_bytes()));
        let mut newer = Newer::than(TopicPartition::new("t", 0), asked);
        let is_held_back = |offset| held_back.contains(&offset);
        input.iter().for_each(|(offset, key)| newer.take(&record(*offset, key), is_held_back));
        newer
    }

    #[test]
    fn a_later_record_of_the_key_overtakes() {
        let newer = newer(&[(3, "a"), (4, "b")], &[(3, "a"), (4, "b"), (5, "a"), (6, "c")], &[3, 4]);
        assert!(newer.has_overtaken(3, b"a"));
        assert!(!newer.has_overtaken(4, b"b"));
    }

    #[test]
    fn what_is_held_back_itself_overtakes_nothing() {
        let newer = newer(&[(3, "a"), (5, "a")], &[(3, "a"), (5, "a")], &[3, 5]);
        assert!(!newer.has_overtaken(3, b"a") && !newer.has_overtaken(5, b"a"));
    }

    #[test]
    fn what_the_input_has_lost_may_have_been_overtaken() {
        let newer = newer(&[(3, "a"), (9, "b")], &[(9, "b")], &[]);
        assert!(newer.has_overtaken(3, b"a"));
        assert!(!newer.has_overtaken(9, b"b"));
    }
}
