//! A slow reference: values as trees, encoded with and without their masks. Shares nothing with the library but keys.
#![allow(clippy::unwrap_used)]

mod json;
mod masks;

use masks::{masked_key, masked_leaf};
use mesh_contract::MaskRule;

pub(crate) use masks::fits;

/// A type, as the generator makes them.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    Null,
    Boolean,
    Int(Option<&'static str>),
    Long(Option<&'static str>),
    Float,
    Double,
    Bytes {
        decimal: bool,
    },
    Text {
        uuid: bool,
    },
    Fixed {
        name: String,
        size: usize,
    },
    Enum {
        name: String,
        symbols: usize,
    },
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Record {
        name: String,
        fields: Vec<(String, Type)>,
    },
    /// A record around this one, by name.
    Again(String),
}

/// A value, with everything that its encoding leaves open.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    Null,
    Boolean(bool),
    Integer {
        value: i64,
        padding: usize,
    },
    Float(f32),
    Double(f64),
    Bytes(Vec<u8>),
    Text(String),
    Fixed(Vec<u8>),
    Enum(usize),
    /// Blocks; byte-sized ones carry a flag.
    Array(Vec<(bool, Vec<Val>)>),
    Map(Vec<(bool, Vec<(String, Val)>)>),
    Union(usize, Box<Val>),
    Record(Vec<Val>),
}

/// A sensitive place: a record's field, perhaps the items or values in it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) record: String,
    pub(crate) field: String,
    pub(crate) suffix: &'static str,
    pub(crate) path: String,
    pub(crate) class: String,
    pub(crate) rule: Option<MaskRule>,
}

/// Encodes values; with columns, masked.
pub(crate) struct Encoder<'a> {
    /// Every record by name.
    pub(crate) records: Vec<(String, Type)>,
    pub(crate) columns: &'a [Column],
    /// Which columns this view shows in clear.
    pub(crate) clear: Vec<bool>,
}

impl Encoder<'_> {
    pub(crate) fn encode(&self, ty: &Type, val: &Val) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out, ty, val, None);
        out
    }

    fn active<'a>(&'a self, column: Option<&'a Column>) -> Option<&'a Column> {
        let index = column.and_then(|column| self.columns.iter().position(|other| std::ptr::eq(other, column)))?;
        (!self.clear[index]).then_some(&self.columns[index])
    }

    fn column(&self, record: &str, field: &str, suffix: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.record == record && c.field == field && c.suffix == suffix)
    }

    fn record(&self, name: &str) -> &Type {
        &self.records.iter().find(|(known, _)| known == name).unwrap().1
    }

    fn write(&self, out: &mut Vec<u8>, ty: &Type, val: &Val, column: Option<&Column>) {
        self.write_in(out, ty, val, column, None);
    }

    /// `place` is the field that a container is directly in.
    fn write_in(&self, out: &mut Vec<u8>, ty: &Type, val: &Val, column: Option<&Column>, place: Option<(&str, &str)>) {
        match (ty, val) {
            (Type::Again(name), _) => self.write(out, self.record(name), val, column),
            (Type::Record { name, fields }, Val::Record(values)) => {
                for ((field, ty), value) in fields.iter().zip(values) {
                    let column = self.column(name, field, "").or(column);
                    self.write_field(out, ty, value, column, (name, field));
                }
            }
            (Type::Union(branches), Val::Union(index, value)) => {
                let null = branches.iter().position(|branch| matches!(branch, Type::Null));
                match (self.active(column).map(|column| &column.rule), null) {
                    (Some(Some(MaskRule::Null)), Some(null)) => long(out, null as i64, 0),
                    _ => {
                        long(out, *index as i64, 0);
                        self.write_in(out, &branches[*index], value, column, place);
                    }
                }
            }
            (Type::Array(items), Val::Array(blocks)) => {
                let column = place.and_then(|(record, field)| self.column(record, field, "[]")).or(column);
                for (sized, values) in blocks {
                    let plain = values.iter().flat_map(|value| self.plain(items, value)).count();
                    let mut written = Vec::new();
                    values.iter().for_each(|value| self.write(&mut written, items, value, column));
                    block(out, *sized, values.len(), plain, &written);
                }
                out.push(0);
            }
            (Type::Map(items), Val::Map(blocks)) => {
                let values_column = place.and_then(|(record, field)| self.column(record, field, "{}")).or(column);
                for (sized, entries) in blocks {
                    let (mut plain, mut written) = (Vec::new(), Vec::new());
                    for (key, value) in entries {
                        text(&mut plain, key);
                        plain.extend(self.plain(items, value));
                        match self.active(column) {
                            Some(column) => text(&mut written, &masked_key(column, key)),
                            None => text(&mut written, key),
                        }
                        self.write(&mut written, items, value, values_column);
                    }
                    block(out, *sized, entries.len(), plain.len(), &written);
                }
                out.push(0);
            }
            _ => match self.active(column) {
                Some(column) => masked_leaf(out, ty, val, column),
                None => leaf(out, val),
            },
        }
    }

    fn write_field(&self, out: &mut Vec<u8>, ty: &Type, val: &Val, column: Option<&Column>, place: (&str, &str)) {
        let own = self.column(place.0, place.1, "");
        let dropped = self.active(own).is_some_and(|column| column.rule == Some(MaskRule::Drop));
        if !dropped {
            self.write_in(out, ty, val, column, Some(place));
        }
    }

    fn plain(&self, ty: &Type, val: &Val) -> Vec<u8> {
        let clear = Encoder { records: self.records.clone(), columns: &[], clear: Vec::new() };
        clear.encode(ty, val)
    }
}

/// A block in one of its two forms. A size that stays the same is written the same.
fn block(out: &mut Vec<u8>, sized: bool, count: usize, plain: usize, written: &[u8]) {
    if sized {
        long(out, -(count as i64), 0);
        long(out, written.len() as i64, if written.len() == plain { 1 } else { 0 });
    } else {
        long(out, count as i64, 0);
    }
    out.extend(written);
}

fn leaf(out: &mut Vec<u8>, val: &Val) {
    match val {
        Val::Null => {}
        Val::Boolean(value) => out.push(u8::from(*value)),
        Val::Integer { value, padding } => long(out, *value, *padding),
        Val::Float(value) => out.extend(value.to_le_bytes()),
        Val::Double(value) => out.extend(value.to_le_bytes()),
        Val::Bytes(value) => {
            long(out, value.len() as i64, 0);
            out.extend(value);
        }
        Val::Text(value) => text(out, value),
        Val::Fixed(value) => out.extend(value),
        Val::Enum(index) => long(out, *index as i64, 0),
        other => panic!("{other:?}"),
    }
}

fn text(out: &mut Vec<u8>, value: &str) {
    long(out, value.len() as i64, 0);
    out.extend(value.as_bytes());
}

/// A varint, with bytes that it does not need.
fn long(out: &mut Vec<u8>, value: i64, padding: usize) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let start = out.len();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    for _ in 0..padding {
        if out.len() - start < 4 {
            *out.last_mut().unwrap() |= 0x80;
            out.push(0);
        }
    }
}
