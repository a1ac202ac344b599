//! What masking makes of a customer, written down field by field: for the peers that do it, and for checking the output.

use std::fs;
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use mesh_avro::keys::{KeyName, KeyRing, RootKeys};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::customer::Customer;

/// The key of the peers that are not ours.
const PEERS_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

/// The masks. Each HMAC keeps its keyed state, so that a record pays for no key schedule.
pub struct Masks {
    email: Hmac<Sha256>,
    iban: Hmac<Sha256>,
    phone: fn(&str) -> String,
}

impl Masks {
    /// As the peers have them: one key, and three stars before a phone's end.
    pub fn of_peers() -> anyhow::Result<Self> {
        let hmac: Hmac<Sha256> = Hmac::new_from_slice(PEERS_KEY)?;
        Ok(Masks { email: hmac.clone(), iban: hmac, phone: last_four })
    }

    /// As the sidecar has them: a key for each class, and a star for each character that goes.
    pub fn of_mesh(keys: &Path) -> anyhow::Result<Self> {
        let keys = root_keys(keys)?;
        let hmac =
            |class: &str| -> anyhow::Result<_> { Ok(Hmac::new_from_slice(keys.key(&KeyName::hash(class))?.secret())?) };
        Ok(Masks { email: hmac("pii.contact")?, iban: hmac("pii.bank")?, phone: keep_last_four })
    }

    /// Masks the customer's six sensitive fields.
    pub fn mask(&self, customer: &mut Customer<'_>) {
        customer.full_name = "***".into();
        customer.email = self.email(&customer.email).into();
        customer.phone = (self.phone)(&customer.phone).into();
        customer.iban = self.iban(&customer.iban).into();
        customer.birth_date = first_day_of_year(customer.birth_date);
        customer.address.street = "***".into();
    }

    pub fn email(&self, email: &str) -> String {
        hex(&digest(&self.email, email))
    }

    /// The first 32 digits.
    pub fn iban(&self, iban: &str) -> String {
        hex(&digest(&self.iban, iban)[..16])
    }
}

/// The one root of a key file, as `mesh` keeps it.
fn root_keys(file: &Path) -> anyhow::Result<RootKeys> {
    let document: serde_json::Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let secret = document["roots"][0]["secret"].as_str().context("the key file has no root")?;
    let secret: [u8; 32] = BASE64_STANDARD.decode(secret)?.try_into().ok().context("the root is not of 32 bytes")?;
    Ok(RootKeys::single(Zeroizing::new(secret)))
}

fn digest(key: &Hmac<Sha256>, text: &str) -> [u8; 32] {
    key.clone().chain_update(text.as_bytes()).finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Three stars and the last four characters.
pub fn last_four(text: &str) -> String {
    let at = text.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    format!("***{}", &text[at..])
}

/// The last four characters, and a star for each before them.
fn keep_last_four(text: &str) -> String {
    let hidden = text.chars().count().saturating_sub(4);
    text.chars().enumerate().map(|(at, c)| if at < hidden { '*' } else { c }).collect()
}

/// Days from 1970-01-01 to January 1st of the day's year (proleptic Gregorian).
pub fn first_day_of_year(days: i32) -> i32 {
    let first = |year: i32| {
        365 * (year - 1970) + (year - 1).div_euclid(4) - (year - 1).div_euclid(100) + (year - 1).div_euclid(400) - 477
    };
    let mut year = 1970 + (f64::from(days) / 365.2425).floor() as i32;
    while first(year) > days {
        year -= 1;
    }
    while first(year + 1) <= days {
        year += 1;
    }
    first(year)
}
