//! The workload in Avro binary, written by hand.

use super::workload::Customer;

/// Appends an int or long.
pub(crate) fn long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends bytes or a string.
pub(crate) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    long(out, value.len() as i64);
    out.extend_from_slice(value);
}

/// Appends a record; maps in the order of their keys, so that equal records give equal bytes.
pub(crate) fn customer(out: &mut Vec<u8>, record: &Customer<'_>) {
    for text in [&record.customer_id, &record.full_name, &record.email, &record.phone, &record.iban] {
        bytes(out, text.as_bytes());
    }
    long(out, i64::from(record.birth_date));
    let address = &record.address;
    for text in [&*address.street, address.city, &*address.postcode, address.country] {
        bytes(out, text.as_bytes());
    }
    long(out, record.segment as i64);
    block(out, record.tags.len());
    record.tags.iter().for_each(|tag| bytes(out, tag.as_bytes()));
    end(out, record.tags.len());
    block(out, record.preferences.len());
    for (key, value) in &record.preferences {
        bytes(out, key.as_bytes());
        bytes(out, value.as_bytes());
    }
    end(out, record.preferences.len());
    bytes(out, record.notes.as_bytes());
    bytes(out, &record.balance);
    for value in [record.loyalty_points, record.orders_count, record.lifetime_value_cents] {
        long(out, value);
    }
    out.extend_from_slice(&record.score.to_le_bytes());
    out.push(u8::from(record.marketing_consent));
    out.push(if record.referrer_id.is_some() { 2 } else { 0 });
    record.referrer_id.iter().for_each(|referrer| bytes(out, referrer.as_bytes()));
    long(out, record.created_at);
    long(out, record.updated_at);
    out.push(if record.last_login_at.is_some() { 2 } else { 0 });
    record.last_login_at.iter().for_each(|at| long(out, *at));
    bytes(out, record.source_system.as_bytes());
}

fn block(out: &mut Vec<u8>, count: usize) {
    long(out, count as i64);
}

/// An empty array or map ends where its only block would begin.
fn end(out: &mut Vec<u8>, count: usize) {
    if count > 0 {
        out.push(0);
    }
}
