//! "If I change this column, who sees it, and in which form?"

use std::collections::{BTreeMap, BTreeSet};

use mesh_contract::MaskRule;
use serde::Serialize;

use crate::graph::columns::overlap;
use crate::graph::{Column, Direction, Moment, NodeId, leaves};
use crate::reach::{Arrived, Governed, Products, Reach, Role};

/// Who sees a column of a product, and in which form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// The product.
    pub product: String,
    /// The column.
    pub column: String,
    /// Its class, if it is sensitive.
    pub class: Option<String>,
    /// Where it is to be seen.
    pub sights: Vec<Sight>,
    /// Products that declare that they are made of this one, of which nothing was seen to come.
    pub declared_only: Vec<String>,
    /// Whether there was more than is told.
    pub truncated: bool,
}

/// A place where a column is to be seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Sight {
    /// The product whose place it is; none if nobody's.
    pub product: Option<String>,
    /// The data set: the topic.
    pub dataset: String,
    /// The view, if it is one.
    pub view: Option<String>,
    /// The column; none if a job did not tell which.
    pub column: Option<String>,
    /// In which form.
    pub form: Arrived,
    /// What was done to it, in words: the masking rule.
    pub how: Option<String>,
    /// Whether records were seen to move there; if not, the contract says so.
    pub observed: bool,
    /// Whether a job told that it is there; if not, it may be.
    pub sure: bool,
    /// The groups that may read it.
    pub groups: Vec<String>,
    /// The jobs that were seen to read it.
    pub readers: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImpactError {
    /// There is no such product.
    #[error("there is no product {product}")]
    NoSuchProduct {
        /// What was asked for.
        product: String,
    },
    /// The product has no such column.
    #[error("{product} has no column {column}")]
    NoSuchColumn {
        /// The product.
        product: String,
        /// What was asked for.
        column: String,
        /// The columns that it has.
        known: Vec<String>,
    },
}

impl Impact {
    /// Of a column of the newest major version of a product.
    pub fn of(moment: Moment<'_>, products: &Products, product: &str, column: &str) -> Result<Self, ImpactError> {
        let unknown = || ImpactError::NoSuchProduct { product: product.to_owned() };
        let governed = products.newest(product).ok_or_else(unknown)?;
        let known = columns(governed);
        let concerned: Vec<&String> = known.iter().filter(|leaf| overlap(column, leaf)).collect();
        if concerned.is_empty() {
            let (product, column) = (product.to_owned(), column.to_owned());
            return Err(ImpactError::NoSuchColumn { product, column, known });
        }
        let input = input_of(moment, governed);
        let start = concerned.iter().map(|leaf| Column { dataset: input.clone(), column: leaf.as_str().into() });
        let reach = Reach::of(moment, start);
        let mut sights = seen(moment, products, &reach);
        sights.extend(by_contract(governed, column, &sights));
        Ok(Self {
            product: product.to_owned(),
            column: column.to_owned(),
            class: governed.sensitive_at(column).first().map(|it| it.class.clone()),
            sights: in_order(sights, product),
            declared_only: declared_only(moment, product),
            truncated: reach.truncated,
        })
    }
}

/// The product's own places first, those of nobody last.
fn in_order(sights: BTreeSet<Sight>, product: &str) -> Vec<Sight> {
    let mut sights: Vec<Sight> = sights.into_iter().collect();
    let rank = |sight: &Sight| (sight.product.as_deref() != Some(product), sight.product.is_none());
    // columns that are there for sure stand before those that may be
    sights.sort_by_cached_key(|it| (rank(it), it.product.clone(), it.dataset.clone(), !it.sure, it.column.clone()));
    sights
}

/// A product's columns, by the contract's schema.
pub(crate) fn columns(governed: &Governed) -> Vec<String> {
    let columns = mesh_client::lineage::columns::columns(&governed.applied.schema);
    leaves(&columns.fields)
}

/// The input port as the graph calls it; by any cluster's name if it was never heard of.
pub(crate) fn input_of(moment: Moment<'_>, governed: &Governed) -> NodeId {
    let topic = governed.applied.contract.topics().input;
    let known = moment.datasets().find(|(_, node)| node.name() == topic && node.namespace().starts_with("kafka://"));
    known.map_or_else(|| moment.id_of_dataset("kafka://", &topic), |(id, _)| id.clone())
}

/// Each place once, in the strongest form that arrived there.
fn seen(moment: Moment<'_>, products: &Products, reach: &Reach) -> BTreeSet<Sight> {
    let mut strongest = BTreeMap::new();
    for arrival in reach.arrivals.iter().filter(|arrival| arrival.job.is_some()) {
        let key = (arrival.dataset.clone(), arrival.column.clone());
        let known = strongest.entry(key).or_insert(arrival);
        if (arrival.form, arrival.sure) > (known.form, known.sure) {
            *known = arrival;
        }
    }
    let sight = |arrival: &&crate::reach::Arrival| {
        let dataset = moment.dataset(&arrival.dataset)?;
        let governed = products.of(dataset);
        let view = governed.and_then(|(_, role)| if let Role::View(view) = role { Some(view.clone()) } else { None });
        let groups = governed.zip(view.as_ref()).map(|((governed, _), view)| governed.groups(view));
        Some(Sight {
            product: governed.map(|(governed, _)| governed.name()),
            dataset: dataset.name().to_owned(),
            view,
            column: arrival.column.as_deref().map(str::to_owned),
            form: arrival.form,
            how: arrival.how.as_deref().map(str::to_owned),
            observed: true,
            sure: arrival.sure,
            groups: groups.unwrap_or_default(),
            readers: readers(moment, &arrival.dataset),
        })
    };
    strongest.values().filter_map(sight).collect()
}

/// The jobs that were seen to read a data set, the products' own sidecars aside.
pub(crate) fn readers(moment: Moment<'_>, dataset: &NodeId) -> Vec<String> {
    let jobs = moment.jobs_of(dataset, Direction::Input).filter(|(_, job)| {
        let link = moment.link(job, Direction::Input, dataset);
        link.is_some_and(|link| link.observed.is_some()) && !job.name().starts_with("masking.")
    });
    jobs.map(|(_, job)| job.name().to_owned()).collect()
}

/// What the contract says of the product's own views that nothing was seen to be written to.
fn by_contract(governed: &Governed, column: &str, seen: &BTreeSet<Sight>) -> Vec<Sight> {
    let topics = governed.applied.contract.topics().views.into_iter();
    let unseen = topics.filter(|(_, topic)| !seen.iter().any(|sight| sight.dataset == *topic));
    let leaves = columns(governed).into_iter().filter(|leaf| overlap(column, leaf)).collect::<Vec<_>>();
    let sights = unseen.flat_map(|(view, topic)| {
        leaves.iter().filter_map(|leaf| promised(governed, &view, &topic, leaf)).collect::<Vec<_>>()
    });
    sights.collect()
}

fn promised(governed: &Governed, view: &str, topic: &str, leaf: &str) -> Option<Sight> {
    let rule = governed.sensitive_at(leaf).first().and_then(|it| it.masks.get(view)).cloned();
    let (form, how) = match rule {
        Some(Some(MaskRule::Drop)) => return None,
        Some(rule) => (Arrived::Masked, Some(rule.map_or_else(|| "by its type".to_owned(), |it| it.to_string()))),
        None => (Arrived::Clear, None),
    };
    Some(Sight {
        product: Some(governed.name()),
        dataset: topic.to_owned(),
        view: Some(view.to_owned()),
        column: Some(leaf.to_owned()),
        form,
        how,
        observed: false,
        sure: true,
        groups: governed.groups(view),
        readers: Vec::new(),
    })
}

fn declared_only(moment: Moment<'_>, product: &str) -> Vec<String> {
    let edges = moment.product_edges().into_iter();
    edges.filter(|edge| edge.from == product && edge.declared && !edge.observed).map(|edge| edge.to).collect()
}
