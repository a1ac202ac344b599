//! All contracts and domains of a working tree, checked against each other.

use crate::contract::Contract;
use crate::domain::Domain;
use crate::finding::Finding;
use crate::places::Declared;

/// What a working tree declares.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Its domains.
    pub domains: Vec<Declared<Domain>>,
    /// Its products' contracts.
    pub contracts: Vec<Declared<Contract>>,
    /// Files under `topics/` that could not be read as either; nothing is held against others for lack of them.
    pub broken: Vec<String>,
}

impl Tree {
    /// The findings that need more than one file, and the warnings of each. In order of file and line.
    pub fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}
