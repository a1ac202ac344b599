//! The graph as people think of it: products that feed products.

use std::collections::{BTreeMap, BTreeSet};

use mesh_client::lineage::name::{Port, TopicOfProduct, product_of_topic};
use serde::Serialize;

use super::{DatasetNode, Direction, JobNode, Link, Moment};

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

impl<'a> Moment<'a> {
    /// Which products feed which, observed or declared. A job counts if it reads an output port of one product and
    /// writes the input port of another; the sidecars, which stay within a product, do not.
    pub fn product_edges(&self) -> Vec<ProductEdge> {
        let mut edges = BTreeMap::<(&str, &str), (bool, bool)>::new();
        for (_, job) in self.jobs() {
            let written: Vec<_> = self.products_written(job).collect();
            for (from, read) in self.products_read(job) {
                for (to, written) in written.iter().filter(|(to, _)| *to != from) {
                    let known = edges.entry((from, to)).or_default();
                    known.0 |= read.declared && written.declared;
                    known.1 |= read.observed.is_some() && written.observed.is_some();
                }
            }
        }
        let edges = edges.into_iter().filter(|(_, (declared, observed))| *declared || *observed);
        let edge = |((from, to), (declared, observed)): ((&str, &str), _)| ProductEdge {
            from: from.to_owned(),
            to: to.to_owned(),
            declared,
            observed,
        };
        edges.map(edge).collect()
    }

    /// Every product that a topic in the graph belongs to.
    pub fn products(&self) -> BTreeSet<String> {
        let topics = self.datasets().filter_map(|(_, dataset)| product_topic(dataset));
        topics.map(|topic| topic.product.to_owned()).collect()
    }

    /// Who reads a product without making another of it: jobs by name, with the output port's topic.
    pub fn consumers(&self, product: &str) -> Vec<(String, String)> {
        let consumers = self.jobs().filter(|(_, job)| self.products_written(job).next().is_none());
        let reads = consumers.flat_map(|(_, job)| {
            self.links(job, Direction::Input).filter_map(|link| {
                let dataset = self.dataset(link.dataset)?;
                let topic = product_topic(dataset).filter(|topic| topic.product == product)?;
                matches!(topic.port, Port::Output(_)).then(|| (job.name().to_owned(), dataset.name().to_owned()))
            })
        });
        reads.collect()
    }

    /// The tree of what feeds a product, or of what it feeds, so many products deep.
    pub fn product_tree(&self, product: &str, side: Side, depth: usize) -> ProductTree {
        let edges = self.product_edges();
        let mut growth = Growth { side, edges: &edges, path: Vec::new(), budget: TREE_NODES_MAX };
        growth.grow(product, None, depth)
    }

    fn products_read(&self, job: &'a JobNode) -> impl Iterator<Item = (&'a str, Link<'a>)> {
        self.products_at(job, Direction::Input, |port| matches!(port, Port::Output(_)))
    }

    fn products_written(&self, job: &'a JobNode) -> impl Iterator<Item = (&'a str, Link<'a>)> {
        self.products_at(job, Direction::Output, |port| port == Port::Input)
    }

    fn products_at(
        &self,
        job: &'a JobNode,
        direction: Direction,
        wanted: impl Fn(Port<'_>) -> bool,
    ) -> impl Iterator<Item = (&'a str, Link<'a>)> {
        self.links(job, direction).filter_map(move |link| {
            let topic = self.dataset(link.dataset).and_then(product_topic)?;
            wanted(topic.port).then_some((topic.product, link))
        })
    }
}

/// The product that a data set is a topic of. Only Kafka's topics follow the topics' naming rule.
pub fn product_topic(dataset: &DatasetNode) -> Option<TopicOfProduct<'_>> {
    product_of_topic(dataset.name()).filter(|_| dataset.namespace().starts_with("kafka://"))
}

struct Growth<'e> {
    side: Side,
    edges: &'e [ProductEdge],
    path: Vec<String>,
    budget: usize,
}

impl Growth<'_> {
    fn grow(&mut self, product: &str, edge: Option<ProductEdge>, depth: usize) -> ProductTree {
        let ends = depth == 0 || self.path.iter().any(|passed| passed == product);
        self.path.push(product.to_owned());
        let mut next = Vec::new();
        let (side, edges) = (self.side, self.edges);
        for edge in edges.iter().filter(|edge| !ends && near_end(edge, side) == product) {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            next.push(self.grow(far_end(edge, side), Some(edge.clone()), depth - 1));
        }
        self.path.pop();
        ProductTree { product: product.to_owned(), edge, next }
    }
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
