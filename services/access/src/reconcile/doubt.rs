//! Which answers of a directory are not believed.

use super::{Believed, Facts, Reach, topic};
use mesh_contract::acl::{Acl, Members};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How many members a group may lose at once. The more generous of the two holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// So many, whatever the group's size is.
    pub members: usize,
    /// So many of a hundred.
    pub percent: u8,
}

impl Default for Guard {
    /// Five, or half of the group.
    fn default() -> Self {
        Self { members: 5, percent: 50 }
    }
}

/// Why an answer about a group is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The directory knows no such group, though people read by it.
    Unknown {
        /// How many.
        readers: usize,
    },
    /// The directory says that nobody is in it, though people read by it.
    Empty {
        /// How many.
        readers: usize,
    },
    /// It would lose more than the guard lets go.
    Shrunk {
        /// How many it would lose.
        lost: usize,
        /// Of how many.
        of: usize,
    },
}

impl Doubt {
    /// In one word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown",
            Self::Empty { .. } => "empty",
            Self::Shrunk { .. } => "shrunk",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { readers } => {
                write!(f, "the directory knows no such group, though {readers} read by it")
            }
            Self::Empty { readers } => {
                write!(f, "the directory says that nobody is in it, though {readers} read by it")
            }
            Self::Shrunk { lost, of } => write!(f, "it would lose {lost} of {of} members at once"),
        }
    }
}

/// Who would lose what a group gives.
pub(super) struct Loss {
    /// Who.
    pub(super) lost: BTreeSet<String>,
    pub(super) doubt: Option<Doubt>,
    /// The group's members, as far as they are believed.
    pub(super) believed: BTreeSet<String>,
}

/// What each group would lose.
pub(super) fn losses(facts: &Facts<'_>, reach: &Reach, believed: &Believed, guard: Guard) -> BTreeMap<String, Loss> {
    let loss = |group: String| {
        let loss = loss(&group, facts, reach, believed, guard);
        (group, loss)
    };
    super::groups(facts.contracts).into_iter().map(loss).collect()
}

fn loss(group: &str, facts: &Facts<'_>, reach: &Reach, believed: &Believed, guard: Guard) -> Loss {
    let answer = facts.members.get(group);
    let before = before(group, facts, reach, believed);
    let none = BTreeSet::new();
    let lost: BTreeSet<String> = before.difference(answer.unwrap_or(&none)).cloned().collect();
    let doubt = match answer {
        _ if lost.is_empty() => None,
        None => Some(Doubt::Unknown { readers: lost.len() }),
        Some(_) if facts.nobody.contains(group) => None,
        Some(members) if members.is_empty() => Some(Doubt::Empty { readers: lost.len() }),
        Some(_) if lost.len() > guard.members && lost.len() * 100 > before.len() * usize::from(guard.percent) => {
            Some(Doubt::Shrunk { lost: lost.len(), of: before.len() })
        }
        Some(_) => None,
    };
    let now = if doubt.is_some() { before } else { answer.cloned().unwrap_or_default() };
    Loss { lost, doubt, believed: now }
}

/// Who was a member, of those who still read by it: as it was believed at the last look, or, at the first, as Kafka's rules say, but
/// for those whom another group explains.
fn before(group: &str, facts: &Facts<'_>, reach: &Reach, believed: &Believed) -> BTreeSet<String> {
    let Some(topics) = reach.of_group(group) else { return BTreeSet::new() };
    let known = believed.members.get(group);
    let counts = |acl: &&Acl| {
        let Some(topic) = topic(acl).filter(|topic| topics.contains(*topic) && reach.is_reading(acl)) else {
            return false;
        };
        match known {
            Some(members) => members.contains(&acl.principal),
            None => {
                !is_explained(acl, topic, group, facts.members, reach) && !is_known(&acl.principal, group, believed)
            }
        }
    };
    facts.found.iter().filter(counts).map(|acl| acl.principal.clone()).collect()
}

/// Whether somebody reads a topic by another group, too.
fn is_explained(acl: &Acl, topic: &str, group: &str, members: &Members, reach: &Reach) -> bool {
    members.iter().any(|(other, members)| {
        let reads = reach.of_group(other).is_some_and(|topics| topics.contains(topic));
        other != group && reads && members.contains(&acl.principal)
    })
}

/// Whether somebody was known as a member of another group, which gave what is read: that a contract grants it to others now is
/// nothing that the directory said.
fn is_known(principal: &str, group: &str, believed: &Believed) -> bool {
    believed.members.iter().any(|(other, members)| other != group && members.contains(principal))
}
