//! How jobs and Kafka data sets are called, as the specification's naming rules say.

use std::fmt;
use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

/// The namespace of the backbone's jobs.
pub const JOB_NAMESPACE: &str = "mesh";

/// Kafka's port, where none is named.
const DEFAULT_PORT: &str = "9092";

/// The namespace of a Kafka cluster's topics: `kafka://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KafkaNamespace(String);

impl KafkaNamespace {
    /// From a list of bootstrap servers. The first in alphabetical order names the cluster, so that the order in which
    /// they were listed does not.
    pub fn of(bootstrap_servers: &str) -> Self {
        Self::all_of(bootstrap_servers).into_iter().next().unwrap_or_else(|| Self::of_server("localhost"))
    }

    /// What each of a list of bootstrap servers would call the cluster, in alphabetical order.
    pub fn all_of(bootstrap_servers: &str) -> Vec<Self> {
        let servers = bootstrap_servers.split(',').map(str::trim).filter(|server| !server.is_empty());
        let mut namespaces: Vec<Self> = servers.map(Self::of_server).collect();
        namespaces.sort();
        namespaces.dedup();
        namespaces
    }

    /// What one server, `[protocol://]host[:port]`, would call the cluster.
    pub fn of_server(server: &str) -> Self {
        let address = server.split_once("://").map_or(server, |(_, address)| address).trim_end_matches('/');
        let (host, port) = host_and_port(address);
        Self(format!("kafka://{}:{}", canonical_host(host), port.unwrap_or(DEFAULT_PORT)))
    }

    /// The namespace as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KafkaNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An IPv6 address is full of colons: a port follows its bracket, and one without brackets has none.
fn host_and_port(address: &str) -> (&str, Option<&str>) {
    match address.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => {
            (host, Some(port).filter(|port| !port.is_empty()))
        }
        _ => (address, None),
    }
}

/// Names are spelt in small letters and without the root's dot; IPv6 addresses as RFC 5952 has it, in brackets.
fn canonical_host(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.trim_end_matches('.').to_ascii_lowercase(),
    }
}

/// The record key of a job's run events: they stay in order within their job.
pub fn run_key(namespace: &str, job: &str) -> String {
    format!("run:{namespace}/{job}")
}

/// The masking sidecar's job for a product's major version, whatever the number of its replicas.
pub fn masking_job(product: &str, major: u32) -> String {
    format!("masking.{product}.v{major}")
}

/// The job that feeds a product's major version from another one.
pub fn feeding_job(product: &str, major: u32) -> String {
    format!("feed.{product}.v{major}")
}

/// The job of the program that derives a product from others. A program that reports under this name is the declared
/// one; under another, it is seen beside it.
pub fn derivation_job(product: &str, major: u32) -> String {
    format!("derive.{product}.v{major}")
}

/// The job of a command or a program that publishes a product, unless it is called something else.
pub fn publishing_job(product: &str, major: u32) -> String {
    format!("publish.{product}.v{major}")
}

/// The product and view that a topic carries, by the topics' naming rule; `None` for anybody else's topic.
/// The view is `None` for the input port; the default view is called `masked`.
pub fn product_of_topic(topic: &str) -> Option<TopicOfProduct<'_>> {
    let (domain, rest) = topic.split_once('.')?;
    let (name, rest) = rest.split_once('.')?;
    let (version, suffix) = rest.split_once('.').map_or((rest, None), |(version, suffix)| (version, Some(suffix)));
    let major = version.strip_prefix('v')?.parse().ok()?;
    let well_formed =
        !domain.is_empty() && !name.is_empty() && suffix.is_none_or(|it| !it.is_empty() && !it.contains('.'));
    let port = match suffix {
        None => Port::Output("masked"),
        Some("in") => Port::Input,
        Some("quarantine") => Port::Quarantine,
        Some(view) => Port::Output(view),
    };
    well_formed.then(|| TopicOfProduct { product: &topic[..domain.len() + 1 + name.len()], major, port })
}

/// What a product's topic is to the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicOfProduct<'a> {
    /// `domain.product`.
    pub product: &'a str,
    /// The product's major version.
    pub major: u32,
    /// Which of its topics.
    pub port: Port<'a>,
}

/// Which of a product's topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port<'a> {
    /// What the domain writes.
    Input,
    /// A view, by name.
    Output(&'a str),
    /// What was refused.
    Quarantine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_has_one_name_however_its_brokers_are_listed() {
        let names = ["b:9092,a:9092", "a:9092 , b:9092", "PLAINTEXT://a:9092,b:9092", "A:9092", "a.:9092", "a", "a:"];
        assert_eq!(names.map(|names| KafkaNamespace::of(names).to_string()), ["kafka://a:9092"; 7]);
        assert_eq!(KafkaNamespace::all_of("b:1,a,B:1").len(), 2);
    }

    #[test]
    fn the_port_defaults_to_kafkas() {
        assert_eq!(KafkaNamespace::of("broker").as_str(), "kafka://broker:9092");
        assert_eq!(KafkaNamespace::of("[::1]").as_str(), "kafka://[::1]:9092");
        assert_eq!(KafkaNamespace::of("[::1]:19092").as_str(), "kafka://[::1]:19092");
    }

    #[test]
    fn an_ipv6_address_has_one_spelling() {
        for address in ["2001:DB8::0:1", "[2001:db8:0:0:0:0:0:1]", "[2001:db8::1]:9092", "SSL://[2001:DB8::1]:9092"] {
            assert_eq!(KafkaNamespace::of(address).as_str(), "kafka://[2001:db8::1]:9092", "{address}");
        }
    }

    #[test]
    fn topics_tell_their_product() {
        let of = |topic| product_of_topic(topic).map(|it| (it.product.to_owned(), it.major, format!("{:?}", it.port)));
        let customers = |port: &str| Some(("crm.customers".to_owned(), 1, port.to_owned()));
        assert_eq!(of("crm.customers.v1"), customers("Output(\"masked\")"));
        assert_eq!(of("crm.customers.v1.in"), customers("Input"));
        assert_eq!(of("crm.customers.v1.support"), customers("Output(\"support\")"));
        assert_eq!(of("crm.customers.v1.quarantine"), customers("Quarantine"));
    }

    #[test]
    fn other_topics_tell_nothing() {
        for topic in [
            "",
            "mesh.lineage",
            "crm.customers",
            "crm.customers.1",
            "crm.customers.v1.a.b",
            ".x.v1",
            "crm..v1",
            "a.b.v1.",
        ] {
            assert_eq!(product_of_topic(topic), None, "{topic}");
        }
    }
}
