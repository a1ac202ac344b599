//! Data sets and jobs as the graph keeps them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_client::lineage::facet::{
    ColumnLineage, DatasetVersion, Documentation, JobOwnership, JobType, Ownership, SchemaFacet, SchemaField, Tags,
};
use mesh_client::lineage::{EventType, Facets};
use uuid::Uuid;

use super::edge::{Direction, Edge};

/// A node's name in the graph, as Marquez writes it: `dataset:<namespace>:<name>`, `job:<namespace>:<name>`.
pub type NodeId = Arc<str>;

/// The node id of a data set.
pub fn dataset_id(namespace: &str, name: &str) -> NodeId {
    format!("dataset:{namespace}:{name}").into()
}

/// The node id of a job.
pub fn job_id(namespace: &str, name: &str) -> NodeId {
    format!("job:{namespace}:{name}").into()
}

/// When something was first and last heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// First.
    pub first_ms: i64,
    /// Last.
    pub last_ms: i64,
}

impl Seen {
    fn at(at_ms: i64) -> Self {
        Self { first_ms: at_ms, last_ms: at_ms }
    }

    /// Whether `at_ms` is not older than what was heard before.
    pub(super) fn observe(&mut self, at_ms: i64) -> bool {
        self.first_ms = self.first_ms.min(at_ms);
        let is_newest = at_ms >= self.last_ms;
        self.last_ms = self.last_ms.max(at_ms);
        is_newest
    }
}

/// A data set and what is known of it.
#[derive(Debug, Clone)]
pub struct DatasetNode {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When it was heard of.
    pub seen: Seen,
    /// What it is, in words.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The version of its contract.
    pub version: Option<String>,
    /// Its columns.
    pub fields: Vec<SchemaField>,
    /// The class of each sensitive column.
    pub tags: Option<Tags>,
    /// Where its columns come from.
    pub column_lineage: Option<ColumnLineage>,
    /// The jobs that read it.
    pub readers: BTreeSet<NodeId>,
    /// The jobs that write it.
    pub writers: BTreeSet<NodeId>,
    pub(super) facet_bytes: usize,
}

impl DatasetNode {
    pub(super) fn new(namespace: &str, name: &str, at_ms: i64) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            seen: Seen::at(at_ms),
            description: None,
            owner: None,
            version: None,
            fields: Vec::new(),
            tags: None,
            column_lineage: None,
            readers: BTreeSet::new(),
            writers: BTreeSet::new(),
            facet_bytes: 0,
        }
    }

    /// An event without a facet says nothing about it. What an older event told and this one does not stays, uncounted:
    /// as each kind of facet is kept once, a data set holds at most as many events' worth as there are kinds.
    pub(super) fn learn(&mut self, facets: &Facets, facet_bytes: usize) {
        self.facet_bytes = facet_bytes;
        replace(&mut self.description, facets.get::<Documentation>().map(|it| it.description));
        replace(
            &mut self.owner,
            facets.get::<Ownership>().and_then(|it| it.owners.into_iter().next()).map(|it| it.name),
        );
        replace(&mut self.version, facets.get::<DatasetVersion>().map(|it| it.dataset_version));
        replace(&mut self.tags, facets.get::<Tags>());
        replace(&mut self.column_lineage, facets.get::<ColumnLineage>());
        if let Some(schema) = facets.get::<SchemaFacet>() {
            self.fields = schema.fields;
        }
    }

    pub(super) fn touched_by(&mut self, direction: Direction) -> &mut BTreeSet<NodeId> {
        match direction {
            Direction::Input => &mut self.readers,
            Direction::Output => &mut self.writers,
        }
    }
}

/// A job and what it touches.
#[derive(Debug, Clone)]
pub struct JobNode {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When it was heard of.
    pub seen: Seen,
    /// Who answers for it.
    pub owner: Option<String>,
    /// `STREAMING`, `BATCH` or `SERVICE`.
    pub processing_type: Option<String>,
    /// What it reads.
    pub inputs: BTreeMap<NodeId, Edge>,
    /// What it writes.
    pub outputs: BTreeMap<NodeId, Edge>,
    /// Its newest runs.
    pub runs: BTreeMap<Uuid, RunNode>,
}

/// One execution of a job.
#[derive(Debug, Clone)]
pub struct RunNode {
    /// Its newest transition.
    pub state: Option<EventType>,
    /// When it was heard of.
    pub seen: Seen,
    counted: BTreeMap<(Direction, NodeId), u64>,
}

impl JobNode {
    pub(super) fn new(namespace: &str, name: &str, at_ms: i64) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            seen: Seen::at(at_ms),
            owner: None,
            processing_type: None,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            runs: BTreeMap::new(),
        }
    }

    /// The run that was heard of last.
    pub fn latest_run(&self) -> Option<(&Uuid, &RunNode)> {
        self.runs.iter().max_by_key(|(_, run)| run.seen.last_ms)
    }

    pub(super) fn observe(&mut self, facets: &Facets, at_ms: i64) {
        if !self.seen.observe(at_ms) {
            return;
        }
        replace(
            &mut self.owner,
            facets.get::<JobOwnership>().and_then(|it| it.owners.into_iter().next()).map(|it| it.name),
        );
        replace(&mut self.processing_type, facets.get::<JobType>().map(|it| it.processing_type));
    }

    pub(super) fn observe_run(&mut self, id: Uuid, state: Option<EventType>, at_ms: i64, runs_max: usize) {
        if !self.runs.contains_key(&id) && self.runs.len() >= runs_max {
            self.forget_a_run();
        }
        let new = || RunNode { state: None, seen: Seen::at(at_ms), counted: BTreeMap::new() };
        let run = self.runs.entry(id).or_insert_with(new);
        let is_over = run.state.is_some_and(EventType::is_end);
        if run.seen.observe(at_ms) && !is_over {
            replace(&mut run.state, state);
        }
    }

    fn forget_a_run(&mut self) {
        let age = |run: &RunNode| (!run.state.is_some_and(EventType::is_end), run.seen.last_ms);
        let oldest = self.runs.iter().min_by_key(|(_, run)| age(run)).map(|(id, _)| *id);
        oldest.and_then(|id| self.runs.remove(&id));
    }

    pub(super) fn edges_mut(&mut self, direction: Direction) -> &mut BTreeMap<NodeId, Edge> {
        match direction {
            Direction::Input => &mut self.inputs,
            Direction::Output => &mut self.outputs,
        }
    }

    /// Counts of a run grow: only what is new since its last event is added to the edge.
    pub(super) fn move_records(&mut self, dataset: &NodeId, direction: Direction, run: Uuid, records: u64, at_ms: i64) {
        let counted = self.runs.get_mut(&run).map(|run| run.counted.entry((direction, dataset.clone())).or_default());
        let new = counted.map_or(records, |counted| {
            let new = records.saturating_sub(*counted);
            *counted = records.max(*counted);
            new
        });
        self.edges_mut(direction).entry(dataset.clone()).or_default().observe(new, at_ms);
    }
}

fn replace<T>(old: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *old = new;
    }
}

/// How large facets are, as JSON.
pub(super) fn size(facets: &Facets) -> usize {
    serde_json::to_vec(facets).map_or(usize::MAX, |json| json.len())
}
