//! Data converted in binary, against resolution as the specification says it of values: random pairs, random data.

use crate::data;
use crate::evolve::{self, draw::Draw};
use crate::reference::Reference;
use mesh_avro::compat::check;
use mesh_avro::convert::{Conversion, Converter};
use mesh_avro::mask::MaskErrorKind;
use mesh_avro::schema::{Kind, NodeId, Schema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What a datum's bytes say, without what tells unions' branches.
struct Bytes<'b>(&'b [u8]);

impl Bytes<'_> {
    fn take(&mut self, count: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn long(&mut self) -> i64 {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = self.take(1)[0];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return ((value >> 1) as i64) ^ -((value & 1) as i64);
            }
        }
    }

    fn length(&mut self) -> usize {
        usize::try_from(self.long()).unwrap()
    }

    fn latin(bytes: &[u8]) -> Value {
        bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into()
    }

    fn text(&mut self) -> String {
        let length = self.length();
        String::from_utf8(self.take(length).to_vec()).unwrap()
    }

    fn blocks(&mut self, mut item: impl FnMut(&mut Self)) {
        loop {
            let count = self.long();
            assert!(count >= 0, "the converter writes no sizes of blocks");
            if count == 0 {
                return;
            }
            (0..count).for_each(|_| item(self));
        }
    }

    fn value(&mut self, schema: &Schema, id: NodeId) -> Value {
        match &schema.node(id).kind {
            Kind::Null => Value::Null,
            Kind::Boolean => json!(self.take(1)[0] == 1),
            Kind::Int | Kind::Long => json!(self.long()),
            Kind::Float => json!(f64::from(f32::from_le_bytes(self.take(4).try_into().unwrap()))),
            Kind::Double => json!(f64::from_le_bytes(self.take(8).try_into().unwrap())),
            Kind::Bytes => {
                let length = self.length();
                Self::latin(self.take(length))
            }
            Kind::String => json!(self.text()),
            Kind::Fixed { size } => Self::latin(self.take(*size)),
            Kind::Enum { symbols, .. } => json!(symbols[self.length()]),
            Kind::Array { items } => {
                let mut list = Vec::new();
                self.blocks(|bytes| list.push(bytes.value(schema, *items)));
                Value::Array(list)
            }
            Kind::Map { values } => {
                let mut map = Map::new();
                self.blocks(|bytes| {
                    let key = bytes.text();
                    map.insert(key, bytes.value(schema, *values));
                });
                Value::Object(map)
            }
            Kind::Union { branches } => {
                let branch = branches[self.length()];
                self.value(schema, branch)
            }
            Kind::Record { fields } => {
                let field = |field: &mesh_avro::schema::Field| (field.name.clone(), self.value(schema, field.node));
                Value::Object(fields.iter().map(field).collect())
            }
        }
    }
}

/// Whether something is converted otherwise than the reference reads it.
fn difference((writer, reader): &(Schema, Schema), draw: &mut Draw) -> Option<String> {
    let report = check(reader, writer);
    // decoders differ in the branch that they take
    if report.findings.iter().any(|finding| finding.rule == "union-branch-ambiguous") {
        return None;
    }
    let conversion = Conversion::compile(reader, writer).unwrap();
    let reference = Reference::new(reader, writer);
    let mut converter = Converter::new();
    let data: Vec<Value> = (0..6).filter_map(|_| data::random(draw, writer, writer.root(), 12)).collect();
    data.iter().find_map(|datum| {
        let mut bytes = Vec::new();
        data::encode(writer, writer.root(), datum, &mut bytes).unwrap();
        let told = |what: String| Some(format!("{datum}: {what}\n{}\n{}", writer.json(), reader.json()));
        match conversion.run(&mut converter, &bytes) {
            Ok(()) => {
                let mut output = Bytes(converter.output(&bytes));
                let read = output.value(reader, reader.root());
                if !output.0.is_empty() {
                    return told("bytes are left".to_owned());
                }
                match reference.read(&datum.clone()) {
                    Ok(expected) if !data::same(&expected, &read) => told(format!("{read}, not {expected}")),
                    // what another field's alias takes away is not looked at, as no datum can get there
                    Err(why) if report.compatible() => told(format!("{read}, though {why}")),
                    _ => None,
                }
            }
            Err(error) if report.compatible() => told(format!("refused: {error}")),
            Err(error) if error.kind != MaskErrorKind::NotConvertible => told(format!("refused: {error}")),
            Err(_) => None,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_compatible_is_converted_to_what_the_specification_reads(seed: u64) {
        let mut draw = Draw(seed);
        let Some(pair) = evolve::pair(&mut draw) else { return Ok(()) };
        let different = difference(&pair, &mut draw);
        prop_assert!(different.is_none(), "{}", different.unwrap_or_default());
    }

    #[test]
    fn no_bytes_make_it_panic_or_write_what_is_no_datum(seed: u64, noise: [u8; 24]) {
        let mut draw = Draw(seed);
        let Some((writer, reader)) = evolve::pair(&mut draw) else { return Ok(()) };
        let mut bytes = Vec::new();
        if let Some(datum) = data::random(&mut draw, &writer, writer.root(), 12) {
            data::encode(&writer, writer.root(), &datum, &mut bytes).unwrap();
        }
        let at = draw.below(bytes.len() + 1);
        let until = (at + draw.below(3)).min(bytes.len());
        bytes.splice(at..until, noise[..draw.below(noise.len())].iter().copied());
        let mut converter = Converter::new();
        let conversion = Conversion::compile(&reader, &writer).unwrap();
        if conversion.run(&mut converter, &bytes).is_ok() {
            // what comes out is a datum of the reader's: it is read to its end as one
            let output = converter.output(&bytes).to_vec();
            let again = Conversion::compile(&reader, &reader).unwrap();
            prop_assert!(again.run(&mut converter, &output).is_ok(), "{}\n{}", writer.json(), reader.json());
        }
    }
}

#[test]
fn releases_of_products_are_converted_too() {
    let mut converted = 0;
    for seed in 0..400 {
        let mut draw = Draw(seed);
        let Some(pair) = evolve::releases(&mut draw) else { continue };
        let different = difference(&pair, &mut draw);
        assert!(different.is_none(), "seed {seed}: {}", different.unwrap_or_default());
        converted += usize::from(check(&pair.1, &pair.0).compatible());
    }
    assert!(converted > 50, "{converted}");
}
