//! The names of topics and subjects. No other crate spells one.

use crate::contract::Contract;
use crate::product::{Product, ProductRef};
use crate::view::MASKED_VIEW;

/// Contracts and domains as applied; compacted.
pub const PRODUCTS_TOPIC: &str = "mesh.products";
/// Producers' "alive, nothing new"; compacted.
pub const HEARTBEATS_TOPIC: &str = "mesh.heartbeats";
/// OpenLineage events, JSON.
pub const LINEAGE_TOPIC: &str = "mesh.lineage";
/// Each product's SLA state; compacted.
pub const FRESHNESS_TOPIC: &str = "mesh.freshness";
/// Who was given or refused what.
pub const AUDIT_TOPIC: &str = "mesh.audit";
/// The registry's log, in Confluent's format; compacted.
pub const SCHEMAS_TOPIC: &str = "_schemas";

/// No domain, product or view may be called so: their topics would be taken for others.
pub const RESERVED_NAMES: [&str; 3] = ["in", "quarantine", MASKED_VIEW];
/// No domain may be called so: its topics are the backbone's own.
pub const RESERVED_DOMAIN: &str = "mesh";

/// One product version's topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// The private topic that the domain's producers write.
    pub input: String,
    /// Each view's name and its output port, `masked` first.
    pub views: Vec<(String, String)>,
    /// What could not be let through.
    pub quarantine: String,
}

impl Topics {
    pub(crate) fn of(contract: &Contract) -> Topics {
        let (product, major) = (contract.product(), contract.version);
        let views = contract.view_names().into_iter().map(|view| {
            let topic = output_topic(&product, major, &view);
            (view, topic)
        });
        Topics {
            input: input_topic(&product, major),
            views: views.collect(),
            quarantine: quarantine_topic(&product, major),
        }
    }

    /// The output port of `view`.
    pub fn view(&self, view: &str) -> Option<&str> {
        self.views.iter().find(|(name, _)| name == view).map(|(_, topic)| topic.as_str())
    }

    /// All of them: input port, output ports, quarantine.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let outputs = self.views.iter().map(|(_, topic)| topic.as_str());
        std::iter::once(self.input.as_str()).chain(outputs).chain(std::iter::once(self.quarantine.as_str()))
    }
}

/// `<domain>.<product>.v<major>.in`
pub fn input_topic(product: &Product, major: u32) -> String {
    format!("{product}.v{major}.in")
}

/// The product whose input port is called so, and its major version; none if no input port is.
pub fn of_input_topic(topic: &str) -> Option<(Product, u32)> {
    let (product, major) = topic.strip_suffix(".in")?.rsplit_once(".v")?;
    let named: ProductRef = format!("{product}@{major}").parse().ok()?;
    Some((named.product, named.major?))
}

/// `<domain>.<product>.v<major>` for the masked view, `<domain>.<product>.v<major>.<view>` for another.
pub fn output_topic(product: &Product, major: u32, view: &str) -> String {
    match view {
        MASKED_VIEW => format!("{product}.v{major}"),
        view => format!("{product}.v{major}.{view}"),
    }
}

/// `<domain>.<product>.v<major>.quarantine`
pub fn quarantine_topic(product: &Product, major: u32) -> String {
    format!("{product}.v{major}.quarantine")
}

/// The consumer group of a domain's masking sidecars; their transactional ids begin with it.
pub fn masking_group(domain: &str) -> String {
    format!("{RESERVED_DOMAIN}.masking.{domain}")
}

/// The consumer group of what feeds a domain's versions from others; its transactional ids begin with it.
pub fn feed_group(domain: &str) -> String {
    format!("{RESERVED_DOMAIN}.feed.{domain}")
}

/// The subject of a topic's values.
pub fn value_subject(topic: &str) -> String {
    format!("{topic}-value")
}

/// The subject of a topic's keys.
pub fn key_subject(topic: &str) -> String {
    format!("{topic}-key")
}

/// What Kafka compares topic names by: its metrics write `.` as `_`, so names that differ only so collide.
pub(crate) fn collision_form(topic: &str) -> String {
    topic.replace('.', "_")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_input_port_is_known_by_its_name() {
        let (product, major) = of_input_topic("crm.orders.v12.in").unwrap();
        assert_eq!((input_topic(&product, major).as_str(), major), ("crm.orders.v12.in", 12));
        for other in
            ["orders", "crm.orders.v1", "crm.orders.v0.in", "crm.orders.v01.in", "crm.v1.in", "a.b.c.v1.in", ".v1.in"]
        {
            assert_eq!(of_input_topic(other), None, "{other}");
        }
    }
}
