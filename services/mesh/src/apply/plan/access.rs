//! Access rules: what is missing is granted, and what no contract says any more of a product's topics is taken back.

use super::{Change, Plan};
use crate::apply::observed::Observed;
use crate::apply::scope::Scope;

pub(super) fn plan(plan: &mut Plan, scope: &Scope, observed: &Observed) {
    let (Some(rights), Some(wanted)) = (&observed.rights, &scope.rights) else { return };
    plan.looked_at += wanted.table.len();
    for rule in wanted.stale(&rights.table) {
        plan.change(Change::Revoke { rule });
    }
    for rule in wanted.table.difference(&rights.table) {
        plan.change(Change::Grant { rule: rule.clone() });
    }
    plan.left.extend(rights.others.iter().map(|rule| format!("rule {rule}: it is not of the mesh's form")));
}
