//! Every view decoded by Avro Java, the reference implementation, under the view's derived schema.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use mesh_avro::mask::Scratch;
use serde_json::{Value, json};

use crate::avro_java;
use crate::random::Case;

const SEEDS: u64 = 1_500;
const DATA_A_SEED: usize = 2;
/// The rules that the generator draws, the default of a column's type among them.
const RULES: usize = 10;
/// Columns with each rule; with fewer, the generator has gone astray.
const COLUMNS_MIN: usize = 20;
/// Views that differ from what was written.
const MASKED_VIEWS_MIN: usize = 1_500;

/// A view of a datum and what a reader is to see.
struct Question {
    seed: u64,
    line: String,
    expected: Value,
}

#[test]
fn avro_java_sees_in_every_view_what_the_reference_says() {
    let mut masked = 0;
    let mut columns = BTreeMap::new();
    let mut questions = Vec::new();
    for seed in 0..SEEDS {
        let mut case = Case::new(seed, 1 + (seed % 3) as usize);
        let mut scratch = Scratch::new();
        case.rules().for_each(|rule| *columns.entry(rule).or_insert(0) += 1);
        for _ in 0..DATA_A_SEED {
            let (val, datum) = case.datum();
            case.program.run(&mut scratch, &datum).unwrap();
            for (index, view) in case.program.views().iter().enumerate() {
                let shown = scratch.output(index, &datum);
                masked += usize::from(shown != datum);
                let hex: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
                let line = json!({"writer": view.schema, "hex": hex}).to_string();
                questions.push(Question { seed, line, expected: case.expected_json(&view.name, &val) });
            }
        }
    }
    println!("{} views, {masked} of them masked, by columns with {columns:?}", questions.len());
    assert!(columns.len() == RULES && columns.values().all(|count| *count >= COLUMNS_MIN), "{columns:?}");
    assert!(masked > MASKED_VIEWS_MIN, "only {masked} of {} views were masked", questions.len());
    let lines: Vec<String> = questions.iter().map(|question| question.line.clone()).collect();
    for (question, answer) in questions.iter().zip(avro_java::ask("Decoder.java", &lines)) {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["datum"], question.expected, "seed {}: {answer}\n{}", question.seed, question.line);
    }
}
