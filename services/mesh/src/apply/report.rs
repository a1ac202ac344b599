//! What an apply did, for people and for machines.

use super::rights::RightsChange;
use serde::Serialize;
use std::fmt::{self, Write};

/// What an apply did.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Applied {
    /// Topics, the control topics first.
    pub(super) topics: Vec<TopicChange>,
    /// Subjects.
    pub(super) schemas: Vec<SchemaChange>,
    /// Domains.
    pub(super) domains: Vec<DomainChange>,
    /// Products.
    pub(super) products: Vec<ProductChange>,
    /// Who may do what at Kafka; none where nobody is asked who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rights: Option<RightsChange>,
}

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Change {
    Created,
    Registered,
    Published,
    Unchanged,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct TopicChange {
    pub(super) topic: String,
    pub(super) change: Change,
    /// Settings that are not what the contract says, and were left as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differs: Vec<Difference>,
}

/// A setting that is not what the contract says.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) setting: String,
    pub(super) is: String,
    pub(super) wanted: String,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct SchemaChange {
    pub(super) subject: String,
    pub(super) id: u32,
    pub(super) change: Change,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct DomainChange {
    pub(super) domain: String,
    pub(super) change: Change,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct ProductChange {
    pub(super) product: String,
    pub(super) major: u32,
    pub(super) revision: u64,
    pub(super) change: Change,
}

impl Applied {
    /// The products of the tree, changed or not.
    pub fn product_names(&self) -> Vec<String> {
        self.products.iter().map(|product| product.product.clone()).collect()
    }

    /// One line for each thing that was changed or differs, and one for the whole.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
        text + &self.summary()
    }

    fn lines(&self) -> Vec<String> {
        let topics = self.topics.iter().flat_map(TopicChange::lines);
        let line = |change: Change, what: String| (change != Change::Unchanged).then(|| format!("{change:<10} {what}"));
        let schemas = self.schemas.iter();
        let schemas =
            schemas.filter_map(|schema| line(schema.change, format!("schema {} (id {})", schema.subject, schema.id)));
        let domains = self.domains.iter().filter_map(|domain| line(domain.change, format!("domain {}", domain.domain)));
        let products = self.products.iter().filter_map(|product| {
            let ProductChange { product, major, revision, change } = product;
            line(*change, format!("product {product} v{major}, revision {revision}"))
        });
        let rights = self.rights.iter().flat_map(RightsChange::lines);
        rights.chain(topics).chain(schemas).chain(domains).chain(products).collect()
    }

    fn summary(&self) -> String {
        let changes = self.topics.iter().map(|topic| topic.change);
        let changes = changes.chain(self.schemas.iter().map(|schema| schema.change));
        let changes = changes.chain(self.domains.iter().map(|domain| domain.change));
        let changes: Vec<Change> = changes.chain(self.products.iter().map(|product| product.change)).collect();
        let unchanged = changes.iter().filter(|change| **change == Change::Unchanged).count();
        let differs = self.topics.iter().any(|topic| !topic.differs.is_empty());
        let rights = self.rights.as_ref().map_or(0, RightsChange::count);
        match changes.len() - unchanged + rights {
            0 if differs => format!("nothing was changed ({unchanged} things looked at)"),
            0 => format!("nothing to change: the cluster is what the contracts say ({unchanged} things looked at)"),
            changed => format!("{changed} changed, {unchanged} as they were"),
        }
    }
}

impl TopicChange {
    fn lines(&self) -> Vec<String> {
        let created = (self.change != Change::Unchanged).then(|| format!("{:<10} topic {}", self.change, self.topic));
        let differs = self.differs.iter().map(|Difference { setting, is, wanted }| {
            format!("differs    topic {}: {setting} is {is}, the contract says {wanted}; left as it is", self.topic)
        });
        created.into_iter().chain(differs).collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Registered => "registered",
            Self::Published => "published",
            Self::Unchanged => "unchanged",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn applied(change: [Change; 4]) -> Applied {
        let [topic, schema, domain, product] = change;
        let differs = vec![Difference {
            setting: "retention.ms".to_owned(),
            is: "604800000".to_owned(),
            wanted: "63072000000".to_owned(),
        }];
        Applied {
            topics: vec![TopicChange { topic: "crm.orders.v1".to_owned(), change: topic, differs }],
            schemas: vec![SchemaChange { subject: "crm.orders.v1-value".to_owned(), id: 4, change: schema }],
            domains: vec![DomainChange { domain: "crm".to_owned(), change: domain }],
            products: vec![ProductChange { product: "crm.orders".to_owned(), major: 1, revision: 3, change: product }],
            rights: None,
        }
    }

    #[test]
    fn people_see_what_changed_and_what_differs() {
        let all = applied([Change::Created, Change::Registered, Change::Published, Change::Published]);
        insta::assert_snapshot!(all.text(), @r"
        created    topic crm.orders.v1
        differs    topic crm.orders.v1: retention.ms is 604800000, the contract says 63072000000; left as it is
        registered schema crm.orders.v1-value (id 4)
        published  domain crm
        published  product crm.orders v1, revision 3
        4 changed, 0 as they were
        ");
        insta::assert_snapshot!(applied([Change::Unchanged; 4]).text(), @r"
        differs    topic crm.orders.v1: retention.ms is 604800000, the contract says 63072000000; left as it is
        nothing was changed (4 things looked at)
        ");
    }

    #[test]
    fn machines_see_everything() {
        let all = applied([Change::Unchanged, Change::Registered, Change::Unchanged, Change::Published]);
        let expected = serde_json::json!({
            "topics": [{
                "topic": "crm.orders.v1",
                "change": "unchanged",
                "differs": [{ "setting": "retention.ms", "is": "604800000", "wanted": "63072000000" }],
            }],
            "schemas": [{ "subject": "crm.orders.v1-value", "id": 4, "change": "registered" }],
            "domains": [{ "domain": "crm", "change": "unchanged" }],
            "products": [{ "product": "crm.orders", "major": 1, "revision": 3, "change": "published" }],
        });
        assert_eq!(serde_json::to_value(&all).unwrap(), expected);
    }
}
