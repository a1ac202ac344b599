//! The topics that the backbone itself keeps, and who may change rules.

use mesh_contract::acl::{
    self, Acl, AclTable, CONTROL_TOPICS, Members, Operation, Part, Resource, Sidecars, TopicRule,
};
use mesh_contract::topic::SCHEMAS_TOPIC;
use std::collections::BTreeSet;

use super::Known;

/// Somebody in a group, whoever it is.
const MEMBER: &str = "User:x";

/// Who may change the control topics, as the backbone needs and contracts say.
pub(super) struct Control {
    derived: AclTable,
    /// What follows from being in a group.
    of_members: AclTable,
}

impl Control {
    pub(super) fn of(known: &Known<'_>) -> Self {
        let (nobody, mut derived, mut of_members) = (Members::new(), acl::backbone(), AclTable::new());
        for seen in known.products {
            let contract = seen.contract;
            let domain = known.domains.iter().find(|domain| domain.domain == contract.owner);
            let producers = domain.map(|domain| domain.producers.as_slice()).unwrap_or_default();
            derived.extend(acl::product(contract, producers, known.members.unwrap_or(&nobody), &Sidecars::default()));
            let groups = contract.access_group.iter().map(|grant| grant.group.clone());
            let anybody = groups.map(|group| (group, BTreeSet::from([MEMBER.to_owned()]))).collect();
            of_members.extend(acl::readers(contract, &anybody));
        }
        Self { derived, of_members }
    }

    /// The control topics that a rule lets somebody change though nothing asks for it. Reading them is no harm: there is no record of a
    /// product in them, and people look at the audit.
    pub(super) fn changed_by(&self, rule: &TopicRule, members_known: bool) -> Vec<&'static str> {
        use Operation::{Describe, DescribeConfigs, Read};
        if matches!(rule.operation, Some(Read | Describe | DescribeConfigs)) {
            return Vec::new();
        }
        let is_derived = |topic: &str| {
            let acl = |principal: &str| {
                let resource = Resource::Topic(topic.to_owned());
                Some(Acl { principal: principal.to_owned(), resource, operation: rule.plain()?.operation })
            };
            acl(&rule.principal).is_some_and(|acl| self.derived.contains(&acl))
                || !members_known && acl(MEMBER).is_some_and(|acl| self.of_members.contains(&acl))
        };
        let topics = CONTROL_TOPICS.into_iter().chain([SCHEMAS_TOPIC]);
        topics.filter(|topic| rule.covers(topic) && !is_derived(topic)).collect()
    }
}

/// Who may change rules, but for the parts of the backbone that keep them and those whom no rule binds.
pub(super) fn administrators(known: &Known<'_>) -> impl Iterator<Item = String> {
    let parts = [Part::Apply, Part::Access].map(|part| part.principal());
    let supers = known.brokers.super_users.as_ref();
    let is_expected = move |who: &String| parts.contains(who) || supers.is_some_and(|users| users.contains(who));
    known.administrators.iter().filter(move |who| !is_expected(who)).cloned()
}
