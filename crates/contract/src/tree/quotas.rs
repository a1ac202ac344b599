//! What principals may take: of one principal, all domains say the same.

use std::collections::BTreeMap;

use super::Tree;
use crate::domain::Domain;
use crate::finding::{Finding, Place};
use crate::places::Declared;
use crate::quota::Quota;
use crate::rules;

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let mut domains: Vec<&Declared<Domain>> = tree.domains.iter().collect();
    domains.sort_by_key(|domain| domain.places.file());
    let mut said: BTreeMap<&str, (&Quota, Place)> = BTreeMap::new();
    for domain in domains {
        for (principal, quota) in &domain.value.quotas {
            let place = domain.places.at(&format!("quotas.{principal}"));
            match said.get(principal.as_str()) {
                Some((first, _)) if *first == quota => {}
                Some((_, first)) => {
                    let message = format!("`{principal}` has another quota already: {first}");
                    findings.push(Finding::error(rules::QUOTA_DIFFERS, place, message));
                }
                None => drop(said.insert(principal, (quota, place))),
            }
        }
    }
}
