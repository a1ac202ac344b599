//! The workload: customers made from their number, and their Avro encoding, by hand.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub const SCHEMA: &str = include_str!("../../tree/schemas/crm/customer.avsc");
/// How many bytes stand before a datum.
pub const HEADER_BYTES: usize = 5;

/// What stands before a datum: Confluent's wire format.
pub fn header(schema_id: u32) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = schema_id.to_be_bytes();
    [0, a, b, c, d]
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "UPPERCASE")]
pub enum Segment {
    Basic,
    Plus,
    Premium,
}

#[derive(Serialize, Deserialize, Clone)]
pub struct Address<'a> {
    #[serde(borrow)]
    pub street: Cow<'a, str>,
    pub city: &'a str,
    #[serde(borrow)]
    pub postcode: Cow<'a, str>,
    pub country: &'a str,
}

#[derive(Serialize, Deserialize, Clone)]
pub struct Customer<'a> {
    #[serde(borrow)]
    pub customer_id: Cow<'a, str>,
    #[serde(borrow)]
    pub full_name: Cow<'a, str>,
    #[serde(borrow)]
    pub email: Cow<'a, str>,
    #[serde(borrow)]
    pub phone: Cow<'a, str>,
    #[serde(borrow)]
    pub iban: Cow<'a, str>,
    pub birth_date: i32,
    pub address: Address<'a>,
    pub segment: Segment,
    pub tags: Vec<&'a str>,
    pub preferences: BTreeMap<&'a str, &'a str>,
    #[serde(borrow)]
    pub notes: Cow<'a, str>,
    #[serde(borrow, with = "serde_bytes")]
    pub balance: Cow<'a, [u8]>,
    pub loyalty_points: i64,
    pub orders_count: i64,
    pub lifetime_value_cents: i64,
    pub score: f64,
    pub marketing_consent: bool,
    #[serde(borrow)]
    pub referrer_id: Option<Cow<'a, str>>,
    pub created_at: i64,
    pub updated_at: i64,
    pub last_login_at: Option<i64>,
    pub source_system: &'a str,
}

struct Rng(u64);
impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        ((self.next() as u128 * n as u128) >> 64) as u64
    }
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
}

const FIRST: &[&str] = &[
    "Anna", "Jürgen", "Marta", "Zoë", "Paul", "Ingrid", "Tomás", "Lea", "Olga", "Bram", "Chiara", "Noah", "Amélie",
    "Piotr", "Sofia", "Hans", "Eleni", "Marek", "Ruth", "Kwame",
];
const LAST: &[&str] = &[
    "Müller",
    "Novak",
    "Rossi",
    "Dubois",
    "van Dijk",
    "Kowalska",
    "García",
    "Andersen",
    "Papadopoulos",
    "Schneider",
    "O'Neill",
    "Horvat",
    "Lindqvist",
    "Silva",
    "Weber",
    "Okafor",
    "Fontaine",
    "Brandt",
];
const CITY: &[&str] = &["Berlin", "Lyon", "Kraków", "Utrecht", "Milano", "Porto", "Graz", "Málaga", "Aarhus", "Gent"];
const COUNTRY: &[&str] = &["DE", "FR", "PL", "NL", "IT", "PT", "AT", "ES", "DK", "BE"];
const STREET: &[&str] = &["Hauptstraße", "Rue de la Paix", "Via Roma", "Kerkstraat", "Lindenallee", "Rua do Ouro"];
const TAGS: &[&str] = &["vip", "newsletter", "churn-risk", "b2b", "beta", "student", "loyal", "abandoned-cart"];
const PREFS: &[(&str, &[&str])] = &[
    ("language", &["de", "fr", "pl", "en"]),
    ("channel", &["email", "sms", "push"]),
    ("theme", &["dark", "light"]),
    ("currency", &["EUR", "PLN", "DKK"]),
    ("contact_time", &["morning", "afternoon", "evening"]),
    ("store", &["berlin-mitte", "lyon-centre", "porto-baixa"]),
];
const WORDS: &[&str] = &[
    "customer", "called", "about", "the", "delivery", "of", "an", "order", "and", "asked", "for", "a", "refund",
    "because", "parcel", "was", "damaged", "agent", "offered", "voucher", "next", "purchase", "contract", "renewal",
    "in", "spring", "prefers", "café", "visits", "no", "calls", "before", "noon", "follow", "up", "on", "invoice",
    "with", "finance", "team",
];
const SOURCES: &[&str] = &["crm-web", "crm-store", "crm-callcenter", "import-legacy"];

/// Record `i` of the workload; the same `i` always gives the same record.
pub fn customer(i: u64) -> Customer<'static> {
    let mut r = Rng(i ^ 0x5eed_0000_0000_0000);
    let (a, b) = (r.next(), r.next());
    let id = format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 52, i);
    let (first, last) = (r.pick(FIRST), r.pick(LAST));
    let place = r.below(CITY.len() as u64) as usize;
    let mut notes = String::with_capacity(840);
    let len = 600 + r.below(200) as usize;
    while notes.len() < len {
        notes.push_str(r.pick(WORDS));
        notes.push(' ');
    }
    let mut preferences = BTreeMap::new();
    for _ in 0..2 + r.below(5) {
        let (k, v) = PREFS[r.below(PREFS.len() as u64) as usize];
        preferences.insert(k, r.pick(v));
    }
    let cents = r.below(20_000_000) as i64 - 2_000_000;
    let created = 1_500_000_000_000 + r.below(200_000_000_000) as i64;
    Customer {
        customer_id: id.into(),
        full_name: format!("{first} {last}").into(),
        email: format!("{}.{}{}@mail-{}.example", first.to_lowercase(), last.to_lowercase().replace(' ', ""), i, place)
            .into(),
        phone: format!("+49 15{} {:07}", r.below(10), r.below(10_000_000)).into(),
        iban: format!("{}{:02}{:018}", COUNTRY[place], r.below(100), r.below(1_000_000_000_000_000_000)).into(),
        birth_date: r.below(25_000) as i32 - 8_000,
        address: Address {
            street: format!("{} {}", r.pick(STREET), 1 + r.below(200)).into(),
            city: CITY[place],
            postcode: format!("{:05}", r.below(100_000)).into(),
            country: COUNTRY[place],
        },
        segment: [Segment::Basic, Segment::Plus, Segment::Premium][r.below(3) as usize],
        tags: (0..r.below(6)).map(|_| r.pick(TAGS)).collect(),
        preferences,
        notes: notes.into(),
        balance: decimal(cents).into(),
        loyalty_points: r.below(100_000) as i64,
        orders_count: r.below(500) as i64,
        lifetime_value_cents: r.below(10_000_000) as i64,
        score: r.below(1000) as f64 / 1000.0,
        marketing_consent: r.below(2) == 1,
        referrer_id: (r.below(2) == 1).then(|| format!("ref-{:016x}", b).into()),
        created_at: created,
        updated_at: created + r.below(50_000_000_000) as i64,
        last_login_at: (r.below(3) > 0).then(|| created + r.below(60_000_000_000) as i64),
        source_system: r.pick(SOURCES),
    }
}

/// The shortest big-endian two's complement bytes.
fn decimal(v: i64) -> Vec<u8> {
    let b = v.to_be_bytes();
    let mut s = 0;
    while s < 7 && ((b[s] == 0 && b[s + 1] < 0x80) || (b[s] == 0xff && b[s + 1] >= 0x80)) {
        s += 1;
    }
    b[s..].to_vec()
}

fn long(out: &mut Vec<u8>, v: i64) {
    let mut z = ((v << 1) ^ (v >> 63)) as u64;
    while z >= 0x80 {
        out.push(z as u8 | 0x80);
        z >>= 7;
    }
    out.push(z as u8);
}
fn bytes(out: &mut Vec<u8>, b: &[u8]) {
    long(out, b.len() as i64);
    out.extend_from_slice(b);
}

/// Appends the Avro binary form; maps in key order, so equal records give equal bytes.
pub fn encode(c: &Customer, out: &mut Vec<u8>) {
    for s in [&c.customer_id, &c.full_name, &c.email, &c.phone, &c.iban] {
        bytes(out, s.as_bytes());
    }
    long(out, c.birth_date as i64);
    for s in [&*c.address.street, c.address.city, &*c.address.postcode, c.address.country] {
        bytes(out, s.as_bytes());
    }
    long(out, c.segment as i64);
    if !c.tags.is_empty() {
        long(out, c.tags.len() as i64);
        c.tags.iter().for_each(|t| bytes(out, t.as_bytes()));
    }
    out.push(0);
    if !c.preferences.is_empty() {
        long(out, c.preferences.len() as i64);
        for (k, v) in &c.preferences {
            bytes(out, k.as_bytes());
            bytes(out, v.as_bytes());
        }
    }
    out.push(0);
    bytes(out, c.notes.as_bytes());
    bytes(out, &c.balance);
    for v in [c.loyalty_points, c.orders_count, c.lifetime_value_cents] {
        long(out, v);
    }
    out.extend_from_slice(&c.score.to_le_bytes());
    out.push(c.marketing_consent as u8);
    match &c.referrer_id {
        None => out.push(0),
        Some(r) => {
            out.push(2);
            bytes(out, r.as_bytes());
        }
    }
    long(out, c.created_at);
    long(out, c.updated_at);
    match c.last_login_at {
        None => out.push(0),
        Some(t) => {
            out.push(2);
            long(out, t);
        }
    }
    bytes(out, c.source_system.as_bytes());
}

/// The schema for serde_avro_fast: it reads decimals only as numbers, and no mask touches `balance`.
pub fn fast_schema() -> anyhow::Result<serde_avro_fast::Schema> {
    Ok(SCHEMA.replace(r#","logicalType":"decimal","precision":12,"scale":2"#, "").parse()?)
}
