//! Conversions from one schema to another, on any bytes: a typed error and no output, or a datum of the reader's schema; what a verdict
//! calls compatible is never refused.
//!
//! The input is a list of choices: two schemas, and a datum of the writer's that may be damaged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_avro::compat::check;
use mesh_avro::convert::{Conversion, Converter, columns};
use mesh_avro::mask::{Guard, MaskErrorKind, Scratch};
use mesh_avro::schema::Schema;
use mesh_fuzz::Draw;

fuzz_target!(|input: &[u8]| {
    let mut draw = Draw::new(input);
    let old = mesh_fuzz::schema(&mut draw);
    let new = if draw.chance(8) { mesh_fuzz::schema(&mut draw) } else { mesh_fuzz::changed(&mut draw, &old) };
    let (Ok(writer), Ok(reader)) = (Schema::parse_value(&old), Schema::parse_value(&new)) else { return };
    let Ok(conversion) = Conversion::compile(&reader, &writer) else { return };
    let Ok(guard) = Guard::new(&reader) else { return };
    let _ = columns(&reader, &writer);
    let is_compatible = check(&reader, &writer).compatible();
    let mut warm = Converter::new();
    for _ in 0..4 {
        let Some(mut datum) = mesh_fuzz::datum(&mut draw, &writer) else { continue };
        if draw.chance(3) && !datum.is_empty() {
            let at = draw.below(datum.len());
            datum[at] = datum[at].wrapping_add(1 + draw.below(255) as u8);
        }
        let mut fresh = Converter::new();
        let outcome = conversion.run(&mut fresh, &datum);
        assert_eq!(conversion.run(&mut warm, &datum), outcome, "what ran before does not matter");
        let output = fresh.output(&datum);
        assert_eq!(warm.output(&datum), output);
        match outcome {
            Ok(()) => guard.check(&mut Scratch::new(), output).expect("an output is a datum of the reader"),
            Err(error) => {
                assert!(output.is_empty() && error.offset <= datum.len());
                let is_refused = error.kind == MaskErrorKind::NotConvertible;
                assert!(!(is_compatible && is_refused), "{error}: {}\n{}", writer.json(), reader.json());
            }
        }
    }
});
