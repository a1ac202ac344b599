//! What to grant and what to take back, given contracts, members, and what Kafka has. Pure.

mod doubt;
#[cfg(test)]
mod tests;

use mesh_contract::acl::{self, Acl, AclTable, Members, Resource, Sidecars};
use mesh_contract::{Contract, Domain};
use std::collections::{BTreeMap, BTreeSet};

pub use doubt::{Doubt, Guard};

/// What is known when the rules are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The contracts in force.
    pub contracts: &'a [&'a Contract],
    /// The domains, for their producers.
    pub domains: &'a [&'a Domain],
    /// What the directory says; a group that it does not know is not in it.
    pub members: &'a Members,
    /// The groups that are without members on purpose.
    pub nobody: &'a BTreeSet<String>,
    /// What Kafka has.
    pub found: &'a AclTable,
}

/// What was believed after the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Believed {
    /// The members of each group.
    pub members: Members,
    /// The members' rules that followed from that.
    pub derived: AclTable,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Rules to add.
    pub grant: AclTable,
    /// Rules to take back.
    pub revoke: AclTable,
    /// Groups whose answer is not believed: what their members have stays, and nobody gets more by them.
    pub doubted: BTreeMap<String, Doubt>,
    /// What is believed from now on.
    pub believed: Believed,
}

/// The groups that contracts grant anything to.
pub fn groups(contracts: &[&Contract]) -> BTreeSet<String> {
    contracts.iter().flat_map(|contract| &contract.access_group).map(|grant| grant.group.clone()).collect()
}

/// Compares what follows from contracts and members with what Kafka has.
///
/// Taken back is what no contract asks for: reading a view or a quarantine of an applied product, whoever allowed it, and what this
/// very service granted before (a consumer group, say). Other rules are not its own, whatever they allow.
pub fn reconcile(facts: &Facts<'_>, believed: &Believed, guard: Guard) -> Reconciliation {
    let reach = Reach::of(facts.contracts);
    let losses = doubt::losses(facts, &reach, believed, guard);
    let doubted = losses.iter().filter_map(|(group, loss)| Some((group.clone(), loss.doubt.clone()?)));
    let doubted: BTreeMap<String, Doubt> = doubted.collect();
    let is_doubted = |group: &String| doubted.contains_key(group);
    let trusted = facts.members.iter().filter(|(group, _)| !is_doubted(group));
    let derived = derive(facts.contracts, &trusted.map(|(group, members)| (group.clone(), members.clone())).collect());
    let lost = losses.iter().filter(|(group, _)| is_doubted(group));
    let kept = derive(facts.contracts, &lost.map(|(group, loss)| (group.clone(), loss.lost.clone())).collect());
    let wanted = wanted(facts);
    let is_ours = |acl: &&Acl| reach.is_reading(acl) || believed.derived.contains(*acl);
    let extra = facts.found.difference(&wanted).filter(is_ours);
    let revoke = extra.filter(|acl| !kept.contains(*acl)).cloned().collect();
    let grant = derived.difference(facts.found).cloned().collect();
    let members = losses.into_iter().map(|(group, loss)| (group, loss.believed)).collect();
    let derived = derived.iter().chain(kept.intersection(&believed.derived)).cloned().collect();
    Reconciliation { grant, revoke, doubted, believed: Believed { members, derived } }
}

/// Everything that follows from contracts and members, as `mesh apply` derives it. Transactional ids are none of a member's.
fn wanted(facts: &Facts<'_>) -> AclTable {
    let mut table = acl::backbone();
    for contract in facts.contracts {
        let domain = facts.domains.iter().find(|domain| domain.domain == contract.owner);
        let producers = domain.map(|domain| domain.producers.as_slice()).unwrap_or_default();
        table.extend(acl::product(contract, producers, facts.members, &Sidecars::default()));
    }
    table
}

fn derive(contracts: &[&Contract], members: &Members) -> AclTable {
    contracts.iter().flat_map(|contract| acl::readers(contract, members)).collect()
}

/// Which topics each group reads.
pub(crate) struct Reach {
    groups: BTreeMap<String, BTreeSet<String>>,
    /// The views and quarantines of all products.
    ports: BTreeSet<String>,
    /// What parts of the backbone read there.
    parts: AclTable,
}

impl Reach {
    fn of(contracts: &[&Contract]) -> Self {
        let mut ports = BTreeSet::new();
        for contract in contracts {
            let topics = contract.topics();
            ports.extend(topics.views.into_iter().map(|(_, topic)| topic).chain([topics.quarantine]));
        }
        let nobody = Members::new();
        let parts = contracts.iter().flat_map(|contract| acl::product(contract, &[], &nobody, &Sidecars::default()));
        let mut reach = Self { groups: BTreeMap::new(), parts: parts.collect(), ports };
        for group in groups(contracts) {
            // whatever somebody in it could read
            let anybody = [(group.clone(), BTreeSet::from(["User:anybody".to_owned()]))].into();
            let derived = derive(contracts, &anybody);
            let topics = derived.iter().filter(|acl| reach.is_reading(acl)).filter_map(topic).map(str::to_owned);
            let topics = topics.collect();
            reach.groups.insert(group, topics);
        }
        reach
    }

    /// The views and quarantines that a group reads.
    pub(crate) fn of_group(&self, group: &str) -> Option<&BTreeSet<String>> {
        self.groups.get(group)
    }

    /// Whether a rule lets somebody read a view or a quarantine who is no part of the backbone.
    pub(crate) fn is_reading(&self, acl: &Acl) -> bool {
        let on_port = topic(acl).is_some_and(|topic| self.ports.contains(topic));
        on_port && acl.operation.is_reading() && !self.parts.contains(acl)
    }
}

/// The topic that a rule is about.
pub(crate) fn topic(acl: &Acl) -> Option<&str> {
    match &acl.resource {
        Resource::Topic(topic) => Some(topic),
        _ => None,
    }
}
