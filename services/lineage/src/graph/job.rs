//! Jobs and their runs as the graph keeps them.

use std::collections::BTreeMap;

use mesh_client::lineage::EventType;
use uuid::Uuid;

use super::GraphFull;
use super::edge::{Direction, Edge};
use super::node::{Heard, Name, NodeId};
use super::tally::{Counted, News, Tally};
use super::told::{Room, Told};
use crate::event::Facets;
use crate::facet::{Documentation, JobType, Ownership, Parent};

/// A job and what it touches, through time.
#[derive(Debug, Clone)]
pub struct JobNode {
    name: Name,
    /// When it was heard of.
    pub heard: Heard,
    pub(super) inputs: BTreeMap<NodeId, Edge>,
    pub(super) outputs: BTreeMap<NodeId, Edge>,
    pub(super) runs: BTreeMap<Uuid, RunNode>,
    owner: Option<Told<Option<String>>>,
    description: Option<Told<String>>,
    processing: Option<Told<String>>,
}

/// One execution of a job.
#[derive(Debug, Clone)]
pub struct RunNode {
    /// When it was heard of.
    pub heard: Heard,
    /// The run that it is a part of.
    pub parent: Option<Uuid>,
    began: bool,
    ended: Option<(i64, EventType)>,
    counted: Vec<((Direction, NodeId), Tally)>,
}

/// How a run is doing, in Marquez' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Marquez' words")]
pub enum RunState {
    New,
    Running,
    Completed,
    Aborted,
    Failed,
}

impl JobNode {
    pub(super) fn new(name: Name, at_ms: i64) -> Self {
        Self {
            name,
            heard: Heard::at(at_ms),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            runs: BTreeMap::new(),
            owner: None,
            description: None,
            processing: None,
        }
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.name.namespace()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.name()
    }

    /// Who answers for it.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref().and_then(Option::as_deref)
    }

    /// What it does, in words.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref().map(String::as_str)
    }

    /// `STREAMING`, `BATCH` or `SERVICE`.
    pub fn processing_type(&self) -> Option<&str> {
        self.processing.as_deref().map(String::as_str)
    }

    pub(super) fn learn(&mut self, facets: &Facets<'_>, at_ms: i64, room: &Room) -> Result<(), GraphFull> {
        if self.heard.note(at_ms) {
            let owner = |it: Ownership| it.owners.into_iter().next().map(|owner| owner.name);
            Told::learn(&mut self.owner, facets, room, owner)?;
            Told::learn(&mut self.description, facets, room, |it: Documentation| it.description)?;
            Told::learn(&mut self.processing, facets, room, |it: JobType| it.processing_type)?;
        }
        Ok(())
    }

    /// The run to make room for: the oldest of those that ended, or else of those that did not.
    pub(super) fn oldest_run(&self) -> Option<Uuid> {
        let age = |run: &RunNode| (run.ended.is_none(), run.heard.last_ms);
        self.runs.iter().min_by_key(|(_, run)| age(run)).map(|(id, _)| *id)
    }

    pub(super) fn edges(&self, direction: Direction) -> &BTreeMap<NodeId, Edge> {
        match direction {
            Direction::Input => &self.inputs,
            Direction::Output => &self.outputs,
        }
    }

    pub(super) fn edges_mut(&mut self, direction: Direction) -> &mut BTreeMap<NodeId, Edge> {
        match direction {
            Direction::Input => &mut self.inputs,
            Direction::Output => &mut self.outputs,
        }
    }
}

impl RunNode {
    pub(super) fn new(at_ms: i64) -> Self {
        Self { heard: Heard::at(at_ms), parent: None, began: false, ended: None, counted: Vec::new() }
    }

    /// Takes a transition in. Once it ended, nothing that comes late wakes it.
    pub(super) fn note(&mut self, transition: Option<EventType>, facets: &Facets<'_>, at_ms: i64) {
        self.heard.note(at_ms);
        match transition {
            Some(end) if end.is_end() => {
                self.ended.get_or_insert((at_ms, end));
            }
            Some(EventType::Start | EventType::Running) => self.began = true,
            _ => {}
        }
        if let Some(parent) = facets.read::<Parent>() {
            self.parent = Some(parent.run.run_id);
        }
    }

    /// What is new since its last event. `room`: how many further counts may be kept; what there is no room for is left
    /// out, as it could not be told from what was counted before.
    pub(super) fn news(&mut self, direction: Direction, dataset: &NodeId, told: &Counted, room: usize) -> News {
        let known = self.counted.iter_mut().find(|((way, id), _)| *way == direction && id == dataset);
        match (known, room.checked_sub(1)) {
            (Some((_, tally)), _) => tally.merge(told, room),
            (None, Some(room)) => {
                let mut tally = Tally::default();
                let news = tally.merge(told, room);
                self.counted.push(((direction, dataset.clone()), tally));
                news
            }
            (None, None) => News::default(),
        }
    }

    /// How many records it moved of each data set that it touched; none of those that it did not count.
    pub fn moved(&self, direction: Direction) -> impl Iterator<Item = (&NodeId, u64)> {
        let counted = self.counted.iter().filter(move |((way, _), _)| *way == direction);
        counted.map(|((_, dataset), tally)| (dataset, tally.records()))
    }

    /// How many counts it keeps.
    pub(super) fn count_len(&self) -> usize {
        self.counted.iter().map(|(_, tally)| tally.len()).sum()
    }

    /// When it ended, if it had by then.
    pub fn ended_ms(&self, at_ms: i64) -> Option<i64> {
        self.ended.filter(|(ended_ms, _)| *ended_ms <= at_ms).map(|(ended_ms, _)| ended_ms)
    }

    /// How it was doing.
    pub fn state(&self, at_ms: i64) -> RunState {
        match self.ended.filter(|(ended_ms, _)| *ended_ms <= at_ms) {
            Some((_, EventType::Complete)) => RunState::Completed,
            Some((_, EventType::Abort)) => RunState::Aborted,
            Some((_, EventType::Fail)) => RunState::Failed,
            _ if self.began => RunState::Running,
            _ => RunState::New,
        }
    }
}
