//! What is said of two schemas against what Avro Java's decoder does with data: data of the writer that are said to be read
//! are read, and as what was written; the witness of a break is refused.

use std::io::Write as _;

use crate::avro_java;
use crate::data;
use crate::evolve::{self, draw::Draw};
use crate::oracle::{Answer, first_seed};
use crate::reference::Reference;
use mesh_avro::compat::{CompatFinding, check};
use mesh_avro::schema::Schema;
use serde_json::{Value, json};

/// Random evolved pairs, and for each up to so many data.
const PAIRS: usize = 4_000;
const DATA: usize = 3;

/// A datum of a pair's writer, and what is to become of it.
struct Case<'p> {
    pair: &'p (Schema, Schema),
    datum: Value,
    expected: Expected,
}

enum Expected {
    /// This, without what tells unions' branches.
    Read(Value),
    Refused,
}

/// The data of a pair of which both Avro Java and we think the same.
fn cases<'p>(draw: &mut Draw, pair: &'p (Schema, Schema)) -> Vec<Case<'p>> {
    let (writer, reader) = pair;
    let report = check(reader, writer);
    if report.compatible() {
        // Decoders differ in the branch that they take.
        if report.findings.iter().any(|finding| finding.rule == "union-branch-ambiguous") {
            return Vec::new();
        }
        let reference = Reference::new(reader, writer);
        let data = (0..DATA).filter_map(|_| data::random(draw, writer, writer.root(), 12));
        let read = |datum: Value| {
            let expected = Expected::Read(reference.read(&datum).unwrap());
            Case { pair, datum, expected }
        };
        return data.map(read).collect();
    }
    let refused = |finding: &CompatFinding| {
        Some(Case { pair, datum: finding.witness.as_ref()?.value(), expected: Expected::Refused })
    };
    report.errors().filter(|finding| !is_read_by_java(finding)).filter_map(refused).collect()
}

/// Whether Avro Java's decoder reads the data all the same: records of any name, and fields by one of several names.
fn is_read_by_java(finding: &CompatFinding) -> bool {
    matches!(finding.rule, "name-mismatch" | "field-alias-ambiguous" | "union-branch-missing")
}

fn question(case: &Case<'_>) -> String {
    let (writer, reader) = case.pair;
    let mut bytes = Vec::new();
    data::encode(writer, writer.root(), &case.datum, &mut bytes).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"writer": writer.json(), "reader": reader.json(), "hex": hex}).to_string()
}

/// What is wrong with Avro Java's answer.
fn difference(case: &Case<'_>, answer: &str) -> Option<String> {
    let (writer, reader) = case.pair;
    let answer: Value = serde_json::from_str(answer).unwrap();
    let wrong = match (&case.expected, answer.get("datum")) {
        (Expected::Read(expected), Some(read)) if data::same(expected, read) => return None,
        (Expected::Refused, None) => return None,
        (Expected::Read(expected), Some(read)) => format!("read as {read}, not as {expected}"),
        (Expected::Read(_), None) => format!("refused: {}", answer["error"]),
        (Expected::Refused, Some(read)) => format!("read as {read}"),
    };
    Some(format!("{} is {wrong}\n{}\n{}", case.datum, writer.json(), reader.json()))
}

#[test]
fn avro_java_reads_what_is_compatible_as_it_was_written_and_refuses_witnesses() {
    let first_seed = first_seed();
    let pairs: Vec<(Schema, Schema)> =
        (first_seed..).filter_map(|seed| evolve::pair(&mut Draw(seed))).take(PAIRS).collect();
    let agreed = |(pair, answer): (_, Answer)| answer.decodes_alike(pair).then_some(pair);
    let pairs: Vec<&(Schema, Schema)> = pairs.iter().zip(Answer::ask(&pairs)).filter_map(agreed).collect();
    let mut draw = Draw(first_seed);
    let cases: Vec<Case<'_>> = pairs.iter().flat_map(|pair| cases(&mut draw, pair)).collect();
    let answers = avro_java::ask("Decoder.java", &cases.iter().map(question).collect::<Vec<_>>());

    let wrong: Vec<String> = cases.iter().zip(&answers).filter_map(|(case, answer)| difference(case, answer)).collect();
    let refused = cases.iter().filter(|case| matches!(case.expected, Expected::Refused)).count();
    let _ = writeln!(
        std::io::stderr(),
        "avro java: {} data of {} pairs from MESH_TEST_SEED={first_seed}, {refused} of them witnesses",
        cases.len(),
        pairs.len()
    );
    assert!(wrong.is_empty(), "{} data, MESH_TEST_SEED={first_seed}; the first:\n{}", wrong.len(), wrong[0]);
    assert!(pairs.len() * 2 > PAIRS, "{} of {PAIRS} pairs are thought the same of", pairs.len());
    assert!(refused > 300 && cases.len() - refused > 3_000, "{refused} of {} data are witnesses", cases.len());
}
