//! Records' Kafka keys: read in the form they come in, masked like the key column.
//!
//! A key is either the key column's text as raw UTF-8, as every client's string serialiser writes it, or the column's
//! Avro encoding in the wire format. Raw text never begins with a zero byte followed by four bytes and a whole Avro
//! string of exactly the rest; what does is wire format.

use super::compile::LeafMask;
use super::rules::Leaf;
use super::run::Input;
use super::utf8::Text;
use super::{MaskError, MaskErrorKind, varint};
use crate::schema::Kind;
use crate::wire;

/// How Kafka keys are read and masked.
pub(super) struct KeyPlan {
    form: KeyForm,
    mask: Option<LeafMask>,
    masked_in: Vec<bool>,
}

/// The Avro type of the key column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyForm {
    Text,
    Bytes,
    Fixed(usize),
    Int,
    Long,
    Enum(u32),
}

impl KeyPlan {
    pub(super) fn clear(leaf: Leaf<'_>) -> KeyPlan {
        KeyPlan { form: KeyForm::of(leaf.kind), mask: None, masked_in: Vec::new() }
    }

    pub(super) fn masked(leaf: Leaf<'_>, mask: Option<LeafMask>, masked_in: Vec<bool>) -> KeyPlan {
        KeyPlan { form: KeyForm::of(leaf.kind), mask, masked_in }
    }

    /// Whether a key is the one that a record's key column holds: `value` is the column's Avro encoding.
    pub(super) fn matches(&self, value: &[u8], key: &[u8]) -> bool {
        if self.form != KeyForm::Text {
            return wire::parse(key).is_ok_and(|framed| framed.datum == value);
        }
        let text = whole_text(value);
        text.is_some() && (text == Some(key) || wire_text(key).is_some_and(|(_, framed)| Some(framed) == text))
    }

    /// Writes a key as a view shows it.
    pub(super) fn write(
        &self,
        view: usize,
        key: &[u8],
        work: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), MaskError> {
        out.clear();
        self.check(key)?;
        if !self.masked_in.get(view).copied().unwrap_or(self.mask.is_some()) {
            out.extend_from_slice(key);
            return Ok(());
        }
        let written = match self.form {
            KeyForm::Text => self.write_text(key, work, out),
            _ => self.write_framed(key, work, out),
        };
        if written.is_err() {
            out.clear();
        }
        written
    }

    /// Whether a key is of one of the two forms.
    fn check(&self, key: &[u8]) -> Result<(), MaskError> {
        if self.form == KeyForm::Text {
            return if Text::of(key).is_some() || wire_text(key).is_some() { Ok(()) } else { Err(bad()) };
        }
        let mut input = Input::new(wire::parse(key).map_err(|_| bad())?.datum);
        let read = match self.form {
            KeyForm::Text | KeyForm::Bytes => input.item().map(drop_value),
            KeyForm::Fixed(size) => input.fixed(size).map(drop_value),
            KeyForm::Int => input.int().map(drop_value),
            KeyForm::Long => input.long().map(drop_value),
            KeyForm::Enum(symbols) => input.index(symbols, MaskErrorKind::BadEnumIndex).map(drop_value),
        };
        read.and_then(|()| input.finish()).map_err(|_| bad())
    }

    fn write_text(&self, key: &[u8], work: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let Some(LeafMask::Text(mask)) = &self.mask else { return Err(bad()) };
        let framed = wire_text(key);
        let text = Text::of(framed.map_or(key, |(_, text)| text)).ok_or(bad())?;
        if let Some((header, _)) = framed {
            out.extend_from_slice(header);
            return mask.write(out, work, text).map_err(|kind| kind.at(0));
        }
        let mut written = Vec::new();
        mask.write(&mut written, work, text).map_err(|kind| kind.at(0))?;
        out.extend_from_slice(whole_text(&written).unwrap_or_default());
        Ok(())
    }

    fn write_framed(&self, key: &[u8], work: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let framed = wire::parse(key).map_err(|_| bad())?;
        out.extend_from_slice(&wire::header(framed.schema_id));
        let mut input = Input::new(framed.datum);
        match &self.mask {
            Some(LeafMask::Text(mask)) => {
                let text = input.text()?;
                mask.write(out, work, text).map_err(|kind| kind.at(0))?;
            }
            Some(LeafMask::Bytes(mask)) => mask.write(out, input.item()?).map_err(|kind| kind.at(0))?,
            Some(LeafMask::Fixed(mask)) => mask.write(out, framed.datum),
            Some(LeafMask::Integer(mask)) => varint::write(out, mask.apply(input.long()?)),
            Some(LeafMask::Constant(_) | LeafMask::Fraction(_) | LeafMask::Seal(_)) | None => return Err(bad()),
        }
        Ok(())
    }
}

impl KeyForm {
    fn of(kind: &Kind) -> KeyForm {
        match kind {
            Kind::String => KeyForm::Text,
            Kind::Fixed { size } => KeyForm::Fixed(*size),
            Kind::Int => KeyForm::Int,
            Kind::Long => KeyForm::Long,
            Kind::Enum { symbols, .. } => KeyForm::Enum(symbols.len() as u32),
            _ => KeyForm::Bytes,
        }
    }
}

fn drop_value<T>(_: T) {}

fn bad() -> MaskError {
    MaskErrorKind::BadKey.at(0)
}

/// The content of an Avro string that is all of the bytes.
fn whole_text(datum: &[u8]) -> Option<&[u8]> {
    let mut input = Input::new(datum);
    let text = input.text().ok()?;
    input.finish().ok()?;
    Some(text.as_bytes())
}

/// Header and content of a wire-format string.
fn wire_text(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let framed = wire::parse(key).ok()?;
    let text = whole_text(framed.datum)?;
    Some((&key[..wire::HEADER_BYTES], text))
}
