//! Offers from what is known: pure, and the same for the same book.
//!
//! Two rules, the first that fits makes the offer, and only for customers who agreed to be sent offers:
//! - *looks but does not buy*: many product views on the web pages, few orders;
//! - *lapsed big spender*: spent much, but not of late.

use crate::book::{Book, Purchase, Visit};
use crate::facts::{Cents, Customer, Offer};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// From how many product views on somebody looks a lot.
const LOOKS_MIN: u32 = 15;
/// Up to how many orders somebody buys little.
const ORDERS_FEW_MAX: u32 = 2;
/// From how much on somebody is a big spender.
const BIG_SPENDER_MIN: Cents = Cents(50_000);
/// After how many days without an order a customer has lapsed: half a year.
const LAPSED_AFTER_DAYS: i64 = 182;
const DAY_SECONDS: i64 = 24 * 3_600;
/// What counts as looking at a product.
const LOOKING: [&str; 4] = ["product_view", "compare", "wishlist_add", "add_to_cart"];
/// The interest of somebody whom the web pages have not seen.
pub const NO_INTEREST: &str = "none seen";

/// What a customer bought.
#[derive(Debug, Default)]
struct Bought {
    orders: u32,
    cents: i64,
    newest: Timestamp,
}

/// What a visitor did: events and how often.
type Did<'a> = BTreeMap<&'a str, u32>;

/// The offers to make at `made_at`, in the order of the customers' ids.
///
/// "Of late" is reckoned from the newest order in the book, not from the clock, so that a replay gives the same offers.
pub fn offers(book: &Book, made_at: Timestamp) -> Vec<Offer> {
    let bought = bought_by_customer(book.purchases.values());
    let did = did_by_contact(book.visits.values());
    let newest = bought.values().map(|bought| bought.newest).max().unwrap_or_default();
    let mut customers: Vec<&Customer> = book.customers.values().filter(|customer| customer.marketing_consent).collect();
    customers.sort_by(|a, b| a.customer_id.cmp(&b.customer_id));
    let nothing_bought = Bought::default();
    let nothing_done = Did::new();
    customers
        .into_iter()
        .filter_map(|customer| {
            let bought = bought.get(customer.customer_id.as_str()).unwrap_or(&nothing_bought);
            let did = did.get(customer.email.as_str()).unwrap_or(&nothing_done);
            offer(customer, bought, did, newest, made_at)
        })
        .collect()
}

fn bought_by_customer<'a>(purchases: impl Iterator<Item = &'a Purchase>) -> HashMap<&'a str, Bought> {
    let mut customers: HashMap<&str, Bought> = HashMap::new();
    for purchase in purchases {
        let bought = customers.entry(&purchase.customer_id).or_default();
        bought.orders += 1;
        bought.cents += purchase.amount.0;
        bought.newest = bought.newest.max(purchase.ordered_at);
    }
    customers
}

fn did_by_contact<'a>(visits: impl Iterator<Item = &'a Visit>) -> HashMap<&'a str, Did<'a>> {
    let mut contacts: HashMap<&str, Did<'a>> = HashMap::new();
    for visit in visits {
        *contacts.entry(&visit.contact).or_default().entry(&visit.event).or_default() += 1;
    }
    contacts
}

fn offer(customer: &Customer, bought: &Bought, did: &Did<'_>, newest: Timestamp, made_at: Timestamp) -> Option<Offer> {
    let (rule, reason) = looks_but_does_not_buy(bought, did).or_else(|| lapsed_big_spender(bought, newest))?;
    Some(Offer {
        offer_id: format!("{}/{rule}", customer.customer_id),
        customer_id: customer.customer_id.clone(),
        contact: customer.email.clone(),
        orders: bought.orders,
        spent: Cents(bought.cents),
        interest: interest(did).to_owned(),
        reason,
        made_at,
    })
}

fn looks_but_does_not_buy(bought: &Bought, did: &Did<'_>) -> Option<(&'static str, String)> {
    let looks: u32 = LOOKING.iter().filter_map(|event| did.get(event)).sum();
    (looks >= LOOKS_MIN && bought.orders <= ORDERS_FEW_MAX)
        .then(|| ("looks", format!("looked at products {looks} times, bought {}", times(bought.orders))))
}

fn lapsed_big_spender(bought: &Bought, newest: Timestamp) -> Option<(&'static str, String)> {
    let spent = Cents(bought.cents);
    let idle_days = (newest.as_second() - bought.newest.as_second()) / DAY_SECONDS;
    (spent >= BIG_SPENDER_MIN && idle_days >= LAPSED_AFTER_DAYS)
        .then(|| ("lapsed", format!("spent ${spent}, but nothing for {idle_days} days")))
}

fn times(count: u32) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// What was done most; of several done equally often, the first by name.
fn interest<'a>(did: &Did<'a>) -> &'a str {
    let most = did.values().max();
    did.iter().find(|(_, count)| Some(*count) == most).map_or(NO_INTEREST, |(event, _)| *event)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::facts::{Order, PageView};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn book(consent: bool) -> Book {
        let mut book = Book::new(1_000);
        for id in ["c1", "c2"] {
            let customer =
                Customer { customer_id: id.into(), email: format!("hash-of-{id}"), marketing_consent: consent };
            book.note_customer(customer).unwrap();
        }
        book
    }

    fn buy(book: &mut Book, customer: &str, cents: i64, day: i64) {
        let order_id = format!("o{}", book.keys());
        let ordered_at = Timestamp::from_second(day * DAY_SECONDS).unwrap();
        let order = Order { order_id, customer_id: customer.into(), ordered_at, amount: Cents(cents) };
        book.note_order(order).unwrap();
    }

    fn look(book: &mut Book, contact: &str, event: &str, count: u32) {
        for _ in 0..count {
            let view_id = format!("v{}", book.keys());
            let view = PageView { view_id, visitor_email: Some(contact.into()), event: event.into() };
            book.note_page_view(view).unwrap();
        }
    }

    #[test]
    fn who_looks_much_and_buys_little_is_made_an_offer_joined_on_the_hash() {
        let mut book = book(true);
        buy(&mut book, "c1", 2_000, 1);
        look(&mut book, "hash-of-c1", "product_view", 14);
        look(&mut book, "hash-of-c1", "catalog", 3);
        assert!(offers(&book, NOW).is_empty(), "14 looks are not yet many");
        look(&mut book, "hash-of-c1", "add_to_cart", 1);
        let made = offers(&book, NOW);
        let expected = Offer {
            offer_id: "c1/looks".into(),
            customer_id: "c1".into(),
            contact: "hash-of-c1".into(),
            orders: 1,
            spent: Cents(2_000),
            interest: "product_view".into(),
            reason: "looked at products 15 times, bought once".into(),
            made_at: NOW,
        };
        assert_eq!(made, [expected]);
    }

    #[test]
    fn who_looks_much_and_buys_much_is_not() {
        let mut book = book(true);
        look(&mut book, "hash-of-c1", "product_view", 30);
        (0..3).for_each(|day| buy(&mut book, "c1", 100, day));
        assert!(offers(&book, NOW).is_empty());
    }

    #[test]
    fn a_big_spender_who_has_lapsed_is_made_an_offer() {
        let mut book = book(true);
        buy(&mut book, "c1", 50_000, 0);
        buy(&mut book, "c2", 100, 181);
        assert!(offers(&book, NOW).is_empty(), "181 days are not yet half a year");
        buy(&mut book, "c2", 100, 182);
        let made = offers(&book, NOW);
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].reason, "spent $500.00, but nothing for 182 days");
        assert_eq!(made[0].interest, NO_INTEREST);
    }

    #[test]
    fn nobody_is_made_an_offer_without_consent() {
        let mut book = book(false);
        look(&mut book, "hash-of-c1", "product_view", 30);
        assert!(offers(&book, NOW).is_empty());
    }

    #[test]
    fn a_deleted_customer_is_made_none() {
        let mut book = book(true);
        look(&mut book, "hash-of-c1", "product_view", 30);
        assert_eq!(offers(&book, NOW).len(), 1);
        book.forget_customer("c1");
        assert!(offers(&book, NOW).is_empty());
    }
}
