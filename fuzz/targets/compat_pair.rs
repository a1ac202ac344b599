//! Two schemas, in both directions: a verdict of `compatible` reads whatever the writer writes, without a finding as what
//! it was, and a witness is refused.
//!
//! Text is a writer and a reader with a line `---` between.
#![no_main]

/// What the compatibility tests know of data, and how resolution reads them.
#[allow(dead_code)]
#[path = "../../crates/avro/tests/compat/data.rs"]
mod data;
#[allow(dead_code)]
#[path = "../../crates/avro/tests/compat/reference.rs"]
mod reference;
mod evolve {
    pub(crate) mod draw {
        pub(crate) use mesh_fuzz::Draw;
    }
}

use libfuzzer_sys::fuzz_target;
use mesh_avro::compat::{Report, check, check_level, rule};
use mesh_avro::schema::{Kind, Schema};
use mesh_contract::Compatibility;
use mesh_fuzz::Draw;
use reference::Reference;

/// Data are tried against schemas of so many types at most: the reference is slow.
const TYPES_MAX: usize = 200;

fuzz_target!(|input: &[u8]| {
    let mut draw = Draw::new(input);
    let pair = match mesh_fuzz::parts(input).as_deref() {
        Some([writer, reader, ..]) => Schema::parse(writer).ok().zip(Schema::parse(reader).ok()),
        _ => grown(&mut draw),
    };
    let Some((writer, reader)) = pair else { return };
    for schema in [&writer, &reader] {
        let twin = Schema::parse_value(schema.json()).expect("it was a schema before");
        assert!(check(schema, &twin).compatible(), "a schema reads itself");
    }
    holds(&mut draw, &writer, &reader);
    holds(&mut draw, &reader, &writer);
    for level in Compatibility::ALL {
        let report = check_level(level, &reader, &[&writer, &reader]);
        assert!(level != Compatibility::None || report.findings.is_empty());
    }
});

fn grown(draw: &mut Draw) -> Option<(Schema, Schema)> {
    let old = mesh_fuzz::schema(draw);
    let new = if draw.chance(8) { mesh_fuzz::schema(draw) } else { mesh_fuzz::changed(draw, &old) };
    Schema::parse_value(&old).ok().zip(Schema::parse_value(&new).ok())
}

/// Whether a verdict is what data say.
fn holds(draw: &mut Draw, writer: &Schema, reader: &Schema) {
    let report = check(reader, writer);
    for finding in &report.findings {
        assert!(rule(finding.rule).is_some() && !finding.message.is_empty(), "{finding}");
    }
    if writer.len().max(reader.len()) > TYPES_MAX {
        return;
    }
    let reference = Reference::new(reader, writer);
    if report.compatible() {
        for _ in 0..4 {
            let Some(datum) = data::random(draw, writer, writer.root(), 12) else { continue };
            let told = || format!("{datum}:\n{}\n{}", writer.json(), reader.json());
            if let Err(reason) = reference.read(&datum) {
                panic!("not read ({reason}): {}", told());
            }
            let changes = reference.changes(&datum);
            assert!(changes.is_empty() || !report.findings.is_empty(), "another meaning ({changes:?}): {}", told());
        }
    }
    witnesses_hold(&report, writer, reader);
}

fn witnesses_hold(report: &Report, writer: &Schema, reader: &Schema) {
    let reference = Reference::new(reader, writer);
    let first = Reference::of_first_namesakes(reader, writer);
    for finding in &report.findings {
        let told = || format!("{finding}\n{}\n{}", writer.json(), reader.json());
        let Some(witness) = &finding.witness else {
            assert!(!finding.breaks() || may_lack_witness(finding.rule, writer), "no witness: {}", told());
            continue;
        };
        let witness = &witness.value();
        assert!(data::datum(writer, writer.root(), witness).is_some(), "{witness} is no datum: {}", told());
        let refused = || reference.read(witness).is_err() || first.read(witness).is_err();
        assert!(!finding.breaks() || refused(), "{witness} is read: {}", told());
    }
}

/// Whether some type has no data, or only such as are too large to be shown.
fn may_lack_witness(rule: &str, writer: &Schema) -> bool {
    let mut inhabited = vec![false; writer.len()];
    for _ in 0..writer.len() {
        for (id, node) in writer.nodes() {
            inhabited[id.index()] = match &node.kind {
                Kind::Union { branches } => branches.iter().any(|id| inhabited[id.index()]),
                Kind::Record { fields } => fields.iter().all(|field| inhabited[field.node.index()]),
                Kind::Enum { symbols, .. } => !symbols.is_empty(),
                Kind::Fixed { size } => *size <= 4096,
                _ => true,
            };
        }
    }
    rule == "schema-too-complex" || inhabited.contains(&false)
}
