//! The working tree: `topics/` and `schemas/` as they are on disk, read and checked whole.
//!
//! Every command that acts on contracts reads them here, so that what `check` finds, `apply` refuses.

mod feeds;
mod files;
mod finding;
mod language;
mod library;
mod product;
mod schema;
#[cfg(test)]
mod tests;

use crate::failure::Failure;
use crate::new_files::NewFile;
use crate::output;
use files::File;
use mesh_avro::sensitivity::SensitiveNames;
use mesh_contract::{Contract, Declared, Domain, Finding, Tree, Waiver};
use mesh_runtime::keys::ThrowAwayKeys;
use product::Candidate;
use schema::{SCHEMAS, Schemas};
use std::collections::HashSet;
use std::path::Path;

pub use finding::rule_description;
pub use library::{Library, TreeSchema};
pub use product::{WorkingProduct, view_schemas};
pub use schema::parse_schema;

/// The files of domains and contracts.
pub const TOPICS: &str = "topics";
/// What a folder's domain is declared in.
const DOMAIN_FILE: &str = "domain.yaml";
/// What a folder's waivers are declared in.
const WAIVERS_FILE: &str = "waivers.yaml";

/// What a working tree declares, and everything that is wrong with it.
#[derive(Debug)]
pub struct WorkingTree {
    /// The domains that could be read.
    pub domains: Vec<Declared<Domain>>,
    /// The contracts that could be read, whatever their schemas are like.
    pub contracts: Vec<Declared<Contract>>,
    /// The files that could not be read.
    pub broken: Vec<String>,
    /// The products whose contract and schema hold together.
    pub products: Vec<WorkingProduct>,
    /// What the domains let pass.
    pub waivers: Vec<Declared<Vec<Waiver>>>,
    /// Everything that is wrong, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// How many files were read.
    pub counts: Counts,
}

/// How many files were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Contracts.
    pub contracts: usize,
    /// Domains.
    pub domains: usize,
    /// Schemas.
    pub schemas: usize,
}

impl WorkingTree {
    /// Reads and checks all of it. What is wrong with a file is a finding; `names` are those that have to be explained.
    ///
    /// # Errors
    /// A folder or a file cannot be read from the disk.
    pub fn read(root: &Path, names: &SensitiveNames) -> Result<Self, Failure> {
        Self::of(files::below(root, TOPICS)?, files::below(root, SCHEMAS)?, names)
    }

    /// The same as it will be with further files, which are not on the disk yet.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with(root: &Path, names: &SensitiveNames, further: &[NewFile]) -> Result<Self, Failure> {
        let with = |folder: &str| {
            let further = further.iter().filter(|file| file.name.split('/').next() == Some(folder));
            let mut files = files::below(root, folder)?;
            files.extend(further.map(|file| File::of(&file.name, file.text.as_bytes())));
            files.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(files)
        };
        Self::of(with(TOPICS)?, with(SCHEMAS)?, names)
    }

    fn of(topics: Vec<File>, schemas: Vec<File>, names: &SensitiveNames) -> Result<Self, Failure> {
        let keys = ThrowAwayKeys::generate().map_err(|error| Failure::internal("cannot make a key").because(error))?;
        let mut findings = Vec::new();
        let mut counts = Counts::default();
        let mut tree = Tree::default();
        let (mut candidates, mut waivers) = (Vec::new(), Vec::new());
        for file in &topics {
            match kind(&file.name) {
                Kind::Domain => {
                    counts.domains += 1;
                    read_domain(file, &mut tree, &mut findings);
                }
                Kind::Contract => {
                    counts.contracts += 1;
                    candidates.extend(Candidate::read(file, &mut tree, &mut findings));
                }
                Kind::Waivers => match file.text().and_then(|text| mesh_contract::parse_waivers(&file.name, text)) {
                    Ok(read) => waivers.push(read),
                    Err(found) => findings.extend(found),
                },
                Kind::Misplaced(finding) => findings.push(*finding),
                Kind::Other => {}
            }
        }
        let schemas = Schemas::parse(&schemas, &mut findings);
        counts.schemas = schemas.len();
        findings.extend(tree.check());
        language::check(&tree, &schemas, &mut findings);
        let checked = candidates.into_iter().map(|candidate| candidate.check(&schemas, names, &keys, &mut findings));
        let products: Vec<WorkingProduct> = checked.flatten().collect();
        findings.extend(product::foreign(&products, &tree.contracts));
        findings.extend(feeds::check(&products));
        let Tree { domains, contracts, broken } = tree;
        Ok(Self { domains, contracts, broken, products, waivers, findings: in_order(findings), counts })
    }

    /// The findings that refuse the tree.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_error()).count()
    }

    /// The tree, if nothing refuses it; otherwise its findings go to standard error.
    ///
    /// # Errors
    /// There are findings that refuse it.
    pub fn sound(self) -> Result<Self, Failure> {
        let errors = self.errors();
        if errors == 0 {
            return Ok(self);
        }
        self.findings.iter().for_each(|finding| output::talk(&finding.to_string()));
        Err(Failure::findings(format!("the working tree has {}", number(errors, "error")))
            .hint("mend them; `mesh check` shows them again"))
    }
}

/// What a file below `topics/` is, by its place and name.
enum Kind {
    Domain,
    Contract,
    Waivers,
    Misplaced(Box<Finding>),
    Other,
}

/// Whether a path is that of a contract.
pub fn is_contract(path: &str) -> bool {
    path.starts_with("topics/") && matches!(kind(path), Kind::Contract)
}

/// Whether a path is that of a schema.
pub fn is_schema(path: &str) -> bool {
    path.starts_with("schemas/") && path.ends_with(schema::EXTENSION)
}

fn kind(path: &str) -> Kind {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [.., name] if name.starts_with('.') => Kind::Other,
        [_, _, DOMAIN_FILE] => Kind::Domain,
        [_, _, WAIVERS_FILE] => Kind::Waivers,
        [_, _, name] if name.ends_with(".yaml") => Kind::Contract,
        [.., name] if name.ends_with(".yaml") || name.ends_with(".yml") => {
            Kind::Misplaced(Box::new(finding::misplaced(path)))
        }
        _ => Kind::Other,
    }
}

fn read_domain(file: &File, tree: &mut Tree, findings: &mut Vec<Finding>) {
    match file.text().and_then(|text| mesh_contract::parse_domain(&file.name, text)) {
        Ok(domain) => tree.domains.push(domain),
        Err(found) => {
            findings.extend(found);
            tree.broken.push(file.name.clone());
        }
    }
}

/// By file and line; what two checks found alike stands once.
fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    Finding::sort(&mut findings);
    let mut seen = HashSet::new();
    findings.retain(|finding| seen.insert((finding.rule, finding.place.clone(), finding.message.clone())));
    findings
}

/// `1 error`, `2 errors`.
pub fn number(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
