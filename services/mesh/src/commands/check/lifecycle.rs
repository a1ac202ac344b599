//! Products that were to be gone by now.

use super::rule::DEPRECATION_OVER;
use crate::tree::WorkingTree;
use jiff::civil::Date;
use mesh_contract::{Contract, Declared, Finding};

/// What is past its last day. A warning: whoever still reads it is served until it is retired.
pub(super) fn over(tree: &WorkingTree, today: Date) -> Vec<Finding> {
    tree.contracts.iter().filter_map(|contract| finding(contract, today)).collect()
}

fn finding(contract: &Declared<Contract>, today: Date) -> Option<Finding> {
    let deprecated = contract.value.deprecated.as_ref().filter(|deprecated| deprecated.is_over(today))?;
    let named = format!("{}@{}", contract.value.product(), contract.value.version);
    let message = format!("`{named}` was to be there until {}", deprecated.until);
    let hint =
        format!("`mesh retire {named}` retires it once nobody reads it; or give its subscribers a later `until`");
    Some(Finding::warning(DEPRECATION_OVER, contract.places.at("deprecated.until"), message).hint(hint))
}
