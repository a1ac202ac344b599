//! Verdicts on random pairs of a schema and what became of it, against data: where the verdict is compatible every datum
//! is read, where it is not the witness is refused.

use std::collections::BTreeMap;

use crate::data;
use crate::evolve::draw::Draw;
use crate::evolve::{change, pair, schema};
use crate::reference::Reference;
use mesh_avro::compat::{Report, check};
use mesh_avro::schema::{Field, Kind, NodeId, Schema};
use proptest::prelude::*;
use serde_json::Value;

/// Whether apache-avro is known to be wrong about a schema: it ignores aliases when reading and refuses some when parsing,
/// and takes a union's default to be of the first branch.
fn is_beyond_apache(schema: &Schema) -> bool {
    let union = |field: &Field| matches!(schema.node(field.node).kind, Kind::Union { .. });
    schema.nodes().any(|(_, node)| {
        let of_fields = match &node.kind {
            Kind::Record { fields } => {
                fields.iter().any(|field| !field.aliases.is_empty() || (field.default.is_some() && union(field)))
            }
            _ => false,
        };
        of_fields || !node.aliases.is_empty()
    })
}

/// Whether apache-avro reads under the reader what it wrote under the writer.
fn apache_reads(writer: &Schema, reader: &Schema, datum: &Value) -> Result<(), String> {
    let parse =
        |schema: &Schema| apache_avro::Schema::parse(&data::plain(schema.json())).map_err(|error| error.to_string());
    let (writes, reads) = (parse(writer)?, parse(reader)?);
    let value = data::datum(writer, writer.root(), datum).ok_or("not a datum of the writer")?;
    #[allow(deprecated)]
    let bytes = apache_avro::to_avro_datum(&writes, value).map_err(|error| error.to_string())?;
    #[allow(deprecated)]
    apache_avro::from_avro_datum(&writes, &mut bytes.as_slice(), Some(&reads)).map_err(|error| error.to_string())?;
    Ok(())
}

/// Whether some type of a schema has no data at all: then no datum shows what is wrong with it.
fn has_type_without_data(schema: &Schema) -> bool {
    let mut inhabited = vec![false; schema.len()];
    for _ in 0..schema.len() {
        for (id, node) in schema.nodes() {
            let of = |id: &NodeId| inhabited[id.index()];
            inhabited[id.index()] = match &node.kind {
                Kind::Union { branches } => branches.iter().any(of),
                Kind::Record { fields } => fields.iter().all(|field| of(&field.node)),
                Kind::Enum { symbols, .. } => !symbols.is_empty(),
                _ => true,
            };
        }
    }
    inhabited.contains(&false)
}

/// The change of meaning that the witness of a semantic rule shows, where a datum by itself can show it.
fn shown_by(rule: &str) -> Option<&str> {
    match rule {
        "decimal-changed" | "time-unit-changed" | "logical-type-changed" => Some("logical type"),
        "enum-symbol-defaulted" | "promotion-lossy" | "bytes-as-text" => Some(rule),
        _ => None,
    }
}

fn told(report: &Report) -> String {
    report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn compatible_data_is_read_and_witnesses_are_refused(seed: u64) {
        let mut draw = Draw(seed);
        let Some((writer, reader)) = pair(&mut draw) else { return Ok(()) };
        let report = check(&reader, &writer);
        let reference = Reference::new(&reader, &writer);
        for _ in 0..8 {
            let Some(datum) = data::random(&mut draw, &writer, writer.root(), 12) else { continue };
            if report.compatible() {
                let read = reference.read(&datum);
                prop_assert!(read.is_ok(), "{datum} is not read: {read:?}\n{}\n{}", writer.json(), reader.json());
                let changes = reference.changes(&datum);
                let meant_alike = changes.is_empty() || !report.findings.is_empty();
                prop_assert!(meant_alike, "{datum}: {changes:?}\n{}\n{}", writer.json(), reader.json());
                if !is_beyond_apache(&reader) && !is_beyond_apache(&writer) {
                    let read = apache_reads(&writer, &reader, &datum);
                    prop_assert!(read.is_ok(), "{datum}: apache-avro: {read:?}\n{}\n{}", writer.json(), reader.json());
                }
            }
        }
        for finding in &report.findings {
            let told = || format!("{finding}\n{}\n{}", writer.json(), reader.json());
            let Some(witness) = &finding.witness else {
                prop_assert!(!finding.breaks() || has_type_without_data(&writer), "no witness\n{}", told());
                continue;
            };
            let witness = &witness.value();
            prop_assert!(data::datum(&writer, writer.root(), witness).is_some(), "{witness} is none\n{}", told());
            if finding.breaks() {
                let first = Reference::of_first_namesakes(&reader, &writer);
                let refused = reference.read(witness).is_err() || first.read(witness).is_err();
                prop_assert!(refused, "{witness} is read\n{}", told());
            } else if let Some(change) = shown_by(finding.rule)
                && reference.read(witness).is_ok()
            {
                prop_assert!(reference.changes(witness).contains(change), "{witness} means the same\n{}", told());
            }
        }
    }

    #[test]
    fn a_schema_reads_itself_without_a_word(seed: u64) {
        let json = schema(&mut Draw(seed));
        let schema = Schema::parse_value(&json);
        let Ok(schema) = schema else { return Ok(()) };
        let report = check(&schema, &schema);
        prop_assert!(report.findings.is_empty(), "{}\n{json}", told(&report));
    }

    #[test]
    fn the_canonical_form_is_apache_avros(seed: u64) {
        let json = schema(&mut Draw(seed));
        // Of logical types it leaves `{"type":"long"}`; the specification wants `"long"`.
        let plain = data::plain(&json);
        let (Ok(ours), Ok(theirs)) = (Schema::parse_value(&json), apache_avro::Schema::parse(&plain)) else { return Ok(()) };
        prop_assert_eq!(ours.canonical_form(), theirs.canonical_form());
    }

    #[test]
    fn no_json_makes_the_parser_or_the_checker_panic(seed: u64) {
        let mut draw = Draw(seed);
        let mut json = schema(&mut draw);
        for _ in 0..4 {
            json = change::evolve(&mut draw, &json);
        }
        let mut text = json.to_string();
        for _ in 0..draw.below(3) {
            let at = (0..text.len()).cycle().skip(draw.below(text.len())).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let piece = *draw.one(&["", "null", "[", "{\"type\":", "\"a\"", ",", "0", "1e400", "\u{e9}", "\"fields\":[]"]);
            let end = (at + draw.below(6)).min(text.len());
            if text.is_char_boundary(end) {
                text.replace_range(at..end, piece);
            }
        }
        match Schema::parse(&text) {
            Ok(schema) => prop_assert!(check(&schema, &schema).compatible()),
            Err(error) => prop_assert!(!error.fault.to_string().is_empty()),
        }
    }
}

#[test]
fn the_random_pairs_hit_the_rules_and_break_often_enough() {
    let (mut pairs, mut broken) = (0, 0);
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..6_000_u64 {
        let Some((writer, reader)) = pair(&mut Draw(seed)) else { continue };
        let report = check(&reader, &writer);
        pairs += 1;
        broken += usize::from(!report.compatible());
        for finding in &report.findings {
            *hits.entry(finding.rule).or_default() += 1;
        }
    }
    assert!(pairs > 4_000, "{pairs} of 6000 pairs are valid");
    assert!(broken * 5 > pairs && broken * 5 < pairs * 4, "{broken} of {pairs} are incompatible");
    for rule in [
        "type-mismatch",
        "name-mismatch",
        "fixed-size-mismatch",
        "enum-symbol-missing",
        "union-branch-missing",
        "field-without-default",
        "field-alias-ambiguous",
    ] {
        assert!(hits.get(rule).is_some_and(|count| *count >= 10), "{rule}: {hits:?}");
    }
}
