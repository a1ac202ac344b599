//! Access rules: what is missing is granted, what no contract says any more of the mesh's own is taken back, and a rule of another
//! form that gives or refuses more than contracts say is a difference that is not the mesh's to mend.

use super::{Change, Plan, Remains};
use crate::apply::observed::Observed;
use crate::apply::rights::Wanted;
use crate::apply::scope::Scope;
use mesh_contract::acl::{Acl, Resource, TopicRule};

/// So many topics or people are named in a line.
const NAMED: usize = 3;
/// Why apply leaves such a rule.
const FOREIGN: &str = "it is not of the mesh's form: take it back, or accept it with --accept-rules-of";

pub(super) fn plan(plan: &mut Plan, scope: &Scope, observed: &Observed) {
    let (Some(rights), Some(wanted)) = (&observed.rights, &scope.rights) else { return };
    plan.looked_at += wanted.table.len();
    for rule in wanted.stale(&rights.table) {
        plan.change(Change::Revoke { rule });
    }
    for rule in wanted.table.difference(&rights.table) {
        plan.change(Change::Grant { rule: rule.clone() });
    }
    for foreign in &rights.others {
        let rule = foreign.topics.as_ref().filter(|_| wanted.members_known);
        match rule.and_then(|rule| Some((rule, difference(rule, wanted)?))) {
            Some((rule, what)) if !wanted.accepted.contains(&rule.principal) => {
                plan.remains.push(Remains { kind: "rule", name: rule.to_string(), what, why: FOREIGN.to_owned() })
            }
            _ => plan.left.push(format!("rule {}: it is not of the mesh's form", foreign.words)),
        }
    }
}

/// What a rule gives or refuses beyond what contracts say; nothing, if it is about other topics or changes nothing.
fn difference(rule: &TopicRule, wanted: &Wanted) -> Option<String> {
    let covered = wanted.covered(rule);
    if rule.allows {
        // from a single host it gives nothing to whoever has it from anywhere
        let is_wanted = rule.literal().is_some_and(|acl| wanted.table.contains(&acl));
        return (!is_wanted && !covered.is_empty())
            .then(|| format!("no contract asks for it on {}", some_of(&covered)));
    }
    let is_refused = |acl: &&Acl| {
        let Resource::Topic(topic) = &acl.resource else { return false };
        rule.is_anywhere()
            && covered.contains(&topic.as_str())
            && rule.concerns(&acl.principal)
            && rule.decides(acl.operation)
    };
    let refused: Vec<String> = wanted.table.iter().filter(is_refused).map(ToString::to_string).collect();
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    (!refused.is_empty()).then(|| format!("it refuses what contracts say: {}", some_of(&refused)))
}

/// `a, b, c and 2 more`
fn some_of(names: &[&str]) -> String {
    let named = names[..names.len().min(NAMED)].join(", ");
    if names.len() <= NAMED { named } else { format!("{named} and {} more", names.len() - NAMED) }
}
