//! What is said of two schemas that come from files.

use std::fmt::Write as _;

use mesh_avro::compat::{self, CompatFinding, Direction, Report, Severities, Severity, Side};
use mesh_avro::schema::{Schema, SchemaError};
use mesh_contract::Compatibility;
use serde_json::{Value, json};

use super::source::{Place, Referring};

/// The report on a newer schema, and where its findings stand.
pub(super) struct Verdict {
    report: Report,
    /// Where each finding stands.
    places: Vec<Places>,
}

/// Places in the schema that reads and in the one that writes; of a schema that is not valid its own alone.
struct Places {
    reader: Option<Place>,
    writer: Option<Place>,
}

/// The verdict's word, as machines read it.
pub(super) fn word(report: &Report) -> &'static str {
    if report.compatible() { "compatible" } else { "incompatible" }
}

impl Verdict {
    /// The verdict on a newer schema, the reader, and the earlier ones, the writers.
    pub(super) fn of(
        level: Compatibility,
        severities: &Severities,
        reader: &Referring,
        writers: &[Referring],
    ) -> Verdict {
        let earlier: Vec<Result<Schema, SchemaError>> = writers.iter().map(Referring::parse).collect();
        match (reader.parse(), earlier.iter().map(Result::as_ref).collect::<Result<Vec<&Schema>, _>>()) {
            (Ok(new), Ok(earlier)) => {
                let report = compat::check_level_with(level, &new, &earlier, severities);
                let places = report.findings.iter().map(|finding| places(finding, reader, writers)).collect();
                Verdict { report, places }
            }
            (new, _) => Verdict::invalid((reader, new.err()), writers.iter().zip(earlier.into_iter().map(Result::err))),
        }
    }

    /// Every schema that is not valid Avro, the reader first; one that several refer to is listed once.
    fn invalid<'a>(
        (reader, error): (&'a Referring, Option<SchemaError>),
        writers: impl Iterator<Item = (&'a Referring, Option<SchemaError>)>,
    ) -> Verdict {
        let mut verdict = Verdict { report: Report::default(), places: Vec::new() };
        if let Some(error) = &error {
            let places = Places { reader: Some(reader.place_of(error)), writer: None };
            verdict.add(compat::invalid(error, Side::Reader), places);
        }
        for (writer, error) in writers {
            if let Some(error) = &error {
                let places = Places { reader: None, writer: Some(writer.place_of(error)) };
                verdict.add(compat::invalid(error, Side::Writer), places);
            }
        }
        verdict
    }

    fn add(&mut self, report: Report, places: Places) {
        if self.places.iter().all(|known| known.first() != places.first()) {
            self.report.findings.extend(report.findings);
            self.places.push(places);
        }
    }

    /// Whether anything was found.
    pub(super) fn has_findings(&self) -> bool {
        !self.report.findings.is_empty()
    }

    /// For people: findings as `file:line:column: rule-id: message`, then the verdict.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (finding, places) in self.report.findings.iter().zip(&self.places) {
            push(&mut text, finding, places);
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
        let findings: Vec<Value> =
            self.report.findings.iter().zip(&self.places).map(|(finding, places)| object(finding, places)).collect();
        json!({"verdict": word(&self.report), "findings": findings})
    }
}

impl Places {
    /// The one that a finding is listed under.
    fn first(&self) -> Option<&Place> {
        self.reader.as_ref().or(self.writer.as_ref())
    }
}

/// Where a finding stands in the schema that reads and in the one that writes: either may be the newer one.
fn places(finding: &CompatFinding, new: &Referring, earlier: &[Referring]) -> Places {
    let old = finding.earlier.and_then(|index| earlier.get(index)).unwrap_or(new);
    let (reads, writes) = match finding.direction {
        Direction::Backward => (new, old),
        Direction::Forward => (old, new),
    };
    Places {
        reader: Some(reads.place(finding.reader_document, &finding.reader_pointer)),
        writer: Some(writes.place(finding.writer_document, &finding.writer_pointer)),
    }
}

fn push(text: &mut String, finding: &CompatFinding, places: &Places) {
    let severity = if finding.severity == Severity::Warning { "warning: " } else { "" };
    let place = places.first().map(|place| format!("{place}: ")).unwrap_or_default();
    let mut lines = vec![format!("{place}{severity}{finding}")];
    lines.extend(places.reader.as_ref().and(places.writer.as_ref()).map(|writer| format!("  writer: {writer}")));
    lines.extend(finding.witness.as_ref().map(|witness| format!("  witness: {witness}")));
    lines.extend(finding.hint.as_ref().map(|hint| format!("  hint: {hint}")));
    text.push_str(&lines.join("\n"));
    text.push('\n');
}

fn object(finding: &CompatFinding, places: &Places) -> Value {
    const IN_PLACES: [&str; 5] = ["reader_pointer", "reader_document", "writer_pointer", "writer_document", "earlier"];
    let mut json = json!(finding);
    if let Value::Object(members) = &mut json {
        members.retain(|key, _| !IN_PLACES.contains(&key.as_str()));
        let sides = [("reader", &places.reader), ("writer", &places.writer)];
        members.extend(sides.iter().filter_map(|(side, place)| Some(((*side).to_owned(), json!(place.as_ref()?)))));
    }
    json
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
