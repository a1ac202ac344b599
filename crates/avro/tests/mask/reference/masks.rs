//! What each rule makes of a value, as contract.md says it.

use hmac::{Hmac, KeyInit, Mac};
use mesh_avro::keys::{KeyName, KeyRing};
use mesh_contract::{Generalisation, MaskRule};
use sha2::Sha256;

use super::{Column, Type, Val, long, text};
use crate::support::ring;

pub(super) fn masked_leaf(out: &mut Vec<u8>, ty: &Type, val: &Val, column: &Column) {
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
    // Whole cycles of 400 years left out, or the count would take for ever.
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

pub(super) fn masked_key(column: &Column, key: &str) -> String {
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
