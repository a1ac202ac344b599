//! Which topics are imported, and which products they become. Pure.

use mesh_contract::topic::{RESERVED_DOMAIN, RESERVED_NAMES, of_input_topic};
use mesh_contract::{AppliedProduct, Product, value_subject};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How Kafka Streams calls topics of its own.
const STREAMS: [&str; 2] = ["-changelog", "-repartition"];

/// The names of the files beside contracts.
const FILE_NAMES: [&str; 2] = ["domain", "waivers"];

/// A topic that is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    pub(super) topic: String,
    pub(super) why: String,
}

/// What a topic becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) product: Product,
    pub(super) major: u32,
    /// Whether the topic is called as the product's input port is.
    pub(super) is_port: bool,
}

/// What is there.
#[derive(Debug, Default)]
pub(super) struct There {
    pub(super) topics: BTreeSet<String>,
    pub(super) subjects: BTreeSet<String>,
    /// The topics of products that are published, with the products.
    pub(super) ports: BTreeMap<String, String>,
}

impl There {
    /// The topics of published products.
    pub(super) fn ports<'a>(products: impl IntoIterator<Item = &'a AppliedProduct>) -> BTreeMap<String, String> {
        let mut ports = BTreeMap::new();
        for applied in products {
            let name = format!("{}@{}", applied.contract.product(), applied.contract.version);
            ports.extend(applied.contract.topics().all().map(|topic| (topic.to_owned(), name.clone())));
        }
        ports
    }

    /// Why a topic is none that could be imported.
    pub(super) fn refusal(&self, topic: &str) -> Option<String> {
        if !self.topics.contains(topic) {
            return Some("there is no such topic, or it may not be seen".to_owned());
        }
        if topic.starts_with('_') {
            return Some("it is Kafka's, the registry's or another tool's own".to_owned());
        }
        if topic.split('.').next() == Some(RESERVED_DOMAIN) {
            return Some("it is the backbone's own".to_owned());
        }
        if let Some(product) = self.ports.get(topic) {
            return Some(format!(
                "it is a port of {product}, which is published: `mesh import --published` writes its contract"
            ));
        }
        let subject = value_subject(topic);
        if !self.subjects.contains(&subject) {
            return Some(format!("the registry has no subject {subject}, so that nobody knows what is in it"));
        }
        None
    }

    /// All that can be imported, of those whose names match, and those that cannot.
    pub(super) fn all(&self, pattern: Option<&str>) -> (Vec<String>, Vec<LeftOut>) {
        let (mut taken, mut left_out) = (Vec::new(), Vec::new());
        for topic in self.topics.iter().filter(|topic| pattern.is_none_or(|pattern| matches(pattern, topic))) {
            let streams = STREAMS.into_iter().find(|end| topic.ends_with(end));
            let streams = streams
                .map(|_| "it is called as Kafka Streams calls topics of its own: name it if it is none".to_owned());
            match self.refusal(topic).or(streams) {
                None => taken.push(topic.clone()),
                Some(why) => left_out.push(LeftOut { topic: topic.clone(), why }),
            }
        }
        (taken, left_out)
    }
}

/// What a topic becomes in a domain, or by its own name; the reason why it becomes nothing.
pub(super) fn target(topic: &str, domain: Option<&str>, name: Option<&str>) -> Result<Target, String> {
    if let Some((product, major)) = of_input_topic(topic) {
        let agrees =
            domain.is_none_or(|domain| domain == product.domain) && name.is_none_or(|name| name == product.name);
        if agrees {
            return Ok(Target { product, major, is_port: true });
        }
    }
    let domain = domain.ok_or("its name tells no domain: give --domain")?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => product_name(topic, domain),
    };
    if RESERVED_NAMES.contains(&name.as_str()) || FILE_NAMES.contains(&name.as_str()) || domain == RESERVED_DOMAIN {
        return Err(format!("{domain}.{name} is kept for the backbone's own use: give another --product or --domain"));
    }
    let product = format!("{domain}.{name}").parse::<Product>().map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        format!("{why}: give --product, and a --domain of that form")
    })?;
    Ok(Target { product, major: 1, is_port: false })
}

/// `crm.OrderLines` is `order_lines` in the domain crm.
fn product_name(topic: &str, domain: &str) -> String {
    let own =
        topic.strip_prefix(domain).and_then(|rest| rest.strip_prefix(['.', '-', '_'])).filter(|own| !own.is_empty());
    let mut name = String::new();
    for letter in own.unwrap_or(topic).chars() {
        if letter.is_ascii_uppercase()
            && name.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
        {
            name.push('_');
        }
        name.push(if letter == '.' { '_' } else { letter.to_ascii_lowercase() });
    }
    name
}

/// Whether a name is as a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(head) else { return false };
    let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    ends.any(|at| matches(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn there() -> There {
        let topics = [
            "__consumer_offsets",
            "_schemas",
            "mesh.products",
            "crm.customers.v1",
            "orders",
            "orders-store-changelog",
            "plain",
            "crm.visits",
        ];
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        There {
            topics: named(&topics),
            subjects: topics.iter().filter(|topic| **topic != "plain").map(|topic| value_subject(topic)).collect(),
            ports: [("crm.customers.v1".to_owned(), "crm.customers@1".to_owned())].into(),
        }
    }

    #[test]
    fn what_is_somebody_elses_is_left_out_and_said() {
        let (taken, left_out) = there().all(None);
        assert_eq!(taken, ["crm.visits", "orders"]);
        let lines: Vec<String> = left_out.iter().map(|left| format!("{}: {}", left.topic, left.why)).collect();
        insta::assert_snapshot!(lines.join("\n"));
        assert_eq!(there().all(Some("crm.*")).0, ["crm.visits"]);
        assert!(there().refusal("order").is_some());
    }

    #[test]
    fn a_topics_name_becomes_a_products() {
        let name =
            |topic: &str| target(topic, Some("crm"), None).map(|target| (target.product.to_string(), target.is_port));
        assert_eq!(name("orders").unwrap(), ("crm.orders".to_owned(), false));
        assert_eq!(name("crm.OrderLines").unwrap().0, "crm.order_lines");
        assert_eq!(name("shop.orders-v2").unwrap().0, "crm.shop_orders-v2");
        assert_eq!(name("crm").unwrap().0, "crm.crm");
        assert!(name("2024.orders").unwrap_err().contains("give --product"));
        assert_eq!(target("2024.orders", Some("crm"), Some("orders")).unwrap().product.name, "orders");
    }

    #[test]
    fn a_topic_that_is_called_as_a_port_needs_no_domain() {
        let port = target("crm.orders.v2.in", None, None).unwrap();
        assert_eq!((port.product.to_string().as_str(), port.major, port.is_port), ("crm.orders", 2, true));
        let elsewhere = target("crm.orders.v2.in", Some("shop"), Some("orders")).unwrap();
        assert_eq!((elsewhere.product.to_string().as_str(), elsewhere.is_port), ("shop.orders", false));
        assert!(target("orders", None, None).unwrap_err().contains("--domain"));
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, is_so) in [
            ("orders", "orders", true),
            ("orders", "orders2", false),
            ("or*", "orders", true),
            ("*", "", true),
            ("*ers", "orders", true),
            ("o*d*s", "orders", true),
            ("o*x*s", "orders", false),
            ("*s*", "orders", true),
            ("o*r", "orders", false),
        ] {
            assert_eq!(matches(pattern, name), is_so, "{pattern} {name}");
        }
    }
}
