//! Columns that are made of columns.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::columns::{Columns, Form, Origin, overlap};
use super::{Direction, Moment, NodeId, Side};

/// A column of a data set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column {
    /// The data set.
    pub dataset: NodeId,
    /// Its path in there.
    pub column: Arc<str>,
}

/// A job makes a column of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnEdge {
    /// The column that goes in.
    pub from: Column,
    /// The column that is written.
    pub to: Column,
    /// The job.
    pub job: NodeId,
    /// In which form it goes in.
    pub form: Form,
    /// What is done to it, in words.
    pub how: Option<Arc<str>>,
}

/// Columns within a number of hops of some.
#[derive(Debug, Clone, Default)]
pub struct ColumnGraph {
    /// The columns.
    pub nodes: BTreeSet<Column>,
    /// What is between them.
    pub edges: BTreeSet<ColumnEdge>,
    /// Whether there were more than was asked for.
    pub truncated: bool,
}

impl<'a> Moment<'a> {
    /// Every column of a data set that is told of: by its schema's leaves, or by who makes it.
    pub fn columns(&self, dataset: &NodeId) -> BTreeSet<Column> {
        let Some(node) = self.dataset(dataset) else { return BTreeSet::new() };
        let of = |column: Arc<str>| Column { dataset: dataset.clone(), column };
        let made = self.makers(dataset).flat_map(|(_, columns)| columns.keys()).cloned();
        let told = self.facts(node).map(|facts| super::leaves(facts.fields())).unwrap_or_default();
        made.chain(told.into_iter().map(Into::into)).map(of).collect()
    }

    /// What a column is made of.
    pub fn made_of(&self, column: &Column) -> Vec<ColumnEdge> {
        let mut edges = Vec::new();
        for (job, columns) in self.makers(&column.dataset) {
            let related = columns.iter().filter(|(name, _)| overlap(name, &column.column));
            edges.extend(
                related
                    .flat_map(|(name, origins)| origins.iter().map(|origin| edge(job, &column.dataset, name, origin))),
            );
        }
        edges
    }

    /// What is made of a column.
    pub fn made_into(&self, column: &Column) -> Vec<ColumnEdge> {
        let mut edges = Vec::new();
        for (id, job) in self.jobs_of(&column.dataset, Direction::Input) {
            for link in self.links(job, Direction::Output) {
                let Some(columns) = link.columns else { continue };
                let related = columns.iter().flat_map(|(name, origins)| origins.iter().map(move |it| (name, it)));
                let related =
                    related.filter(|(_, it)| it.dataset == column.dataset && overlap(&it.column, &column.column));
                edges.extend(related.map(|(name, origin)| edge(id, link.dataset, name, origin)));
            }
        }
        edges
    }

    /// The columns around some, at most `nodes_max`.
    pub fn columns_around(
        &self,
        start: impl IntoIterator<Item = Column>,
        sides: &[Side],
        depth: usize,
        nodes_max: usize,
    ) -> ColumnGraph {
        let mut found = ColumnGraph { nodes: start.into_iter().collect(), ..ColumnGraph::default() };
        for side in sides {
            let mut waiting: VecDeque<_> = found.nodes.iter().map(|column| (column.clone(), 0)).collect();
            let mut passed: BTreeSet<Column> = found.nodes.clone();
            while let Some((column, hops)) = waiting.pop_front() {
                let edges = match side {
                    _ if hops >= depth => Vec::new(),
                    Side::Upstream => self.made_of(&column),
                    Side::Downstream => self.made_into(&column),
                };
                for edge in edges {
                    let next = if *side == Side::Upstream { &edge.from } else { &edge.to };
                    if !found.nodes.contains(next) && found.nodes.len() >= nodes_max {
                        found.truncated = true;
                        continue;
                    }
                    found.nodes.insert(next.clone());
                    if passed.insert(next.clone()) {
                        waiting.push_back((next.clone(), hops + 1));
                    }
                    found.edges.insert(edge);
                }
            }
        }
        found
    }

    /// The jobs that told what they make a data set's columns of.
    fn makers(&self, dataset: &NodeId) -> impl Iterator<Item = (&'a NodeId, &'a Columns)> {
        self.jobs_of(dataset, Direction::Output)
            .filter_map(|(id, job)| Some((id, self.link(job, Direction::Output, dataset)?.columns?)))
    }
}

fn edge(job: &NodeId, dataset: &NodeId, name: &Arc<str>, origin: &Origin) -> ColumnEdge {
    ColumnEdge {
        from: Column { dataset: origin.dataset.clone(), column: origin.column.clone() },
        to: Column { dataset: dataset.clone(), column: name.clone() },
        job: job.clone(),
        form: origin.form,
        how: origin.how.clone(),
    }
}
