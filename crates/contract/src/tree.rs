//! All contracts and domains of a working tree, checked against each other.

mod dependencies;
mod deprecations;
mod feeds;
mod folders;
mod identity;
mod language;
mod promises;
mod quotas;

use crate::contract::Contract;
use crate::domain::Domain;
use crate::finding::{Finding, Place};
use crate::places::Declared;

/// What a working tree declares. Files are named as their findings should name them, and end in
/// `topics/<domain>/<product>.yaml`, `topics/<domain>/<product>@<major>.yaml` or `topics/<domain>/domain.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Its domains.
    pub domains: Vec<Declared<Domain>>,
    /// Its products' contracts.
    pub contracts: Vec<Declared<Contract>>,
    /// Files under `topics/` that could not be read as either. Nothing is held against others for lack of them.
    pub broken: Vec<String>,
}

impl Tree {
    /// The findings that need more than one file, and the warnings of each. In the order of files and lines.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        folders::check(self, &mut findings);
        identity::check(self, &mut findings);
        dependencies::check(self, &mut findings);
        deprecations::check(self, &mut findings);
        feeds::check(self, &mut findings);
        language::check(self, &mut findings);
        promises::check(self, &mut findings);
        quotas::check(self, &mut findings);
        Finding::sort(&mut findings);
        findings
    }

    /// What is wrong with a reference to a term, such as a schema's `term` property: `crm.customer`.
    pub fn check_term(&self, reference: &str, place: Place) -> Option<Finding> {
        language::check_reference(self, reference, place)
    }
}
