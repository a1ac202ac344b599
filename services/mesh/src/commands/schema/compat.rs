//! `mesh schema compat`: two schemas in files, or many pairs as JSON lines.

use std::fs;
use std::path::{Path, PathBuf};

use mesh_avro::compat::{self, Report, Setting, Severities};
use mesh_avro::schema::{Schema, SchemaError};
use mesh_contract::Compatibility;

use super::pairs;
use super::verdict::{Source, Verdict};
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The schema that the data is written with; several are a history, the oldest first
    #[arg(long, value_name = "FILE", required_unless_present = "pairs", requires = "reader")]
    writer: Vec<PathBuf>,
    /// The schema that the data is read with
    #[arg(long, value_name = "FILE", required_unless_present = "pairs", requires = "writer")]
    reader: Option<PathBuf>,
    /// A schema that defines types which the others refer to; those that it refers to itself come before it
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    reference: Vec<PathBuf>,
    /// The registry's level, the reader being the newer schema: none, backward, forward, full, or one with _transitive
    #[arg(long, value_name = "LEVEL", default_value = "backward_transitive", conflicts_with = "pairs")]
    level: Compatibility,
    /// JSON lines {"id", "writer", "reader"}, schemas inline or as strings; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["writer", "reader"])]
    pairs: Option<PathBuf>,
    /// How severe a semantic rule's findings are: off, warn or error (repeatable; all warn unless told)
    ///
    /// The verdict is Avro's resolution alone, whatever the rules say: `error` marks a change of meaning that you do not
    /// accept, `off` one that you do. Exit code 1 means that there is any finding, of whichever severity.
    #[arg(long, value_name = "ID=LEVEL")]
    rule: Vec<Setting>,
}

pub(super) fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let severities: Severities = args.rule.iter().copied().collect();
    match (&args.pairs, &args.reader) {
        (Some(file), _) => pairs::run(file, &severities),
        (None, Some(reader)) => files(&args, reader, &severities, context.format()),
        (None, None) => Err(Failure::usage("neither --pairs nor --reader is given")),
    }
}

fn files(args: &Args, reader: &Path, severities: &Severities, format: Format) -> Result<Exit, Failure> {
    let references: Vec<Source> = read_all(&args.reference)?;
    let writers: Vec<Source> = read_all(&args.writer)?;
    let verdict = judge(args.level, severities, read(reader)?, writers, &references);
    let _ = match format {
        Format::Text => output::data(verdict.text().trim_end())?,
        Format::Json => output::json(&verdict.json())?,
    };
    Ok(if verdict.report.findings.is_empty() { Exit::Fine } else { Exit::Findings })
}

fn judge(
    level: Compatibility,
    severities: &Severities,
    reader: Source,
    writers: Vec<Source>,
    references: &[Source],
) -> Verdict {
    let texts: Vec<&str> = references.iter().map(|reference| reference.text.as_str()).collect();
    let parse = |source: &Source| Schema::parse_with(&source.text, &texts);
    let report = match (parse(&reader), writers.iter().map(parse).collect::<Result<Vec<Schema>, SchemaError>>()) {
        (Ok(new), Ok(earlier)) => {
            compat::check_level_with(level, &new, &earlier.iter().collect::<Vec<_>>(), severities)
        }
        (reader, _) => invalid(reader.err(), writers.iter().map(parse)),
    };
    Verdict { report, reader, writers }
}

/// Every schema that is not valid Avro, the reader first.
fn invalid(reader: Option<SchemaError>, writers: impl Iterator<Item = Result<Schema, SchemaError>>) -> Report {
    let mut report = reader.map_or_else(Report::default, |error| compat::invalid(&error, "reader"));
    for (index, writer) in writers.enumerate() {
        for mut finding in writer.err().into_iter().flat_map(|error| compat::invalid(&error, "writer").findings) {
            finding.earlier = Some(index);
            report.findings.push(finding);
        }
    }
    report
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Result<Source, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::usage(format!("cannot read the schema {}", file.display()))
            .because(error)
            .hint("name a file that holds one Avro schema as JSON")
    })?;
    Ok(Source { file: file.display().to_string(), text })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const OLD: &str = r#"{"type": "record", "name": "crm.Order", "fields": [
  {"name": "order_id", "type": "string"},
  {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
  {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "SENT", "CLOSED"]}}
]}"#;
    const NEW: &str = r#"{"type": "record", "name": "crm.Order", "fields": [
  {"name": "order_id", "type": "string"},
  {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 3}},
  {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "CLOSED"]}},
  {"name": "currency", "type": "string"}
]}"#;

    fn source(file: &str, text: &str) -> Source {
        Source { file: file.to_owned(), text: text.to_owned() }
    }

    fn verdict(level: Compatibility, reader: &str, writers: &[&str]) -> Verdict {
        verdict_with(level, &[], reader, writers)
    }

    fn verdict_with(level: Compatibility, rules: &[&str], reader: &str, writers: &[&str]) -> Verdict {
        let severities = rules.iter().map(|rule| rule.parse::<Setting>().unwrap()).collect();
        let writers = writers.iter().enumerate().map(|(index, text)| source(&format!("v{index}.avsc"), text)).collect();
        judge(level, &severities, source("new.avsc", reader), writers, &[])
    }

    #[test]
    fn what_breaks_is_told_with_its_place_a_witness_and_a_hint() {
        insta::assert_snapshot!(verdict(Compatibility::Backward, NEW, &[OLD]).text());
    }

    #[test]
    fn a_history_is_told_version_by_version() {
        insta::assert_snapshot!(verdict(Compatibility::FullTransitive, NEW, &[OLD, NEW]).text());
    }

    #[test]
    fn an_invalid_schema_is_told_like_any_finding() {
        let typo = OLD.replace("\"string\"", "\"strin\"");
        insta::assert_snapshot!(verdict(Compatibility::Backward, NEW, &[&typo]).text());
    }

    #[test]
    fn no_finding_is_a_line_too() {
        assert_eq!(verdict(Compatibility::Full, OLD, &[OLD]).text(), "compatible: no findings\n");
        assert_eq!(verdict(Compatibility::None, "\"int\"", &["\"string\""]).text(), "compatible: no findings\n");
    }

    #[test]
    fn a_semantic_rule_is_as_severe_as_told_and_the_verdict_stays_avros() {
        let finer = OLD.replace("\"scale\": 2", "\"scale\": 3");
        let said = |rule: &str| verdict_with(Compatibility::Backward, &[rule], &finer, &[OLD]).text();
        assert_eq!(said("decimal-changed=off"), "compatible: no findings\n");
        insta::assert_snapshot!(format!("{}\n{}", said("decimal-changed=warn"), said("decimal-changed=error")));
    }

    #[test]
    fn the_json_has_places_on_both_sides() {
        insta::assert_json_snapshot!(verdict(Compatibility::Backward, NEW, &[OLD]).json());
    }
}
