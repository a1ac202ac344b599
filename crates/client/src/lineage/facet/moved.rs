//! What a run moved of a data set, and what it found of it.

use serde::{Deserialize, Serialize};

/// The schema of [`MeshKafka`], which ships in `docs/openlineage/`.
pub const MESH_KAFKA_SCHEMA: &str =
    "https://example.org/mesh/spec/facets/1-0-0/MeshKafkaDatasetFacet.json#/$defs/MeshKafkaDatasetFacet";

/// How much a run read of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputStatistics {
    /// Records.
    pub row_count: u64,
    /// Bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}
facet!(InputStatistics, "inputStatistics", official!("1-0-0", "InputStatisticsInputDatasetFacet"), InputFacet);

/// How much a run wrote to a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputStatistics {
    /// Records.
    pub row_count: u64,
    /// Bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}
facet!(OutputStatistics, "outputStatistics", official!("1-0-2", "OutputStatisticsOutputDatasetFacet"), OutputFacet);

/// What was found of the data that a run read, or of a data set by whoever watches over it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataQualityAssertions {
    /// The findings.
    pub assertions: Vec<Assertion>,
}
facet!(
    DataQualityAssertions,
    "dataQualityAssertions",
    official!("1-1-0", "DataQualityAssertionsDatasetFacet"),
    InputFacet,
    DatasetFacet
);

/// One thing that data should be, and whether it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// What kind: `freshness`, `row_count`, ...
    pub assertion: String,
    /// Whether it holds.
    pub success: bool,
    /// `error` or `warn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

impl Assertion {
    /// Its newest fact is no older than was promised (`1 hour`): it is `fresh`, `stale`, or `excused`, and that `holds` or not.
    pub fn fresh(promise: &str, state: &str, holds: bool) -> Self {
        Self {
            assertion: "freshness".to_owned(),
            success: holds,
            severity: Some("error".to_owned()),
            name: Some("refresh-rate".to_owned()),
            expected: Some(format!("fresh within {promise}")),
            actual: Some(state.to_owned()),
        }
    }

    /// Every record that was read could be let through: so many could not.
    pub fn nothing_quarantined(quarantined: u64) -> Self {
        Self {
            assertion: "row_count".to_owned(),
            success: quarantined == 0,
            severity: Some("warn".to_owned()),
            name: Some("nothing-quarantined".to_owned()),
            expected: Some("0".to_owned()),
            actual: Some(quarantined.to_string()),
        }
    }
}

/// What a run moved of a topic since it started, and under which revision of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeshKafka {
    /// Records moved by this run since it started.
    pub records: u64,
    /// Per partition, where offsets are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<PartitionRange>,
    /// The contract's major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_version: Option<u32>,
    /// The contract's revision within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_revision: Option<u64>,
}
facet!(MeshKafka, "mesh_kafka", MESH_KAFKA_SCHEMA, InputFacet, OutputFacet);

/// What a run moved of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionRange {
    /// The partition.
    pub partition: i32,
    /// The first offset moved, where it is known: who writes within a transaction learns of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_offset: Option<i64>,
    /// The last offset moved, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_offset: Option<i64>,
    /// How many records: less than the span where markers, compaction or other writers left gaps.
    pub records: u64,
}

impl PartitionRange {
    /// Records between two offsets.
    pub fn of_offsets(partition: i32, first: i64, last: i64, records: u64) -> Self {
        Self { partition, first_offset: Some(first), last_offset: Some(last), records }
    }

    /// Records whose offsets are not known.
    pub fn of_records(partition: i32, records: u64) -> Self {
        Self { partition, first_offset: None, last_offset: None, records }
    }

    /// Both together.
    pub(crate) fn join(&mut self, other: &Self) {
        self.first_offset = min_known(self.first_offset, other.first_offset);
        self.last_offset = self.last_offset.max(other.last_offset);
        self.records += other.records;
    }
}

fn min_known(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
