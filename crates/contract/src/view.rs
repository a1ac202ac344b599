//! Views, and who may read them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The view that every product has: each sensitive column masked.
pub const MASKED_VIEW: &str = "masked";

/// What a view shows in clear; everything else that is sensitive stays masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// What it unmasks.
    pub clear: Clear,
}

/// What a view unmasks. JSON: `"all"`, or a list of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clear {
    /// Every sensitive column.
    All,
    /// These columns, by path, or classes.
    Named(Vec<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    All,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "`clear` is \"all\" or a list of columns and classes")]
enum ClearJson {
    All(Word),
    Named(Vec<String>),
}

impl Serialize for Clear {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Clear::All => Word::All.serialize(serializer),
            Clear::Named(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Clear {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Clear, D::Error> {
        Ok(match ClearJson::deserialize(deserializer)? {
            ClearJson::All(Word::All) => Clear::All,
            ClearJson::Named(names) => Clear::Named(names),
        })
    }
}

/// A directory group and the view that it may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessGrant {
    /// The group, as the directory names it.
    pub group: String,
    /// The view; `masked` unless said.
    pub view: String,
}
