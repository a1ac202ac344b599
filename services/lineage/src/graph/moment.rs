//! The graph at an instant: everything that is asked of it is asked of a moment.

use std::sync::Arc;

use uuid::Uuid;

use super::columns::Columns;
use super::told::Told;
use super::{DatasetNode, Direction, Edge, Facts, Graph, JobNode, NodeId, Observed, RunNode, tested};
use crate::facet::Assertion;

/// The graph at an instant.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    pub(super) graph: &'a Graph,
    at_ms: i64,
}

/// An edge at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Link<'a> {
    /// The data set.
    pub dataset: &'a NodeId,
    /// Whether a contract or a design said so.
    pub declared: bool,
    /// What had been seen to move.
    pub observed: Option<Observed>,
    /// What the job made its columns of, where it told.
    pub columns: Option<&'a Columns>,
}

impl<'a> Moment<'a> {
    pub(super) fn new(graph: &'a Graph, at_ms: i64) -> Self {
        Self { graph, at_ms }
    }

    /// The instant, in milliseconds since 1970; the largest number for now.
    pub fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// If this moment is before it, there is more to the graph than is known: the events are gone.
    pub fn begins_ms(&self) -> Option<i64> {
        self.graph.begins_ms
    }

    /// Every data set that was known, by node id.
    pub fn datasets(&self) -> impl Iterator<Item = (&'a NodeId, &'a DatasetNode)> + use<'a> {
        let at_ms = self.at_ms;
        self.graph.datasets.iter().filter(move |(_, node)| node.heard.first_ms <= at_ms)
    }

    /// Every job that was known, by node id.
    pub fn jobs(&self) -> impl Iterator<Item = (&'a NodeId, &'a JobNode)> + use<'a> {
        let at_ms = self.at_ms;
        self.graph.jobs.iter().filter(move |(_, node)| node.heard.first_ms <= at_ms)
    }

    /// A data set.
    pub fn dataset(&self, id: &str) -> Option<&'a DatasetNode> {
        self.graph.datasets.get(id).filter(|node| node.heard.first_ms <= self.at_ms)
    }

    /// A job.
    pub fn job(&self, id: &str) -> Option<&'a JobNode> {
        self.graph.jobs.get(id).filter(|node| node.heard.first_ms <= self.at_ms)
    }

    /// The id of a node, as the graph holds it.
    pub fn id_of(&self, id: &str) -> Option<&'a NodeId> {
        let dataset = self.dataset(id).and_then(|_| self.graph.datasets.get_key_value(id));
        let job = || self.job(id).and_then(|_| self.graph.jobs.get_key_value(id)).map(|(id, _)| id);
        dataset.map(|(id, _)| id).or_else(job)
    }

    /// What the graph calls a data set.
    pub fn id_of_dataset(&self, namespace: &str, name: &str) -> NodeId {
        self.graph.id_of_dataset(namespace, name)
    }

    /// What was told of a data set.
    pub fn facts(&self, node: &'a DatasetNode) -> Option<&'a Facts> {
        node.versions.at(self.at_ms)
    }

    /// What was tested of a data set: by whoever watches over it, then by each job that reads it, which is named.
    pub fn assertions(&self, id: &str) -> impl Iterator<Item = (Option<&'a NodeId>, &'a Assertion)> + use<'a> {
        let at_ms = self.at_ms;
        let node = self.graph.datasets.get_key_value(id);
        let own = node.map_or(&[][..], |(_, node)| tested::at(&node.tested, at_ms));
        let readers = node.into_iter().flat_map(|(id, node)| node.readers.iter().map(move |reader| (id, reader)));
        let found = readers.filter_map(|(id, reader)| Some((reader, self.graph.jobs.get(reader)?.inputs.get(id)?)));
        let found: Vec<_> = found.collect();
        let found = found.into_iter().flat_map(move |(reader, edge)| {
            tested::at(&edge.tested, at_ms).iter().map(move |assertion| (Some(reader), assertion))
        });
        own.iter().map(|assertion| (None, assertion)).chain(found)
    }

    /// What a job read or wrote, declared or observed.
    pub fn links(&self, job: &'a JobNode, direction: Direction) -> impl Iterator<Item = Link<'a>> + use<'a> {
        let at_ms = self.at_ms;
        job.edges(direction).iter().filter_map(move |(dataset, edge)| link(dataset, edge, at_ms))
    }

    /// What a job read or wrote of one data set.
    pub fn link(&self, job: &'a JobNode, direction: Direction, dataset: &str) -> Option<Link<'a>> {
        let (dataset, edge) = job.edges(direction).get_key_value(dataset)?;
        link(dataset, edge, self.at_ms)
    }

    /// The jobs that read (`Input`) or wrote (`Output`) a data set.
    pub fn jobs_of(&self, dataset: &str, direction: Direction) -> impl Iterator<Item = (&'a NodeId, &'a JobNode)> {
        let node = self.graph.datasets.get(dataset);
        let jobs = node.map(|node| if direction == Direction::Input { &node.readers } else { &node.writers });
        jobs.into_iter().flatten().filter_map(move |id| {
            let (id, job) = self.graph.jobs.get_key_value(id)?;
            self.link(job, direction, dataset).map(|_| (id, job))
        })
    }

    /// A job's runs that had been heard of, oldest first.
    pub fn runs(&self, job: &'a JobNode) -> impl DoubleEndedIterator<Item = (&'a Uuid, &'a RunNode)> + use<'a> {
        let at_ms = self.at_ms;
        let mut runs: Vec<_> = job.runs.iter().filter(|(_, run)| run.heard.first_ms <= at_ms).collect();
        runs.sort_by_key(|(id, run)| (run.heard.first_ms, **id));
        runs.into_iter()
    }

    /// The run that was heard of last.
    pub fn latest_run(&self, job: &'a JobNode) -> Option<(&'a Uuid, &'a RunNode)> {
        self.runs(job).max_by_key(|(_, run)| run.heard.last_ms.min(self.at_ms))
    }

    /// A run by its id, with its job.
    pub fn run(&self, id: &Uuid) -> Option<(&'a JobNode, &'a RunNode)> {
        let found = self.graph.jobs.values().find_map(|job| job.runs.get(id).map(|run| (job, run)));
        found.filter(|(_, run)| run.heard.first_ms <= self.at_ms)
    }

    /// Since when all that was told of these nodes is known; `None` if nothing was forgotten. Before it the answer may
    /// lack something.
    pub fn complete_since_ms<'n>(&self, nodes: impl IntoIterator<Item = &'n NodeId>) -> Option<i64> {
        let of_dataset = |id: &NodeId| self.graph.datasets.get(id)?.versions.forgotten_before_ms();
        let of_job = |id: &NodeId| {
            let outputs = self.graph.jobs.get(id)?.outputs.values();
            outputs.filter_map(|edge| edge.columns.forgotten_before_ms()).max()
        };
        let forgotten = nodes.into_iter().filter_map(|id| of_dataset(id).max(of_job(id))).max();
        forgotten.max(self.graph.begins_ms)
    }
}

fn link<'a>(dataset: &'a Arc<str>, edge: &'a Edge, at_ms: i64) -> Option<Link<'a>> {
    let declared = edge.declared.at(at_ms).copied().unwrap_or(false);
    let observed = edge.observed(at_ms);
    let columns = edge.columns.at(at_ms).and_then(Option::as_ref).map(Told::get);
    (declared || observed.is_some()).then_some(Link { dataset, declared, observed, columns })
}
