//! The masking proof: no sensitive column arrives unmasked in a place that does not grant it. Walked by what jobs told of
//! columns; where a job did not tell, the proof fails unless nothing in clear could have come that way.

use serde::Serialize;

use crate::graph::columns::covers;
use crate::graph::{Column, Moment};
use crate::impact;
use crate::reach::{Arrival, Arrived, Governed, Products, Reach, Role};

/// What a masking proof found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Every sensitive column that was followed.
    pub sources: Vec<Source>,
    /// Where the proof fails.
    pub breaches: Vec<Breach>,
}

/// A sensitive column and how far it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The product.
    pub product: String,
    /// The column.
    pub column: String,
    /// Its class.
    pub class: String,
    /// In how many places it arrived masked.
    pub masked: usize,
    /// In how many places it arrived in clear where that is granted.
    pub granted: usize,
    /// In how many places the proof fails.
    pub breached: usize,
}

/// A place where the proof fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// Why.
    pub reason: Reason,
    /// `product.column`.
    pub source: String,
    /// Its class; none if the contract cannot be enforced.
    pub class: Option<String>,
    /// The data set where it arrived.
    pub dataset: String,
    /// The column where it arrived; none if it is not told which.
    pub column: Option<String>,
    /// How it came there: a data set and column, the job that read it, and so on.
    pub way: Vec<Step>,
}

/// Why the proof fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It arrived in clear in a view that does not grant it.
    Unmasked,
    /// It arrived in clear where no contract says who may see it.
    Ungoverned,
    /// A job that read it in clear did not tell what it made of it.
    NotProven,
    /// The contract cannot be enforced as it was applied, so that nothing is known of what it masks.
    NotEnforceable,
    /// It went to more places than are followed.
    TooFar,
}

/// A step of a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The job that wrote it there; none at the start.
    pub job: Option<String>,
    /// The data set.
    pub dataset: String,
    /// The column; none if it is not told which.
    pub column: Option<String>,
}

impl Proof {
    /// Of one product's sensitive columns, or of all products'.
    pub fn of(moment: Moment<'_>, products: &Products, product: Option<&str>) -> Self {
        let mut proof = Self { sources: Vec::new(), breaches: Vec::new() };
        for governed in products.all().filter(|it| product.is_none_or(|wanted| it.name() == wanted)) {
            match &governed.sensitive {
                None => proof.breaches.push(not_enforceable(governed)),
                Some(sensitive) => sensitive.iter().for_each(|it| proof.follow(moment, products, governed, it)),
            }
        }
        proof
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.breaches.is_empty()
    }

    fn follow(
        &mut self,
        moment: Moment<'_>,
        products: &Products,
        governed: &Governed,
        sensitive: &crate::reach::Sensitive,
    ) {
        let input = impact::input_of(moment, governed);
        let leaves = impact::columns(governed).into_iter().filter(|leaf| covers(&sensitive.column, leaf));
        let start = leaves.map(|leaf| Column { dataset: input.clone(), column: leaf.into() });
        let reach = Reach::of(moment, start);
        let mut source = Source {
            product: governed.name(),
            column: sensitive.column.clone(),
            class: sensitive.class.clone(),
            masked: 0,
            granted: 0,
            breached: 0,
        };
        let breaches_before = self.breaches.len();
        for arrival in reach.arrivals.iter().filter(|arrival| arrival.job.is_some()) {
            match judge(moment, products, arrival) {
                Judged::Masked => source.masked += 1,
                Judged::Granted => source.granted += 1,
                Judged::Within => {}
                Judged::Breach(reason) => self.breaches.push(breach(moment, &source, reason, &reach, arrival)),
            }
        }
        if reach.truncated {
            let last = reach.arrivals.last();
            self.breaches.extend(last.map(|last| breach(moment, &source, Reason::TooFar, &reach, last)));
        }
        source.breached = self.breaches.len() - breaches_before;
        self.sources.push(source);
    }
}

enum Judged {
    Masked,
    Granted,
    /// Not a place that is read: an input port, on the way to the product's views.
    Within,
    Breach(Reason),
}

fn judge(moment: Moment<'_>, products: &Products, arrival: &Arrival) -> Judged {
    match arrival.form {
        Arrived::Decides => return Judged::Within,
        Arrived::Masked | Arrived::Sealed => return Judged::Masked,
        Arrived::Clear => {}
    }
    let place = moment.dataset(&arrival.dataset).and_then(|dataset| products.of(dataset));
    let fails = |reason| Judged::Breach(if arrival.sure { reason } else { Reason::NotProven });
    match place {
        Some((governed, Role::View(view))) if governed.grants(view, arrival.column.as_deref()) => Judged::Granted,
        Some((_, Role::Input)) => Judged::Within,
        Some(_) => fails(Reason::Unmasked),
        None => fails(Reason::Ungoverned),
    }
}

fn breach(moment: Moment<'_>, source: &Source, reason: Reason, reach: &Reach, arrival: &Arrival) -> Breach {
    let step = |arrival: &Arrival| Step {
        job: arrival.job.as_ref().map(|job| moment.job(job).map_or_else(|| job.to_string(), |it| it.name().to_owned())),
        dataset: name_of(moment, arrival),
        column: arrival.column.as_deref().map(str::to_owned),
    };
    Breach {
        reason,
        source: format!("{}.{}", source.product, source.column),
        class: Some(source.class.clone()),
        dataset: name_of(moment, arrival),
        column: arrival.column.as_deref().map(str::to_owned),
        way: reach.way(arrival).into_iter().map(step).collect(),
    }
}

fn name_of(moment: Moment<'_>, arrival: &Arrival) -> String {
    moment.dataset(&arrival.dataset).map_or_else(|| arrival.dataset.to_string(), |it| it.name().to_owned())
}

fn not_enforceable(governed: &Governed) -> Breach {
    Breach {
        reason: Reason::NotEnforceable,
        source: governed.name(),
        class: None,
        dataset: governed.applied.contract.topics().input,
        column: None,
        way: Vec::new(),
    }
}
