//! `mesh schema compat`: two schemas in files, or many pairs as JSON lines.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use mesh_avro::compat::{Setting, Severities};
use mesh_contract::Compatibility;

use super::pairs;
use super::source::{Referring, Source};
use super::verdict::Verdict;
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
    /// The same for the writers' schemas alone, where those types were others than the reader's [default: as --reference]
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    writer_reference: Vec<PathBuf>,
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
    #[arg(long, visible_alias = "meaning", value_name = "ID=LEVEL")]
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
    let references = Source::read_all(&args.reference)?;
    let writers_references = match args.writer_reference.as_slice() {
        [] => Rc::clone(&references),
        files => Source::read_all(files)?,
    };
    let reader = Referring { schema: Source::read(reader)?, references };
    let writer =
        |file: &PathBuf| Ok(Referring { schema: Source::read(file)?, references: Rc::clone(&writers_references) });
    let writers = args.writer.iter().map(writer).collect::<Result<Vec<Referring>, Failure>>()?;
    let verdict = Verdict::of(args.level, severities, &reader, &writers);
    let _ = match format {
        Format::Text => output::data(verdict.text().trim_end())?,
        Format::Json => output::json(&verdict.json())?,
    };
    Ok(if verdict.has_findings() { Exit::Findings } else { Exit::Fine })
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

    fn referring(file: &str, text: &str, references: &[(&str, &str)]) -> Referring {
        let source = |(file, text): (&str, &str)| Source { file: file.to_owned(), text: text.to_owned() };
        Referring { schema: source((file, text)), references: references.iter().copied().map(source).collect() }
    }

    fn verdict(level: Compatibility, reader: &str, writers: &[&str]) -> Verdict {
        verdict_with(level, &[], reader, writers)
    }

    fn verdict_with(level: Compatibility, rules: &[&str], reader: &str, writers: &[&str]) -> Verdict {
        let severities = rules.iter().map(|rule| rule.parse::<Setting>().unwrap()).collect();
        let writer = |(index, text): (usize, &&str)| referring(&format!("v{index}.avsc"), text, &[]);
        let writers: Vec<Referring> = writers.iter().enumerate().map(writer).collect();
        Verdict::of(level, &severities, &referring("new.avsc", reader, &[]), &writers)
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
    fn a_text_that_is_no_json_is_told_where_it_ends_being_json() {
        let cut = OLD.trim_end_matches("\n]}");
        assert!(verdict(Compatibility::Backward, NEW, &[cut]).text().starts_with("v0.avsc:4:"));
    }

    #[test]
    fn what_another_subject_defines_is_told_in_its_own_file() {
        const ORDER: &str =
            "{\"type\": \"record\", \"name\": \"Order\", \"fields\": [\n  {\"name\": \"to\", \"type\": \"Place\"}]}";
        const PLACE: &str =
            "{\"type\": \"record\", \"name\": \"Place\", \"fields\": [\n\n  {\"name\": \"zip\", \"type\": \"int\"}]}";
        let text = PLACE.replace("\"int\"", "\"string\"");
        let severities = Severities::default();
        let level = Compatibility::Backward;
        let order = |file, places: &str, place: &str| referring(file, ORDER, &[(places, place)]);
        let verdict = Verdict::of(
            level,
            &severities,
            &order("new.avsc", "place2.avsc", &text),
            &[order("old.avsc", "place.avsc", PLACE)],
        );
        insta::assert_snapshot!(verdict.text());

        // One that both refer to is not valid: that is said once, and of no side's own schema.
        let typo = PLACE.replace("\"int\"", "\"itn\"");
        let both = (order("new.avsc", "place.avsc", &typo), order("old.avsc", "place.avsc", &typo));
        insta::assert_snapshot!(Verdict::of(level, &severities, &both.0, &[both.1]).text());
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
