//! The graph in memory: data sets, jobs, and what moved between them. Pure, and bounded whatever the events say.

mod declared;
mod edge;
mod node;
mod product;
mod topic;
mod walk;

use std::collections::BTreeMap;

use mesh_client::lineage::{Dataset, Event, Job, JobEvent, RunEvent};

pub use edge::{Direction, Edge, Observed};
pub use node::{DatasetNode, JobNode, NodeId, RunNode, Seen, dataset_id, job_id};
pub use product::{ProductEdge, ProductTree, Side};
pub use topic::TopicEdge;
pub use walk::Neighbourhood;

/// How much the graph holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Data sets.
    pub datasets_max: usize,
    /// Jobs.
    pub jobs_max: usize,
    /// Data sets that one job may touch.
    pub edges_of_job_max: usize,
    /// Bytes of data sets' facets, of all together; beyond it data sets are kept without.
    pub facet_bytes_max: usize,
    /// Runs kept of one job; the oldest go first, and those that ended before those that did not.
    pub runs_of_job_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            datasets_max: 50_000,
            jobs_max: 50_000,
            edges_of_job_max: 1_000,
            facet_bytes_max: 128 << 20,
            runs_of_job_max: 16,
        }
    }
}

/// Why an event is not, or not wholly, in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GraphFull {
    /// No room for another data set.
    #[error("the lineage graph holds its most data sets")]
    Datasets,
    /// No room for another job.
    #[error("the lineage graph holds its most jobs")]
    Jobs,
    /// No room for what is known of the data set.
    #[error("the lineage graph holds its most facets")]
    Facets,
    /// No room for another edge of this job.
    #[error("the job touches the most data sets that the lineage graph holds for one job")]
    Edges,
}

/// Data sets, jobs, and what moved between them.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    limits: Limits,
    datasets: BTreeMap<NodeId, DatasetNode>,
    jobs: BTreeMap<NodeId, JobNode>,
    facet_bytes: usize,
}

impl Graph {
    /// An empty graph with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Every data set, by node id.
    pub fn datasets(&self) -> impl Iterator<Item = (&NodeId, &DatasetNode)> {
        self.datasets.iter()
    }

    /// Every job, by node id.
    pub fn jobs(&self) -> impl Iterator<Item = (&NodeId, &JobNode)> {
        self.jobs.iter()
    }

    /// A data set.
    pub fn dataset(&self, id: &str) -> Option<&DatasetNode> {
        self.datasets.get(id)
    }

    /// A job.
    pub fn job(&self, id: &str) -> Option<&JobNode> {
        self.jobs.get(id)
    }

    /// How many data sets there are.
    pub fn dataset_count(&self) -> usize {
        self.datasets.len()
    }

    /// How many jobs there are.
    pub fn job_count(&self) -> usize {
        self.jobs.len()
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.jobs.values().map(|job| job.inputs.len() + job.outputs.len()).sum()
    }

    /// Takes an event in. What there is no room for is left out, and the first reason returned.
    pub fn apply(&mut self, event: &Event) -> Result<(), GraphFull> {
        match event {
            Event::Run(event) => self.apply_run(event),
            Event::Job(event) => self.apply_job(event),
            Event::Dataset(event) => {
                let at_ms = event.event_time.as_millisecond();
                let dataset = self.observe_dataset(&event.dataset, at_ms)?;
                self.learn(&dataset, &event.dataset, at_ms)
            }
        }
    }

    fn apply_run(&mut self, event: &RunEvent) -> Result<(), GraphFull> {
        let at_ms = event.event_time.as_millisecond();
        let job = self.observe_job(&event.job, at_ms)?;
        let run = event.run.run_id;
        self.with_job(&job, |node, limits| node.observe_run(run, event.event_type, at_ms, limits.runs_of_job_max));
        let mut outcome = Ok(());
        for input in &event.inputs {
            let records = edge::records(&input.input_facets, Direction::Input);
            let moved = Moved { run, direction: Direction::Input, records, at_ms };
            outcome = outcome.and(self.move_records(&job, &input.dataset, moved));
        }
        for output in &event.outputs {
            let records = edge::records(&output.output_facets, Direction::Output);
            let moved = Moved { run, direction: Direction::Output, records, at_ms };
            outcome = outcome.and(self.move_records(&job, &output.dataset, moved));
        }
        outcome
    }

    fn apply_job(&mut self, event: &JobEvent) -> Result<(), GraphFull> {
        let at_ms = event.event_time.as_millisecond();
        let job = self.observe_job(&event.job, at_ms)?;
        let inputs = event.inputs.iter().map(|input| (&input.dataset, Direction::Input));
        let outputs = event.outputs.iter().map(|output| (&output.dataset, Direction::Output));
        inputs.chain(outputs).try_for_each(|(dataset, direction)| {
            let id = self.observe_dataset(dataset, at_ms)?;
            self.edge(&job, &id, direction)?.declared = true;
            self.learn(&id, dataset, at_ms)
        })
    }

    fn move_records(&mut self, job: &NodeId, dataset: &Dataset, moved: Moved) -> Result<(), GraphFull> {
        let id = self.observe_dataset(dataset, moved.at_ms)?;
        self.edge(job, &id, moved.direction)?;
        self.with_job(job, |node, _| node.move_records(&id, moved.direction, moved.run, moved.records, moved.at_ms));
        self.learn(&id, dataset, moved.at_ms)
    }

    /// The edge between a job and a data set, made if it is not there.
    fn edge(&mut self, job: &NodeId, dataset: &NodeId, direction: Direction) -> Result<&mut Edge, GraphFull> {
        let node = self.jobs.get_mut(job).ok_or(GraphFull::Jobs)?;
        let touched = node.inputs.len() + node.outputs.len();
        let edges = node.edges_mut(direction);
        if !edges.contains_key(dataset) && touched >= self.limits.edges_of_job_max {
            return Err(GraphFull::Edges);
        }
        if let Some(node) = self.datasets.get_mut(dataset) {
            node.touched_by(direction).insert(job.clone());
        }
        Ok(edges.entry(dataset.clone()).or_default())
    }

    fn observe_job(&mut self, job: &Job, at_ms: i64) -> Result<NodeId, GraphFull> {
        let id = node::job_id(&job.namespace, &job.name);
        if !self.jobs.contains_key(&id) && self.jobs.len() >= self.limits.jobs_max {
            return Err(GraphFull::Jobs);
        }
        let node = self.jobs.entry(id.clone()).or_insert_with(|| JobNode::new(&job.namespace, &job.name, at_ms));
        node.observe(&job.facets, at_ms);
        Ok(id)
    }

    fn observe_dataset(&mut self, dataset: &Dataset, at_ms: i64) -> Result<NodeId, GraphFull> {
        let id = node::dataset_id(&dataset.namespace, &dataset.name);
        if !self.datasets.contains_key(&id) && self.datasets.len() >= self.limits.datasets_max {
            return Err(GraphFull::Datasets);
        }
        let new = || DatasetNode::new(&dataset.namespace, &dataset.name, at_ms);
        self.datasets.entry(id.clone()).or_insert_with(new);
        Ok(id)
    }

    /// Keeps what an event tells of a data set, unless it is older than what is known.
    fn learn(&mut self, id: &NodeId, dataset: &Dataset, at_ms: i64) -> Result<(), GraphFull> {
        let Some(node) = self.datasets.get_mut(id) else { return Ok(()) };
        if !node.seen.observe(at_ms) || dataset.facets.is_empty() {
            return Ok(());
        }
        let others_bytes = self.facet_bytes - node.facet_bytes;
        let bytes = node::size(&dataset.facets);
        if others_bytes.saturating_add(bytes) > self.limits.facet_bytes_max {
            return Err(GraphFull::Facets);
        }
        node.learn(&dataset.facets, bytes);
        self.facet_bytes = others_bytes + bytes;
        Ok(())
    }

    fn with_job(&mut self, id: &NodeId, change: impl FnOnce(&mut JobNode, &Limits)) {
        if let Some(node) = self.jobs.get_mut(id) {
            change(node, &self.limits);
        }
    }
}

/// What one event says of one edge.
struct Moved {
    run: uuid::Uuid,
    direction: Direction,
    records: u64,
    at_ms: i64,
}

#[cfg(test)]
mod tests;
