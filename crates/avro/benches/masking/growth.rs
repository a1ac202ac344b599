//! How the work grows: with the record's bytes, with the number of masked columns; what compiling costs.

use std::hint::black_box;

use mesh_avro::mask::{Program, Rules, Scratch};
use mesh_avro::schema::Schema;
use mesh_contract::SensitiveColumn;
use serde_json::json;

use super::clock::{Contender, Figures, measure, thread_ns};
use super::encoding;
use super::rules::ring;
use super::workload::{Draw, prose};

const RECORDS: usize = 200;

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
const COLUMNS: [usize; 3] = [1, 10, 100];
/// Fields of the schema whose compilation is timed, and how many of them are masked.
const COMPILED_FIELDS: usize = 1_000;
const COMPILED_COLUMNS: usize = 100;

const HISTORY: &str = r#"{"type":"record","name":"History","fields":[
  {"name":"customer_id","type":"string"},
  {"name":"email","type":"string"},
  {"name":"events","type":{"type":"array","items":{"type":"record","name":"Event","fields":[
    {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"kind","type":"string"},
    {"name":"amount","type":["null","double"]},
    {"name":"note","type":"string"}]}}}]}"#;

fn program(schema_text: &str, columns: &serde_json::Value) -> Program {
    let schema = Schema::parse(schema_text).expect("the schema is valid");
    let columns: Vec<SensitiveColumn> = serde_json::from_value(columns.clone()).expect("the columns are valid");
    let rules = Rules::of_columns(&columns, &schema).unwrap_or_else(|found| panic!("{found:?}"));
    Program::compile(&rules, &schema, &ring()).expect("the rules compile")
}

/// A customer's history of about so many bytes: one masked column, the rest small fields that are walked and kept.
fn history(number: u64, bytes: usize) -> Vec<u8> {
    let mut draw = Draw(number);
    let mut datum = Vec::new();
    encoding::bytes(&mut datum, format!("c-{number:012}").as_bytes());
    encoding::bytes(&mut datum, format!("customer.{number}@mail.example").as_bytes());
    while datum.len() < bytes {
        encoding::long(&mut datum, 1);
        encoding::long(&mut datum, 1_700_000_000_000 + draw.below(1 << 36) as i64);
        encoding::bytes(&mut datum, b"order-placed");
        datum.push(2);
        datum.extend_from_slice(&(draw.below(100_000) as f64 / 100.0).to_le_bytes());
        encoding::bytes(&mut datum, prose(&mut draw, 24).as_bytes());
    }
    datum.push(0);
    datum
}

/// Records of growing size.
pub(crate) fn sizes(rounds: usize) -> Vec<(f64, Figures)> {
    let program = program(HISTORY, &json!([{"column": "email", "class": "pii.contact"}]));
    let of_size = |bytes: usize| -> Vec<Vec<u8>> {
        let count = (RECORDS * 1_000 / bytes).clamp(4, RECORDS);
        (0..count as u64).map(|number| history(number, bytes)).collect()
    };
    let data: Vec<Vec<Vec<u8>>> = SIZES.into_iter().map(of_size).collect();
    let mean = |data: &Vec<Vec<u8>>| data.iter().map(Vec::len).sum::<usize>() as f64 / data.len() as f64;
    let contenders =
        SIZES.iter().zip(&data).map(|(bytes, data)| contender(bytes.to_string(), &program, data)).collect();
    data.iter().map(mean).zip(measure(contenders, rounds)).collect()
}

/// One schema of a hundred short texts, more and more of them hashed.
pub(crate) fn columns(rounds: usize) -> Vec<(usize, Figures)> {
    let schema = flat_schema(100);
    let data: Vec<Vec<u8>> = (0..RECORDS as u64).map(|number| flat(number, 100)).collect();
    let programs: Vec<Program> = COLUMNS.iter().map(|count| program(&schema, &flat_columns(*count))).collect();
    let pairs = COLUMNS.iter().zip(&programs);
    let contenders = pairs.map(|(count, program)| contender(count.to_string(), program, &data)).collect();
    COLUMNS.into_iter().zip(measure(contenders, rounds)).collect()
}

fn contender<'a>(name: String, program: &'a Program, data: &'a [Vec<u8>]) -> Contender<'a> {
    let mut scratch = Scratch::new();
    Contender::new(name, data.len(), move |index| {
        program.run(&mut scratch, &data[index]).expect("the datum is valid");
        black_box(scratch.output(0, &data[index]));
    })
}

fn flat_schema(fields: usize) -> String {
    let fields: Vec<_> = (0..fields).map(|index| json!({"name": format!("f{index}"), "type": "string"})).collect();
    json!({"type": "record", "name": "Flat", "fields": fields}).to_string()
}

fn flat_columns(count: usize) -> serde_json::Value {
    (0..count).map(|index| json!({"column": format!("f{index}"), "class": "pii.contact"})).collect()
}

fn flat(number: u64, fields: usize) -> Vec<u8> {
    let mut datum = Vec::new();
    (0..fields).for_each(|field| encoding::bytes(&mut datum, format!("{number:04}-{field:04}").as_bytes()));
    datum
}

/// Milliseconds to compile a program for a schema of [`COMPILED_FIELDS`] fields, view schemas and keys included.
pub(crate) fn compile_ms(rounds: usize) -> f64 {
    let schema = Schema::parse(&flat_schema(COMPILED_FIELDS)).expect("the schema is valid");
    let columns: Vec<SensitiveColumn> =
        serde_json::from_value(flat_columns(COMPILED_COLUMNS)).expect("the columns are valid");
    let rules = Rules::of_columns(&columns, &schema).unwrap_or_else(|found| panic!("{found:?}"));
    let ring = ring();
    let timed = |_| {
        let start = thread_ns();
        black_box(Program::compile(&rules, &schema, &ring).expect("the rules compile"));
        (thread_ns() - start) / 1e6
    };
    let mut times: Vec<f64> = (0..rounds).map(timed).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
