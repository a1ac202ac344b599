//! Canaries: random values that stand in the sensitive columns of a few records of their own, and in headers and
//! refused records. After the run every topic is searched for them.
//!
//! A canary is random, so that finding one is no coincidence, and new in every run, so that what an earlier run left on
//! the cluster is not found again. Birth dates are too short to be unique on the wire: they are compared after decoding.

use super::event::{Address, Contact, Customer, PageView, Segment};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use uuid::Uuid;

/// Where a canary stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Perch {
    /// In a sensitive column of a product: a view may grant it by column or class.
    Column { product: &'static str, column: &'static str, class: &'static str },
    /// In a header that no contract lists: no view may show it.
    Header { product: &'static str },
    /// In a record that is to be refused: no view may show it, and quarantine only encrypted.
    Refused { product: &'static str },
}

impl Perch {
    /// What a person reads in the report.
    pub fn describe(&self) -> String {
        match self {
            Self::Column { product, column, .. } => format!("{product} {column}"),
            Self::Header { product } => format!("a header of {product}"),
            Self::Refused { product } => format!("a refused record of {product}"),
        }
    }
}

/// One canary value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// What is searched for.
    pub value: String,
    pub perch: Perch,
}

/// The canaries of one run: hand out values, then search for them.
#[derive(Debug)]
pub struct Aviary {
    run: String,
    random: u128,
    canaries: Vec<Canary>,
}

/// How many canary customers and page views there are.
const RECORDS: u32 = 4;
/// This and the days after: never the first of a year, which is what a generalised birth date would be.
const FIRST_BIRTH_DATE: Date = date(1990, 6, 15);
/// The same, in days since 1970.
const FIRST_BIRTH_DAY: i32 = 7_470;

impl Aviary {
    /// The aviary of one run.
    pub fn new(run: Uuid) -> Self {
        let text = run.simple().to_string();
        Self { run: text[text.len() - 12..].to_owned(), random: run.as_u128(), canaries: Vec::new() }
    }

    /// All canaries handed out so far.
    pub fn canaries(&self) -> &[Canary] {
        &self.canaries
    }

    /// A new word: `canary` and the run's name and a number.
    pub fn word(&mut self, perch: Perch) -> String {
        let value = format!("canary{}n{:03}", self.run, self.canaries.len());
        self.canaries.push(Canary { value: value.clone(), perch });
        value
    }

    fn column(&mut self, product: &'static str, column: &'static str, class: &'static str) -> String {
        self.word(Perch::Column { product, column, class })
    }

    /// A phone number that is longer than any real one. Its last four digits are no part of the canary, as views may
    /// show them.
    fn phone(&mut self) -> String {
        let digits = (self.random ^ (self.canaries.len() as u128) << 40) % 10_u128.pow(20);
        let value = format!("555{digits:020}");
        let perch = Perch::Column { product: "crm.customers", column: "phone", class: "pii.contact" };
        self.canaries.push(Canary { value: value.clone(), perch });
        format!("+{value}0100")
    }

    /// Customers with a canary in every sensitive column.
    pub fn customers(&mut self, at_ms: i64) -> Vec<Customer> {
        (0..RECORDS).map(|number| self.customer(number, at_ms)).collect()
    }

    fn customer(&mut self, number: u32, at_ms: i64) -> Customer {
        const PRODUCT: &str = "crm.customers";
        Customer {
            customer_id: format!("{}{number}", self.id_prefix()),
            full_name: format!("Canary {}", self.column(PRODUCT, "full_name", "pii.name")),
            email: format!("{}@example.org", self.column(PRODUCT, "email", "pii.contact")),
            phone: Some(self.phone()),
            birth_date: FIRST_BIRTH_DAY + number as i32,
            address: Address {
                street: format!("1 {} Street", self.column(PRODUCT, "address.street", "pii.address")),
                city: "Springfield".to_owned(),
                postcode: "60000".to_owned(),
                country: "US".to_owned(),
            },
            contacts: vec![Contact {
                kind: "billing".to_owned(),
                email: format!("{}@example.org", self.column(PRODUCT, "contacts[].email", "pii.contact")),
            }],
            segment: Segment::Unknown,
            marketing_consent: true,
            registered_at: at_ms,
            updated_at: at_ms,
        }
    }

    /// What the ids of this run's canary records begin with.
    pub fn id_prefix(&self) -> String {
        format!("run-{}-", self.run)
    }

    /// Page views with a canary in every sensitive column.
    pub fn page_views(&mut self, at_ms: i64) -> Vec<PageView> {
        (0..RECORDS).map(|number| self.page_view(number, at_ms)).collect()
    }

    fn page_view(&mut self, number: u32, at_ms: i64) -> PageView {
        let canary = self.column("web.page_views", "visitor_email", "pii.contact");
        PageView {
            view_id: format!("{}{number}", self.id_prefix()),
            session_id: format!("{}s", self.id_prefix()),
            visitor_email: Some(format!("{canary}@example.org")),
            event: "home".to_owned(),
            platform: "desktop".to_owned(),
            acquisition_channel: "direct".to_owned(),
            viewed_at: at_ms,
        }
    }

    /// The birth date planted in canary customer `customer_id`, if it is one of this run's, as views would show it.
    pub fn birth_date(&self, customer_id: &str) -> Option<String> {
        let number: u32 = customer_id.strip_prefix(&self.id_prefix())?.parse().ok()?;
        (number < RECORDS).then(|| (FIRST_BIRTH_DATE + i64::from(number).days()).to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    fn aviary() -> Aviary {
        Aviary::new(Uuid::from_u128(0x1234_5678_9abc_4def_8123_4567_89ab_cdef))
    }

    #[test]
    fn every_sensitive_column_has_canaries_and_no_two_are_the_same() {
        let mut aviary = aviary();
        aviary.customers(0);
        aviary.page_views(0);
        let values: HashSet<&str> = aviary.canaries().iter().map(|canary| canary.value.as_str()).collect();
        assert_eq!(values.len(), aviary.canaries().len());
        let perches: HashSet<String> = aviary.canaries().iter().map(|canary| canary.perch.describe()).collect();
        let mut perches: Vec<String> = perches.into_iter().collect();
        perches.sort();
        assert_eq!(
            perches,
            [
                "crm.customers address.street",
                "crm.customers contacts[].email",
                "crm.customers email",
                "crm.customers full_name",
                "crm.customers phone",
                "web.page_views visitor_email",
            ]
        );
    }

    #[test]
    fn another_run_has_other_canaries() {
        let mut other = Aviary::new(Uuid::from_u128(1 << 40));
        let mut one = aviary();
        let phones = (one.phone(), other.phone());
        assert_ne!(phones.0, phones.1);
        assert_ne!(one.customers(0)[0].email, other.customers(0)[0].email);
    }

    #[test]
    fn planted_birth_dates_are_known_by_customer() {
        let mut aviary = aviary();
        let customers = aviary.customers(0);
        assert_eq!(aviary.birth_date(&customers[2].customer_id), Some("1990-06-17".to_owned()));
        let days = date(1970, 1, 1).until(date(1990, 6, 17)).unwrap().get_days();
        assert_eq!(customers[2].birth_date, days);
        assert_eq!(aviary.birth_date("C00001"), None);
        assert_eq!(aviary.birth_date(&format!("{}9", aviary.id_prefix())), None);
    }

    #[test]
    fn what_keep_last_shows_of_a_phone_is_no_canary() {
        let mut aviary = aviary();
        let phone = aviary.phone();
        let value = &aviary.canaries()[0].value;
        assert!(phone.contains(value.as_str()));
        assert!(!phone[phone.len() - 4..].contains(value.as_str()));
    }
}
