//! Invariant 11: bad contracts are refused with every finding at once, each with file, line, column, rule id and hint.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeSet;

use mesh_contract::{Finding, rules};
use support::{TREES, files, findings, here, read_tree};

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
    for name in TREES.into_iter().chain(["broken"]) {
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
    for name in TREES {
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
