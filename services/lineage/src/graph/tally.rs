//! What one run counted of one data set. Each event tells counts since the run began, but not each tells of all: a killed
//! run's partitions may have several successors, and each tells what was committed of those that it took over. So the
//! greatest count of each partition holds, whatever the order of the events, and however often one comes.

use mesh_client::lineage::facet::{MeshKafka, PartitionRange};

use super::edge::Direction;
use crate::event::Facets;
use crate::facet::{InputStatistics, OutputStatistics};

/// What one event tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted {
    records: u64,
    partitions: Vec<PartitionRange>,
}

impl Counted {
    /// Other systems' events tell it in the standard facets, if at all.
    pub(super) fn of(facets: &Facets<'_>, direction: Direction) -> Self {
        if let Some(MeshKafka { records, mut partitions, .. }) = facets.read() {
            partitions.retain(|range| range.records > 0);
            return Self { records, partitions };
        }
        let rows = match direction {
            Direction::Input => facets.read::<InputStatistics>().and_then(|statistics| statistics.row_count),
            Direction::Output => facets.read::<OutputStatistics>().and_then(|statistics| statistics.row_count),
        };
        Self { records: rows.unwrap_or_default(), partitions: Vec::new() }
    }

    /// Records of which no partition is told, though of others it is.
    fn elsewhere(&self) -> u64 {
        let known = self.partitions.iter().fold(0_u64, |sum, range| sum.saturating_add(range.records));
        if self.partitions.is_empty() { 0 } else { self.records.saturating_sub(known) }
    }
}

/// What all events together told: the greatest count of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Of the whole data set.
    whole: u64,
    /// Of no partition, beside those of partitions.
    elsewhere: u64,
    /// By partition, in their order.
    partitions: Vec<(i32, u64)>,
}

/// What an event added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Records that no event told of before.
    pub(super) records: u64,
    /// Whether there was room for all that the event told.
    pub(super) is_whole: bool,
}

impl Tally {
    /// Takes in what an event tells, with at most `room` further partitions.
    pub(super) fn merge(&mut self, told: &Counted, room: usize) -> News {
        let before = self.records();
        self.whole = self.whole.max(told.records);
        self.elsewhere = self.elsewhere.max(told.elsewhere());
        if self.partitions.is_empty() {
            self.partitions.reserve_exact(told.partitions.len().min(room));
        }
        let most = self.partitions.len().saturating_add(room);
        let left_out = told.partitions.iter().filter(|range| !self.raise(range, most)).count();
        News { records: self.records() - before, is_whole: left_out == 0 }
    }

    /// Whether there was room.
    fn raise(&mut self, range: &PartitionRange, most: usize) -> bool {
        match self.partitions.binary_search_by_key(&range.partition, |(partition, _)| *partition) {
            Ok(at) => self.partitions[at].1 = self.partitions[at].1.max(range.records),
            Err(_) if self.partitions.len() >= most => return false,
            Err(at) => self.partitions.insert(at, (range.partition, range.records)),
        }
        true
    }

    /// Records that the run moved.
    pub(super) fn records(&self) -> u64 {
        let parts = self.partitions.iter().fold(self.elsewhere, |sum, (_, records)| sum.saturating_add(*records));
        self.whole.max(parts)
    }

    /// How many counts it keeps.
    pub(super) fn len(&self) -> usize {
        1 + self.partitions.len()
    }
}

#[cfg(test)]
mod tests;
