//! What speaks against retiring a version.

use crate::commands::product::kafka_failure;
use crate::failure::Failure;
use crate::readership;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mesh_client::Catalogue;
use mesh_contract::{AppliedProduct, Contract, ProductRef};
use mesh_kafka::Settings;
use mesh_kafka::admin::Admin;

/// What speaks against retiring a version.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ground {
    /// It is too early.
    pub(super) times: Vec<String>,
    /// Somebody relies on it.
    pub(super) readers: Vec<String>,
}

impl Ground {
    pub(super) async fn look(
        kafka: &Settings,
        admin: &Admin,
        catalogue: &Catalogue,
        product: &AppliedProduct,
    ) -> Result<Self, Failure> {
        let contract = &product.contract;
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let others: Vec<&Contract> = catalogue.products().into_iter().map(|other| &other.contract).collect();
        let mut found = dependents(contract, &others);
        found.extend(fed(contract, &others));
        let views: Vec<String> = contract.topics().views.into_iter().map(|(_, topic)| topic).collect();
        let readers = readership::look(kafka, admin, views.iter()).await.map_err(kafka_failure)?;
        found.extend(readers.iter().flat_map(|(view, why)| why.iter().map(move |why| format!("{view}: {why}"))));
        Ok(Self { times: times(contract, today), readers: found })
    }
}

fn times(contract: &Contract, today: Date) -> Vec<String> {
    match &contract.deprecated {
        None => vec!["it was never announced: its contract is not `deprecated`, so nobody was warned".to_owned()],
        Some(deprecated) if !deprecated.is_over(today) => {
            vec![format!("it was promised until {}, and that day is not over", deprecated.until)]
        }
        Some(_) => Vec::new(),
    }
}

/// The products that are derived from this version.
fn dependents(contract: &Contract, all: &[&Contract]) -> Vec<String> {
    let this = contract.product();
    let newest = all.iter().filter(|other| other.product() == this).map(|other| other.version).max();
    let is_this =
        |reference: &ProductRef| reference.product == this && reference.major.or(newest) == Some(contract.version);
    let derived = all.iter().filter(|other| other.dependencies.iter().any(is_this));
    derived.map(|other| format!("{}@{} is derived from it", other.product(), other.version)).collect()
}

/// The versions that this one feeds: with it, nobody would write them any more.
fn fed(contract: &Contract, all: &[&Contract]) -> Vec<String> {
    let is_fed = |other: &&&Contract| other.product() == contract.product() && other.fed_by == Some(contract.version);
    all.iter().filter(is_fed).map(|other| format!("{}@{} is fed by it", other.product(), other.version)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_contract::parse_contract;

    use super::*;

    fn contract(name: &str, version: u32, more: &str) -> Contract {
        let text = format!(
            "unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7\nowner: crm\nname: {name}\nversion: {version}\ndescription: d\n\
             schema: schemas/crm/a.avsc\nrefresh_rate: hour\nhistory: 2 days\nsensitive_columns: []\naccess_group: []\n{more}"
        );
        parse_contract("x.yaml", &text).unwrap().value
    }

    #[test]
    fn a_version_is_retired_after_its_last_day() {
        let today = "2026-06-15".parse().unwrap();
        let until = |day: &str| contract("a", 1, &format!("deprecated: {{ until: {day}, reason: r }}\n"));
        assert_eq!(times(&until("2026-06-14"), today), [""; 0]);
        assert_eq!(times(&until("2026-06-15"), today), ["it was promised until 2026-06-15, and that day is not over"]);
        assert!(times(&contract("a", 1, ""), today)[0].contains("never announced"));
    }

    #[test]
    fn what_feeds_another_version_is_relied_on() {
        let (one, two) = (contract("a", 1, "fed_by: 2\n"), contract("a", 2, ""));
        let other = contract("b", 1, "fed_by: 2\n");
        let all = [&one, &two, &other];
        assert_eq!(fed(&two, &all), ["crm.a@1 is fed by it"]);
        assert_eq!(fed(&one, &all), [""; 0]);
    }

    #[test]
    fn a_dependency_without_a_version_is_on_the_newest() {
        let (one, two) = (contract("a", 1, ""), contract("a", 2, ""));
        let (old, new) = (contract("b", 1, "dependencies: [crm.a@1]\n"), contract("c", 1, "dependencies: [crm.a]\n"));
        let all = [&one, &two, &old, &new];
        assert_eq!(dependents(&one, &all), ["crm.b@1 is derived from it"]);
        assert_eq!(dependents(&two, &all), ["crm.c@1 is derived from it"]);
    }
}
