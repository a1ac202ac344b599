//! The address of a data product.

use std::fmt;
use std::str::FromStr;

use crate::name::{self, NameError};
use crate::text::serde_as_text;

/// A data product's address: `crm.customers`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Product {
    /// The owning domain.
    pub domain: String,
    /// The product's name within it.
    pub name: String,
}

/// A product, of a given major version or of whichever is current: `crm.orders@2`, `web.page_views`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductRef {
    /// The product.
    pub product: Product,
    /// The major version; the newest if none.
    pub major: Option<u32>,
}

/// What is wrong with a product's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProductError {
    /// Not of the form `<domain>.<product>`.
    #[error("{text:?} is not a product: write `<domain>.<product>`, such as `crm.customers`")]
    Form {
        /// What was given.
        text: String,
    },
    /// One of its parts is not a name.
    #[error("{text:?} is not a product")]
    Name {
        /// What was given.
        text: String,
        /// Which part, and why.
        #[source]
        source: NameError,
    },
    /// The version is not a whole number from 1.
    #[error("{text:?} does not name a major version: write a whole number from 1 after the `@`")]
    Major {
        /// What was given.
        text: String,
    },
}

impl FromStr for Product {
    type Err = ProductError;

    fn from_str(text: &str) -> Result<Product, ProductError> {
        let shown = || text.chars().take(160).collect::<String>();
        let (domain, name) = text.split_once('.').ok_or_else(|| ProductError::Form { text: shown() })?;
        for part in [domain, name] {
            name::check(part).map_err(|source| ProductError::Name { text: shown(), source })?;
        }
        Ok(Product { domain: domain.to_owned(), name: name.to_owned() })
    }
}

impl FromStr for ProductRef {
    type Err = ProductError;

    fn from_str(text: &str) -> Result<ProductRef, ProductError> {
        let Some((product, major)) = text.split_once('@') else {
            return Ok(ProductRef { product: text.parse()?, major: None });
        };
        let digits = !major.is_empty() && !major.starts_with('0') && major.bytes().all(|b| b.is_ascii_digit());
        let major = major.parse().ok().filter(|_| digits);
        let major = major.ok_or_else(|| ProductError::Major { text: text.chars().take(160).collect() })?;
        Ok(ProductRef { product: product.parse()?, major: Some(major) })
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.domain, self.name)
    }
}

impl fmt::Display for ProductRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.major {
            Some(major) => write!(f, "{}@{major}", self.product),
            None => write!(f, "{}", self.product),
        }
    }
}

serde_as_text!(Product);
serde_as_text!(ProductRef);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_read_and_print_alike() {
        for text in ["crm.customers", "web.page_views", "crm.orders@2"] {
            assert_eq!(text.parse::<ProductRef>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "crm",
            "crm.",
            ".x",
            "Crm.x",
            "crm.a.b",
            "crm.x@",
            "crm.x@0",
            "crm.x@02",
            "crm.x@+1",
            "crm.x@9999999999",
        ] {
            assert!(text.parse::<ProductRef>().is_err(), "{text}");
        }
    }
}
