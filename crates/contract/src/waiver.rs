//! A deliberate break: what a domain lets pass for a while, and who answers for it.

use jiff::civil::Date;

use crate::column::ColumnPath;
use crate::product::ProductRef;

/// Lets the findings of one rule on one product pass, as warnings, until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The rule's id.
    pub rule: String,
    /// The product; every major version if none is named.
    pub product: ProductRef,
    /// The column that the findings are about; any if none.
    pub column: Option<ColumnPath>,
    /// Why it has to be.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day that it holds on.
    pub expires: Date,
}

impl Waiver {
    /// Whether it holds no more on a day.
    pub fn expired(&self, today: Date) -> bool {
        self.expires < today
    }

    /// Whether it is for findings of this rule on this product's major version, about this column.
    pub fn covers(&self, rule: &str, product: &ProductRef, column: &str) -> bool {
        self.rule == rule
            && self.product.product == product.product
            && (self.product.major.is_none() || self.product.major == product.major)
            && self.column.as_ref().is_none_or(|wanted| wanted.to_string() == column)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn waiver(product: &str, column: Option<&str>) -> Waiver {
        Waiver {
            rule: "type-mismatch".to_owned(),
            product: product.parse().unwrap(),
            column: column.map(|column| column.parse().unwrap()),
            reason: "because".to_owned(),
            owner: "ada@example.org".to_owned(),
            expires: "2026-12-31".parse().unwrap(),
        }
    }

    #[test]
    fn it_holds_through_its_last_day() {
        let waiver = waiver("crm.orders", None);
        assert!(!waiver.expired("2026-12-31".parse().unwrap()));
        assert!(waiver.expired("2027-01-01".parse().unwrap()));
    }

    #[test]
    fn it_covers_what_it_names_and_no_more() {
        let covers =
            |waiver: &Waiver, rule, product: &str, column| waiver.covers(rule, &product.parse().unwrap(), column);
        let any = waiver("crm.orders", None);
        assert!(covers(&any, "type-mismatch", "crm.orders@2", "quantity"));
        assert!(!covers(&any, "name-mismatch", "crm.orders@2", "quantity"));
        assert!(!covers(&any, "type-mismatch", "crm.customers@2", "quantity"));
        let narrow = waiver("crm.orders@1", Some("quantity"));
        assert!(covers(&narrow, "type-mismatch", "crm.orders@1", "quantity"));
        assert!(!covers(&narrow, "type-mismatch", "crm.orders@2", "quantity"));
        assert!(!covers(&narrow, "type-mismatch", "crm.orders@1", "amount"));
    }
}
