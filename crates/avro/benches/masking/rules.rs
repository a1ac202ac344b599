//! The six rules of the workload, as a contract and by hand.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use mesh_avro::keys::{KeyName, KeyRing, RootKeys, SubjectKeys};
use mesh_avro::mask::{Program, Rules};
use mesh_avro::schema::Schema;
use mesh_contract::{Contract, Declared, MaskRule, SensitiveColumn};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::workload::Customer;

pub(crate) const EMAIL_CLASS: &str = "pii.contact";
pub(crate) const IBAN_CLASS: &str = "pii.bank";
pub(crate) const IBAN_DIGITS: usize = 32;
pub(crate) const PHONE_KEPT: usize = 4;
pub(crate) const REDACTED: &str = "***";

/// Views besides `masked`, no two of them alike.
const CLEAR: [&str; 7] =
    ["phone", "email", "phone, email", "birth_date", "iban", "full_name", "full_name, address.street"];

/// The keys of the benchmark.
pub(crate) fn ring() -> RootKeys {
    RootKeys::single(Zeroizing::new([42; 32]))
}

/// The workload's contract, with so many views.
pub(crate) fn contract(views: usize) -> Declared<Contract> {
    let further = &CLEAR[..views - 1];
    let listed: String =
        further.iter().enumerate().map(|(index, clear)| format!("  v{index}: {{ clear: [{clear}] }}\n")).collect();
    let groups: String = (0..further.len()).map(|index| format!(", {{ group: g{index}, view: v{index} }}")).collect();
    let text = format!(
        "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: crm\nname: customers\nversion: 1\n\
         description: The benchmark's workload.\nschema: schemas/crm/customer.avsc\nrefresh_rate: hour\n\
         history: 2 years\nstorage: stream\ndependencies: []\nsensitive_columns:\n\
         \x20 - {{ column: full_name, class: pii.name, mask: redact }}\n\
         \x20 - {{ column: email, class: {EMAIL_CLASS}, mask: hash }}\n\
         \x20 - {{ column: phone, class: {EMAIL_CLASS}, mask: {{ keep_last: {PHONE_KEPT} }} }}\n\
         \x20 - {{ column: iban, class: {IBAN_CLASS}, mask: {{ hash: {IBAN_DIGITS} }} }}\n\
         \x20 - {{ column: birth_date, class: pii.birth, mask: {{ generalise: year }} }}\n\
         \x20 - {{ column: address.street, class: pii.address, mask: redact }}\n\
         views:\n{listed}access_group: [ {{ group: analysts }}{groups} ]\n"
    );
    let text = if further.is_empty() { text.replace("views:\n", "") } else { text };
    mesh_contract::parse_contract("customers.yaml", &text).unwrap_or_else(|found| panic!("{text}\n{found:?}"))
}

/// The workload's program, with so many views.
pub(crate) fn program(views: usize) -> Program {
    let schema = Schema::parse(super::workload::SCHEMA).expect("the schema is valid");
    let rules = Rules::check(&contract(views), &schema).unwrap_or_else(|found| panic!("{found:?}"));
    Program::compile(&rules, &schema, &ring()).expect("the rules compile")
}

/// The six rules and a seventh that encrypts the city, under the product's key or under that of the customer.
pub(crate) fn encrypting(for_subjects: bool) -> Program {
    let secret = |byte| Zeroizing::new([byte; 32]);
    let mut contract = contract(1);
    contract.value.sensitive_columns.push(SensitiveColumn {
        column: "address.city".parse().expect("a column"),
        class: "pii.address".to_owned(),
        mask: Some(MaskRule::Encrypt),
    });
    contract.value.subject = for_subjects.then(|| "customer_id".parse().expect("a column"));
    let schema = Schema::parse(super::workload::SCHEMA).expect("the schema is valid");
    let rules = Rules::check(&contract, &schema).unwrap_or_else(|found| panic!("{found:?}"));
    let keys = ring().with_subjects(Arc::new(SubjectKeys::new(1, secret(1), secret(2))));
    Program::compile(&rules, &schema, &keys).expect("the rules compile")
}

/// The rules by hand, as a user would write them: the keys' states are kept, so that no record pays a key schedule.
pub(crate) struct ByHand {
    email: Hmac<Sha256>,
    iban: Hmac<Sha256>,
}

impl ByHand {
    pub(crate) fn new() -> ByHand {
        let keyed = |class: &str| {
            let key = ring().key(&KeyName::hash(class)).expect("the ring derives every key");
            Hmac::new_from_slice(key.secret()).expect("HMAC takes keys of any length")
        };
        ByHand { email: keyed(EMAIL_CLASS), iban: keyed(IBAN_CLASS) }
    }

    #[inline]
    pub(crate) fn email(&self, value: &[u8]) -> [u8; 32] {
        self.email.clone().chain_update(value).finalize().into_bytes().into()
    }

    #[inline]
    pub(crate) fn iban(&self, value: &[u8]) -> [u8; 32] {
        self.iban.clone().chain_update(value).finalize().into_bytes().into()
    }

    /// Masks a decoded record.
    pub(crate) fn mask(&self, record: &mut Customer<'_>) {
        record.full_name = REDACTED.into();
        record.email = hex(&self.email(record.email.as_bytes())).into();
        record.phone = keep_last(&record.phone).into();
        record.iban = hex(&self.iban(record.iban.as_bytes())[..IBAN_DIGITS / 2]).into();
        record.birth_date = first_day_of_year(record.birth_date);
        record.address.street = REDACTED.into();
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pair = |byte: &u8| [DIGITS[usize::from(byte >> 4)] as char, DIGITS[usize::from(byte & 15)] as char];
    bytes.iter().flat_map(pair).collect()
}

pub(crate) fn keep_last(text: &str) -> String {
    let start = text.char_indices().nth_back(PHONE_KEPT - 1).map_or(0, |(start, _)| start);
    let stars = text[..start].chars().count();
    "*".repeat(stars) + &text[start..]
}

/// January 1st of a day's year, in days since 1970.
pub(crate) fn first_day_of_year(days: i32) -> i32 {
    let first = |year: i32| {
        let before = year - 1;
        365 * (year - 1970) + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 477
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
