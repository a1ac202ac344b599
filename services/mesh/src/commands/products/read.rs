//! What has been applied, from `mesh.products`.

use crate::failure::Failure;
use mesh_contract::topic::PRODUCTS_TOPIC;
use mesh_contract::{AppliedProduct, Domain};
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record, Settings};
use std::collections::BTreeMap;

/// What the key of a domain begins with; any other key is a product's.
const DOMAIN: &str = "domain/";

/// The products and domains that are in force.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) products: Vec<AppliedProduct>,
    pub(super) domains: Vec<Domain>,
}

/// Reads the topic to its end. One that does not exist is empty.
pub(super) async fn catalogue(kafka: &Settings) -> Result<Catalogue, Failure> {
    let mut values = BTreeMap::new();
    let outcome = match LogReader::open(kafka, PRODUCTS_TOPIC).await {
        Ok(mut log) => log.read_to_end(|record| keep(&mut values, record)).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => of_values(&values),
        Err(error) if error.kind() == ErrorKind::UnknownTopic => Ok(Catalogue::default()),
        Err(error) if error.kind() == ErrorKind::Unreachable => Err(unreadable(Failure::unreachable, error)),
        Err(error) if error.kind() == ErrorKind::Unauthorised => Err(unreadable(Failure::usage, error)),
        Err(error) => Err(unreadable(Failure::internal, error)),
    }
}

fn unreadable(failure: impl FnOnce(String) -> Failure, error: mesh_kafka::Error) -> Failure {
    failure(format!("cannot read {PRODUCTS_TOPIC}")).because(error)
}

/// The newest value of each key; superseded revisions are not in force.
fn keep(values: &mut BTreeMap<String, Vec<u8>>, record: Record) {
    let Some(key) = record.key.and_then(|key| String::from_utf8(key.to_vec()).ok()) else { return };
    if key.split('/').count() != 2 {
        return;
    }
    match record.value {
        Some(value) => drop(values.insert(key, value.to_vec())),
        None => drop(values.remove(&key)),
    }
}

fn of_values(values: &BTreeMap<String, Vec<u8>>) -> Result<Catalogue, Failure> {
    let mut catalogue = Catalogue::default();
    for (key, value) in values {
        let parsed = if key.starts_with(DOMAIN) {
            serde_json::from_slice(value).map(|domain| catalogue.domains.push(domain))
        } else {
            serde_json::from_slice(value).map(|product| catalogue.products.push(product))
        };
        parsed.map_err(|error| {
            Failure::usage(format!("cannot read {key} on {PRODUCTS_TOPIC}"))
                .because(error)
                .hint("it was applied by another version of mesh: look with that one, or a newer one")
        })?;
    }
    Ok(catalogue)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record(key: &str, value: Option<&str>) -> Record {
        Record {
            topic: PRODUCTS_TOPIC.into(),
            partition: 0,
            offset: 0,
            timestamp_ms: None,
            key: Some(key.as_bytes().to_vec().into()),
            value: value.map(|value| value.as_bytes().to_vec().into()),
            headers: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_in_force_is_kept() {
        let mut values = BTreeMap::new();
        for (key, value) in
            [("id/1", Some("a")), ("id/1/1", Some("b")), ("id/1", Some("c")), ("x/1", Some("d")), ("x/1", None)]
        {
            keep(&mut values, record(key, value));
        }
        assert_eq!(values, [("id/1".to_owned(), b"c".to_vec())].into());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let failure = of_values(&[("domain/crm".to_owned(), b"{\"colour\": 1}".to_vec())].into()).unwrap_err();
        assert!(failure.report().contains("domain/crm") && failure.report().contains("unknown field `colour`"));
    }
}
