//! What is said of two schemas that come from files.

use std::fmt::Write as _;

use mesh_avro::compat::{CompatFinding, Direction, Report, Severity};
use mesh_avro::schema::locate;
use serde_json::{Value, json};

/// A schema's file and text.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
}

/// The report on a newer schema, `reader`, and the earlier ones.
pub(super) struct Verdict {
    pub(super) report: Report,
    pub(super) reader: Source,
    pub(super) writers: Vec<Source>,
}

/// The verdict's word, as machines read it.
pub(super) fn word(report: &Report) -> &'static str {
    if report.compatible() { "compatible" } else { "incompatible" }
}

impl Verdict {
    /// For people: findings as `file:line:column: rule-id: message`, then the verdict.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.report.findings {
            self.push(&mut text, finding);
        }
        let (errors, warnings) = (self.report.errors().count(), self.report.warnings().count());
        let summary = match (errors, warnings) {
            (0, 0) => "no findings".to_owned(),
            (errors, 0) => counted(errors, "error"),
            (0, warnings) => counted(warnings, "warning"),
            (errors, warnings) => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
        };
        let but = if self.report.compatible() && errors > 0 { ", but not accepted" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{but}: {summary}", word(&self.report));
        text
    }

    /// For machines.
    pub(super) fn json(&self) -> Value {
        let findings: Vec<Value> = self.report.findings.iter().map(|finding| self.finding(finding)).collect();
        json!({"verdict": word(&self.report), "findings": findings})
    }

    fn push(&self, text: &mut String, finding: &CompatFinding) {
        let (reader, writer) = self.sides(finding);
        let severity = if finding.severity == Severity::Warning { "warning: " } else { "" };
        // An invalid schema has one side alone.
        let blamed = if finding.rule == "schema-invalid" && finding.earlier.is_some() { &writer } else { &reader };
        let mut lines = vec![format!("{}: {severity}{finding}", blamed.text())];
        if finding.rule != "schema-invalid" {
            lines.push(format!("  writer: {}", writer.text()));
        }
        lines.extend(finding.witness.as_ref().map(|witness| format!("  witness: {witness}")));
        lines.extend(finding.hint.as_ref().map(|hint| format!("  hint: {hint}")));
        text.push_str(&lines.join("\n"));
        text.push('\n');
    }

    fn finding(&self, finding: &CompatFinding) -> Value {
        let (reader, writer) = self.sides(finding);
        let mut json = json!(finding);
        if let Value::Object(members) = &mut json {
            members.retain(|key, _| !matches!(key.as_str(), "reader_pointer" | "writer_pointer" | "earlier"));
            members.insert("reader".to_owned(), reader.json());
            members.insert("writer".to_owned(), writer.json());
        }
        json
    }

    /// The places of a finding in the schema that reads and in the one that writes.
    fn sides<'a>(&'a self, finding: &'a CompatFinding) -> (Side<'a>, Side<'a>) {
        let earlier = finding.earlier.and_then(|earlier| self.writers.get(earlier)).unwrap_or(&self.reader);
        let (reads, writes) = match finding.direction {
            Direction::Backward => (&self.reader, earlier),
            Direction::Forward => (earlier, &self.reader),
        };
        let reader = Side { source: reads, pointer: &finding.reader_pointer };
        (reader, Side { source: writes, pointer: &finding.writer_pointer })
    }
}

/// A place in a schema's file.
struct Side<'a> {
    source: &'a Source,
    pointer: &'a str,
}

impl Side<'_> {
    fn text(&self) -> String {
        match locate(&self.source.text, self.pointer) {
            Some(position) => format!("{}:{}:{}", self.source.file, position.line, position.column),
            None => format!("{}:1:1", self.source.file),
        }
    }

    fn json(&self) -> Value {
        let position = locate(&self.source.text, self.pointer);
        json!({
            "file": self.source.file,
            "line": position.map_or(1, |position| position.line),
            "column": position.map_or(1, |position| position.column),
            "pointer": self.pointer,
        })
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
