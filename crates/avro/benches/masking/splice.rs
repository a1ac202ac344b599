//! What only knowing the byte ranges costs: a program that someone wrote by hand for this one schema. It skips to the
//! sensitive fields, puts the masks in and copies the rest; it validates nothing.

use super::rules::{ByHand, IBAN_DIGITS, PHONE_KEPT, REDACTED, first_day_of_year};

/// Masks a datum of the workload.
pub(crate) fn splice(masks: &ByHand, datum: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut at = 0;
    text(datum, &mut at); // customer_id
    out.extend_from_slice(&datum[..at]);
    text(datum, &mut at); // full_name
    put(out, REDACTED.as_bytes());
    put_hex(out, &masks.email(text(datum, &mut at)));
    let phone = text(datum, &mut at); // of ASCII, as this writer knows
    let (hidden, kept) = phone.split_at(phone.len() - PHONE_KEPT);
    out.push((phone.len() << 1) as u8);
    out.resize(out.len() + hidden.len(), b'*');
    out.extend_from_slice(kept);
    put_hex(out, &masks.iban(text(datum, &mut at))[..IBAN_DIGITS / 2]);
    let day = first_day_of_year(varint(datum, &mut at) as i32);
    let mut rest = ((day << 1) ^ (day >> 31)) as u32;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    text(datum, &mut at); // address.street
    put(out, REDACTED.as_bytes());
    out.extend_from_slice(&datum[at..]);
}

fn varint(datum: &[u8], at: &mut usize) -> i64 {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = datum[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return (value >> 1) as i64 ^ -((value & 1) as i64);
        }
        shift += 7;
    }
}

fn text<'a>(datum: &'a [u8], at: &mut usize) -> &'a [u8] {
    let length = varint(datum, at) as usize;
    *at += length;
    &datum[*at - length..*at]
}

/// Masks are at most 64 bytes: one or two bytes of length.
fn put(out: &mut Vec<u8>, value: &[u8]) {
    let length = value.len() << 1;
    if length >= 0x80 {
        out.push(length as u8 | 0x80);
        out.push((length >> 7) as u8);
    } else {
        out.push(length as u8);
    }
    out.extend_from_slice(value);
}

fn put_hex(out: &mut Vec<u8>, hash: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (index, byte) in hash.iter().enumerate() {
        text[2 * index] = DIGITS[usize::from(byte >> 4)];
        text[2 * index + 1] = DIGITS[usize::from(byte & 15)];
    }
    put(out, &text[..2 * hash.len()]);
}
