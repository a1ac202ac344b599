//! What this domain reads of the others' products: the fields it needs of each masked view, no more.

use serde::{Deserialize, Serialize};

/// One customer, as the masked view of `crm.customers` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Customer {
    /// Identifies the customer.
    pub customer_id: String,
    /// The hashed e-mail address.
    pub email: String,
    /// Whether they agreed to be sent offers.
    pub marketing_consent: bool,
}

/// One purchase, as the masked view of `crm.orders` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Identifies the order.
    pub order_id: String,
    /// Who bought.
    pub customer_id: String,
    /// When, in milliseconds since 1970.
    pub ordered_at: i64,
    /// What it cost, in cents.
    pub cents: i64,
}

/// One page view, as the masked view of `web.page_views` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PageView {
    /// Identifies the page view.
    pub view_id: String,
    /// The visitor's hashed e-mail address, where they were signed in.
    pub visitor_email: Option<String>,
    /// What happened.
    pub event: String,
}

/// One offer, in the words of this domain's own product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// Identifies the offer: the same customer and rule give the same offer, so that a second run replaces the first's.
    pub offer_id: String,
    /// Who it is for.
    pub customer_id: String,
    /// Their hashed e-mail address.
    pub contact: String,
    /// How often they bought.
    pub orders: u32,
    /// What they spent in all, in cents.
    pub cents: i64,
    /// What they did most on the web pages.
    pub interest: String,
    /// Why the offer is made.
    pub reason: String,
    /// When it was made, in milliseconds since 1970.
    pub made_at: i64,
}
