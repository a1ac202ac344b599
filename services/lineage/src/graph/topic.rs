//! The graph as topics that were read and written.

use serde::Serialize;

use super::Graph;

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

impl Graph {
    /// From every data set that a job was seen to read to every one that it was seen to write, in order.
    pub fn topic_edges(&self) -> Vec<TopicEdge> {
        let mut edges: Vec<TopicEdge> = self
            .jobs
            .values()
            .flat_map(|job| {
                let seen = |edges: &std::collections::BTreeMap<super::NodeId, super::Edge>| -> Vec<String> {
                    let observed = edges.iter().filter(|(_, edge)| edge.observed.is_some());
                    observed.filter_map(|(id, _)| self.datasets.get(id)).map(|dataset| dataset.name.clone()).collect()
                };
                let written = seen(&job.outputs);
                let pairs = seen(&job.inputs).into_iter().flat_map(move |from| {
                    written.clone().into_iter().map(move |to| TopicEdge {
                        from: from.clone(),
                        to,
                        job: job.name.clone(),
                    })
                });
                pairs.collect::<Vec<_>>()
            })
            .collect();
        edges.sort();
        edges
    }
}
