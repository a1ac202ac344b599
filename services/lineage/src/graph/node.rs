//! Data sets as the graph keeps them.

use std::collections::BTreeSet;
use std::sync::Arc;

use mesh_client::lineage::facet::SchemaField;

use super::GraphFull;
use super::edge::Direction;
use super::tested::{self, Tested};
use super::timeline::Timeline;
use super::told::{Room, Told};
use crate::event::Facets;
use crate::facet::{Change, DatasetVersion, Documentation, Lifecycle, Ownership, Schema, Tag, Tags};

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

/// A namespace and a name, kept once: in the node id.
#[derive(Debug, Clone)]
pub(super) struct Name {
    id: NodeId,
    name_at: usize,
}

impl Name {
    /// Of the id of a node of this kind (`dataset`, `job`) and namespace.
    pub(super) fn new(id: NodeId, kind: &str, namespace: &str) -> Self {
        Self { id, name_at: kind.len() + namespace.len() + 2 }
    }

    pub(super) fn namespace(&self) -> &str {
        let kind = self.id.find(':').map_or(0, |colon| colon + 1);
        &self.id[kind..self.name_at - 1]
    }

    pub(super) fn name(&self) -> &str {
        &self.id[self.name_at..]
    }
}

/// When something was first and last heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// First.
    pub first_ms: i64,
    /// Last.
    pub last_ms: i64,
}

impl Heard {
    pub(super) fn at(at_ms: i64) -> Self {
        Self { first_ms: at_ms, last_ms: at_ms }
    }

    /// Whether `at_ms` is not older than what was heard before.
    pub(super) fn note(&mut self, at_ms: i64) -> bool {
        self.first_ms = self.first_ms.min(at_ms);
        let is_newest = at_ms >= self.last_ms;
        self.last_ms = self.last_ms.max(at_ms);
        is_newest
    }
}

/// A data set and what is known of it, through time.
#[derive(Debug, Clone)]
pub struct DatasetNode {
    name: Name,
    /// When it was heard of.
    pub heard: Heard,
    /// What was told of it: a version for every change.
    pub versions: Timeline<Facts>,
    /// What was tested of it by whoever watches over it.
    pub(super) tested: Tested,
    /// The jobs that read it.
    pub(super) readers: BTreeSet<NodeId>,
    /// The jobs that write it.
    pub(super) writers: BTreeSet<NodeId>,
}

/// What was told of a data set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    schema: Option<Told<Vec<SchemaField>>>,
    tags: Option<Told<Vec<Tag>>>,
    description: Option<Told<String>>,
    owner: Option<Told<Option<String>>>,
    version: Option<Told<String>>,
    lifecycle: Option<Told<Change>>,
}

impl Facts {
    /// Its columns.
    pub fn fields(&self) -> &[SchemaField] {
        self.schema.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Tags of it and its columns: the class of each sensitive one.
    pub fn tags(&self) -> &[Tag] {
        self.tags.as_deref().map_or(&[], Vec::as_slice)
    }

    /// What it is, in words.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref().map(String::as_str)
    }

    /// Who answers for it.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref().and_then(Option::as_deref)
    }

    /// The version of its contract.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref().map(String::as_str)
    }

    /// What happened to it last.
    pub fn lifecycle(&self) -> Option<Change> {
        self.lifecycle.as_deref().copied()
    }

    /// Takes in what an event tells; a facet that it does not have stays as it was. Whether anything changed.
    fn learn(&mut self, facets: &Facets<'_>, room: &Room) -> Result<bool, GraphFull> {
        let owner = |it: Ownership| it.owners.into_iter().next().map(|owner| owner.name);
        let learned = [
            Told::learn(&mut self.schema, facets, room, |it: Schema| it.fields)?,
            Told::learn(&mut self.tags, facets, room, |it: Tags| it.tags)?,
            Told::learn(&mut self.description, facets, room, |it: Documentation| it.description)?,
            Told::learn(&mut self.owner, facets, room, owner)?,
            Told::learn(&mut self.version, facets, room, |it: DatasetVersion| it.dataset_version)?,
            Told::learn(&mut self.lifecycle, facets, room, |it: Lifecycle| it.lifecycle_state_change)?,
        ];
        Ok(learned.contains(&true))
    }
}

impl DatasetNode {
    pub(super) fn new(name: Name, at_ms: i64) -> Self {
        Self {
            name,
            heard: Heard::at(at_ms),
            versions: Timeline::default(),
            tested: Tested::default(),
            readers: BTreeSet::new(),
            writers: BTreeSet::new(),
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

    /// Takes in what an event tells of it.
    pub(super) fn learn(
        &mut self,
        facets: &Facets<'_>,
        at_ms: i64,
        room: &Room,
        versions_max: usize,
    ) -> Result<(), GraphFull> {
        self.heard.note(at_ms);
        let mut facts = self.versions.at(at_ms).cloned().unwrap_or_default();
        if facts.learn(facets, room)? {
            self.versions.set(at_ms, facts, versions_max);
        }
        tested::learn(&mut self.tested, facets, at_ms, room, versions_max)
    }

    pub(super) fn touched_by(&mut self, direction: Direction) -> &mut BTreeSet<NodeId> {
        match direction {
            Direction::Input => &mut self.readers,
            Direction::Output => &mut self.writers,
        }
    }
}

/// The columns without columns inside, as contracts name them: `address.street`, `contacts[].email`, `attributes{}`.
pub fn leaves(fields: &[SchemaField]) -> Vec<String> {
    let mut found = Vec::new();
    fields.iter().for_each(|field| grow(field, &field.name, &mut found));
    found
}

fn grow(field: &SchemaField, path: &str, found: &mut Vec<String>) {
    if field.fields.is_empty() {
        return found.push(path.to_owned());
    }
    for inner in &field.fields {
        let path = match inner.name.as_str() {
            "_element" => format!("{path}[]"),
            "value" if field.kind.as_deref() == Some("map") => format!("{path}{{}}"),
            name => format!("{path}.{name}"),
        };
        grow(inner, &path, found);
    }
}
