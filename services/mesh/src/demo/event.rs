//! The change events of the source-oriented products, as their domains' own code would write them.

use serde::{Serialize, Serializer};

/// A change event: which product it belongs to, its key, its time.
pub trait ChangeEvent: Serialize {
    /// The product's name.
    const PRODUCT: &'static str;
    /// The key.
    fn key(&self) -> &str;
    /// The event time, in milliseconds since 1970.
    fn at_ms(&self) -> i64;
}

/// `crm.customers`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    pub customer_id: String,
    pub full_name: String,
    pub email: String,
    pub phone: Option<String>,
    pub birth_date: i32,
    pub address: Address,
    pub contacts: Vec<Contact>,
    pub segment: Segment,
    pub marketing_consent: bool,
    pub registered_at: i64,
    pub updated_at: i64,
}

/// Where a customer lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Address {
    pub street: String,
    pub city: String,
    pub postcode: String,
    pub country: String,
}

/// Whom else to write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    pub kind: String,
    pub email: String,
}

/// How often a customer bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Segment {
    Unknown,
    OneTime,
    Occasional,
    Regular,
    Loyal,
}

impl Segment {
    /// The segment of somebody with so many orders.
    pub fn of(orders: usize) -> Self {
        match orders {
            0 => Self::Unknown,
            1 => Self::OneTime,
            2..=4 => Self::Occasional,
            5..=11 => Self::Regular,
            _ => Self::Loyal,
        }
    }
}

/// `crm.orders`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    pub order_id: String,
    pub customer_id: String,
    pub ordered_at: i64,
    pub quantity: i32,
    pub amount: Cents,
    pub updated_at: i64,
}

/// `web.page_views`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageView {
    pub view_id: String,
    pub session_id: String,
    pub visitor_email: Option<String>,
    pub event: String,
    pub platform: String,
    pub acquisition_channel: String,
    pub viewed_at: i64,
}

/// A decimal of scale 2: `"12.34"` for people; else the bytes of its two's complement, the most significant first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cents(pub i64);

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(&format_args!("{}.{:02}", self.0 / 100, self.0 % 100));
        }
        serializer.serialize_bytes(shortest(&self.0.to_be_bytes()))
    }
}

/// Without the leading bytes that only repeat the sign.
fn shortest(bytes: &[u8]) -> &[u8] {
    let repeats = |pair: &[u8]| (pair[0] == 0 && pair[1] < 0x80) || (pair[0] == 0xff && pair[1] >= 0x80);
    &bytes[bytes.windows(2).take_while(|pair| repeats(pair)).count()..]
}

impl ChangeEvent for Customer {
    const PRODUCT: &'static str = "crm.customers";
    fn key(&self) -> &str {
        &self.customer_id
    }
    fn at_ms(&self) -> i64 {
        self.updated_at
    }
}

impl ChangeEvent for Order {
    const PRODUCT: &'static str = "crm.orders";
    fn key(&self) -> &str {
        &self.order_id
    }
    fn at_ms(&self) -> i64 {
        self.updated_at
    }
}

impl ChangeEvent for PageView {
    const PRODUCT: &'static str = "web.page_views";
    fn key(&self) -> &str {
        &self.view_id
    }
    fn at_ms(&self) -> i64 {
        self.viewed_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_as_short_as_can_be() {
        for (cents, bytes) in [
            (0, &[0u8][..]),
            (1_177, &[0x04, 0x99]),
            (127, &[0x7f]),
            (128, &[0, 0x80]),
            (-1, &[0xff]),
            (-128, &[0x80]),
            (-129, &[0xff, 0x7f]),
        ] {
            assert_eq!(shortest(&i64::to_be_bytes(cents)), bytes, "{cents}");
        }
    }

    #[test]
    fn a_decimal_is_text_to_people() {
        assert_eq!(serde_json::json!([Cents(0), Cents(1_177), Cents(5)]), serde_json::json!(["0.00", "11.77", "0.05"]));
    }

    #[test]
    fn segments_follow_the_number_of_orders() {
        assert_eq!(
            [0, 1, 2, 5, 12].map(Segment::of),
            [Segment::Unknown, Segment::OneTime, Segment::Occasional, Segment::Regular, Segment::Loyal]
        );
    }
}
