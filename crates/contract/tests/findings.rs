//! Invariant 11: bad contracts are refused with every finding at once, each with file, line, column, rule id and hint.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mesh_contract::{
    Finding, Tree, check_clear, draft_contract, parse_contract, parse_domain, parse_sensitive_columns, rules,
};

fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// The files below a folder, each as its path from there and its text, in order.
fn files(folder: &Path) -> Vec<(String, String)> {
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

fn findings(file: &str, text: &str) -> Vec<Finding> {
    if file.starts_with("domain") {
        parse_domain(file, text).err().unwrap_or_default()
    } else if file.starts_with("columns") {
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

fn read_tree(folder: &Path) -> (Tree, Vec<Finding>) {
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

fn print(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn every_bad_file_is_refused_with_all_its_findings() {
    for (file, text) in files(&here("tests/corpus")) {
        let findings = findings(&file, &text);
        assert!(!findings.is_empty(), "{file} is accepted");
        assert!(findings.iter().all(|finding| finding.hint.is_some()), "{file}: every finding has a hint");
        insta::assert_snapshot!(file.trim_end_matches(".yaml"), print(&findings));
    }
}

#[test]
fn every_bad_tree_is_refused_with_all_its_findings() {
    for name in ["places", "cycle", "identity", "language", "broken"] {
        let (tree, mut findings) = read_tree(&here("tests/trees").join(name));
        findings.extend(tree.check());
        insta::assert_snapshot!(format!("tree-{name}"), print(&findings));
    }
}

#[test]
fn the_corpus_meets_every_rule() {
    let mut met: BTreeSet<&str> = BTreeSet::new();
    for (file, text) in files(&here("tests/corpus")) {
        met.extend(findings(&file, &text).iter().map(|finding| finding.rule));
    }
    for name in ["places", "cycle", "identity", "language"] {
        met.extend(read_tree(&here("tests/trees").join(name)).0.check().iter().map(|finding| finding.rule));
    }
    let known: BTreeSet<&str> = rules::RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(met, known);
}

#[test]
fn the_example_contracts_are_without_findings() {
    let (tree, findings) = read_tree(&here("../../topics"));
    assert_eq!(print(&findings), "");
    assert_eq!(print(&tree.check()), "");
    assert!(tree.contracts.len() >= 4 && tree.domains.len() >= 3);
}
