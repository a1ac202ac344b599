//! Quarantined records as they are read again: opened, some at a time.

use std::sync::Arc;

use mesh_avro::{
    keys::{EnvelopeError, KeyName, KeyRing},
    wire,
};
use mesh_kafka::{
    Offsets, Record, Settings, TopicPartition,
    consumer::{Consumer, Start},
};

use super::{ReplayError, Report, Selection, ground::Standings, ledger::Ledger};
use crate::quarantine::{self, Entry, Envelope, Marker, OpenError, Outcome};

/// How many records, of how many bytes, are held in memory at once.
const RECORDS_MAX: usize = 5_000;
const BYTES_MAX: usize = 32 << 20;

/// A quarantined record, opened.
pub(super) struct Held {
    /// Its offset in the quarantine.
    pub(super) offset: i64,
    /// Its offset in the input.
    pub(super) source_offset: i64,
    /// Its own timestamp.
    pub(super) timestamp_ms: Option<i64>,
    pub(super) envelope: Envelope,
    /// Whether an earlier replay has found it overtaken.
    pub(super) is_marked: bool,
}

impl Held {
    /// The id of the schema that it says it was written with.
    pub(super) fn schema_id(&self) -> Option<u32> {
        wire::parse(self.envelope.value.as_deref()?).ok().map(|framed| framed.schema_id)
    }

    pub(super) fn bytes(&self) -> usize {
        let (key, value) = (self.envelope.key.as_ref(), self.envelope.value.as_ref());
        key.map_or(0, Vec::len) + value.map_or(0, Vec::len)
    }
}

/// Reads one partition of a quarantine, from its beginning to the end that was seen.
pub(super) struct Shelf {
    reader: Consumer,
    ends: Offsets,
    keys: Arc<dyn KeyRing>,
    key_name: KeyName,
    input: String,
    partition: i32,
}

impl Shelf {
    pub(super) fn open(
        kafka: &Settings,
        quarantine: TopicPartition,
        end: i64,
        input: &str,
        sealed_with: (Arc<dyn KeyRing>, KeyName),
    ) -> Result<Self, ReplayError> {
        let start = [(quarantine.partition, Start::Beginning)];
        let reader = Consumer::assign(kafka, &quarantine.topic, &start).map_err(ReplayError::ReadQuarantine)?;
        let (keys, key_name) = sealed_with;
        let partition = quarantine.partition;
        Ok(Shelf {
            reader,
            ends: Offsets::from([(quarantine, end)]),
            keys,
            key_name,
            input: input.to_owned(),
            partition,
        })
    }

    /// The next records that are to be replayed; none at the end.
    pub(super) async fn next(
        &mut self,
        ledger: &Ledger,
        standings: &Standings,
        selection: &Selection,
        report: &mut Report,
    ) -> Result<Vec<Held>, ReplayError> {
        let (mut held, mut bytes) = (Vec::new(), 0);
        while held.len() < RECORDS_MAX && bytes < BYTES_MAX {
            let next = self.reader.next_before(&self.ends).await.map_err(ReplayError::ReadQuarantine)?;
            let Some(record) = next else { break };
            if let Some(found) = self.take(&record, ledger, standings, selection, report)? {
                bytes += found.bytes();
                held.push(found);
            }
        }
        Ok(held)
    }

    /// Opens a record, if it is one that is asked for and not let through yet.
    fn take(
        &self,
        record: &Record,
        ledger: &Ledger,
        standings: &Standings,
        selection: &Selection,
        report: &mut Report,
    ) -> Result<Option<Held>, ReplayError> {
        let entry = Entry::of(record);
        if Marker::of(record).is_some() || !selection.asks_for(record.offset, &entry) {
            return Ok(None);
        }
        if standings.have_passed(record.partition, &entry) {
            report.superseded += 1;
            return Ok(None);
        }
        let outcome = ledger.outcome(record.partition, record.offset);
        if outcome == Some(Outcome::Replayed) {
            report.already += 1;
            return Ok(None);
        }
        if entry.source_topic != self.input || entry.source_partition != self.partition {
            report.unreadable += 1;
            return Ok(None);
        }
        let Some(envelope) = self.unseal(record, &entry)? else {
            report.unreadable += 1;
            return Ok(None);
        };
        Ok(Some(Held {
            offset: record.offset,
            source_offset: entry.source_offset,
            timestamp_ms: entry.source_timestamp_ms,
            envelope,
            is_marked: outcome == Some(Outcome::Overtaken),
        }))
    }

    /// Opens the envelope. A key that cannot be had ends the replay: the next record would want it, too.
    fn unseal(&self, record: &Record, entry: &Entry) -> Result<Option<Envelope>, ReplayError> {
        let place = quarantine::associated_data(&entry.source_topic, entry.source_partition, entry.source_offset);
        let sealed = record.value.as_deref().unwrap_or_default();
        match quarantine::open(&*self.keys, &self.key_name, &place, sealed) {
            Ok(envelope) => Ok(Some(envelope)),
            Err(OpenError::Unseal(EnvelopeError::Key(source))) => Err(ReplayError::Key { source }),
            Err(error) => {
                let (partition, offset) = (record.partition, record.offset);
                tracing::warn!(partition, offset, %error, "a quarantined record does not open, left where it is");
                Ok(None)
            }
        }
    }
}
