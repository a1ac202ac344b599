//! Every rule of compatibility on hand-made pairs: `data/compat.jsonl`, one pair a line with its verdict and rules.

use std::collections::BTreeSet;

use mesh_avro::compat::{self, RULES, Report, Side};
use mesh_avro::schema::Schema;
use serde_json::Value;

fn cases() -> Vec<Value> {
    include_str!("../data/compat.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn report(case: &Value) -> Report {
    let writer = match Schema::parse_value(&case["writer"]) {
        Ok(writer) => writer,
        Err(error) => return compat::invalid(&error, Side::Writer),
    };
    match Schema::parse_value(&case["reader"]) {
        Ok(reader) => compat::check(&reader, &writer),
        Err(error) => compat::invalid(&error, Side::Reader),
    }
}

#[test]
fn each_pair_has_its_verdict_and_its_rules() {
    let mut wrong = Vec::new();
    for case in cases() {
        let report = report(&case);
        let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        let verdict = if report.compatible() { "compatible" } else { "incompatible" };
        if verdict != case["verdict"] || serde_json::json!(rules) != case["rules"] {
            wrong.push(format!("{}: {verdict} {rules:?}, not {} {}", case["id"], case["verdict"], case["rules"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_rule_is_hit() {
    let hit: BTreeSet<&str> =
        cases().iter().flat_map(|case| report(case).findings).map(|finding| finding.rule).collect();
    // Needs schemas of many thousand types; `limits` has it.
    let missed: Vec<&str> =
        RULES.iter().map(|rule| rule.id).filter(|id| !hit.contains(id) && *id != "schema-too-complex").collect();
    assert!(missed.is_empty(), "no pair for {missed:?}");
}

#[test]
fn each_finding_says_what_breaks_where_and_what_would_not() {
    for case in cases() {
        for finding in report(&case).findings {
            assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{}: {finding}", case["id"]);
            if finding.rule == "schema-invalid" {
                continue;
            }
            assert!(finding.hint.is_some(), "{}: {finding}", case["id"]);
            let (reader, writer) = (&case["reader"], &case["writer"]);
            assert!(reader.pointer(&finding.reader_pointer).is_some(), "{}: {:?}", case["id"], finding.reader_pointer);
            assert!(writer.pointer(&finding.writer_pointer).is_some(), "{}: {:?}", case["id"], finding.writer_pointer);
        }
    }
}

#[test]
fn each_incompatibility_has_a_witness() {
    // But for these, whose types have no data at all.
    let without_data = ["type without data"];
    for case in cases() {
        for finding in report(&case).errors().filter(|finding| finding.rule != "schema-invalid") {
            let id = case["id"].as_str().unwrap();
            assert_eq!(finding.witness.is_none(), without_data.contains(&id), "{id}: {finding}");
        }
    }
}

#[test]
fn each_rule_has_its_page() {
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
    for rule in RULES {
        let page = std::fs::read_to_string(pages.join(format!("{}.md", rule.id))).expect(rule.id);
        for part in [&format!("# {}\n", rule.id), "## Example\n", "## Why\n", "## What to do\n"] {
            assert!(page.contains(part), "{}: no {part:?}", rule.id);
        }
    }
}
