//! The newest state of every key of the three products, in memory.
//!
//! Change events are upserts and deletes, so the book is a map per product: reading an event twice changes nothing.
//! Memory is bounded by [`Book::new`]'s limit on the number of keys; past it the program stops with an error instead of
//! growing. (A larger mesh would partition the join by customer, or keep the book in a store.)

use crate::facts::{Cents, Customer, Order, PageView};
use std::collections::HashMap;
use std::fmt;

/// More keys than the book may hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Full {
    /// How many keys it may hold.
    pub keys_max: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the products hold more than the {} keys that fit into memory as configured", self.keys_max)
    }
}

impl std::error::Error for Full {}

/// What of an order counts here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purchase {
    pub(crate) customer_id: String,
    pub(crate) ordered_at: jiff::Timestamp,
    pub(crate) amount: Cents,
}

/// What of a page view counts here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) contact: String,
    pub(crate) event: String,
}

/// The newest state of every key.
#[derive(Debug)]
pub struct Book {
    keys_max: usize,
    pub(crate) customers: HashMap<String, Customer>,
    pub(crate) purchases: HashMap<String, Purchase>,
    pub(crate) visits: HashMap<String, Visit>,
}

impl Book {
    /// An empty book of at most `keys_max` keys.
    pub fn new(keys_max: usize) -> Self {
        Self { keys_max, customers: HashMap::new(), purchases: HashMap::new(), visits: HashMap::new() }
    }

    /// How many keys it holds.
    pub fn keys(&self) -> usize {
        self.customers.len() + self.purchases.len() + self.visits.len()
    }

    /// Takes note of a customer.
    ///
    /// # Errors
    /// The book is full.
    pub fn note_customer(&mut self, customer: Customer) -> Result<(), Full> {
        self.customers.insert(customer.customer_id.clone(), customer);
        self.check()
    }

    /// Takes note of an order.
    ///
    /// # Errors
    /// The book is full.
    pub fn note_order(&mut self, order: Order) -> Result<(), Full> {
        let Order { order_id, customer_id, ordered_at, amount } = order;
        self.purchases.insert(order_id, Purchase { customer_id, ordered_at, amount });
        self.check()
    }

    /// Takes note of a page view; one of a visitor who is not signed in says nothing about a customer.
    ///
    /// # Errors
    /// The book is full.
    pub fn note_page_view(&mut self, view: PageView) -> Result<(), Full> {
        match view.visitor_email {
            Some(contact) => self.visits.insert(view.view_id, Visit { contact, event: view.event }),
            None => self.visits.remove(&view.view_id),
        };
        self.check()
    }

    /// Forgets a customer that was deleted.
    pub fn forget_customer(&mut self, customer_id: &str) {
        self.customers.remove(customer_id);
    }

    /// Forgets an order that was deleted.
    pub fn forget_order(&mut self, order_id: &str) {
        self.purchases.remove(order_id);
    }

    /// Forgets a page view that was deleted.
    pub fn forget_page_view(&mut self, view_id: &str) {
        self.visits.remove(view_id);
    }

    fn check(&self) -> Result<(), Full> {
        if self.keys() <= self.keys_max { Ok(()) } else { Err(Full { keys_max: self.keys_max }) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn order(id: &str, cents: i64) -> Order {
        let ordered_at = jiff::Timestamp::UNIX_EPOCH;
        Order { order_id: id.into(), customer_id: "c".into(), ordered_at, amount: Cents(cents) }
    }

    #[test]
    fn an_event_read_twice_changes_nothing() {
        let mut book = Book::new(10);
        book.note_order(order("o", 100)).unwrap();
        book.note_order(order("o", 100)).unwrap();
        assert_eq!(book.keys(), 1);
        book.forget_order("o");
        assert_eq!(book.keys(), 0);
    }

    #[test]
    fn it_stops_at_its_limit_instead_of_growing() {
        let mut book = Book::new(2);
        book.note_order(order("a", 1)).unwrap();
        book.note_order(order("b", 1)).unwrap();
        book.note_order(order("b", 2)).unwrap();
        assert_eq!(book.note_order(order("c", 1)), Err(Full { keys_max: 2 }));
    }

    #[test]
    fn an_anonymous_page_view_is_no_visit() {
        let mut book = Book::new(2);
        let view = PageView { view_id: "v".into(), visitor_email: None, event: "home".into() };
        book.note_page_view(view).unwrap();
        assert_eq!(book.keys(), 0);
    }
}
