//! `crm-customer-1k`: customers of about 1 KB, 22 fields; the same number always gives the same record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::{CITIES, COUNTRIES, FIRST_NAMES, LAST_NAMES, PREFERENCES, SOURCES, STREETS, TAGS, WORDS};

/// The schema.
pub(crate) const SCHEMA: &str = r#"{"type":"record","name":"Customer","namespace":"crm","fields":[
  {"name":"customer_id","type":"string"},
  {"name":"full_name","type":"string"},
  {"name":"email","type":"string"},
  {"name":"phone","type":"string"},
  {"name":"iban","type":"string"},
  {"name":"birth_date","type":{"type":"int","logicalType":"date"}},
  {"name":"address","type":{"type":"record","name":"Address","fields":[
    {"name":"street","type":"string"},
    {"name":"city","type":"string"},
    {"name":"postcode","type":"string"},
    {"name":"country","type":"string"}]}},
  {"name":"segment","type":{"type":"enum","name":"Segment","symbols":["BASIC","PLUS","PREMIUM"]}},
  {"name":"tags","type":{"type":"array","items":"string"}},
  {"name":"preferences","type":{"type":"map","values":"string"}},
  {"name":"notes","type":"string"},
  {"name":"balance","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},
  {"name":"loyalty_points","type":"long"},
  {"name":"orders_count","type":"long"},
  {"name":"lifetime_value_cents","type":"long"},
  {"name":"score","type":"double"},
  {"name":"marketing_consent","type":"boolean"},
  {"name":"referrer_id","type":["null","string"]},
  {"name":"created_at","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"updated_at","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"last_login_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}]},
  {"name":"source_system","type":"string"}]}"#;

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Segment {
    Basic,
    Plus,
    Premium,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Address<'a> {
    #[serde(borrow)]
    pub(crate) street: Cow<'a, str>,
    pub(crate) city: &'a str,
    #[serde(borrow)]
    pub(crate) postcode: Cow<'a, str>,
    pub(crate) country: &'a str,
}

/// A record; what masking touches can be replaced.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Customer<'a> {
    #[serde(borrow)]
    pub(crate) customer_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) full_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) email: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) phone: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) iban: Cow<'a, str>,
    pub(crate) birth_date: i32,
    pub(crate) address: Address<'a>,
    pub(crate) segment: Segment,
    pub(crate) tags: Vec<&'a str>,
    pub(crate) preferences: BTreeMap<&'a str, &'a str>,
    #[serde(borrow)]
    pub(crate) notes: Cow<'a, str>,
    #[serde(borrow, with = "serde_bytes")]
    pub(crate) balance: Cow<'a, [u8]>,
    pub(crate) loyalty_points: i64,
    pub(crate) orders_count: i64,
    pub(crate) lifetime_value_cents: i64,
    pub(crate) score: f64,
    pub(crate) marketing_consent: bool,
    #[serde(borrow)]
    pub(crate) referrer_id: Option<Cow<'a, str>>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) last_login_at: Option<i64>,
    pub(crate) source_system: &'a str,
}

/// SplitMix64.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Free text of so many bytes at least, a few of its words not ASCII.
pub(crate) fn prose(draw: &mut Draw, bytes_min: usize) -> String {
    let mut text = String::with_capacity(bytes_min + 16);
    while text.len() < bytes_min {
        text.push_str(draw.pick(WORDS));
        text.push(' ');
    }
    text
}

/// Record number `number` of the workload.
pub(crate) fn customer(number: u64) -> Customer<'static> {
    let mut draw = Draw(number ^ 0x5eed_0000_0000_0000);
    let (a, b) = (draw.next(), draw.next());
    let id = format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{number:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 52);
    let (first, last) = (draw.pick(FIRST_NAMES), draw.pick(LAST_NAMES));
    let (local_first, local_last) = (first.to_lowercase(), last.to_lowercase().replace(' ', ""));
    let place = draw.below(CITIES.len() as u64) as usize;
    let bytes_min = 600 + draw.below(200) as usize;
    let notes = prose(&mut draw, bytes_min);
    let mut preferences = BTreeMap::new();
    for _ in 0..2 + draw.below(5) {
        let (key, values) = PREFERENCES[draw.below(PREFERENCES.len() as u64) as usize];
        preferences.insert(key, draw.pick(values));
    }
    let cents = draw.below(20_000_000) as i64 - 2_000_000;
    let created_at = 1_500_000_000_000 + draw.below(200_000_000_000) as i64;
    Customer {
        customer_id: id.into(),
        full_name: format!("{first} {last}").into(),
        email: format!("{local_first}.{local_last}{number}@mail-{place}.example").into(),
        phone: format!("+49 15{} {:07}", draw.below(10), draw.below(10_000_000)).into(),
        iban: format!("{}{:02}{:018}", COUNTRIES[place], draw.below(100), draw.below(1_000_000_000_000_000_000)).into(),
        birth_date: draw.below(25_000) as i32 - 8_000,
        address: Address {
            street: format!("{} {}", draw.pick(STREETS), 1 + draw.below(200)).into(),
            city: CITIES[place],
            postcode: format!("{:05}", draw.below(100_000)).into(),
            country: COUNTRIES[place],
        },
        segment: [Segment::Basic, Segment::Plus, Segment::Premium][draw.below(3) as usize],
        tags: (0..draw.below(6)).map(|_| draw.pick(TAGS)).collect(),
        preferences,
        notes: notes.into(),
        balance: decimal(cents).into(),
        loyalty_points: draw.below(100_000) as i64,
        orders_count: draw.below(500) as i64,
        lifetime_value_cents: draw.below(10_000_000) as i64,
        score: draw.below(1000) as f64 / 1000.0,
        marketing_consent: draw.below(2) == 1,
        referrer_id: (draw.below(2) == 1).then(|| format!("ref-{b:016x}").into()),
        created_at,
        updated_at: created_at + draw.below(50_000_000_000) as i64,
        last_login_at: (draw.below(3) > 0).then(|| created_at + draw.below(60_000_000_000) as i64),
        source_system: draw.pick(SOURCES),
    }
}

/// The shortest big-endian two's complement bytes.
fn decimal(value: i64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let says_nothing = |pair: &[u8]| matches!((pair[0], pair[1]), (0, 0..0x80) | (0xff, 0x80..));
    let start = bytes.windows(2).take_while(|pair| says_nothing(pair)).count();
    bytes[start..].to_vec()
}
