//! The graph as topics that were read and written.

use serde::Serialize;

use super::{Direction, JobNode, Moment};

/// A job was seen to read one data set and to write another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TopicEdge {
    /// The name of the data set that was read.
    pub from: String,
    /// The name of the data set that was written.
    pub to: String,
    /// The job's name.
    pub job: String,
}

impl<'a> Moment<'a> {
    /// From every data set that a job was seen to read to every one that it was seen to write, in order.
    pub fn topic_edges(&self) -> Vec<TopicEdge> {
        let mut edges = Vec::new();
        for (_, job) in self.jobs() {
            let written = self.seen(job, Direction::Output);
            for from in self.seen(job, Direction::Input) {
                let edge = |to: &String| TopicEdge { from: from.clone(), to: to.clone(), job: job.name().to_owned() };
                edges.extend(written.iter().map(edge));
            }
        }
        edges.sort();
        edges
    }

    fn seen(&self, job: &'a JobNode, direction: Direction) -> Vec<String> {
        let observed = self.links(job, direction).filter(|link| link.observed.is_some());
        observed.filter_map(|link| self.dataset(link.dataset)).map(|dataset| dataset.name().to_owned()).collect()
    }
}
