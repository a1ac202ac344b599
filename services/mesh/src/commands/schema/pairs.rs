//! `mesh schema compat --pairs`: a verdict for each line, in the order of the lines, however strange a line is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use mesh_avro::compat::{self, Report, Severities, Severity, Side};
use mesh_avro::schema::{Schema, SchemaError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::verdict::word;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};

/// The longest line that is read: two schemas of the largest size, escaped as strings.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// The answer to one line.
#[derive(Debug, Serialize)]
struct Answer {
    id: Value,
    verdict: &'static str,
    findings: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    rule: &'static str,
    severity: Severity,
    path: String,
    message: String,
}

/// Answers every line of a file, or of standard input for `-`.
pub(super) fn run(file: &Path, severities: &Severities) -> Result<Exit, Failure> {
    if file == Path::new("-") {
        return answer_all(file, io::stdin().lock(), severities);
    }
    let opened = File::open(file).map_err(|error| cannot_read(file, error))?;
    answer_all(file, BufReader::new(opened), severities)
}

fn answer_all(file: &Path, mut lines: impl BufRead, severities: &Severities) -> Result<Exit, Failure> {
    let mut exit = Exit::Fine;
    let mut number = 0_u64;
    while let Some(line) = next_line(&mut lines).map_err(|error| cannot_read(file, error))? {
        number += 1;
        let Some(answer) = answer(number, &line, severities) else { continue };
        if !answer.findings.is_empty() {
            exit = Exit::Findings;
        }
        if output::json(&answer)? == Reader::Gone {
            break;
        }
    }
    Ok(exit)
}

/// A line of the input.
enum Line {
    Whole(Vec<u8>),
    TooLong,
}

fn next_line(lines: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() as u64 == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
        skip_line(lines)?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(line)))
}

fn skip_line(lines: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = lines.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(newline) => (newline + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        lines.consume(used);
        if ended {
            return Ok(());
        }
    }
}

/// A line's pair. The schemas stay text, so that nothing of them is lost: a JSON parser would drop keys given twice.
#[derive(Debug, Deserialize)]
struct Pair<'l> {
    #[serde(default)]
    id: Value,
    #[serde(borrow)]
    writer: Option<&'l RawValue>,
    #[serde(borrow)]
    reader: Option<&'l RawValue>,
}

/// The answer to a line; none to an empty one.
fn answer(number: u64, line: &Line, severities: &Severities) -> Option<Answer> {
    let bytes = match line {
        Line::Whole(bytes) => bytes.trim_ascii(),
        Line::TooLong => {
            return Some(refused(Value::Null, format!("line {number} is longer than {MAX_LINE_BYTES} bytes")));
        }
    };
    if bytes.is_empty() {
        return None;
    }
    // An array would do for serde, too.
    let pair = bytes.starts_with(b"{").then(|| serde_json::from_slice::<Pair<'_>>(bytes));
    let answer = match pair {
        Some(Ok(Pair { id, writer: Some(writer), reader: Some(reader) })) => {
            Answer::new(id, compare(writer, reader, severities))
        }
        Some(Ok(Pair { id, writer: None, .. })) => refused(id, format!("line {number} has no \"writer\"")),
        Some(Ok(Pair { id, .. })) => refused(id, format!("line {number} has no \"reader\"")),
        other => unpaired(number, bytes, other.and_then(Result::err)),
    };
    Some(answer)
}

/// The answer to a line that is no pair, with its id where that can be told.
fn unpaired(number: u64, bytes: &[u8], error: Option<serde_json::Error>) -> Answer {
    match (serde_json::from_slice::<Value>(bytes), error) {
        (Ok(Value::Object(line)), Some(error)) => {
            let id = line.get("id").cloned().unwrap_or(Value::Null);
            refused(id, format!("line {number} is no pair: {}", without_place(&error)))
        }
        (Ok(_), _) => {
            refused(Value::Null, format!("line {number} is not an object with \"id\", \"writer\" and \"reader\""))
        }
        (Err(error), _) => refused(
            Value::Null,
            format!("line {number} is not JSON: {}, at column {}", without_place(&error), error.column()),
        ),
    }
}

fn without_place(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    whole.split(" at line ").next().unwrap_or(&whole).to_owned()
}

fn compare(writer: &RawValue, reader: &RawValue, severities: &Severities) -> Report {
    let (writer, reader) = (schema(writer.get()), schema(reader.get()));
    match (&writer, &reader) {
        (Ok(writer), Ok(reader)) => compat::check_with(reader, writer, severities),
        _ => {
            let mut report = Report::default();
            for (schema, side) in [(&writer, Side::Writer), (&reader, Side::Reader)] {
                let found = schema.as_ref().err().map(|error| compat::invalid(error, side));
                report.findings.extend(found.into_iter().flat_map(|report| report.findings));
            }
            report
        }
    }
}

/// A schema inline, or its text in a string. A string that is no JSON of a schema's form is a type's name.
fn schema(json: &str) -> Result<Schema, SchemaError> {
    let text = if json.starts_with('"') { serde_json::from_str::<String>(json).ok() } else { None };
    match text.filter(|text| text.trim_start().starts_with(['{', '[', '"'])) {
        Some(text) => Schema::parse(&text),
        None => Schema::parse(json),
    }
}

impl Answer {
    fn new(id: Value, report: Report) -> Answer {
        let verdict = word(&report);
        let found = |finding: compat::CompatFinding| Found {
            rule: finding.rule,
            severity: finding.severity,
            path: finding.path,
            message: finding.message,
        };
        Answer { id, verdict, findings: report.findings.into_iter().map(found).collect() }
    }
}

fn refused(id: Value, message: String) -> Answer {
    let found = Found { rule: "schema-invalid", severity: Severity::Error, path: String::new(), message };
    Answer { id, verdict: "incompatible", findings: vec![found] }
}

fn cannot_read(file: &Path, error: io::Error) -> Failure {
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    Failure::usage(format!("cannot read the pairs from {name}"))
        .because(error)
        .hint("give a file of JSON lines {\"id\", \"writer\", \"reader\"}, or - for standard input")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn answers(input: &[u8]) -> Vec<String> {
        let mut lines = input;
        let mut answers = Vec::new();
        let mut number = 0;
        while let Some(line) = next_line(&mut lines).unwrap() {
            number += 1;
            answers.extend(
                answer(number, &line, &Severities::default()).map(|answer| serde_json::to_string(&answer).unwrap()),
            );
        }
        answers
    }

    #[test]
    fn schemas_come_inline_or_as_text() {
        for (writer, reader) in [
            (r#""int""#, r#""long""#),
            (r#""\"int\"""#, r#"{"type":"long"}"#),
            (r#"{"type":"int"}"#, r#""{\"type\": \"long\"}""#),
            (r#""null""#, r#"["null", "int"]"#),
        ] {
            let line = format!("{{\"id\": 7, \"writer\": {writer}, \"reader\": {reader}}}");
            assert_eq!(answers(line.as_bytes()), [r#"{"id":7,"verdict":"compatible","findings":[]}"#], "{line}");
        }
    }

    #[test]
    fn every_line_has_its_answer_in_order() {
        let input = b"{\"id\": \"a\", \"writer\": \"string\", \"reader\": \"int\"}\n\
            \n\
            not json\n\
            [1]\n\
            {\"id\": \"b\", \"writer\": \"int\"}\n\
            {\"id\": {\"c\": 1}, \"writer\": \"nope\", \"reader\": 5}\n\
            \xff\xfe\n\
            {\"id\": \"last\", \"writer\": \"long\", \"reader\": \"double\"}";
        insta::assert_snapshot!(answers(input).join("\n"));
    }

    #[test]
    fn a_key_given_twice_makes_a_schema_invalid_inline_as_in_a_string() {
        let twice = r#"{"type": "record", "name": "R", "fields": [], "type": "record"}"#;
        let quoted = serde_json::to_string(twice).unwrap();
        for (writer, reader) in [(twice, "\"int\""), (&quoted, "\"int\""), ("\"int\"", twice), ("\"int\"", &quoted)] {
            let answers = answers(format!("{{\"id\": 1, \"writer\": {writer}, \"reader\": {reader}}}").as_bytes());
            let side = if writer == "\"int\"" { "reader" } else { "writer" };
            let message =
                format!("the {side}'s schema is not valid Avro: the key \\\"type\\\" stands twice in one object");
            assert!(answers[0].contains(&message) && answers[0].contains("schema-invalid"), "{}", answers[0]);
        }
        let pair = br#"{"id": 1, "writer": "int", "reader": "int", "writer": "long"}"#;
        assert!(answers(pair)[0].starts_with(r#"{"id":1,"verdict":"incompatible","#), "{:?}", answers(pair));
    }

    #[test]
    fn a_line_too_long_is_refused_and_the_next_one_answered() {
        let mut input = vec![b' '; usize::try_from(MAX_LINE_BYTES).unwrap() + 5];
        input.extend_from_slice(b"\n{\"id\": 1, \"writer\": \"int\", \"reader\": \"int\"}\n");
        let answers = answers(&input);
        assert!(answers[0].contains("line 1 is longer than 16777216 bytes"), "{}", answers[0]);
        assert_eq!(answers[1], r#"{"id":1,"verdict":"compatible","findings":[]}"#);
    }
}
