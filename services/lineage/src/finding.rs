//! What contracts declare beside what jobs were seen to do.

use std::fmt;

use serde::Serialize;

use crate::graph::Moment;

/// A product that is made of another otherwise than its contract says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub rule: Rule,
    /// The product that is read.
    pub from: String,
    /// The product that is made of it.
    pub to: String,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The contract names a dependency of which nothing was seen to come.
    DeclaredNotObserved,
    /// A job makes the product of another that its contract does not name.
    ObservedNotDeclared,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeclaredNotObserved => "declared-not-observed",
            Self::ObservedNotDeclared => "observed-not-declared",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, from, to } = self;
        match rule {
            Rule::DeclaredNotObserved => {
                write!(f, "{to}: {rule}: the contract depends on {from}, but nothing was seen to come from it")
            }
            Rule::ObservedNotDeclared => {
                write!(f, "{to}: {rule}: a job makes it of {from}, which the contract does not depend on")
            }
        }
    }
}

/// Of all products, or of those that are made of, or make, one.
pub fn findings(moment: Moment<'_>, product: Option<&str>) -> Vec<Finding> {
    let edges = moment.product_edges().into_iter();
    let concerned = edges.filter(|edge| product.is_none_or(|wanted| edge.from == wanted || edge.to == wanted));
    let found = concerned.filter_map(|edge| {
        let rule = match (edge.declared, edge.observed) {
            (true, false) => Rule::DeclaredNotObserved,
            (false, true) => Rule::ObservedNotDeclared,
            _ => return None,
        };
        Some(Finding { rule, from: edge.from, to: edge.to })
    });
    found.collect()
}
