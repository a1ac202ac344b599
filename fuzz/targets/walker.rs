//! Masking programs on any bytes: a typed error and no output, or outputs that are data of their views' schemas.
//!
//! The first byte chooses the program, the rest is the datum.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use mesh_avro::keys::RootKeys;
use mesh_avro::mask::{Guard, Program, Rules, Scratch};
use mesh_avro::schema::Schema;
use mesh_contract::{SensitiveColumn, parse_contract};
use zeroize::Zeroizing;

const CUSTOMER: &str = include_str!("../../schemas/crm/customer.avsc");
const CUSTOMERS: &str = include_str!("../../topics/crm/customers.yaml");

/// A bit of everything.
const BUSY: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"id","type":"string"},
    {"name":"tags","type":{"type":"array","items":["null","string"]}},
    {"name":"props","type":{"type":"map","values":{"type":"array","items":"long"}}},
    {"name":"next","type":["null","R"]},
    {"name":"f","type":{"type":"fixed","name":"F","size":2}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B","C"]}},
    {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":0}},
    {"name":"x","type":["double","boolean",{"type":"int","logicalType":"date"}]}]}"#;

/// Columns of [`BUSY`], every rule among them.
const COLUMNS: [&str; 4] = [
    "[]",
    r#"[{"column":"id","class":"a","mask":"tokenise"},{"column":"tags[]","class":"b"},{"column":"props","class":"c"},
        {"column":"f","class":"d","mask":"drop"},{"column":"e","class":"e"},{"column":"x","class":"g"}]"#,
    r#"[{"column":"id","class":"a","mask":{"keep_last":2}},{"column":"tags","class":"b","mask":{"truncate":1}},
        {"column":"props{}","class":"c","mask":{"generalise":10}},{"column":"d","class":"f","mask":"hash"}]"#,
    r#"[{"column":"id","class":"a","mask":{"redact":"-"}},{"column":"next","class":"b","mask":"null"},
        {"column":"d","class":"f","mask":{"truncate":1}},{"column":"x","class":"c","mask":"zero"}]"#,
];

/// A program, what checks its views, and memory that goes from datum to datum as in a sidecar.
struct Case {
    program: Program,
    guards: Vec<Guard>,
    warm: Scratch,
}

thread_local!(static CASES: RefCell<Vec<Case>> = RefCell::new(cases()));

fuzz_target!(|input: &[u8]| {
    let Some((choice, datum)) = input.split_first() else { return };
    CASES.with_borrow_mut(|cases| {
        let count = cases.len();
        run(&mut cases[usize::from(*choice) % count], datum);
    });
});

fn run(case: &mut Case, datum: &[u8]) {
    let Case { program, guards, warm } = case;
    let mut fresh = Scratch::new();
    let outcome = program.run(&mut fresh, datum);
    assert_eq!(program.run(warm, datum), outcome, "what ran before does not matter");
    let mut first = Scratch::new();
    let length = program.run_first(&mut first, datum);
    for (view, guard) in guards.iter().enumerate() {
        let output = fresh.output(view, datum);
        assert_eq!(warm.output(view, datum), output);
        match outcome {
            Ok(()) => {
                guard.check(&mut Scratch::new(), output).expect("an output is a datum of its view");
                assert_eq!(length, Ok(datum.len()));
            }
            Err(error) => {
                assert!(output.is_empty() && !error.code().is_empty() && error.offset <= datum.len());
                assert_eq!(fresh.key_range(), None);
                assert_eq!(fresh.event_time_ms(), None);
            }
        }
    }
    if let (Ok(()), Some(range)) = (outcome, fresh.key_range()) {
        let mut key = Vec::new();
        // Tokenising has its own conditions; nothing else may be refused, and it must not panic.
        let _ = program.mask_key(&mut fresh, 0, &datum[range], &mut key);
    }
}

fn cases() -> Vec<Case> {
    let contract = parse_contract("customers.yaml", CUSTOMERS).expect("the example is a contract");
    let customer = schema(CUSTOMER);
    let customers = Rules::check(&contract, &customer).expect("the example's rules fit");
    // A writer that does not know some columns, and has one that the contract does not know.
    let older = CUSTOMER.replacen("\"phone\"", "\"mobile\"", 1).replacen("\"full_name\"", "\"name\"", 1);
    let mut cases = vec![case(&customers, &customer), case(&customers, &schema(&older))];
    let busy = schema(BUSY);
    for columns in COLUMNS {
        let columns: Vec<SensitiveColumn> = serde_json::from_str(columns).expect("the columns are well formed");
        cases.push(case(&Rules::of_columns(&columns, &busy).expect("the rules fit"), &busy));
    }
    cases
}

fn schema(text: &str) -> Schema {
    Schema::parse(text).expect("the schema is valid")
}

fn case(rules: &Rules, writer: &Schema) -> Case {
    let program =
        Program::compile(rules, writer, &RootKeys::single(Zeroizing::new([42; 32]))).expect("the rules compile");
    let guard = |view: &mesh_avro::mask::ViewSchema| {
        Guard::new(&Schema::parse_value(&view.schema).expect("a view's schema is valid")).expect("it has a guard")
    };
    Case { guards: program.views().iter().map(guard).collect(), program, warm: Scratch::new() }
}
