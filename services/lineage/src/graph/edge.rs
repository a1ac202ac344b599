//! What moved between a job and a data set.

use mesh_client::lineage::Facets;
use mesh_client::lineage::facet::{InputStatistics, MeshKafka, OutputStatistics};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The job reads the data set.
    Input,
    /// The job writes the data set.
    Output,
}

/// Between a job and a data set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    /// Whether a contract or a design says so.
    pub declared: bool,
    /// What was seen to move; nothing, if only declared.
    pub observed: Option<Observed>,
}

/// What was seen to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Records, of all runs.
    pub records: u64,
    /// When it was first seen.
    pub first_seen_ms: i64,
    /// When it was last seen.
    pub last_seen_ms: i64,
}

impl Edge {
    /// Adds what was seen.
    pub(super) fn observe(&mut self, records: u64, at_ms: i64) {
        let new = Observed { records: 0, first_seen_ms: at_ms, last_seen_ms: at_ms };
        let observed = self.observed.get_or_insert(new);
        observed.records = observed.records.saturating_add(records);
        observed.first_seen_ms = observed.first_seen_ms.min(at_ms);
        observed.last_seen_ms = observed.last_seen_ms.max(at_ms);
    }
}

/// How many records a run says it moved so far. Other systems' events say it in the standard facets, if at all.
pub(super) fn records(facets: &Facets, direction: Direction) -> u64 {
    let counted = facets.get::<MeshKafka>().map(|kafka| kafka.records);
    let standard = || match direction {
        Direction::Input => facets.get::<InputStatistics>().map(|statistics| statistics.row_count),
        Direction::Output => facets.get::<OutputStatistics>().map(|statistics| statistics.row_count),
    };
    counted.or_else(standard).unwrap_or_default()
}
