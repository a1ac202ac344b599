//! "Where would this subject have gone?": every place that holds something of a record, how a subject is found there, and
//! until when it stays.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mesh_contract::{Contract, History, MaskRule};
use serde::Serialize;

use crate::graph::columns::overlap;
use crate::graph::{Column, Direction, Moment, NodeId};
use crate::impact::{self, ImpactError};
use crate::reach::{Arrival, Arrived, Governed, Products, Reach, Role};

/// Where the subjects of a product's records have gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// The product.
    pub product: String,
    /// The column that says whom a record is about: the contract's `subject`, or else its key.
    pub subject_column: Option<String>,
    /// Every place that holds something of the records, the input port first.
    pub places: Vec<Place>,
    /// Whether there were more.
    pub truncated: bool,
}

/// A place that holds something of the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The product whose place it is; none if nobody's.
    pub product: Option<String>,
    /// The data set: the topic.
    pub dataset: String,
    /// The view, if it is one.
    pub view: Option<String>,
    /// In which form the subject's own column is there; none if it is not: the subject cannot be found there.
    pub subject: Option<Arrived>,
    /// What was done to it, in words.
    pub how: Option<String>,
    /// The columns that came from the records, each in its form.
    pub columns: BTreeMap<String, Arrived>,
    /// Columns that are encrypted by a key of the subject's own: unreadable once it is forgotten.
    pub forgettable: Vec<String>,
    /// Whether every job on the way told what it made of the columns; if not, there may be more in it.
    pub sure: bool,
    /// How long it stays.
    pub kept: Kept,
    /// When the last that was seen to be written is gone, if time alone does it.
    pub until: Option<String>,
    /// The jobs that were seen to read it, and may have kept it elsewhere.
    pub readers: Vec<String>,
}

/// How long a place keeps what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// Each event, for this long.
    For(String),
    /// The newest event of each key, until a tombstone for that key.
    UntilTombstone,
    /// Nobody told the mesh.
    Unknown,
}

impl Erasure {
    /// Of the newest major version of a product.
    pub fn of(moment: Moment<'_>, products: &Products, product: &str) -> Result<Self, ImpactError> {
        let unknown = || ImpactError::NoSuchProduct { product: product.to_owned() };
        let governed = products.newest(product).ok_or_else(unknown)?;
        let contract = &governed.applied.contract;
        let subject = contract.subject.as_ref().or(contract.key.as_ref()).map(ToString::to_string);
        let input = impact::input_of(moment, governed);
        let column = |leaf: String| Column { dataset: input.clone(), column: leaf.into() };
        let all = Reach::of(moment, impact::columns(governed).into_iter().map(column));
        let of_subject = subject.iter().map(|subject| column(subject.clone()));
        let of_subject = Reach::of(moment, of_subject);
        let mut holds = BTreeMap::<&NodeId, Vec<&Arrival>>::new();
        for arrival in all.arrivals.iter().filter(|arrival| arrival.form != Arrived::Decides) {
            holds.entry(&arrival.dataset).or_default().push(arrival);
        }
        let mut places: Vec<Place> =
            holds.iter().map(|(id, arrivals)| place(moment, products, id, arrivals, &of_subject)).collect();
        places.sort_by_key(|place| {
            (place.dataset != contract.topics().input, place.product.is_none(), place.dataset.clone())
        });
        let truncated = all.truncated || of_subject.truncated;
        Ok(Self { product: product.to_owned(), subject_column: subject, places, truncated })
    }
}

fn place(moment: Moment<'_>, products: &Products, id: &NodeId, arrivals: &[&Arrival], of_subject: &Reach) -> Place {
    let node = moment.dataset(id);
    let governed = node.and_then(|node| products.of(node));
    let subject = of_subject.arrivals.iter().filter(|it| it.dataset == *id && it.form != Arrived::Decides);
    let subject = subject.max_by_key(|it| (it.form, it.sure));
    let mut columns = BTreeMap::<String, Arrived>::new();
    for arrival in arrivals {
        let name = arrival.column.as_deref().unwrap_or("*").to_owned();
        let form = columns.entry(name).or_insert(arrival.form);
        *form = (*form).max(arrival.form);
    }
    let view = governed.and_then(|(_, role)| if let Role::View(view) = role { Some(view.clone()) } else { None });
    Place {
        product: governed.map(|(governed, _)| governed.name()),
        dataset: node.map_or_else(|| name_in(id), |node| node.name().to_owned()),
        forgettable: governed.map(|(governed, _)| forgettable(governed, view.as_deref(), &columns)).unwrap_or_default(),
        view,
        subject: subject.map(|it| it.form),
        how: subject.and_then(|it| it.how.as_deref()).map(str::to_owned),
        columns,
        sure: arrivals.iter().all(|arrival| arrival.sure),
        kept: governed.map_or(Kept::Unknown, |(governed, role)| kept(&governed.applied.contract, role)),
        until: governed.and_then(|(governed, _)| until(moment, id, governed.applied.contract.history)),
        readers: impact::readers(moment, id),
    }
}

/// A data set that was never heard of: the input port before anything was written.
fn name_in(id: &NodeId) -> String {
    id.rsplit(':').next().unwrap_or(id).to_owned()
}

/// What a view encrypts by a key of the subject's own.
fn forgettable(governed: &Governed, view: Option<&str>, columns: &BTreeMap<String, Arrived>) -> Vec<String> {
    let Some(view) = view.filter(|_| governed.applied.contract.subject.is_some()) else { return Vec::new() };
    let encrypted = governed.sensitive().iter().filter(|it| it.masks.get(view) == Some(&Some(MaskRule::Encrypt)));
    let there = encrypted.filter(|it| columns.keys().any(|column| overlap(&it.column, column)));
    there.map(|it| it.column.clone()).collect()
}

fn kept(contract: &Contract, role: &Role) -> Kept {
    match (contract.history, role) {
        (_, Role::Quarantine) => Kept::Unknown,
        (History::Latest, _) => Kept::UntilTombstone,
        (History::For(span), _) => Kept::For(span.to_string()),
    }
}

/// When the last that was seen to be written is past its time.
fn until(moment: Moment<'_>, id: &NodeId, history: History) -> Option<String> {
    let History::For(span) = history else { return None };
    let writers = moment.jobs_of(id, Direction::Output);
    let seen = writers.filter_map(|(_, job)| moment.link(job, Direction::Output, id)?.observed);
    let last_ms = seen.map(|observed| observed.last_seen_ms).max()?;
    let until_ms = last_ms.saturating_add(i64::try_from(span.millis()).ok()?);
    Timestamp::from_millisecond(until_ms).ok().map(|until| until.to_string())
}
