//! A product's topics, with what contracts say of each.

use mesh_contract::Contract;
use mesh_contract::acl::{self, Acl, AclTable, Members, Operation, Part, Resource, Sidecars, TopicRule};
use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Holder, Known, PortAccess, Sight, sights};
use crate::columns::Form;
use crate::sight::Seen;

/// What can be done with records.
const SHOWN: [Operation; 2] = [Operation::Read, Operation::Write];

/// A product's topic.
pub(super) struct Port<'a> {
    pub(super) product: String,
    pub(super) topic: String,
    what: String,
    pub(super) columns: Vec<Sight>,
    /// The rules on it that follow from contracts and groups.
    pub(super) derived: AclTable,
    /// Whether contracts grant it to a group.
    pub(super) is_granted: bool,
    contract: &'a Contract,
}

/// `crm.customers@1`
pub(super) fn name(contract: &Contract) -> String {
    format!("{}@{}", contract.product(), contract.version)
}

pub(super) fn of<'a>(seen: &Seen<'a>, known: &Known<'_>) -> Vec<Port<'a>> {
    let (contract, nobody) = (seen.contract, Members::new());
    let domain = known.domains.iter().find(|domain| domain.domain == contract.owner);
    let producers = domain.map(|domain| domain.producers.as_slice()).unwrap_or_default();
    let mut derived = acl::product(contract, producers, known.members.unwrap_or(&nobody), &Sidecars::default());
    // what feeds another version reads this one's input port
    let others = known.products.iter().map(|seen| seen.contract);
    let fed = others.filter(|other| other.product() == contract.product() && other.fed_by == Some(contract.version));
    derived.extend(fed.flat_map(|fed| acl::product(fed, &[], &nobody, &Sidecars::default())));
    let groups = contract.access_group.iter().map(|grant| (grant.group.clone(), BTreeSet::from(["User:x".to_owned()])));
    let granted = acl::readers(contract, &groups.collect());
    let port = |topic: &str, what: String, columns: Vec<Sight>| Port {
        product: name(contract),
        topic: topic.to_owned(),
        what,
        columns,
        derived: derived.iter().filter(|acl| is_on(acl, topic)).cloned().collect(),
        is_granted: granted.iter().any(|acl| is_on(acl, topic)),
        contract,
    };
    let topics = contract.topics();
    let clear = || sights(&seen.columns, |_| Some(Form::Clear));
    let views = topics.views.iter().map(|(view, topic)| {
        port(topic, format!("view {view}"), sights(&seen.columns, |column| column.views.get(view).cloned()))
    });
    let input = port(&topics.input, "input port".to_owned(), clear());
    // what is refused is kept encrypted, but whoever may have it replayed sees it
    let quarantine = port(&topics.quarantine, "quarantine".to_owned(), Vec::new());
    std::iter::once(input).chain(views).chain([quarantine]).collect()
}

fn is_on(acl: &Acl, topic: &str) -> bool {
    matches!(&acl.resource, Resource::Topic(of) if of == topic)
}

impl Port<'_> {
    /// Who may read and write it.
    pub(super) fn access(&self, known: &Known<'_>) -> PortAccess {
        let holders = SHOWN.into_iter().flat_map(|operation| self.holders(operation, known)).collect();
        PortAccess { topic: self.topic.clone(), port: self.what.clone(), columns: self.columns.clone(), holders }
    }

    fn holders(&self, operation: Operation, known: &Known<'_>) -> Vec<Holder> {
        let rules =
            known.rules.iter().filter(|rule| rule.allows && rule.covers(&self.topic) && rule.decides(operation));
        let mut hosts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for rule in rules.filter(|rule| refusal(&rule.principal, operation, &self.topic, known).is_none()) {
            hosts.entry(&rule.principal).or_default().insert(&rule.host);
        }
        let holder = |(principal, hosts): (&str, BTreeSet<&str>)| Holder {
            principal: principal.to_owned(),
            operation,
            why: self.why(principal, operation, known.members),
            hosts: if hosts.contains("*") { Vec::new() } else { hosts.into_iter().map(str::to_owned).collect() },
        };
        hosts.into_iter().map(holder).collect()
    }

    /// What contracts say of somebody.
    fn why(&self, principal: &str, operation: Operation, members: Option<&Members>) -> Vec<String> {
        let resource = Resource::Topic(self.topic.clone());
        let acl = Acl { principal: principal.to_owned(), resource, operation };
        if !self.derived.contains(&acl) {
            return Vec::new();
        }
        let groups = self.contract.access_group.iter().filter(|grant| {
            let one = [(grant.group.clone(), BTreeSet::from([principal.to_owned()]))].into();
            let is_member =
                members.and_then(|members| members.get(&grant.group)).is_some_and(|of| of.contains(principal));
            is_member && grants(self.contract, &grant.view, &one).contains(&acl)
        });
        let groups: BTreeSet<String> = groups.map(|grant| format!("group {}", grant.group)).collect();
        if !groups.is_empty() {
            return groups.into_iter().collect();
        }
        let owner = &self.contract.owner;
        let part = [Part::Freshness, Part::Apply, Part::Plan].into_iter().find(|part| part.principal() == principal);
        vec![match part {
            Some(Part::Freshness) => "the freshness monitor".to_owned(),
            Some(Part::Plan) => "mesh plan".to_owned(),
            Some(_) => "mesh apply".to_owned(),
            None if principal == Part::Masking(owner.clone()).principal() => format!("the sidecar of {owner}"),
            None if principal == Part::Feed(owner.clone()).principal() => format!("the feed of {owner}"),
            None => format!("producer of {owner}"),
        }]
    }

    /// What contracts say that somebody may do, and the cluster refuses.
    pub(super) fn refused(&self, known: &Known<'_>) -> Vec<Finding> {
        let is_super =
            |acl: &&Acl| known.brokers.super_users.as_ref().is_some_and(|users| users.contains(&acl.principal));
        let wanted = self.derived.iter().filter(|acl| !is_super(acl) && !self.is_open(known));
        let finding = |acl: &Acl| {
            let rule = refusal(&acl.principal, acl.operation, &self.topic, known);
            let is_allowed = known.rules.iter().any(|rule| {
                rule.allows && rule.concerns(&acl.principal) && rule.covers(&self.topic) && rule.decides(acl.operation)
            });
            (rule.is_some() || !is_allowed).then(|| Finding::Refused {
                principal: acl.principal.clone(),
                operation: acl.operation,
                topic: self.topic.clone(),
                rule: rule.cloned(),
            })
        };
        wanted.filter_map(finding).collect()
    }

    /// Whether everybody may do everything, since no rule says anything.
    pub(super) fn is_open(&self, known: &Known<'_>) -> bool {
        known.brokers.open_without_rules && !known.rules.iter().any(|rule| rule.covers(&self.topic))
    }

    /// The columns that it shows in clear.
    pub(super) fn clear(&self) -> impl Iterator<Item = String> {
        let clear = self.columns.iter().filter(|sight| sight.form == Form::Clear);
        clear.map(|sight| format!("{} of {}", sight.column, self.product))
    }
}

/// The rule that refuses something from anywhere.
fn refusal<'k>(principal: &str, operation: Operation, topic: &str, known: &Known<'k>) -> Option<&'k TopicRule> {
    known.rules.iter().find(|rule| {
        let decides = rule.covers(topic) && rule.concerns(principal) && rule.decides(operation);
        !rule.allows && rule.is_anywhere() && decides
    })
}

/// What a grant of one view alone gives.
fn grants(contract: &Contract, view: &str, members: &Members) -> AclTable {
    let mut alone = contract.clone();
    alone.access_group.retain(|grant| grant.view == view);
    acl::readers(&alone, members)
}
