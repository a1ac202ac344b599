//! `--encoding hex`: an answer to each line, in the order of the lines, however strange a line is.

use super::lines::{self, LINE_BYTES_MAX, Line};
use super::out::Lines;
use super::rulebook::{Mask, Refusal, Rulebook};
use crate::failure::{Exit, Failure};
use crate::output::Reader;
use mesh_avro::mask::Scratch;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::io::BufRead;

/// Most schemas whose masks are kept.
const KEPT_MAX: usize = 256;

/// The answer to one line.
#[derive(Debug, Serialize)]
struct Answer {
    id: Value,
    #[serde(flatten)]
    result: Outcome,
}

#[derive(Debug, Serialize)]
enum Outcome {
    #[serde(rename = "payload_hex")]
    Payload(String),
    #[serde(rename = "error")]
    Refused(Refusal),
}

/// Answers every line.
pub(super) fn run(
    mut input: Box<dyn BufRead>,
    rulebook: &Rulebook<'_>,
    limit: u64,
    mut out: Lines,
) -> Result<Exit, Failure> {
    let mut desk = Desk::new(rulebook);
    let mut exit = Exit::Fine;
    let mut answered = 0;
    while answered < limit
        && let Some(line) = lines::next(input.as_mut()).map_err(super::cannot_read)?
    {
        let Some(answer) = desk.answer(&line) else { continue };
        answered += 1;
        if matches!(answer.result, Outcome::Refused(_)) {
            exit = Exit::Findings;
        }
        if out.json(&answer)? == Reader::Gone {
            break;
        }
    }
    out.finish()?;
    Ok(exit)
}

/// Answers lines; keeps the masks of the schemas it has seen.
struct Desk<'a> {
    rulebook: &'a Rulebook<'a>,
    masks: HashMap<(String, Option<String>), Result<Mask, Refusal>>,
    scratch: Scratch,
    lines: u64,
}

impl<'a> Desk<'a> {
    fn new(rulebook: &'a Rulebook<'a>) -> Desk<'a> {
        Desk { rulebook, masks: HashMap::new(), scratch: Scratch::new(), lines: 0 }
    }

    /// The answer to a line; none to an empty one.
    fn answer(&mut self, line: &Line) -> Option<Answer> {
        self.lines += 1;
        let number = self.lines;
        let refused = |message: String| Answer {
            id: Value::Null,
            result: Outcome::Refused(Refusal::new("line-invalid", message)),
        };
        let bytes = match line {
            Line::Whole(bytes) => bytes.trim_ascii(),
            Line::TooLong => return Some(refused(format!("line {number} is longer than {LINE_BYTES_MAX} bytes"))),
        };
        if bytes.is_empty() {
            return None;
        }
        let members = match serde_json::from_slice::<Value>(bytes) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Some(refused(format!("line {number} is not an object"))),
            // serde_json's message may quote the line; its place is enough.
            Err(error) => return Some(refused(format!("line {number} is not JSON at column {}", error.column()))),
        };
        let id = members.get("id").cloned().unwrap_or(Value::Null);
        let result = match self.masked(number, &members) {
            Ok(payload_hex) => Outcome::Payload(payload_hex),
            Err(refusal) => Outcome::Refused(refusal),
        };
        Some(Answer { id, result })
    }

    fn masked(&mut self, number: u64, members: &serde_json::Map<String, Value>) -> Result<String, Refusal> {
        let missing = |key: &str| Refusal::new("line-invalid", format!("line {number} has no {key:?}"));
        let schema = members.get("schema").ok_or_else(|| missing("schema"))?;
        let payload = members.get("payload_hex").and_then(Value::as_str).ok_or_else(|| missing("payload_hex"))?;
        let columns = members.get("sensitive_columns").filter(|columns| !columns.is_null());
        let datum = decode(payload)?;
        if self.masks.len() >= KEPT_MAX {
            self.masks.clear();
        }
        let kept = (schema.to_string(), columns.map(Value::to_string));
        let mask = self.masks.entry(kept).or_insert_with(|| self.rulebook.mask(schema, columns));
        let mask = mask.as_ref().map_err(Clone::clone)?;
        Ok(encode(mask.apply(&mut self.scratch, &datum)?))
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    let refused = || Refusal::new("hex-invalid", "the payload is not pairs of hex digits");
    if !text.len().is_multiple_of(2) {
        return Err(refused());
    }
    let nibble = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect::<Option<_>>().ok_or_else(refused)
}

fn encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use mesh_runtime::keys::ThrowAwayKeys;

    fn answers(lines: &[u8]) -> Vec<String> {
        let keys = ThrowAwayKeys::generate().unwrap();
        let rulebook = Rulebook::new(None, "masked", &keys).unwrap();
        let mut desk = Desk::new(&rulebook);
        let mut input = lines;
        let mut answers = Vec::new();
        while let Some(line) = lines::next(&mut input).unwrap() {
            answers.extend(desk.answer(&line).map(|answer| serde_json::to_string(&answer).unwrap()));
        }
        answers
    }

    #[test]
    fn every_line_has_its_answer_in_order() {
        let record =
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"n","type":"int"}]}"#;
        let text = Value::from(record);
        let input = [
            r#"{"id":1,"schema":"string","payload_hex":"0261"}"#.to_owned(),
            r#"{"id":"two","schema":"string","payload_hex":"0461"}"#.to_owned(),
            String::new(),
            "not json".to_owned(),
            "[]".to_owned(),
            r#"{"id":3,"payload_hex":"00"}"#.to_owned(),
            r#"{"id":4,"schema":"string"}"#.to_owned(),
            r#"{"id":5,"schema":"string","payload_hex":"0"}"#.to_owned(),
            r#"{"id":5,"schema":"string","payload_hex":"ä"}"#.to_owned(),
            r#"{"id":6,"schema":"strin","payload_hex":"00"}"#.to_owned(),
            format!(
                r#"{{"id":7,"schema":{record},"payload_hex":"026102","sensitive_columns":[{{"column":"a","mask":"redact"}}]}}"#
            ),
            format!(
                r#"{{"id":8,"schema":{text},"payload_hex":"026102","sensitive_columns":[{{"column":"n","mask":"zero"}}]}}"#
            ),
            format!(r#"{{"id":9,"schema":{record},"payload_hex":"026102","sensitive_columns":["b"]}}"#),
            format!(
                r#"{{"id":10,"schema":{record},"payload_hex":"026102","sensitive_columns":[{{"column":"n","mask":"hash"}}]}}"#
            ),
            format!(r#"{{"id":11,"schema":{record},"payload_hex":"026102","sensitive_columns":"x"}}"#),
            format!(r#"{{"id":12,"schema":{record},"payload_hex":"026102","sensitive_columns":[]}}"#),
            format!(r#"{{"id":13,"schema":{record},"payload_hex":"02610200"}}"#),
        ];
        insta::assert_snapshot!(answers(input.join("\n").as_bytes()).join("\n"));
    }

    #[test]
    fn nothing_sensitive_is_left_of_a_column_in_its_short_form() {
        let line = br#"{"id":1,"schema":{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]},"payload_hex":"08AABBCCDD","sensitive_columns":["a"]}"#;
        assert!(answers(line)[0].contains("invalid-utf8"));
        let line = br#"{"id":1,"schema":{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]},"payload_hex":"0841424344","sensitive_columns":["a"]}"#;
        let answer: Value = serde_json::from_str(&answers(line)[0]).unwrap();
        assert_eq!(answer["payload_hex"].as_str().unwrap().len(), 2 * (2 + 64));
    }

    #[test]
    fn hostile_lines_are_answered() {
        let deep = format!(
            r#"{{"id":1,"schema":{}"string"{},"payload_hex":"00"}}"#,
            r#"{"type":"array","items":"#.repeat(5_000),
            "}".repeat(5_000)
        );
        assert!(answers(deep.as_bytes())[0].contains("line-invalid"));
        assert!(answers(b"\xff\xfe{")[0].contains("line-invalid"));
    }
}
