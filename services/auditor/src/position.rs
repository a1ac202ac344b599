//! How far a log file has been told: kept in the audit's own entries, so that each line is told once.

use mesh_kafka::Record;
use serde::{Deserialize, Serialize};

/// The event that tells of denials.
pub(crate) const DENIED: &str = "access-denied";

/// How far a log file has been told. Files are known by their first line, whatever they are called by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The machine that it is on.
    pub(crate) host: String,
    /// The path that it is followed at.
    pub(crate) file: String,
    /// SHA-256 of its first line.
    pub(crate) first_line: String,
    /// How many bytes of it were told, whole lines.
    pub(crate) offset: u64,
}

#[derive(Deserialize)]
struct Told {
    event: String,
    log: Option<Position>,
}

/// The position that an entry of the audit holds, if it is of this log.
pub(crate) fn told(record: &Record, host: &str, file: &str) -> Option<Position> {
    let told: Told = serde_json::from_slice(record.value.as_deref()?).ok()?;
    told.log.filter(|log| told.event == DENIED && log.host == host && log.file == file)
}
