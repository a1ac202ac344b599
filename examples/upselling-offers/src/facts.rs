//! What this domain reads of the others' products, and writes of its own: the fields it needs of each, no more.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Order {
    /// Identifies the order.
    pub order_id: String,
    /// Who bought.
    pub customer_id: String,
    /// When.
    pub ordered_at: jiff::Timestamp,
    /// What it cost.
    pub amount: Cents,
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
    /// What they spent in all.
    pub spent: Cents,
    /// What they did most on the web pages.
    pub interest: String,
    /// Why the offer is made.
    pub reason: String,
    /// When it was made.
    pub made_at: jiff::Timestamp,
}

/// An amount of money, exactly: a decimal of scale 2 in the schemas, `"12.34"` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cents(pub i64);

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl std::str::FromStr for Cents {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected an amount such as 12.34";
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "00"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || fraction.len() != 2 {
            return Err(EXPECTED);
        }
        let cents: i64 = format!("{whole}{fraction}").parse().map_err(|_| EXPECTED)?;
        Ok(Self(if text.starts_with('-') { -cents } else { cents }))
    }
}

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_goes_there_and_back_exactly() {
        for (text, cents) in [("0.00", 0), ("12.34", 1_234), ("-0.05", -5), ("-12.30", -1_230)] {
            assert_eq!(text.parse(), Ok(Cents(cents)));
            assert_eq!(Cents(cents).to_string(), text);
        }
        assert_eq!("7".parse(), Ok(Cents(700)));
        for text in ["", "-", "1.2", "1.234", "a.bc", "--1.00", "1.-2", "99999999999999999999.00"] {
            assert!(text.parse::<Cents>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_the_views_show_is_read() -> Result<(), serde_json::Error> {
        let order =
            r#"{"order_id":"O1","customer_id":"C1","ordered_at":"1970-01-01T00:00:01Z","quantity":1,"amount":"11.77"}"#;
        let order: Order = serde_json::from_str(order)?;
        assert_eq!((order.ordered_at.as_millisecond(), order.amount), (1_000, Cents(1_177)));
        let view: PageView = serde_json::from_str(r#"{"view_id":"V1","visitor_email":null,"event":"home"}"#)?;
        assert_eq!(view.visitor_email, None);
        Ok(())
    }
}
