//! Findings as people and continuous integration want them: text, annotations, SARIF, JUnit, Markdown.

use super::reported::Reported;
use super::rule;
use crate::markdown::cell;
use mesh_contract::Severity;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

/// A finding with its notes below it; in colours where a person looks at it.
pub(super) fn text(reported: &Reported, colours: bool) -> String {
    let finding = &reported.finding;
    let notes: String = reported.notes().iter().map(|note| format!("\n  {note}")).collect();
    if !colours {
        return format!("{}: {}: {}{notes}", finding.place, finding.rule, finding.message);
    }
    let level = if finding.is_error() { RED } else { YELLOW };
    let (place, rule) = (format!("{BOLD}{}{PLAIN}", finding.place), format!("{level}{}{PLAIN}", finding.rule));
    format!("{place}: {rule}: {}{notes}", finding.message)
}

/// Annotations of a pull request: GitHub's workflow commands.
pub(super) fn github(findings: &[Reported]) -> Vec<String> {
    let annotation = |reported: &Reported| {
        let (finding, place) = (&reported.finding, &reported.finding.place);
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let file = property(&place.file);
        let text = message(&with_notes(reported));
        format!("::{level} file={file},line={},col={},title={}::{text}", place.line, place.column, finding.rule)
    };
    findings.iter().map(annotation).collect()
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// SARIF 2.1.0, for code scanning.
pub(super) fn sarif(findings: &[Reported]) -> Value {
    let ids: BTreeSet<&str> = findings.iter().map(|reported| reported.finding.rule).collect();
    let rules: Vec<Value> =
        ids.into_iter().map(|id| json!({"id": id, "shortDescription": {"text": rule::description(id)}})).collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "mesh", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(reported: &Reported) -> Value {
    let finding = &reported.finding;
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = &finding.place;
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level,
        "message": {"text": with_notes(reported)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file)},
            "region": {"startLine": place.line, "startColumn": place.column},
        }}],
    });
    if !reported.reaches.is_empty() {
        result["properties"] = json!({"reaches": reported.reaches});
    }
    if let Some(waiver) = &reported.waiver {
        result["suppressions"] = json!([{"kind": "external", "justification": waiver.to_string()}]);
    }
    result
}

/// A relative path as a URI: whatever is not plain is written in percent.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'@');
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// JUnit's XML: a case for each file with findings, which fails if one of them is an error.
pub(super) fn junit(findings: &[Reported], files: usize) -> String {
    let cases: Vec<&[Reported]> =
        findings.chunk_by(|one, other| one.finding.place.file == other.finding.place.file).collect();
    let sound = files.saturating_sub(cases.len());
    let tests = cases.len() + usize::from(sound > 0);
    let failed = cases.iter().filter(|case| case.iter().any(|reported| reported.finding.is_error())).count();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(r#"<testsuites><testsuite name="mesh check" tests="{tests}" failures="{failed}">"#),
    ];
    for case in &cases {
        let file = case.first().map_or("", |reported| &reported.finding.place.file);
        let text: String = case.iter().map(|reported| self::text(reported, false) + "\n").collect();
        let outcome = match case.iter().map(|reported| &reported.finding).find(|finding| finding.is_error()) {
            Some(first) => {
                format!(r#"<failure type="{}" message="{}">{}</failure>"#, first.rule, xml(&first.message), xml(&text))
            }
            None => format!("<system-out>{}</system-out>", xml(&text)),
        };
        lines.push(format!(r#"<testcase classname="mesh check" name="{}">{outcome}</testcase>"#, xml(file)));
    }
    if sound > 0 {
        lines.push(format!(r#"<testcase classname="mesh check" name="{sound} files without findings"/>"#));
    }
    lines.push("</testsuite></testsuites>".to_owned());
    lines.join("\n")
}

/// Characters that XML has no place for are left out.
fn xml(text: &str) -> String {
    let printable = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    let escaped = printable.map(|c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        other => other.to_string(),
    });
    escaped.collect()
}

/// A table, for comments.
pub(super) fn markdown(findings: &[Reported], summary: &str) -> String {
    let mut lines = vec![format!("**mesh {summary}**")];
    if !findings.is_empty() {
        lines.extend([String::new(), "| place | rule | finding |".to_owned(), "|---|---|---|".to_owned()]);
    }
    for reported in findings {
        let finding = &reported.finding;
        let level = if finding.is_error() { "" } else { "warning: " };
        let text = cell(&with_notes(reported));
        lines.push(format!("| {} | {} | {level}{text} |", cell(&finding.place.to_string()), finding.rule));
    }
    lines.join("\n")
}

fn with_notes(reported: &Reported) -> String {
    let notes: String = reported.notes().iter().map(|note| format!("\n{note}")).collect();
    format!("{}{notes}", reported.finding.message)
}

#[cfg(test)]
mod tests {
    use super::super::reported::{Pass, Reach};
    use super::*;
    use mesh_contract::{Finding, Place, ProductRef};

    fn findings() -> [Reported; 4] {
        let place = |file: &str, line| Place::new(file, line, 3);
        let product =
            ProductRef { product: mesh_contract::Product { domain: "web".into(), name: "x".into() }, major: Some(1) };
        let reach = |view: Option<&str>, groups: &[&str]| Reach {
            product: product.clone(),
            view: view.map(str::to_owned),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            sees: "cannot read <new> records".to_owned(),
        };
        let waiver = Pass {
            place: "topics/web/waivers.yaml:1:9".to_owned(),
            reason: "all | have moved".to_owned(),
            owner: "ada@example.org".to_owned(),
            expires: "2026-12-31".to_owned(),
        };
        let removed =
            Finding::warning("view-removed", place("topics/web/x.yaml", 4), "the view is gone").hint("keep it");
        let removed = Reported::change(removed, &product, "all")
            .reaching(vec![reach(Some("all"), &["a", "b"]), reach(None, &[])]);
        [
            Finding::error("clear-unknown", place("topics/crm/a,b.yaml", 7), "`a|b` is 100 % <unknown>")
                .hint("say & so")
                .into(),
            Finding::warning("storage-not-served", place("topics/crm/a,b.yaml", 9), "`sql` is not served").into(),
            Finding::warning("access-none", place("topics/web/x.yaml", 1), "no group").into(),
            Reported { waiver: Some(waiver), ..removed },
        ]
    }

    #[test]
    fn people_read_a_finding_and_its_notes() {
        let plain: Vec<String> = findings().iter().map(|reported| text(reported, false)).collect();
        insta::assert_snapshot!(plain.join("\n"));
        let coloured = text(&findings()[0], true);
        assert!(
            coloured.starts_with("\u{1b}[1mtopics/crm/a,b.yaml:7:3\u{1b}[0m: \u{1b}[1;31mclear-unknown\u{1b}[0m: ")
        );
    }

    #[test]
    fn machines_read_an_object_a_finding() {
        insta::assert_json_snapshot!(findings()[3]);
    }

    #[test]
    fn a_pull_request_is_annotated() {
        insta::assert_snapshot!(github(&findings()).join("\n"));
    }

    #[test]
    fn code_scanning_gets_sarif() {
        insta::assert_json_snapshot!(sarif(&findings()));
    }

    #[test]
    fn a_test_report_has_a_case_for_each_file() {
        insta::assert_snapshot!(junit(&findings(), 5));
        assert!(!junit(&[], 5).contains("<failure"));
    }

    #[test]
    fn a_comment_is_a_table() {
        insta::assert_snapshot!(markdown(&findings(), "checked 5 files"));
        assert_eq!(markdown(&[], "checked 5 files"), "**mesh checked 5 files**");
    }
}
