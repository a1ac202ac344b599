//! What a quarantine holds, and what became of it: positions alone, of all of it.

use std::collections::BTreeMap;

use mesh_kafka::{Record, Settings, log::LogReader};

use super::{ReplayError, ground::Standings, offsets::OffsetSet};
use crate::quarantine::{Entry, Marker, Outcome};

/// What became of the records of a quarantine.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    partitions: BTreeMap<i32, Partition>,
    /// How many have been let through.
    pub(super) replayed: u64,
}

#[derive(Debug, Default)]
struct Partition {
    /// Offsets in the input of what was refused.
    refused: OffsetSet,
    /// Offsets in the input of what was let through since.
    released: OffsetSet,
    /// Offsets in the quarantine of what was let through, and of what was found to be overtaken.
    replayed: OffsetSet,
    overtaken: OffsetSet,
    /// The end of what was read.
    end: i64,
}

impl Ledger {
    /// Reads a quarantine to the end that it has now; nobody else may replay it meanwhile.
    pub(super) async fn read(kafka: &Settings, topic: &str, standings: &Standings) -> Result<Self, ReplayError> {
        let mut ledger = Ledger::default();
        let mut reader = LogReader::open(kafka, topic).await.map_err(ReplayError::ReadQuarantine)?;
        reader.read_to_end(|record| ledger.take(&record, standings)).await.map_err(ReplayError::ReadQuarantine)?;
        Ok(ledger)
    }

    fn take(&mut self, record: &Record, standings: &Standings) {
        let partition = self.partitions.entry(record.partition).or_default();
        partition.end = record.offset + 1;
        match Marker::of(record) {
            None => {
                let entry = Entry::of(record);
                if !standings.have_passed(record.partition, &entry) {
                    partition.refused.insert(entry.source_offset);
                }
            }
            Some(marker) => {
                self.replayed += u64::from(marker.outcome == Outcome::Replayed);
                self.mark(record.partition, &marker);
            }
        }
    }

    /// Remembers what became of a record.
    pub(super) fn mark(&mut self, partition: i32, marker: &Marker) {
        let partition = self.partitions.entry(partition).or_default();
        match marker.outcome {
            Outcome::Replayed => {
                partition.replayed.insert(marker.of_offset);
                partition.released.insert(marker.source_offset);
            }
            Outcome::Overtaken => partition.overtaken.insert(marker.of_offset),
        }
    }

    /// The partitions that hold anything, each with the end of what was read.
    pub(super) fn partitions(&self) -> Vec<(i32, i64)> {
        self.partitions.iter().map(|(partition, held)| (*partition, held.end)).collect()
    }

    /// What is known to have become of the record at this offset of the quarantine.
    pub(super) fn outcome(&self, partition: i32, offset: i64) -> Option<Outcome> {
        let held = self.partitions.get(&partition)?;
        match (held.replayed.contains(offset), held.overtaken.contains(offset)) {
            (true, _) => Some(Outcome::Replayed),
            (false, true) => Some(Outcome::Overtaken),
            (false, false) => None,
        }
    }

    /// Whether the record at this offset of the input has reached no output.
    pub(super) fn is_held_back(&self, partition: i32, source_offset: i64) -> bool {
        let held = self.partitions.get(&partition);
        held.is_some_and(|held| held.refused.contains(source_offset) && !held.released.contains(source_offset))
    }
}
