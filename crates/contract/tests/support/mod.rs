//! The corpus of bad files and trees.

use std::fs;
use std::path::{Path, PathBuf};

use mesh_contract::{
    Finding, Tree, check_clear, draft_contract, parse_contract, parse_domain, parse_sensitive_columns, parse_waivers,
};

/// The trees of the corpus whose findings are the neighbours', not the files' own.
pub(crate) const TREES: [&str; 6] = ["places", "cycle", "identity", "language", "deprecated", "fed"];

pub(crate) fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// The files below a folder, each as its path from there and its text, in order.
pub(crate) fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn findings(file: &str, text: &str) -> Vec<Finding> {
    if file.starts_with("domain") {
        parse_domain(file, text).err().unwrap_or_default()
    } else if file.starts_with("waivers") {
        parse_waivers(file, text).err().unwrap_or_default()
    } else if file.starts_with("sensitive") {
        parse_sensitive_columns(file, text).err().unwrap_or_default()
    } else {
        let draft = draft_contract(file, text);
        let unknown = draft.map(|draft| check_clear(&draft, [("notes", "pii.notes")])).unwrap_or_default();
        let mut findings = parse_contract(file, text).err().unwrap_or_default();
        findings.extend(unknown);
        Finding::sort(&mut findings);
        findings
    }
}

pub(crate) fn read_tree(folder: &Path) -> (Tree, Vec<Finding>) {
    let (mut tree, mut findings) = (Tree::default(), Vec::new());
    for (file, text) in files(folder) {
        let read = if file.ends_with("domain.yaml") || text.starts_with("domain:") {
            parse_domain(&file, &text).map(|domain| tree.domains.push(domain))
        } else {
            parse_contract(&file, &text).map(|contract| tree.contracts.push(contract))
        };
        if let Err(found) = read {
            findings.extend(found);
            tree.broken.push(file);
        }
    }
    (tree, findings)
}
