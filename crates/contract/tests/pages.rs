//! Every rule has a page that explains it, with an example from the corpus. `MESH_WRITE_PAGES=1` writes them.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::BTreeMap;
use std::fs;

use mesh_contract::rules::{RULES, Rule};
use mesh_contract::{Finding, Severity};
use support::{TREES, files, findings, here, read_tree};

/// A finding and the line that it was found in.
type Example = (Finding, String);

/// The first finding of each rule.
fn examples() -> BTreeMap<&'static str, Example> {
    let mut examples = BTreeMap::new();
    let mut keep = |found: Vec<Finding>, texts: &[(String, String)]| {
        for finding in found {
            let text =
                texts.iter().find(|(file, _)| **file == *finding.place.file).map_or("", |(_, text)| text.as_str());
            let line = text.lines().nth(finding.place.line as usize - 1).unwrap_or_default();
            let shown = line.chars().filter(|c| !c.is_control()).take(140).collect::<String>();
            examples.entry(finding.rule).or_insert((finding, shown));
        }
    };
    for (file, text) in files(&here("tests/corpus")) {
        let found = findings(&file, &text);
        keep(found, &[(file, text)]);
    }
    for name in TREES {
        let folder = here("tests/trees").join(name);
        keep(read_tree(&folder).0.check(), &files(&folder));
    }
    examples
}

fn page(rule: &Rule, (finding, line): &Example) -> String {
    let level = match finding.severity {
        Severity::Error => "error: the working tree is refused",
        Severity::Warning => "warning: the working tree holds, but its author should know",
    };
    let mut letters = rule.hint.chars();
    let advice: String = letters.next().iter().flat_map(|c| c.to_uppercase()).chain(letters).collect();
    format!(
        "# {}\n\n{}\n\nLevel: {level}.\n\n## Example\n```yaml\n{line}\n```\n```text\n{finding}\n```\n\n## What to do\n{advice}.\n",
        rule.id, rule.description
    )
}

#[test]
fn every_rule_has_its_page() {
    let (pages, examples) = (here("../../docs/rules"), examples());
    for rule in RULES {
        let (file, expected) = (pages.join(format!("{}.md", rule.id)), page(rule, &examples[rule.id]));
        if std::env::var_os("MESH_WRITE_PAGES").is_some() {
            fs::write(&file, &expected).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(found, expected, "{} is not as MESH_WRITE_PAGES=1 writes it", file.display());
    }
}
