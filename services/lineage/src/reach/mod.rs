//! How far a column's values go: from column to column by what jobs told, and wherever a job did not tell, to all that it
//! wrote. So what is not found here did not arrive, as far as jobs were seen to move anything at all.

mod products;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use mesh_client::lineage::name::masking_job;
use serde::Serialize;

use crate::graph::columns::{Columns, Form, overlap};
use crate::graph::{Column, DatasetNode, Direction, Facts, JobNode, Link, Moment, NodeId, leaves, product_topic};

pub use products::{Governed, Products, Role, Sensitive};

/// A walk ends here: more places than people read about.
const ARRIVALS_MAX: usize = 20_000;

/// A place where a column's values arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The data set.
    pub dataset: NodeId,
    /// The column; `None` if a job did not tell which.
    pub column: Option<Arc<str>>,
    /// In which form they are there.
    pub form: Arrived,
    /// What was done to them, in words: the masking rule.
    pub how: Option<Arc<str>>,
    /// Whether a job told so; if not, they may have arrived.
    pub sure: bool,
    /// Where they came from; `None` at the start.
    pub(crate) from: Option<usize>,
    /// The job that wrote them there; `None` at the start.
    pub job: Option<NodeId>,
}

/// In which form a column's values are in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrived {
    /// They are not: they only decided what is.
    Decides,
    /// In an encrypted envelope.
    Sealed,
    /// They can no longer be told from what is there.
    Masked,
    /// As they were, or as something that tells of them.
    Clear,
}

/// Where some columns' values arrived.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// The places, each after the one it was reached from. The first ones are the start.
    pub arrivals: Vec<Arrival>,
    /// Whether there were more.
    pub truncated: bool,
}

impl Reach {
    /// From some columns to everywhere that records were seen to move.
    pub fn of(moment: Moment<'_>, start: impl IntoIterator<Item = Column>) -> Self {
        let mut walk = Walk { moment, found: Self::default(), passed: BTreeSet::new(), waiting: VecDeque::new() };
        for Column { dataset, column } in start {
            let (column, form) = (Some(column), Arrived::Clear);
            walk.arrive(Arrival { dataset, column, form, how: None, sure: true, from: None, job: None });
        }
        while let Some(index) = walk.waiting.pop_front() {
            walk.leave(index);
        }
        walk.found
    }

    /// The way to an arrival, from the start on.
    pub fn way(&self, arrival: &Arrival) -> Vec<&Arrival> {
        let before = |arrival: &&Arrival| arrival.from.and_then(|index| self.arrivals.get(index));
        let start = self.arrivals.iter().find(|known| *known == arrival);
        let mut way: Vec<&Arrival> = std::iter::successors(start, before).collect();
        way.reverse();
        way
    }
}

struct Walk<'a> {
    moment: Moment<'a>,
    found: Reach,
    passed: BTreeSet<(NodeId, Option<Arc<str>>, Arrived, bool)>,
    waiting: VecDeque<usize>,
}

impl<'a> Walk<'a> {
    fn arrive(&mut self, arrival: Arrival) {
        let key = (arrival.dataset.clone(), arrival.column.clone(), arrival.form, arrival.sure);
        if self.passed.contains(&key) {
            return;
        }
        if self.found.arrivals.len() >= ARRIVALS_MAX {
            self.found.truncated = true;
            return;
        }
        self.passed.insert(key);
        if !matches!(arrival.form, Arrived::Decides | Arrived::Sealed) {
            self.waiting.push_back(self.found.arrivals.len());
        }
        self.found.arrivals.push(arrival);
    }

    /// Follows every job that read the place to all that it wrote.
    fn leave(&mut self, index: usize) {
        let from = self.found.arrivals[index].clone();
        let moment = self.moment;
        for (id, job) in moment.jobs_of(&from.dataset, Direction::Input) {
            let read = moment.link(job, Direction::Input, &from.dataset);
            if read.is_none_or(|link| link.observed.is_none()) {
                continue;
            }
            for written in moment.links(job, Direction::Output).filter(|link| link.observed.is_some()) {
                self.pass(&from, index, id, job, &written);
            }
        }
    }

    fn pass(&mut self, from: &Arrival, index: usize, id: &NodeId, job: &JobNode, written: &Link<'a>) {
        let next = |column: Option<Arc<str>>, form, how, sure| Arrival {
            dataset: written.dataset.clone(),
            column,
            form,
            how,
            sure,
            from: Some(index),
            job: Some(id.clone()),
        };
        let dataset = self.moment.dataset(written.dataset);
        if dataset.is_some_and(|dataset| is_sealed(job, dataset)) {
            return self.arrive(next(None, Arrived::Sealed, None, true));
        }
        let Some(columns) = written.columns else {
            return self.arrive(next(None, from.form, from.how.clone(), false));
        };
        for (name, origins) in columns {
            for origin in origins.iter().filter(|it| it.dataset == from.dataset && is_of(from, &it.column)) {
                let (form, how) = through(from, origin.form, origin.how.as_ref());
                self.arrive(next(Some(name.clone()), form, how, from.sure && from.column.is_some()));
            }
        }
        let untold = dataset.map(|dataset| untold(self.moment, dataset, columns)).unwrap_or_default();
        for name in untold {
            self.arrive(next(Some(name), from.form, from.how.clone(), false));
        }
    }
}

fn is_of(from: &Arrival, origin: &str) -> bool {
    from.column.as_ref().is_none_or(|column| overlap(column, origin))
}

/// What was masked once stays so.
fn through(from: &Arrival, form: Form, how: Option<&Arc<str>>) -> (Arrived, Option<Arc<str>>) {
    match form {
        Form::Decides => (Arrived::Decides, how.cloned()),
        Form::Masked => (Arrived::Masked, how.cloned().or_else(|| from.how.clone())),
        Form::Clear => (from.form, from.how.clone()),
    }
}

/// Columns of which the job that wrote them did not tell what it made them of.
fn untold(moment: Moment<'_>, dataset: &DatasetNode, told: &Columns) -> Vec<Arc<str>> {
    let known = dataset.versions.at(moment.at_ms()).map(|facts: &Facts| leaves(facts.fields())).unwrap_or_default();
    let untold = known.into_iter().filter(|leaf| !told.keys().any(|name| overlap(name, leaf)));
    untold.map(Into::into).collect()
}

/// A product's own sidecar encrypts what it puts into the product's quarantine.
fn is_sealed(job: &JobNode, dataset: &DatasetNode) -> bool {
    use mesh_client::lineage::name::{JOB_NAMESPACE, Port};
    let topic = product_topic(dataset).filter(|topic| topic.port == Port::Quarantine);
    let own = topic.map(|topic| masking_job(topic.product, topic.major));
    job.namespace() == JOB_NAMESPACE && own.is_some_and(|own| own == job.name())
}
