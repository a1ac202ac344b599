//! Random schemas, data and rules: every byte of every view as the slow reference has it.
#![allow(clippy::unwrap_used)]

use mesh_avro::mask::{Program, Rules, Scratch};
use mesh_avro::schema::Schema;
use mesh_avro::wire;
use proptest::prelude::*;
use serde_json::Value;

use crate::generate::{Generator, avro};
use crate::reference::{Column, Encoder, Type, Val};
use crate::support::{contract, ring, shown};

fn lines(columns: &[Column], clear: &[bool]) -> String {
    let listed = columns.iter().map(|column| {
        let mask = column.rule.as_ref().map(|rule| format!(", mask: {}", serde_json::to_string(rule).unwrap()));
        format!("  - {{ column: \"{}\", class: {}{} }}\n", column.path, column.class, mask.unwrap_or_default())
    });
    if columns.is_empty() {
        return String::new();
    }
    let listed: String = listed.collect();
    let shown: Vec<String> = columns
        .iter()
        .zip(clear)
        .filter(|(_, clear)| **clear)
        .map(|(column, _)| format!("\"{}\"", column.path))
        .collect();
    let some = if shown.is_empty() { String::new() } else { format!("  some: {{ clear: [{}] }}\n", shown.join(", ")) };
    let group = if shown.is_empty() { "" } else { ", { group: c, view: some }" };
    format!(
        "sensitive_columns:\n{listed}views:\n{some}  all: {{ clear: all }}\n\
         access_group: [ {{ group: a }}, {{ group: b, view: all }}{group} ]\n"
    )
}

/// A random schema with random rules, compiled.
pub(crate) struct Case {
    generator: Generator,
    ty: Type,
    clear: Vec<bool>,
    pub(crate) program: Program,
}

impl Case {
    pub(crate) fn new(seed: u64, depth: usize) -> Case {
        let mut generator = Generator::new(seed);
        let ty = generator.record(depth);
        generator.choose(&ty, "");
        let clear: Vec<bool> = generator.columns.iter().map(|_| generator.rng.one_in(2)).collect();
        let schema = Schema::parse_value(&avro(&ty)).unwrap();
        let contract = contract(&lines(&generator.columns, &clear));
        let rules =
            Rules::check(&contract, &schema).unwrap_or_else(|found| panic!("{}\n{}", schema.json(), shown(&found)));
        let program = Program::compile(&rules, &schema, &ring()).unwrap();
        Case { generator, ty, clear, program }
    }

    /// A random datum, and its encoding.
    pub(crate) fn datum(&mut self) -> (Val, Vec<u8>) {
        let val = self.generator.val(&self.ty, 0);
        let plain = Encoder { records: self.generator.records.clone(), columns: &[], clear: Vec::new() };
        let datum = plain.encode(&self.ty, &val);
        (val, datum)
    }

    /// What a view shows, by the reference.
    fn encoder(&self, view: &str) -> Encoder<'_> {
        let columns = &self.generator.columns;
        let clear = match view {
            "masked" => vec![false; columns.len()],
            "all" => vec![true; columns.len()],
            _ => self.clear.clone(),
        };
        Encoder { records: self.generator.records.clone(), columns, clear }
    }

    pub(crate) fn expected(&self, view: &str, val: &Val) -> Vec<u8> {
        self.encoder(view).encode(&self.ty, val)
    }

    pub(crate) fn expected_json(&self, view: &str, val: &Val) -> Value {
        self.encoder(view).json(&self.ty, val)
    }

    /// The rule of each column, by its name in a contract.
    pub(crate) fn rules(&self) -> impl Iterator<Item = String> {
        self.generator.columns.iter().map(|column| {
            let rule = column.rule.as_ref().map(|rule| serde_json::to_value(rule).unwrap());
            match rule {
                None => "default".to_owned(),
                Some(Value::Object(rule)) => rule.keys().next().unwrap().clone(),
                Some(rule) => rule.as_str().unwrap().to_owned(),
            }
        })
    }

    pub(crate) fn describe(&self) -> String {
        format!("{}\n{:#?}", avro(&self.ty), self.generator.columns)
    }
}

fn check(seed: u64, depth: usize) -> usize {
    let mut case = Case::new(seed, depth);
    let mut scratch = Scratch::new();
    for _ in 0..4 {
        let (val, datum) = case.datum();
        case.program.run(&mut scratch, &datum).unwrap_or_else(|error| panic!("{error}\n{}", case.describe()));
        for (index, view) in case.program.views().iter().enumerate() {
            let expected = case.expected(&view.name, &val);
            assert_eq!(scratch.output(index, &datum), expected, "view {}\n{}\n{val:?}", view.name, case.describe());
            let (own, other) = (wire::header(7), wire::header(8));
            let value = [&own[..], &datum].concat();
            for header in [own, other, own] {
                assert_eq!(scratch.framed(index, header, &value), [&header[..], &expected].concat());
            }
            decodes(&view.schema, scratch.output(index, &datum));
        }
    }
    case.generator.columns.len()
}

/// The apache-avro crate reads a view's datum under its derived schema, all of it.
fn decodes(view_schema: &Value, datum: &[u8]) {
    let derived = apache_avro::Schema::parse(view_schema).unwrap_or_else(|error| panic!("{error}\n{view_schema}"));
    let reader = apache_avro::reader::datum::GenericDatumReader::builder(&derived).build().unwrap();
    let mut rest = datum;
    reader.read_value(&mut rest).unwrap_or_else(|error| panic!("{error}\n{view_schema}\n{datum:?}"));
    assert!(rest.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_view_is_what_the_reference_says(seed: u64, depth in 0..4_usize) {
        check(seed, depth);
    }
}

#[test]
fn the_generator_makes_columns() {
    let columns: usize = (0..50).map(|seed| check(seed, 3)).sum();
    assert!(columns > 100, "{columns}");
}
