//! Rules on schemas, compiled against other versions of them: findings, or a program whose views are valid, tell
//! nothing of what they mask, and whose outputs are data of theirs.
//!
//! Text is a contract, its schema and a writer's schema, with lines `---` between.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mesh_avro::keys::RootKeys;
use mesh_avro::mask::{Guard, MaskErrorKind, Program, Rules, Scratch};
use mesh_avro::schema::Schema;
use mesh_contract::{Contract, Declared, Places, parse_contract};
use mesh_fuzz::Draw;
use serde_json::Value;
use zeroize::Zeroizing;

static KEYS: LazyLock<RootKeys> = LazyLock::new(|| RootKeys::single(Zeroizing::new([42; 32])));

/// What a program is made of.
struct Subject {
    contract: Declared<Contract>,
    schema: Schema,
    writer: Schema,
}

fuzz_target!(|input: &[u8]| {
    let mut draw = Draw::new(input);
    let subject = match mesh_fuzz::parts(input).as_deref() {
        Some([contract, schema, writer]) => written(contract, schema, writer),
        _ => grown(&mut draw),
    };
    let Some(Subject { contract, schema, writer }) = subject else { return };
    let rules = match Rules::check(&contract, &schema) {
        Ok(rules) => rules,
        Err(findings) => return assert!(findings.iter().any(|finding| !finding.message.is_empty())),
    };
    match Program::compile(&rules, &writer, &*KEYS) {
        Ok(program) => works(&mut draw, &rules, &program, &writer),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn written(contract: &str, schema: &str, writer: &str) -> Option<Subject> {
    let contract = parse_contract("topics/crm/customers.yaml", contract).ok()?;
    Some(Subject { contract, schema: Schema::parse(schema).ok()?, writer: Schema::parse(writer).ok()? })
}

fn grown(draw: &mut Draw) -> Option<Subject> {
    let json = mesh_fuzz::schema(draw);
    let schema = Schema::parse_value(&json).ok()?;
    let contract = mesh_fuzz::contract(draw, &schema);
    let writer = match draw.below(4) {
        0 | 1 => json,
        2 => mesh_fuzz::changed(draw, &json),
        _ => mesh_fuzz::schema(draw),
    };
    let contract = Declared { value: contract, places: Places::new("topics/crm/customers.yaml") };
    Some(Subject { contract, schema, writer: Schema::parse_value(&writer).ok()? })
}

fn works(draw: &mut Draw, rules: &Rules, program: &Program, writer: &Schema) {
    let views: Vec<&str> = program.views().iter().map(|view| view.name.as_str()).collect();
    assert_eq!(views, rules.views());
    let guard = |view: &mesh_avro::mask::ViewSchema| {
        let schema = Schema::parse_value(&view.schema);
        let schema =
            schema.unwrap_or_else(|error| panic!("view {}: {error}: {}\n{}", view.name, error.fault, view.schema));
        Guard::new(&schema).expect("a view's schema has a guard")
    };
    let guards: Vec<Guard> = program.views().iter().map(guard).collect();
    program.views().iter().for_each(|view| tells_nothing(&view.schema));
    let clear = views.iter().position(|view| *view == "stewards").filter(|_| program.dropped().is_empty());
    let mut scratch = Scratch::new();
    for _ in 0..3 {
        let Some(datum) = mesh_fuzz::datum(draw, writer) else { break };
        match program.run(&mut scratch, &datum) {
            Ok(()) => {
                for (view, guard) in guards.iter().enumerate() {
                    let whole = guard.check(&mut Scratch::new(), scratch.output(view, &datum));
                    whole.unwrap_or_else(|error| panic!("view {}: {error}\n{}", views[view], writer.json()));
                }
                assert!(clear.is_none_or(|view| scratch.output(view, &datum) == datum));
            }
            Err(error) => assert!(is_about_a_value(error.kind), "{error}: {datum:?}\n{}", writer.json()),
        }
    }
}

/// Whether what a view says of its masked fields gives away what stood in the contract's schema.
fn tells_nothing(schema: &Value) {
    match schema {
        Value::Array(list) => list.iter().for_each(tells_nothing),
        Value::Object(object) => {
            if object.contains_key("mesh.masked") {
                assert!(object.get("doc").and_then(Value::as_str).is_none_or(|doc| doc != mesh_fuzz::DOC), "{schema}");
                assert!(object.get("default").is_none_or(|default| default != mesh_fuzz::DEFAULT), "{schema}");
            }
            object.values().for_each(tells_nothing);
        }
        _ => {}
    }
}

/// Whether a valid datum may be refused so.
fn is_about_a_value(kind: MaskErrorKind) -> bool {
    use MaskErrorKind::{OutputTooLarge, TokenAlphabet, TokenDomainTooSmall, TokenTooLong, TooDeep};
    matches!(kind, OutputTooLarge | TokenAlphabet | TokenDomainTooSmall | TokenTooLong | TooDeep)
}
