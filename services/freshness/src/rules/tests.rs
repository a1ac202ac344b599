#![allow(clippy::unwrap_used)]

use mesh_contract::{parse_contract, parse_domain};

use super::*;

fn contract(name: &str, text: &str) -> Contract {
    parse_contract(name, text).unwrap().value
}

#[test]
fn every_product_pages_its_owner() {
    let customers = contract("topics/crm/customers.yaml", include_str!("../../../../topics/crm/customers.yaml"));
    let views = contract("topics/web/page_views.yaml", include_str!("../../../../topics/web/page_views.yaml"));
    let crm = include_str!("../../../../topics/crm/domain.yaml");
    let crm = parse_domain("topics/crm/domain.yaml", crm).unwrap().value;
    insta::assert_snapshot!(prometheus(&[&views, &customers], &[&crm]));
}

#[test]
fn what_people_wrote_is_no_template() {
    assert_eq!(rule::literal("CRM {{ $labels }}"), r#"CRM {{"{{"}} $labels }}"#);
}
