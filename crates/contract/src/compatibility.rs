//! The registry's seven levels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a new schema must be compatible with. `Display` is the registry's spelling (`BACKWARD_TRANSITIVE`), the
/// contract's is lower case; either is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compatibility {
    /// Anything goes.
    None,
    /// The new schema reads what the last one wrote.
    Backward,
    /// The new schema reads what any earlier one wrote.
    #[default]
    BackwardTransitive,
    /// The last schema reads what the new one writes.
    Forward,
    /// Every earlier schema reads what the new one writes.
    ForwardTransitive,
    /// Backward and forward.
    Full,
    /// Backward and forward with every earlier schema.
    FullTransitive,
}

impl Compatibility {
    /// All seven.
    pub const ALL: [Compatibility; 7] = [
        Compatibility::None,
        Compatibility::Backward,
        Compatibility::BackwardTransitive,
        Compatibility::Forward,
        Compatibility::ForwardTransitive,
        Compatibility::Full,
        Compatibility::FullTransitive,
    ];

    /// The least level that asks for all that either asks for: of backward and forward that is full.
    #[must_use]
    pub fn and(self, other: Compatibility) -> Compatibility {
        let asks = |level: fn(Compatibility) -> bool| level(self) || level(other);
        match (asks(Compatibility::is_backward), asks(Compatibility::is_forward), asks(Compatibility::is_transitive)) {
            (false, false, _) => Compatibility::None,
            (true, false, false) => Compatibility::Backward,
            (true, false, true) => Compatibility::BackwardTransitive,
            (false, true, false) => Compatibility::Forward,
            (false, true, true) => Compatibility::ForwardTransitive,
            (true, true, false) => Compatibility::Full,
            (true, true, true) => Compatibility::FullTransitive,
        }
    }

    /// Whether the new schema has to read what was written before.
    pub fn is_backward(self) -> bool {
        use Compatibility::{Backward, BackwardTransitive, Full, FullTransitive};
        matches!(self, Backward | BackwardTransitive | Full | FullTransitive)
    }

    /// Whether earlier schemas have to read what the new one writes.
    pub fn is_forward(self) -> bool {
        use Compatibility::{Forward, ForwardTransitive, Full, FullTransitive};
        matches!(self, Forward | ForwardTransitive | Full | FullTransitive)
    }

    /// Whether all earlier schemas count, and not the last one alone.
    pub fn is_transitive(self) -> bool {
        use Compatibility::{BackwardTransitive, ForwardTransitive, FullTransitive};
        matches!(self, BackwardTransitive | ForwardTransitive | FullTransitive)
    }

    /// The registry's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Compatibility::None => "NONE",
            Compatibility::Backward => "BACKWARD",
            Compatibility::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Compatibility::Forward => "FORWARD",
            Compatibility::ForwardTransitive => "FORWARD_TRANSITIVE",
            Compatibility::Full => "FULL",
            Compatibility::FullTransitive => "FULL_TRANSITIVE",
        }
    }
}

/// Not one of the seven levels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a compatibility level: none, backward, backward_transitive, forward, forward_transitive, full or full_transitive"
)]
pub struct CompatibilityError(String);

impl FromStr for Compatibility {
    type Err = CompatibilityError;

    fn from_str(text: &str) -> Result<Compatibility, CompatibilityError> {
        let level = Compatibility::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
        level.ok_or_else(|| CompatibilityError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
