//! The records that are sent: good ones, tombstones, bad ones; a canary in every place that nobody may see.

use mesh_kafka::OutgoingRecord;
use serde_json::{Value, json};
use std::fmt::Write;

pub const DOMAIN: &str = "shop";
pub const SCHEMA_FILE: &str = "schemas/shop/person.avsc";
pub const PRODUCTS: [&str; 2] = ["buyers", "sellers"];
/// In every sensitive value, and nowhere else.
pub const CANARY: &str = "canary";
/// A record's number, in a header that no contract lists.
pub const NUMBER_HEADER: &str = "x-number";
/// How many writer's schemas there are; each later one has a field more, which no contract knows.
pub const SCHEMAS: usize = 6;

const KEYS: u64 = 997;
const BAD_EVERY: u64 = 23;
const TOMBSTONE_EVERY: u64 = 31;

/// The writer's schema of a version, from 0 on.
pub fn schema(version: usize) -> Value {
    let text = |name: String| json!({ "name": name, "type": "string" });
    let mut fields = vec![
        text("id".into()),
        json!({ "name": "n", "type": "long" }),
        text("email".into()),
        text("phone".into()),
        json!({ "name": "address", "type": { "type": "record", "name": "Address", "fields": [
            text("street".into()), { "name": "city", "type": "string", "mesh.sensitive": false }
        ] } }),
        json!({ "name": "aliases", "type": { "type": "array", "items": "string" } }),
        json!({ "name": "attributes", "type": { "type": "map", "values": "string" } }),
        json!({ "name": "updated_at", "type": { "type": "long", "logicalType": "timestamp-millis" } }),
    ];
    let further =
        (1..=version).map(|number| json!({ "name": format!("further_{number}"), "type": "string", "default": "" }));
    fields.extend(further);
    json!({ "type": "record", "name": "Person", "namespace": DOMAIN, "doc": "Somebody.", "fields": fields })
}

/// A revision of every contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    First,
    /// A rule is stricter.
    Second,
}

/// A product's contract: its key is sensitive, and so are a nested field, an array's items, and a map with its keys.
pub fn contract(product: &str, revision: Revision) -> String {
    let phone = if revision == Revision::First { "{ keep_last: 4 }" } else { "redact" };
    let id = if product == PRODUCTS[0] {
        "3b9a6f8e-1111-4c58-a6f1-7c4b0e9a5c01"
    } else {
        "3b9a6f8e-2222-4c58-a6f1-7c4b0e9a5c02"
    };
    format!(
        "unique_id: {id}\nowner: {DOMAIN}\nname: {product}\nversion: 1\ndescription: People.\nschema: {SCHEMA_FILE}\n\
         key: id\nrefresh_rate: {{ every: hour, event_time: updated_at }}\nhistory: 2 days\nstorage: stream\n\
         sensitive_columns:\n\
         \x20 - {{ column: id, class: pii.id, mask: hash }}\n\
         \x20 - {{ column: email, class: pii.contact, mask: hash }}\n\
         \x20 - {{ column: phone, class: pii.contact, mask: {phone} }}\n\
         \x20 - {{ column: address.street, class: pii.address, mask: redact }}\n\
         \x20 - {{ column: \"aliases[]\", class: pii.name, mask: redact }}\n\
         \x20 - {{ column: attributes, class: pii.other, mask: hash }}\n\
         views:\n\x20 stewards: {{ clear: all }}\n\
         access_group:\n\x20 - {{ group: analysts }}\n\x20 - {{ group: stewards, view: stewards }}\n\
         dependencies: []\npartitions: 4\n"
    )
}

/// What the record of a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Good,
    Tombstone,
    Bad,
}

impl Kind {
    pub fn of(number: u64) -> Self {
        if number.is_multiple_of(BAD_EVERY) {
            Kind::Bad
        } else if number.is_multiple_of(TOMBSTONE_EVERY) {
            Kind::Tombstone
        } else {
            Kind::Good
        }
    }
}

/// The record of a number, written with a schema's version and its id.
pub fn record(input: &str, number: u64, version: usize, schema_id: u32) -> OutgoingRecord {
    let id = format!("{CANARY}-id-{}", number % KEYS);
    let record = OutgoingRecord::to(input)
        .key(id.clone())
        .header(NUMBER_HEADER, number.to_string())
        .header("x-secret", format!("{CANARY}-{number}"));
    match Kind::of(number) {
        Kind::Tombstone => record,
        Kind::Good => record.value(framed(schema_id, &datum(&id, number, version))),
        Kind::Bad => record.value(spoiled(number, schema_id, &datum(&id, number, version))),
    }
}

fn datum(id: &str, number: u64, version: usize) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, id);
    long(&mut out, number);
    text(&mut out, &format!("{CANARY}.{number}@example.org"));
    text(&mut out, &format!("{CANARY} {number:07}"));
    text(&mut out, &format!("{number} {CANARY} Street"));
    text(&mut out, "London");
    long(&mut out, 2);
    text(&mut out, CANARY);
    text(&mut out, &format!("{CANARY} the {number}th"));
    long(&mut out, 0);
    long(&mut out, 1);
    text(&mut out, &format!("{CANARY}-{}", number % 7));
    text(&mut out, &format!("{CANARY} again"));
    long(&mut out, 0);
    long(&mut out, 1_700_000_000_000 + number);
    (0..version).for_each(|_| text(&mut out, &format!("{CANARY} in a field that no contract knows")));
    out
}

/// What a producer gets wrong, in turn: not framed, an unknown schema id, too short, too long.
fn spoiled(number: u64, schema_id: u32, datum: &[u8]) -> Vec<u8> {
    match (number / BAD_EVERY) % 4 {
        0 => datum.iter().map(|byte| byte | 1).collect(),
        1 => framed(1_000_000, datum),
        2 => framed(schema_id, &datum[..datum.len() / 2]),
        _ => framed(schema_id, &[datum, b"more"].concat()),
    }
}

fn framed(schema_id: u32, datum: &[u8]) -> Vec<u8> {
    [&mesh_avro::wire::header(schema_id)[..], datum].concat()
}

fn text(out: &mut Vec<u8>, text: &str) {
    long(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Avro's long, of a number that is not negative.
fn long(out: &mut Vec<u8>, number: u64) {
    let mut rest = number << 1;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Bytes as a person can read them, for messages.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes what it is given");
        out
    })
}
