//! What the tests share.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use mesh_avro::keys::{RootKeys, SubjectKeys};
use mesh_avro::mask::{MaskError, Program, Rules, Scratch};
use mesh_avro::schema::Schema;
use mesh_contract::{Contract, Declared, Finding, SensitiveColumn};
use serde_json::Value;
use zeroize::Zeroizing;

/// The keys of all tests.
pub(crate) fn ring() -> RootKeys {
    RootKeys::single(Zeroizing::new([42; 32]))
}

/// Keys of subjects.
pub(crate) fn subject_keys() -> SubjectKeys {
    SubjectKeys::new(1, Zeroizing::new([43; 32]), Zeroizing::new([44; 32]))
}

/// The keys of all tests, with those of subjects.
pub(crate) fn ring_with(subjects: SubjectKeys) -> RootKeys {
    ring().with_subjects(Arc::new(subjects))
}

/// A contract with these lines added to what every contract needs.
pub(crate) fn contract(lines: &str) -> Declared<Contract> {
    let text = format!(
        "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: crm\nname: customers\nversion: 1\n\
         description: One record per customer.\nschema: schemas/crm/customer.avsc\nhistory: 2 years\nstorage: stream\n\
         {lines}"
    );
    let defaults = [
        ("refresh_rate:", "refresh_rate: hour\n"),
        ("sensitive_columns:", "sensitive_columns: []\n"),
        ("access_group:", "access_group: analysts\n"),
        ("dependencies:", "dependencies: []\n"),
    ];
    let missing = defaults.iter().filter(|(key, _)| !lines.contains(key)).map(|(_, line)| *line);
    let whole = missing.fold(format!("{text}\n"), |text, line| text + line);
    mesh_contract::parse_contract("customers.yaml", &whole).unwrap_or_else(|findings| panic!("{whole}\n{findings:?}"))
}

pub(crate) fn schema(text: &str) -> Schema {
    Schema::parse(text).unwrap_or_else(|error| panic!("{error}: {}", error.fault))
}

pub(crate) fn columns(json: &str) -> Vec<SensitiveColumn> {
    serde_json::from_str(json).unwrap()
}

/// The program of one schema that is the contract's and the writer's.
pub(crate) fn program(lines: &str, schema_text: &str) -> Program {
    let schema = schema(schema_text);
    let rules = Rules::check(&contract(lines), &schema).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    Program::compile(&rules, &schema, &ring()).unwrap()
}

/// The program of sensitive columns without a contract.
pub(crate) fn program_of_columns(columns_json: &str, schema_text: &str) -> Program {
    let schema = schema(schema_text);
    let rules =
        Rules::of_columns(&columns(columns_json), &schema).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    Program::compile(&rules, &schema, &ring()).unwrap()
}

pub(crate) fn shown(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// A view of a datum.
pub(crate) fn run(program: &Program, view: &str, datum: &[u8]) -> Result<Vec<u8>, MaskError> {
    let mut scratch = Scratch::new();
    program.run(&mut scratch, datum)?;
    let index = program.views().iter().position(|known| known.name == view).expect("the view exists");
    Ok(scratch.output(index, datum).to_vec())
}

/// A record as Avro binary, by the apache-avro crate.
pub(crate) fn encode(schema_text: &str, json: Value) -> Vec<u8> {
    let schema = apache_avro::Schema::parse_str(schema_text).unwrap();
    let value = apache_avro::types::Value::try_from(json).unwrap().resolve(&schema).unwrap();
    apache_avro::writer::datum::GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(value).unwrap()
}

/// A datum as JSON, by the apache-avro crate, under a view's derived schema.
pub(crate) fn decode(program: &Program, view: &str, datum: &[u8]) -> Value {
    let derived = program.views().iter().find(|known| known.name == view).unwrap();
    let schema = apache_avro::Schema::parse(&derived.schema).unwrap();
    let mut rest = datum;
    let value = apache_avro::reader::datum::GenericDatumReader::builder(&schema)
        .build()
        .unwrap()
        .read_value(&mut rest)
        .unwrap();
    assert!(rest.is_empty(), "all bytes belong to the datum");
    Value::try_from(value).unwrap()
}

/// A record as a view shows it, as JSON.
pub(crate) fn seen(program: &Program, view: &str, schema_text: &str, record: Value) -> Value {
    decode(program, view, &run(program, view, &encode(schema_text, record)).unwrap())
}
