#![allow(clippy::unwrap_used)]

use super::*;
use crate::contract::Contract;
use crate::parse_contract;

fn customers() -> Contract {
    parse_contract("topics/crm/customers.yaml", include_str!("../../../../topics/crm/customers.yaml")).unwrap().value
}

fn members() -> Members {
    let member = |group: &str, user: &str| (group.to_owned(), BTreeSet::from([format!("User:{user}")]));
    [member("analysts", "ana"), member("crm-support", "sue"), member("crm-stewards", "stan"), member("others", "otto")]
        .into()
}

fn table(contract: &Contract) -> AclTable {
    product(contract, &["User:crm-service".to_owned()], &members(), &Sidecars::default())
}

fn text(table: &AclTable) -> String {
    table.iter().map(|acl| format!("{acl}\n")).collect()
}

/// What a principal may do with topics of products.
fn on_products(table: &AclTable, user: &str) -> Vec<String> {
    let own = table.iter().filter(|acl| acl.principal == format!("User:{user}"));
    own.filter_map(|acl| match &acl.resource {
        Resource::Topic(topic) if !topic.starts_with("mesh.") => Some(format!("{} {topic}", acl.operation.name())),
        _ => None,
    })
    .collect()
}

#[test]
fn the_backbones_rules() {
    insta::assert_snapshot!(text(&backbone()));
}

#[test]
fn a_products_rules() {
    insta::assert_snapshot!(text(&table(&customers())));
}

#[test]
fn a_group_reads_its_view_and_stewards_the_quarantine() {
    let table = table(&customers());
    assert_eq!(on_products(&table, "ana"), ["Read crm.customers.v1"]);
    assert_eq!(on_products(&table, "sue"), ["Read crm.customers.v1.support"]);
    assert_eq!(on_products(&table, "stan"), ["Read crm.customers.v1.quarantine", "Read crm.customers.v1.stewards"]);
    assert_eq!(on_products(&table, "crm-service"), ["Write crm.customers.v1.in"]);
    assert_eq!(on_products(&table, "otto"), [""; 0]);
}

#[test]
fn nothing_of_another_version_or_a_domain_of_a_similar_name_is_opened() {
    let one = customers();
    let ten = Contract { version: 10, ..one.clone() };
    let neighbour = Contract { owner: "crm2".to_owned(), ..one.clone() };
    let resources = |contract: &Contract| -> BTreeSet<Resource> {
        let own =
            |resource: &Resource| !resource.to_string().contains(" mesh") || resource.to_string().contains("masking");
        let users = members().into_values().flatten().map(|principal| principal.replace("User:", "group "));
        let users: BTreeSet<String> = users.collect();
        let table = table(contract).into_iter().map(|acl| acl.resource);
        table.filter(|resource| own(resource) && !users.contains(&resource.to_string())).collect()
    };
    assert_eq!(resources(&one).intersection(&resources(&neighbour)).count(), 0);
    let shared: Vec<String> = resources(&one).intersection(&resources(&ten)).map(ToString::to_string).collect();
    assert_eq!(shared, ["group mesh.masking.crm", "transactional id mesh.masking.crm.0.0"], "a domain has one sidecar");
}

#[test]
fn each_replica_and_task_has_its_transactional_id() {
    let sidecars = Sidecars { replicas: vec!["a".to_owned(), "b".to_owned()], tasks: 2 };
    let table = product(&customers(), &[], &Members::new(), &sidecars);
    let ids = table.into_iter().filter_map(|acl| match acl.resource {
        Resource::TransactionalId(id) => Some(id),
        _ => None,
    });
    let wanted = ["a.0", "a.1", "b.0", "b.1"].map(|part| format!("mesh.masking.crm.{part}"));
    assert_eq!(ids.collect::<Vec<_>>(), wanted);
}

#[test]
fn a_member_named_like_a_part_of_the_backbone_gets_no_group_of_it() {
    let members = [("analysts".to_owned(), BTreeSet::from(["User:mesh.masking.crm".to_owned()]))].into();
    let table = product(&customers(), &[], &members, &Sidecars::default());
    let group = Resource::Group("mesh.masking.crm".to_owned());
    assert!(!table.iter().any(|acl| acl.principal == "User:mesh.masking.crm" && acl.resource == group));
}

#[test]
fn a_fed_version_is_written_by_what_feeds_it_alone() {
    let plain = customers();
    let fed = Contract { fed_by: Some(2), ..plain.clone() };
    let table = table(&fed);
    let feed = ["Read crm.customers.v2.in", "DescribeConfigs crm.customers.v1.in", "Write crm.customers.v1.in"];
    let sealed = ["DescribeConfigs crm.customers.v1.quarantine", "Write crm.customers.v1.quarantine"];
    let mut own = on_products(&table, "mesh-feed-crm");
    own.sort();
    let mut expected = [&feed[..], &sealed].concat();
    expected.sort_unstable();
    assert_eq!(own, expected);
    assert_eq!(on_products(&table, "crm-service"), [""; 0]);
    let all = text(&table);
    assert!(all.contains("User:mesh-feed-crm may Read group mesh.feed.crm\n"), "{all}");
    assert!(all.contains("User:mesh-feed-crm may Write transactional id mesh.feed.crm.0.0\n"), "{all}");
    let of_others = |table: &AclTable| -> AclTable {
        table
            .iter()
            .filter(|acl| !acl.principal.contains("feed") && !acl.principal.contains("service"))
            .cloned()
            .collect()
    };
    assert_eq!(of_others(&table), of_others(&super::product(&plain, &[], &members(), &Sidecars::default())));
}
