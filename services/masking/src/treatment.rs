//! What is done to a record: masked for every view, or converted to another version's schema.

use mesh_avro::{
    convert::{Conversion, Converter},
    mask::{MaskError, Program, Scratch},
    wire::HEADER_BYTES,
};

/// What is done to the records of a writer's schema.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for each writer's schema, behind an Arc")]
pub(crate) enum Treatment {
    Mask(Program),
    /// To the one port that there is.
    Convert(Conversion),
}

/// The memory that records are treated in, and what came of the last one.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    scratch: Scratch,
    converter: Converter,
    /// Whether the last record was converted, not masked.
    is_converted: bool,
}

impl Treatment {
    /// Walks a datum: validates all of it, and makes of it what each port is to have.
    pub(crate) fn run(&self, bench: &mut Bench, datum: &[u8]) -> Result<(), MaskError> {
        bench.is_converted = matches!(self, Treatment::Convert(_));
        match self {
            Treatment::Mask(program) => program.run(&mut bench.scratch, datum),
            Treatment::Convert(conversion) => conversion.run(&mut bench.converter, datum),
        }
    }

    /// Whether a record's key is that of the datum that was run last. What is converted keeps its key: the version that it comes
    /// to judges it.
    pub(crate) fn key_matches(&self, bench: &Bench, datum: &[u8], key: &[u8]) -> bool {
        match self {
            Treatment::Mask(program) => program.key_matches(&bench.scratch, datum, key),
            Treatment::Convert(_) => true,
        }
    }

    /// Writes a record's key to `out` as a port is to have it.
    pub(crate) fn key(&self, bench: &mut Bench, view: usize, key: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        match self {
            Treatment::Mask(program) => program.mask_key(&mut bench.scratch, view, key, out),
            Treatment::Convert(_) => {
                out.clear();
                out.extend_from_slice(key);
                Ok(())
            }
        }
    }

    /// The writer's fields that no view has though nobody said so.
    pub(crate) fn dropped(&self) -> &[String] {
        match self {
            Treatment::Mask(program) => program.dropped(),
            Treatment::Convert(_) => &[],
        }
    }
}

impl Bench {
    /// A port's datum of the record at hand.
    pub(crate) fn output<'a>(&'a self, view: usize, datum: &'a [u8]) -> &'a [u8] {
        match self.is_converted {
            false => self.scratch.output(view, datum),
            true => self.converter.output(datum),
        }
    }

    /// The same behind the wire format's header; `value` is the record's value as it came.
    pub(crate) fn framed<'a>(&'a mut self, view: usize, header: [u8; HEADER_BYTES], value: &'a [u8]) -> &'a [u8] {
        match self.is_converted {
            false => self.scratch.framed(view, header, value),
            true => self.converter.framed(header, value),
        }
    }

    /// The record's event time, where it was looked for.
    pub(crate) fn event_time_ms(&self) -> Option<i64> {
        self.scratch.event_time_ms().filter(|_| !self.is_converted)
    }

    /// Whether the record is about somebody who was forgotten, and lost what was encrypted of it.
    pub(crate) fn is_forgotten(&self) -> bool {
        !self.is_converted && self.scratch.is_forgotten()
    }
}
