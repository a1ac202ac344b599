//! A part of a report: one product, one group, one principal.

use super::{Finding, PortAccess, ProductAccess, Report};

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// A product, all its versions or one: `crm.customers`, `crm.customers@1`.
    Product(String),
    /// What a group gives.
    Group(String),
    /// What somebody may do: `User:ana`.
    Principal(String),
}

impl Report {
    /// What `text` means here: somebody, a product or a group that the report names; none if it names nothing like that.
    pub fn find(&self, text: &str, groups: &std::collections::BTreeSet<String>) -> Option<Selection> {
        let of_product =
            |product: &&ProductAccess| product.product == text || product.product.split('@').next() == Some(text);
        if self.products.iter().any(|product| of_product(&product)) {
            return Some(Selection::Product(text.to_owned()));
        }
        if groups.contains(text) {
            return Some(Selection::Group(text.to_owned()));
        }
        let principal = if text.contains(':') { text.to_owned() } else { format!("User:{text}") };
        self.names(&principal).then_some(Selection::Principal(principal))
    }

    fn names(&self, principal: &str) -> bool {
        let ports = self.products.iter().flat_map(|product| &product.ports);
        let mut holders = ports.flat_map(|port| &port.holders);
        holders.any(|holder| holder.principal == principal)
            || self.findings.iter().any(|finding| finding.is_of(principal))
    }

    /// The part of the report that is asked about.
    #[must_use]
    pub fn select(mut self, selection: &Selection) -> Self {
        match selection {
            Selection::Product(name) => {
                let is_it = |product: &str| product == name || product.split('@').next() == Some(name);
                self.products.retain(|product| is_it(&product.product));
                let ports = self.products.iter().flat_map(|product| &product.ports);
                let topics: Vec<String> = ports.map(|port| port.topic.clone()).collect();
                self.findings.retain(|finding| finding.topics().iter().any(|topic| topics.contains(topic)));
            }
            Selection::Group(group) => {
                let why = format!("group {group}");
                self.keep_holders(|holder| holder.why.contains(&why));
                let ports: Vec<&PortAccess> = self.products.iter().flat_map(|product| &product.ports).collect();
                let topics: Vec<String> = ports.iter().map(|port| port.topic.clone()).collect();
                self.findings.retain(|finding| finding.topics().iter().any(|topic| topics.contains(topic)));
            }
            Selection::Principal(principal) => {
                self.keep_holders(|holder| holder.principal == *principal || holder.principal == "User:*");
                self.findings.retain(|finding| finding.is_of(principal));
            }
        }
        self
    }

    fn keep_holders(&mut self, keep: impl Fn(&super::Holder) -> bool) {
        for product in &mut self.products {
            product.ports.iter_mut().for_each(|port| port.holders.retain(&keep));
            product.ports.retain(|port| !port.holders.is_empty());
        }
        self.products.retain(|product| !product.ports.is_empty());
    }
}

impl Finding {
    fn topics(&self) -> Vec<String> {
        match self {
            Self::Undeclared { topics, .. } => topics.clone(),
            Self::Refused { topic, .. } | Self::Open { topic } => vec![topic.clone()],
            Self::Administrator { .. } => Vec::new(),
        }
    }

    fn is_of(&self, principal: &str) -> bool {
        match self {
            Self::Undeclared { rule, .. } => rule.concerns(principal),
            Self::Refused { principal: of, .. } | Self::Administrator { principal: of } => of == principal,
            Self::Open { .. } => true,
        }
    }
}
