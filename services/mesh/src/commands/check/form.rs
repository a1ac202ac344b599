//! Findings as continuous integration wants them: annotations, SARIF, JUnit, Markdown.

use crate::tree::rule_description;
use mesh_contract::{Finding, Severity};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Annotations of a pull request: GitHub's workflow commands.
pub(super) fn github(findings: &[Finding]) -> Vec<String> {
    let annotation = |finding: &Finding| {
        let place = &finding.place;
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let file = property(&place.file);
        let text = message(&with_hint(finding, "\n"));
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
pub(super) fn sarif(findings: &[Finding]) -> Value {
    let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.rule).collect();
    let rules: Vec<Value> =
        ids.into_iter().map(|id| json!({"id": id, "shortDescription": {"text": rule_description(id)}})).collect();
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

fn result(finding: &Finding) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = &finding.place;
    json!({
        "ruleId": finding.rule,
        "level": level,
        "message": {"text": with_hint(finding, "\n")},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file)},
            "region": {"startLine": place.line, "startColumn": place.column},
        }}],
    })
}

/// A relative path as a URI: whatever is not plain is written in percent.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'@');
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// JUnit's XML: a case for each file with findings, which fails if one of them is an error.
pub(super) fn junit(findings: &[Finding], files: usize) -> String {
    let cases: Vec<&[Finding]> = findings.chunk_by(|one, other| one.place.file == other.place.file).collect();
    let sound = files.saturating_sub(cases.len());
    let tests = cases.len() + usize::from(sound > 0);
    let failed = cases.iter().filter(|case| case.iter().any(Finding::is_error)).count();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(r#"<testsuites><testsuite name="mesh check" tests="{tests}" failures="{failed}">"#),
    ];
    for case in &cases {
        let file = case.first().map_or("", |finding| &finding.place.file);
        let text: String = case.iter().map(|finding| format!("{finding}\n")).collect();
        let outcome = match case.iter().find(|finding| finding.is_error()) {
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
pub(super) fn markdown(findings: &[Finding], summary: &str) -> String {
    let mut lines = vec![format!("**mesh {summary}**")];
    if !findings.is_empty() {
        lines.extend([String::new(), "| place | rule | finding |".to_owned(), "|---|---|---|".to_owned()]);
    }
    for finding in findings {
        let level = if finding.is_error() { "" } else { "warning: " };
        let text = cell(&with_hint(finding, "\n"));
        lines.push(format!("| {} | {} | {level}{text} |", cell(&finding.place.to_string()), finding.rule));
    }
    lines.join("\n")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', "<br>")
}

fn with_hint(finding: &Finding, between: &str) -> String {
    match &finding.hint {
        Some(hint) => format!("{}{between}hint: {hint}", finding.message),
        None => finding.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_contract::Place;

    fn findings() -> [Finding; 3] {
        let place = |file: &str, line| Place::new(file, line, 3);
        [
            Finding::error("clear-unknown", place("topics/crm/a,b.yaml", 7), "`a|b` is 100 % <unknown>")
                .hint("say & so"),
            Finding::warning("storage-not-served", place("topics/crm/a,b.yaml", 9), "`sql` is not served"),
            Finding::warning("access-none", place("topics/web/x.yaml", 1), "no group"),
        ]
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
