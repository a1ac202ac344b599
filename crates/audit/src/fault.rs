//! What is wrong with an audit.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

use crate::digest::Digest;

/// Something that is wrong, and the offset of the entry that it shows at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// What stands there is no entry of the audit.
    Unreadable {
        /// Where.
        offset: i64,
        /// Why not.
        why: String,
    },
    /// The entry is not what its own hash says.
    Altered {
        /// Where.
        offset: i64,
    },
    /// The entry is sealed with another key, or not by a holder of the keys.
    Forged {
        /// Where.
        offset: i64,
    },
    /// The entry has no seal, though all were to have one, and lies under no notary's either.
    Unsealed {
        /// Where.
        offset: i64,
    },
    /// An entry of a kind that is told in a chain has none.
    Unchained {
        /// Where.
        offset: i64,
        /// The kind.
        event: String,
    },
    /// Entries of a chain are not there.
    Missing {
        /// The entry after the gap.
        offset: i64,
        /// Whose.
        chain: Uuid,
        /// The number of the first that is missing.
        first: u64,
        /// The number of the last that is missing.
        last: u64,
    },
    /// An entry is there twice, or after one that came later.
    OutOfOrder {
        /// Where.
        offset: i64,
        /// Whose.
        chain: Uuid,
        /// Its number.
        seq: u64,
    },
    /// An entry follows another one than was written before it.
    Broken {
        /// Where.
        offset: i64,
        /// Whose.
        chain: Uuid,
        /// Its number.
        seq: u64,
    },
    /// An entry names one that was there before it, and is not there.
    Vanished {
        /// The entry that names it.
        offset: i64,
        /// The hash of what is not there.
        hash: Digest,
    },
    /// The notary saw other entries than are there.
    Different {
        /// The notary's entry.
        offset: i64,
        /// The notary's entry before, up to which all was well; none: from the beginning.
        since: Option<i64>,
    },
    /// What was seen of the topic earlier, and kept elsewhere, is not there.
    HeadNotFound {
        /// What was kept.
        head: Digest,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreadable { offset, why } => write!(f, "offset {offset}: no entry of the audit: {why}"),
            Fault::Altered { offset } => write!(f, "offset {offset}: altered: the entry is not what its hash says"),
            Fault::Forged { offset } => write!(f, "offset {offset}: forged: not sealed by a holder of the keys"),
            Fault::Unsealed { offset } => {
                write!(f, "offset {offset}: no holder of the keys has sealed it, nor vouched for it as a notary")
            }
            Fault::Unchained { offset, event } => {
                write!(f, "offset {offset}: forged or altered: {event} is told in a chain, and this is in none")
            }
            Fault::Missing { offset, chain, first, last } if first == last => {
                write!(f, "offset {offset}: missing before it: entry {first} of chain {}", chain.simple())
            }
            Fault::Missing { offset, chain, first, last } => {
                write!(f, "offset {offset}: missing before it: entries {first} to {last} of chain {}", chain.simple())
            }
            Fault::OutOfOrder { offset, chain, seq } => {
                write!(
                    f,
                    "offset {offset}: out of order: entry {seq} of chain {} is there already, or a later one",
                    chain.simple()
                )
            }
            Fault::Broken { offset, chain, seq } => {
                write!(
                    f,
                    "offset {offset}: broken: entry {seq} of chain {} follows another one than was written before it",
                    chain.simple()
                )
            }
            Fault::Vanished { offset, hash } => {
                write!(f, "offset {offset}: missing or altered before it: the entry {hash} that its writer had seen")
            }
            Fault::Different { offset, since: Some(since) } => {
                write!(
                    f,
                    "offset {offset}: altered, missing or added: what lies between offset {since} and here is not what the notary saw"
                )
            }
            Fault::Different { offset, since: None } => {
                write!(f, "offset {offset}: altered, missing or added: what lies before is not what the notary saw")
            }
            Fault::HeadNotFound { head } => {
                write!(
                    f,
                    "the end is cut off, or what was before it is not as it was: nothing has the digest {head} now"
                )
            }
        }
    }
}
