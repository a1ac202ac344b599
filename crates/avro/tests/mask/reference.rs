//! A slow reference: values as trees, encoded with and without their masks. Shares nothing with the library but keys.
#![allow(clippy::unwrap_used)]

use hmac::{Hmac, KeyInit, Mac};
use mesh_avro::keys::{KeyName, KeyRing};
use mesh_contract::{Generalisation, MaskRule};
use sha2::Sha256;

use crate::support::ring;

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

    fn write(&self, out: &mut Vec<u8>, ty: &Type, val: &Val, column: Option<&Column>) {
        self.write_in(out, ty, val, column, None);
    }

    /// `place` is the field that a container is directly in.
    fn write_in(&self, out: &mut Vec<u8>, ty: &Type, val: &Val, column: Option<&Column>, place: Option<(&str, &str)>) {
        match (ty, val) {
            (Type::Again(name), _) => {
                let (_, record) = self.records.iter().find(|(known, _)| known == name).unwrap();
                self.write(out, record, val, column);
            }
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

fn masked_leaf(out: &mut Vec<u8>, ty: &Type, val: &Val, column: &Column) {
    let rule = column.rule.as_ref().filter(|rule| fits(rule, ty));
    match (ty, val, rule) {
        (Type::Text { uuid: true }, Val::Text(value), None | Some(MaskRule::Hash(_))) => {
            let mut hash = hash(&column.class, value.as_bytes());
            hash[6] = (hash[6] & 0x0f) | 0x80;
            hash[8] = (hash[8] & 0x3f) | 0x80;
            let hex = hex(&hash);
            text(out, &[&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-"));
        }
        (Type::Text { .. }, Val::Text(value), rule) => text(out, &masked_text(column, rule, value)),
        (Type::Bytes { decimal: true }, _, None | Some(MaskRule::Zero)) => out.extend([2, 0]),
        (Type::Bytes { .. }, Val::Bytes(value), rule) => {
            let masked = match rule {
                None | Some(MaskRule::Hash(None)) => hash(&column.class, value),
                Some(MaskRule::Redact(text)) => text.clone().unwrap_or_else(|| "***".to_owned()).into_bytes(),
                Some(MaskRule::Truncate(kept)) => value.iter().take(*kept as usize).copied().collect(),
                other => panic!("{other:?}"),
            };
            long(out, masked.len() as i64, 0);
            out.extend(masked);
        }
        (Type::Fixed { size, .. }, Val::Fixed(value), rule) => match rule {
            Some(MaskRule::Redact(None)) => out.extend(vec![0; *size]),
            _ => {
                let mut masked = hash(&column.class, value);
                masked.resize(*size, 0);
                out.extend(masked);
            }
        },
        (Type::Enum { .. }, ..) | (Type::Boolean, ..) => out.push(0),
        (Type::Float, ..) if !matches!(rule, Some(MaskRule::Generalise(_))) => out.extend([0; 4]),
        (Type::Double, ..) if !matches!(rule, Some(MaskRule::Generalise(_))) => out.extend([0; 8]),
        (Type::Float, Val::Float(value), Some(MaskRule::Generalise(Generalisation::Multiple(n)))) => {
            out.extend((((f64::from(*value) / *n as f64).floor() * *n as f64 + 0.0) as f32).to_le_bytes());
        }
        (Type::Double, Val::Double(value), Some(MaskRule::Generalise(Generalisation::Multiple(n)))) => {
            out.extend(((value / *n as f64).floor() * *n as f64 + 0.0).to_le_bytes());
        }
        (Type::Int(logical) | Type::Long(logical), Val::Integer { value, .. }, Some(MaskRule::Generalise(to))) => {
            let per_day: i64 = match *logical {
                Some("date") => 1,
                Some(name) if name.ends_with("millis") => 86_400_000,
                Some(name) if name.ends_with("micros") => 86_400_000_000,
                _ => 86_400_000_000_000,
            };
            let lowest = if matches!(ty, Type::Int(_)) { i128::from(i32::MIN) } else { i128::from(i64::MIN) };
            let floor = |to: i128| i128::from(*value).div_euclid(to) * to;
            let floored = match to {
                Generalisation::Multiple(n) => floor(i128::from(*n)),
                Generalisation::Hour => floor(i128::from(per_day / 24)),
                Generalisation::Day => floor(i128::from(per_day)),
                unit => i128::from(first_day(value.div_euclid(per_day), *unit)) * i128::from(per_day),
            };
            long(out, floored.max(lowest) as i64, 0);
        }
        (Type::Int(_) | Type::Long(_), ..) => out.push(0),
        (Type::Null, ..) => {}
        other => panic!("{other:?}"),
    }
}

/// The first day of a day's month or year, counted out month by month.
fn first_day(day: i64, unit: Generalisation) -> i64 {
    let leap = |year: i64| year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    // Whole cycles of 400 years first, or the count would take for ever.
    let cycles = day.div_euclid(146_097);
    let (mut year, mut left) = (1970, day.rem_euclid(146_097));
    let days_in = |year: i64| if leap(year) { 366 } else { 365 };
    while left >= days_in(year) {
        left -= days_in(year);
        year += 1;
    }
    let year_start = day - left;
    if unit == Generalisation::Year {
        return year_start;
    }
    let _ = cycles;
    let february = if leap(year) { 29 } else { 28 };
    let mut month_start = year_start;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if month_start + length > day {
            break;
        }
        month_start += length;
    }
    month_start
}

fn masked_text(column: &Column, rule: Option<&MaskRule>, value: &str) -> String {
    let count = value.chars().count();
    match rule {
        None | Some(MaskRule::Hash(None)) => hex(&hash(&column.class, value.as_bytes())),
        Some(MaskRule::Hash(Some(digits))) => {
            hex(&hash(&column.class, value.as_bytes()))[..usize::from(*digits)].to_owned()
        }
        Some(MaskRule::Redact(text)) => text.clone().unwrap_or_else(|| "***".to_owned()),
        Some(MaskRule::KeepFirst(n)) => {
            let shown = |(at, c)| if at < *n as usize { c } else { '*' };
            value.chars().enumerate().map(shown).collect()
        }
        Some(MaskRule::KeepLast(n)) => {
            let shown = |(at, c)| if at + *n as usize >= count { c } else { '*' };
            value.chars().enumerate().map(shown).collect()
        }
        Some(MaskRule::Truncate(n)) => value.chars().take(*n as usize).collect(),
        other => panic!("{other:?}"),
    }
}

fn masked_key(column: &Column, key: &str) -> String {
    let rule = column.rule.as_ref().filter(|rule| matches!(rule, MaskRule::Hash(_)));
    masked_text(column, rule, key)
}

/// The same table as contract.md's, for what the generator makes.
pub(crate) fn fits(rule: &MaskRule, ty: &Type) -> bool {
    match rule {
        MaskRule::Redact(None) => {
            matches!(ty, Type::Text { .. } | Type::Bytes { .. } | Type::Fixed { .. } | Type::Enum { .. })
        }
        MaskRule::Redact(Some(_)) => matches!(ty, Type::Text { .. } | Type::Bytes { .. }),
        MaskRule::Zero => matches!(
            ty,
            Type::Boolean | Type::Int(_) | Type::Long(_) | Type::Float | Type::Double | Type::Bytes { decimal: true }
        ),
        MaskRule::Hash(None) => matches!(ty, Type::Text { .. } | Type::Bytes { .. } | Type::Fixed { .. }),
        MaskRule::Hash(Some(_)) => matches!(ty, Type::Text { uuid: false }),
        MaskRule::KeepFirst(_) | MaskRule::KeepLast(_) => matches!(ty, Type::Text { .. }),
        MaskRule::Truncate(_) => matches!(ty, Type::Text { .. } | Type::Bytes { .. }),
        MaskRule::Generalise(Generalisation::Multiple(_)) => match ty {
            Type::Int(logical) => *logical != Some("date"),
            Type::Long(logical) => logical.is_none_or(|name| !name.contains("timestamp")),
            _ => matches!(ty, Type::Float | Type::Double),
        },
        MaskRule::Generalise(unit) => match ty {
            Type::Int(logical) => *logical == Some("date") && *unit != Generalisation::Hour,
            Type::Long(logical) => logical.is_some_and(|name| name.contains("timestamp")),
            _ => false,
        },
        _ => false,
    }
}

fn hash(class: &str, value: &[u8]) -> Vec<u8> {
    let key = ring().key(&KeyName::hash(class)).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret()).unwrap();
    mac.update(value);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
