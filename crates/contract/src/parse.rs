//! From YAML to a contract or a domain, reporting everything that is wrong with the file.

mod access;
mod contract;
mod deprecated;
mod domain;
mod draft;
#[cfg(test)]
mod editor;
pub(crate) mod keys;
mod maintenance;
mod quotas;
mod reader;
mod refresh;
mod scalars;
mod sense;
mod sensitive;
mod waivers;

use crate::contract::Contract;
use crate::domain::Domain;
use crate::finding::Finding;
use crate::mask::SensitiveColumn;
use crate::places::Declared;
use crate::waiver::Waiver;
use reader::Reader;

/// Reads a product's contract. Every error of the file is reported at once.
pub fn parse_contract(file: &str, text: &str) -> Result<Declared<Contract>, Vec<Finding>> {
    Reader::read(file, text, |reader, root| {
        let draft = contract::read(reader, root)?;
        sense::check(reader, &draft);
        draft.finish()
    })
}

/// What can be read of a contract that has errors, for the checks that are still possible: never to be applied.
///
/// Parts that could not be read are left out; what cannot be left out is promised least. None without a schema.
pub fn draft_contract(file: &str, text: &str) -> Option<Declared<Contract>> {
    Reader::salvage(file, text, |reader, root| contract::read(reader, root)?.salvage())
}

/// Reads a domain. Every error of the file is reported at once.
pub fn parse_domain(file: &str, text: &str) -> Result<Declared<Domain>, Vec<Finding>> {
    Reader::read(file, text, domain::read)
}

/// Reads a list of sensitive columns alone, as a contract writes it under `sensitive_columns`; JSON will do.
pub fn parse_sensitive_columns(file: &str, text: &str) -> Result<Declared<Vec<SensitiveColumn>>, Vec<Finding>> {
    Reader::read(file, text, sensitive::read)
}

/// Reads a domain's waivers. Every error of the file is reported at once.
pub fn parse_waivers(file: &str, text: &str) -> Result<Declared<Vec<Waiver>>, Vec<Finding>> {
    Reader::read(file, text, waivers::read)
}
