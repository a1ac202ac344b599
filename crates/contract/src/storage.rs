//! Where a product can be read from.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// A promised output port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Storage {
    /// A topic: what the mesh serves.
    Stream,
    /// Files in a data lake.
    DataLake,
    /// A table of a relational database.
    Sql,
    /// A collection of another database.
    NoSql,
}

impl Storage {
    /// All of them.
    pub const ALL: [Storage; 4] = [Storage::Stream, Storage::DataLake, Storage::Sql, Storage::NoSql];

    /// As a contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Storage::Stream => "stream",
            Storage::DataLake => "data lake",
            Storage::Sql => "sql",
            Storage::NoSql => "no sql",
        }
    }
}

/// Not a storage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a storage: stream, data lake, sql or no sql")]
pub struct StorageError(String);

impl FromStr for Storage {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Storage, StorageError> {
        let storage = Storage::ALL.into_iter().find(|storage| storage.as_str() == text);
        storage.ok_or_else(|| StorageError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(Storage);
