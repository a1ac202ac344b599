//! The graph as people think of it: products that feed products.

use std::collections::{BTreeMap, BTreeSet};

use mesh_client::lineage::name::{Port, product_of_topic};
use serde::Serialize;

use super::{DatasetNode, Edge, Graph, JobNode, NodeId};

/// One product feeds another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ProductEdge {
    /// The product that is read.
    pub from: String,
    /// The product that is made of it.
    pub to: String,
    /// Whether a contract says so.
    pub declared: bool,
    /// Whether records were seen to move.
    pub observed: bool,
}

/// A product with what feeds it, or what it feeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductTree {
    /// The product.
    pub product: String,
    /// How it is connected to the product that it hangs under; `None` at the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<ProductEdge>,
    /// The next ones. Empty where the product stands on the path already: that is a cycle.
    pub next: Vec<ProductTree>,
}

/// Which way a tree grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// To what feeds the product.
    Upstream,
    /// To what the product feeds.
    Downstream,
}

/// A tree is cut off here: far deeper than any mesh that people understand.
const TREE_NODES_MAX: usize = 1_000;

impl Graph {
    /// Which products feed which, observed or declared. A job counts if it reads an output port of one product and
    /// writes the input port of another; the sidecars, which stay within a product, do not.
    pub fn product_edges(&self) -> Vec<ProductEdge> {
        let mut edges = BTreeMap::<(String, String), (bool, bool)>::new();
        for job in self.jobs.values() {
            for (from, read) in self.products_read(job) {
                for (to, written) in self.products_written(job).filter(|(to, _)| *to != from) {
                    let known = edges.entry((from.to_owned(), to.to_owned())).or_default();
                    known.0 |= read.declared && written.declared;
                    known.1 |= read.observed.is_some() && written.observed.is_some();
                }
            }
        }
        let edges = edges.into_iter().filter(|(_, (declared, observed))| *declared || *observed);
        edges.map(|((from, to), (declared, observed))| ProductEdge { from, to, declared, observed }).collect()
    }

    /// Every product that a topic in the graph belongs to.
    pub fn products(&self) -> BTreeSet<String> {
        let topics = self.datasets.values().filter_map(product_topic);
        topics.map(|topic| topic.product.to_owned()).collect()
    }

    /// Who reads a product without making another of it: jobs by name, with the output port's topic.
    pub fn consumers(&self, product: &str) -> Vec<(String, String)> {
        let reads = |job: &JobNode| self.products_written(job).next().is_none();
        let consumers = self.jobs.values().filter(|job| reads(job)).flat_map(|job| {
            job.inputs.keys().filter_map(|id| {
                let dataset = self.datasets.get(id)?;
                let topic = product_topic(dataset).filter(|topic| topic.product == product)?;
                matches!(topic.port, Port::Output(_)).then(|| (job.name.clone(), dataset.name.clone()))
            })
        });
        consumers.collect()
    }

    /// The tree of what feeds a product, or of what it feeds.
    pub fn product_tree(&self, product: &str, side: Side) -> ProductTree {
        let edges = self.product_edges();
        let mut budget = TREE_NODES_MAX;
        grow(product, None, side, &edges, &mut Vec::new(), &mut budget)
    }

    fn products_read<'a>(&'a self, job: &'a JobNode) -> impl Iterator<Item = (&'a str, &'a Edge)> {
        self.products_at(&job.inputs, |port| matches!(port, Port::Output(_)))
    }

    fn products_written<'a>(&'a self, job: &'a JobNode) -> impl Iterator<Item = (&'a str, &'a Edge)> {
        self.products_at(&job.outputs, |port| port == Port::Input)
    }

    fn products_at<'a>(
        &'a self,
        edges: &'a BTreeMap<NodeId, Edge>,
        wanted: impl Fn(Port<'_>) -> bool,
    ) -> impl Iterator<Item = (&'a str, &'a Edge)> {
        edges.iter().filter_map(move |(id, edge)| {
            let topic = self.datasets.get(id).and_then(product_topic)?;
            wanted(topic.port).then_some((topic.product, edge))
        })
    }
}

/// Only Kafka's topics follow the topics' naming rule.
fn product_topic(dataset: &DatasetNode) -> Option<mesh_client::lineage::name::TopicOfProduct<'_>> {
    product_of_topic(&dataset.name).filter(|_| dataset.namespace.starts_with("kafka://"))
}

fn grow(
    product: &str,
    edge: Option<ProductEdge>,
    side: Side,
    edges: &[ProductEdge],
    path: &mut Vec<String>,
    budget: &mut usize,
) -> ProductTree {
    let is_cycle = path.iter().any(|passed| passed == product);
    path.push(product.to_owned());
    let mut next = Vec::new();
    for edge in edges.iter().filter(|edge| !is_cycle && near_end(edge, side) == product) {
        if *budget == 0 {
            break;
        }
        *budget -= 1;
        next.push(grow(far_end(edge, side), Some(edge.clone()), side, edges, path, budget));
    }
    path.pop();
    ProductTree { product: product.to_owned(), edge, next }
}

fn near_end(edge: &ProductEdge, side: Side) -> &str {
    match side {
        Side::Upstream => &edge.to,
        Side::Downstream => &edge.from,
    }
}

fn far_end(edge: &ProductEdge, side: Side) -> &str {
    match side {
        Side::Upstream => &edge.from,
        Side::Downstream => &edge.to,
    }
}
