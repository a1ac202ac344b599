//! What the registry knows: a pure function of its log.
//!
//! [`State::apply`] takes the log's records in order; everything else only looks, or plans the records of a change
//! without making it. So a replay gives the same state, and a plan is made by whoever has read the log to its end.

mod apply;
mod compatibility;
mod deletion;
mod import;
mod query;
mod reference;
mod refusal;
mod registration;
mod settings;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

pub(crate) use query::{Filter, VersionSelector};
pub(crate) use refusal::Refusal;
pub(crate) use registration::{Registered, Submission};
pub(crate) use settings::level_of;

use uuid::Uuid;

use crate::{
    log::{ConfigValue, Mode, Record},
    schema::{Content, Stored},
    subject::Subject,
};

/// The registry's whole state.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct State {
    subjects: BTreeMap<Subject, BTreeMap<u32, Version>>,
    contexts: BTreeMap<String, Ids>,
    /// By subject; `None` is for all.
    configs: BTreeMap<Option<Subject>, ConfigValue>,
    modes: BTreeMap<Option<Subject>, Mode>,
    /// The contexts that were ever used, but for the default one.
    named_contexts: BTreeSet<String>,
    /// Where the log's writer takes changes for others.
    writer: Option<String>,
}

/// One version of a subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) id: u32,
    pub(crate) schema: Arc<Stored>,
    /// Soft-deleted: found by id, not by subject.
    pub(crate) deleted: bool,
}

/// The ids of one context.
#[derive(Debug, Default, PartialEq)]
struct Ids {
    schemas: BTreeMap<u32, Identified>,
    by_content: HashMap<Arc<Content>, u32>,
    by_guid: HashMap<Uuid, u32>,
    /// The highest id ever given, also to schemas that are gone.
    highest: u32,
}

/// The schema behind an id.
#[derive(Debug, PartialEq)]
struct Identified {
    schema: Arc<Stored>,
    uses: BTreeSet<(Subject, u32)>,
}

/// A change that may be made: what to write, and what to answer once it is written.
#[derive(Debug)]
pub(crate) struct Plan<T> {
    pub(crate) records: Vec<Record>,
    pub(crate) outcome: T,
}

impl<T> Plan<T> {
    /// Nothing has to change.
    fn nothing(outcome: T) -> Self {
        Self { records: Vec::new(), outcome }
    }
}

#[cfg(test)]
mod tests;
