//! Who may really do what with products' topics, beside what contracts say. Pure.

mod control;
mod ports;
mod select;
#[cfg(test)]
mod tests;
mod text;

use mesh_contract::Domain;
use mesh_contract::acl::{Members, Operation, TopicRule};
use serde::Serialize;
use std::collections::BTreeSet;

use crate::columns::Columns;
use crate::sight::Seen;
use control::Control;
use ports::Port;

pub use select::Selection;
pub use text::{markdown, text};

/// What is known of a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The products that are applied.
    pub products: &'a [Seen<'a>],
    /// The domains, for their producers.
    pub domains: &'a [&'a Domain],
    /// Who is in which group; none where that is not known.
    pub members: Option<&'a Members>,
    /// All rules on topics that the cluster has.
    pub rules: &'a BTreeSet<TopicRule>,
    /// Who may change rules.
    pub administrators: &'a BTreeSet<String>,
    /// How it decides where no rule does.
    pub brokers: &'a Brokers,
}

/// How brokers decide where no rule does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Brokers {
    /// Principals that no rule binds; none where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub super_users: Option<BTreeSet<String>>,
    /// Whether a topic without rules is open to everybody.
    pub open_without_rules: bool,
}

impl Brokers {
    /// As a broker's settings say: `super.users` (KIP-11; `;` between them) and `allow.everyone.if.no.acl.found`. Kafka's own authoriser
    /// has them described without their values.
    pub fn of(settings: &std::collections::BTreeMap<String, String>) -> Self {
        let names = |users: &String| {
            users.split(';').map(str::trim).filter(|user| !user.is_empty()).map(str::to_owned).collect()
        };
        let is_open = settings.get("allow.everyone.if.no.acl.found").is_some_and(|value| value == "true");
        Self { super_users: settings.get("super.users").map(names), open_without_rules: is_open }
    }
}

/// Who may do what, and what is not as contracts say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The products, with who may do what.
    pub products: Vec<ProductAccess>,
    /// Whom no rule binds, and whether topics without rules are open.
    pub brokers: Brokers,
    /// Whether it is known who is in which group.
    pub members_known: bool,
    /// What is not as contracts say.
    pub findings: Vec<Finding>,
}

/// Who may do what with a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductAccess {
    /// The product and its major version: `crm.customers@1`.
    pub product: String,
    /// Its topics.
    pub ports: Vec<PortAccess>,
}

/// Who may do what with a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortAccess {
    /// The topic.
    pub topic: String,
    /// What it is: `input port`, `view masked`, `quarantine`.
    pub port: String,
    /// In which form it shows each sensitive column.
    pub columns: Vec<Sight>,
    /// Who may read or write it.
    pub holders: Vec<Holder>,
}

/// A sensitive column, as a topic shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Sight {
    /// Its path.
    pub column: String,
    /// Its class.
    pub class: String,
    /// In which form.
    pub form: crate::columns::Form,
}

/// Somebody who may do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Who.
    pub principal: String,
    /// What.
    pub operation: Operation,
    /// From where; none: from anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Why: `group analysts`, `producer of crm`; nothing where no contract says so.
    pub why: Vec<String>,
}

/// Something that is not as contracts say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Finding {
    /// A rule that no contract asks for.
    Undeclared {
        /// The rule.
        rule: TopicRule,
        /// The products' topics that it is about.
        topics: Vec<String>,
        /// What it shows in clear: `email of crm.customers@1`.
        clear: Vec<String>,
    },
    /// Somebody may not do what a contract says.
    Refused {
        /// Who.
        principal: String,
        /// What.
        operation: Operation,
        /// With which topic.
        topic: String,
        /// The rule that refuses it; none: no rule allows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<TopicRule>,
    },
    /// A topic that is open to everybody, since no rule is about it.
    Open {
        /// The topic.
        topic: String,
    },
    /// Somebody may change rules, and is no part of the backbone that does.
    Administrator {
        /// Who.
        principal: String,
    },
}

/// Compares what a cluster has with what contracts say.
pub fn report(known: &Known<'_>) -> Report {
    let ports: Vec<Port<'_>> = known.products.iter().flat_map(|seen| ports::of(seen, known)).collect();
    let products = known.products.iter().map(|seen| {
        let product = ports::name(seen.contract);
        let own = ports.iter().filter(|port| port.product == product);
        let ports = own.map(|port| port.access(known)).collect();
        ProductAccess { product, ports }
    });
    let products = products.collect();
    Report {
        products,
        brokers: known.brokers.clone(),
        members_known: known.members.is_some(),
        findings: findings(known, &ports),
    }
}

fn findings(known: &Known<'_>, ports: &[Port<'_>]) -> Vec<Finding> {
    let control = Control::of(known);
    let allowing = known.rules.iter().filter(|rule| rule.allows);
    let undeclared = allowing.filter_map(|rule| undeclared(rule, ports, &control, known));
    let refused = ports.iter().flat_map(|port| port.refused(known));
    let open = ports.iter().filter(|port| port.is_open(known)).map(|port| Finding::Open { topic: port.topic.clone() });
    let administrators = control::administrators(known).map(|principal| Finding::Administrator { principal });
    let mut findings: Vec<Finding> = undeclared.chain(refused).chain(open).chain(administrators).collect();
    findings.sort();
    findings.dedup();
    findings
}

/// A rule that no contract asks for, if it is about topics of products, or changes what the backbone keeps.
fn undeclared(rule: &TopicRule, ports: &[Port<'_>], control: &Control, known: &Known<'_>) -> Option<Finding> {
    let covered: Vec<&Port<'_>> = ports.iter().filter(|port| rule.covers(&port.topic)).collect();
    let kept = control.changed_by(rule, known.members.is_some());
    // from a single host it gives nothing to whoever has it from anywhere
    let is_derived = rule.literal().is_some_and(|acl| covered.iter().all(|port| port.derived.contains(&acl)));
    // without the groups, whoever reads a view may be in one
    let may_be_member = known.members.is_none() && rule.plain().is_some_and(|acl| acl.operation == Operation::Read);
    let is_granted = is_derived || may_be_member && covered.iter().all(|port| port.is_granted);
    if kept.is_empty() && (covered.is_empty() || is_granted) {
        return None;
    }
    let reads = rule.decides(Operation::Read);
    let clear: BTreeSet<String> = covered.iter().filter(|_| reads).flat_map(|port| port.clear()).collect();
    let topics = covered.iter().map(|port| port.topic.as_str()).chain(kept).map(str::to_owned).collect();
    Some(Finding::Undeclared { rule: rule.clone(), topics, clear: clear.into_iter().collect() })
}

/// The columns of a product, in one form each.
fn sights(columns: &Columns, form: impl Fn(&crate::columns::Column) -> Option<crate::columns::Form>) -> Vec<Sight> {
    let sight = |(path, column): (&String, &crate::columns::Column)| {
        Some(Sight { column: path.clone(), class: column.class.clone(), form: form(column)? })
    };
    columns.iter().filter_map(sight).collect()
}
