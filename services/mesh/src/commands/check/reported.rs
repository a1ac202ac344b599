//! A finding as `check` reports it: with those whom it reaches, and the waiver that lets it pass.

use mesh_contract::{Finding, ProductRef};
use serde::Serialize;
use std::fmt;

/// A finding, and what follows from it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Reported {
    #[serde(flatten)]
    pub(super) finding: Finding,
    /// The product and the column that it is about, where what was before was compared.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<About>,
    /// Whom a break reaches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reaches: Vec<Reach>,
    /// What lets it pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiver: Option<Pass>,
}

/// What a change is about.
#[derive(Debug, Clone, Serialize)]
pub(super) struct About {
    pub(super) product: ProductRef,
    /// `column` is where the finding stands.
    #[serde(rename = "path", skip_serializing_if = "String::is_empty")]
    pub(super) column: String,
}

/// One who would notice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Reach {
    pub(super) product: ProductRef,
    /// The view that is read; none for a product that depends on the changed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) view: Option<String>,
    /// Who reads it.
    pub(super) groups: Vec<String>,
    pub(super) sees: String,
}

/// Why a break passes.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Pass {
    pub(super) place: String,
    pub(super) reason: String,
    pub(super) owner: String,
    pub(super) expires: String,
}

impl Reported {
    /// Of a change to a product.
    pub(super) fn change(finding: Finding, product: &ProductRef, column: &str) -> Self {
        let about = About { product: product.clone(), column: column.to_owned() };
        Self { about: Some(about), ..Self::from(finding) }
    }

    pub(super) fn reaching(self, reaches: Vec<Reach>) -> Self {
        Self { reaches, ..self }
    }

    /// What to know besides the message, a line each.
    pub(super) fn notes(&self) -> Vec<String> {
        let hint = self.finding.hint.iter().map(|hint| format!("hint: {hint}"));
        let reaches = self.reaches.iter().map(|reach| format!("reaches {reach}"));
        let waiver = self.waiver.iter().map(|waiver| format!("waived {waiver}"));
        hint.chain(reaches).chain(waiver).collect()
    }
}

impl From<Finding> for Reported {
    fn from(finding: Finding) -> Self {
        Self { finding, about: None, reaches: Vec::new(), waiver: None }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.product)?;
        if let Some(view) = &self.view {
            write!(f, ", view {view}")?;
        }
        if !self.groups.is_empty() {
            write!(f, " ({})", self.groups.join(", "))?;
        }
        write!(f, ": {}", self.sees)
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "until {} by {}: {} ({})", self.expires, self.owner, self.reason, self.place)
    }
}
