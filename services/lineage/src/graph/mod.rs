//! The graph in memory: data sets, jobs, and what moved between them, through time. Pure, and bounded whatever the
//! events say. [`Graph::now`] and [`Graph::as_of`] are the ways to look at it.

mod budget;
pub mod columns;
mod declared;
mod edge;
mod job;
mod limits;
mod moment;
mod node;
mod product;
mod tally;
mod tested;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod told;
mod topic;
mod trace;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_client::lineage::{EventType, KafkaCluster};
use uuid::Uuid;

use crate::event::{Event, Facets, Subject, Thing, Touched, Work};
use crate::facet::{ColumnLineage, Shape};
use budget::Budget;
use node::Name;
use tally::{Counted, News};
use told::{Room, Told};

pub use declared::Declaration;
pub use edge::{Direction, Edge, Observed};
pub use job::{JobNode, RunNode, RunState};
pub use limits::{GraphFull, Limits};
pub use moment::{Link, Moment};
pub use node::{DatasetNode, Facts, Heard, NodeId, dataset_id, job_id, leaves};
pub use product::{ProductEdge, ProductTree, Side, product_topic};
pub use timeline::Timeline;
pub use topic::TopicEdge;
pub use trace::{Column, ColumnEdge, ColumnGraph};
pub use walk::Neighbourhood;

/// Data sets, jobs, and what moved between them, through time.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    limits: Limits,
    datasets: BTreeMap<NodeId, DatasetNode>,
    jobs: BTreeMap<NodeId, JobNode>,
    facets: Budget,
    name_bytes: usize,
    edges: usize,
    runs: usize,
    counts: usize,
    begins_ms: Option<i64>,
    cluster: Option<Arc<KafkaCluster>>,
}

impl Graph {
    /// An empty graph with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The graph as it is.
    pub fn now(&self) -> Moment<'_> {
        Moment::new(self, i64::MAX)
    }

    /// The graph as it was, in milliseconds since 1970, by what events say of when things happened.
    pub fn as_of(&self, at_ms: i64) -> Moment<'_> {
        Moment::new(self, at_ms)
    }

    /// What the graph calls a data set: the topics of a cluster that has several names are called by one.
    pub fn id_of_dataset(&self, namespace: &str, name: &str) -> NodeId {
        id_of_dataset(self.cluster.as_deref(), namespace, name)
    }

    /// Says that there were events before this instant, which nobody has any more.
    pub fn begin_at(&mut self, at_ms: i64) {
        self.begins_ms = Some(at_ms);
    }

    /// Bytes of facets that are held.
    pub fn facet_bytes(&self) -> usize {
        self.facets.taken()
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
        self.edges
    }

    /// How many runs there are.
    pub fn run_count(&self) -> usize {
        self.runs
    }

    /// Takes an event in. What there is no room for is left out, and the first reason returned.
    pub fn apply(&mut self, event: &Event<'_>) -> Result<(), GraphFull> {
        let at_ms = event.at_ms;
        match &event.subject {
            Subject::Run { transition, id, facets, work } => {
                let job = self.observe_job(&work.job, at_ms)?;
                let tracked = self.observe_run(&job, *id, *transition, facets, at_ms);
                let moved = self.each_touched(work, |graph, touched, direction| {
                    graph.move_records(&job, touched, direction, *id, at_ms)
                });
                tracked.and(moved)
            }
            Subject::Job(work) => self.apply_design(work, at_ms),
            Subject::Dataset(dataset) => {
                let id = self.observe_dataset(&dataset.namespace, &dataset.name, at_ms)?;
                self.learn(&id, &dataset.facets, at_ms)
            }
        }
    }

    /// Does for every data set that is touched; the first reason of those that there was no room for.
    fn each_touched(
        &mut self,
        work: &Work<'_>,
        mut each: impl FnMut(&mut Self, &Touched<'_>, Direction) -> Result<(), GraphFull>,
    ) -> Result<(), GraphFull> {
        let inputs = work.inputs.iter().map(|input| (input, Direction::Input));
        let outputs = work.outputs.iter().map(|output| (output, Direction::Output));
        let mut outcome = Ok(());
        for (touched, direction) in inputs.chain(outputs) {
            outcome = outcome.and(each(self, touched, direction));
        }
        outcome
    }

    fn move_records(
        &mut self,
        job: &NodeId,
        touched: &Touched<'_>,
        direction: Direction,
        run: Uuid,
        at_ms: i64,
    ) -> Result<(), GraphFull> {
        let id = self.observe_dataset(touched.namespace(), touched.name(), at_ms)?;
        let told = match direction {
            Direction::Input => touched.input_facets(),
            Direction::Output => touched.output_facets(),
        };
        let news = self.count(job, run, direction, &id, &Counted::of(told, direction));
        self.edge(job, &id, direction)?.observe(news.records, at_ms);
        if direction == Direction::Output {
            self.learn_columns(job, &id, touched.facets(), at_ms)?;
        }
        if direction == Direction::Input {
            self.learn_tests(job, &id, touched.input_facets(), at_ms)?;
        }
        self.learn(&id, touched.facets(), at_ms)?;
        news.is_whole.then_some(()).ok_or(GraphFull::Counts)
    }

    /// What a run moved since it last told.
    fn count(&mut self, job: &NodeId, run: Uuid, direction: Direction, dataset: &NodeId, told: &Counted) -> News {
        let room = self.limits.counts_max.saturating_sub(self.counts);
        let run = self.jobs.get_mut(job).and_then(|node| node.runs.get_mut(&run));
        let Some(run) = run else { return News::default() };
        let before = run.count_len();
        let news = run.news(direction, dataset, told, room);
        self.counts += run.count_len() - before;
        news
    }

    /// What a job found of a data set that it read.
    fn learn_tests(
        &mut self,
        job: &NodeId,
        dataset: &NodeId,
        facets: &Facets<'_>,
        at_ms: i64,
    ) -> Result<(), GraphFull> {
        let (room, most) = (self.room(), self.limits.versions_of_dataset_max);
        tested::learn(&mut self.edge(job, dataset, Direction::Input)?.tested, facets, at_ms, &room, most)
    }

    fn learn_columns(
        &mut self,
        job: &NodeId,
        dataset: &NodeId,
        facets: &Facets<'_>,
        at_ms: i64,
    ) -> Result<(), GraphFull> {
        let Some(facet) = facets.find(ColumnLineage::KEY) else { return Ok(()) };
        let (room, most, cluster) = (self.room(), self.limits.versions_of_dataset_max, self.cluster.clone());
        let edge = self.edge(job, dataset, Direction::Output)?;
        let known = edge.columns.at(at_ms).and_then(Option::as_ref);
        if known.is_some_and(|known| known.digest() == facet.digest) {
            return Ok(());
        }
        let told =
            Told::of(facet, &room, |it| columns::of(it, |ns, name| id_of_dataset(cluster.as_deref(), ns, name)))?;
        edge.columns.set(at_ms, told, most);
        Ok(())
    }

    /// The edge between a job and a data set, made if it is not there.
    fn edge(&mut self, job: &NodeId, dataset: &NodeId, direction: Direction) -> Result<&mut Edge, GraphFull> {
        let node = self.jobs.get_mut(job).ok_or(GraphFull::Jobs)?;
        let touched = node.inputs.len() + node.outputs.len();
        let edges = node.edges_mut(direction);
        if !edges.contains_key(dataset) {
            if touched >= self.limits.edges_of_job_max {
                return Err(GraphFull::EdgesOfJob);
            }
            if self.edges >= self.limits.edges_max {
                return Err(GraphFull::Edges);
            }
            self.edges += 1;
            if let Some(node) = self.datasets.get_mut(dataset) {
                node.touched_by(direction).insert(job.clone());
            }
        }
        Ok(edges.entry(dataset.clone()).or_default())
    }

    fn observe_job(&mut self, job: &Thing<'_>, at_ms: i64) -> Result<NodeId, GraphFull> {
        let id = job_id(&job.namespace, &job.name);
        if !self.jobs.contains_key(&id) {
            if self.jobs.len() >= self.limits.jobs_max {
                return Err(GraphFull::Jobs);
            }
            self.take_name(&id)?;
            let name = Name::new(id.clone(), "job", &job.namespace);
            self.jobs.insert(id.clone(), JobNode::new(name, at_ms));
        }
        let room = self.room();
        let node = self.jobs.get_mut(&id).ok_or(GraphFull::Jobs)?;
        node.learn(&job.facets, at_ms, &room)?;
        Ok(id)
    }

    fn observe_run(
        &mut self,
        job: &NodeId,
        run: Uuid,
        transition: Option<EventType>,
        facets: &Facets<'_>,
        at_ms: i64,
    ) -> Result<(), GraphFull> {
        let node = self.jobs.get_mut(job).ok_or(GraphFull::Jobs)?;
        if !node.runs.contains_key(&run) {
            let is_full = node.runs.len() >= self.limits.runs_of_job_max || self.runs >= self.limits.runs_max;
            if is_full {
                let oldest = node.oldest_run().and_then(|oldest| node.runs.remove(&oldest));
                let gone = oldest.ok_or(GraphFull::Runs)?;
                self.runs -= 1;
                self.counts -= gone.count_len();
            }
            node.runs.insert(run, RunNode::new(at_ms));
            self.runs += 1;
        }
        if let Some(node) = node.runs.get_mut(&run) {
            node.note(transition, facets, at_ms);
        }
        Ok(())
    }

    fn observe_dataset(&mut self, namespace: &str, name: &str, at_ms: i64) -> Result<NodeId, GraphFull> {
        let cluster = self.cluster.clone();
        let namespace = canonical(cluster.as_deref(), namespace);
        let id = dataset_id(namespace, name);
        if let Some(node) = self.datasets.get_mut(&id) {
            node.heard.note(at_ms);
            return Ok(id);
        }
        if self.datasets.len() >= self.limits.datasets_max {
            return Err(GraphFull::Datasets);
        }
        self.take_name(&id)?;
        let name = Name::new(id.clone(), "dataset", namespace);
        self.datasets.insert(id.clone(), DatasetNode::new(name, at_ms));
        Ok(id)
    }

    /// Keeps what an event tells of a data set.
    fn learn(&mut self, id: &NodeId, facets: &Facets<'_>, at_ms: i64) -> Result<(), GraphFull> {
        let (room, most) = (self.room(), self.limits.versions_of_dataset_max);
        let Some(node) = self.datasets.get_mut(id) else { return Ok(()) };
        node.learn(facets, at_ms, &room, most)
    }

    fn take_name(&mut self, id: &NodeId) -> Result<(), GraphFull> {
        let bytes = self.name_bytes + id.len();
        if bytes > self.limits.name_bytes_max {
            return Err(GraphFull::Names);
        }
        self.name_bytes = bytes;
        Ok(())
    }

    fn room(&self) -> Room {
        Room { budget: self.facets.clone(), bytes_max: self.limits.facet_bytes_max }
    }
}

fn id_of_dataset(cluster: Option<&KafkaCluster>, namespace: &str, name: &str) -> NodeId {
    dataset_id(canonical(cluster, namespace), name)
}

fn canonical<'n>(cluster: Option<&'n KafkaCluster>, namespace: &'n str) -> &'n str {
    let named = cluster.filter(|cluster| namespace.starts_with("kafka://") && cluster.is_called(namespace));
    named.map_or(namespace, |cluster| cluster.namespace.as_str())
}
