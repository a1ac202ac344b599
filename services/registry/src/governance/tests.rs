#![allow(clippy::unwrap_used)]
use super::*;

const CONTRACT: &str = "
unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7
owner: crm
name: customers
version: 1
description: Customers.
schema: schemas/crm/customer.avsc
key: customer_id
compatibility: backward
refresh_rate: hour
history: latest
storage: stream
sensitive_columns: [email]
views: { support: { clear: [email] } }
access_group: { group: support, view: support }
dependencies: []
";

/// A product `crm.customers` whose contract lists `email`.
pub(crate) fn customers() -> AppliedProduct {
    let contract = mesh_contract::parse_contract("topics/crm/customers.yaml", CONTRACT).unwrap().value;
    AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: serde_json::json!("string") }
}

#[test]
fn the_subjects_of_every_port_are_governed_and_no_others() {
    let governance = Governance::by(&[customers()]);
    let of = |subject: &str| governance.of_subject(&Subject::of_log(subject));
    for subject in ["crm.customers.v1.in-value", "crm.customers.v1.in-key", ":.:crm.customers.v1-value"] {
        assert!(of(subject).is_some(), "{subject}");
    }
    assert!(of("crm.customers.v1.support-key").is_some());
    for subject in ["crm.customers.v2.in-value", "crm.customers-value", ":.staging:crm.customers.v1.in-value", "x"] {
        assert!(of(subject).is_none(), "{subject}");
    }
    assert!(of("crm.customers.v1.in-value").unwrap().meaning.is_some());
    assert!(of("crm.customers.v1-value").unwrap().meaning.is_none());
}

#[test]
fn neither_contract_nor_subject_takes_from_the_other() {
    let governance = Governance::by(&[customers()]);
    let governed = governance.of_subject(&Subject::of_log("crm.customers.v1.in-value")).unwrap();
    let together = [
        (None, Compatibility::Backward),
        (Some(Compatibility::None), Compatibility::Backward),
        (Some(Compatibility::Forward), Compatibility::Full),
        (Some(Compatibility::BackwardTransitive), Compatibility::BackwardTransitive),
        (Some(Compatibility::ForwardTransitive), Compatibility::FullTransitive),
    ];
    for (own, expected) in together {
        assert_eq!(governed.level_with(own), expected, "{own:?}");
    }
}
