//! Topics: those that are missing are made, the others become what the contracts say as far as Kafka can do that.

use super::{Ask, Change, Plan, Port, Remains, SettingChange, Step, Wishes, loss};
use crate::apply::observed::Observed;
use crate::apply::topics::{self, Wanted};
use crate::tree::WorkingTree;
use mesh_contract::topic::RESERVED_DOMAIN;
use mesh_kafka::admin::TopicState;
use std::collections::{BTreeMap, BTreeSet};

/// A topic is there that the mesh has not made.
const TAKEN: &str = "topic-taken";
/// A topic's name cannot be told from another's where Kafka writes `.` as `_`.
const COLLIDES: &str = "topic-collides";
/// There are fewer brokers than replicas are asked for.
const TOO_FEW_BROKERS: &str = "replication-too-high";
/// Fewer partitions are asked for than there were.
const FEWER_PARTITIONS: &str = "partitions-fewer";

pub(super) fn plan(plan: &mut Plan, tree: &WorkingTree, observed: &Observed, wishes: &Wishes) {
    let owned = observed.published.owned();
    let wanted = topics::wanted(tree, observed);
    let names: BTreeSet<&str> = wanted.iter().map(|topic| topic.spec.name.as_str()).collect();
    plan.looked_at += wanted.len();
    for topic in &wanted {
        let name = &topic.spec.name;
        match observed.topics.get(name) {
            None => create(plan, topic, observed),
            Some(_) if !topic.is_control() && !owned.contains(name) && !wishes.adopt.contains(name) => plan.refuse(
                TAKEN,
                format!("the topic {name} is there already, and the mesh has not made it"),
                format!("if it is to become the product's, give --adopt {name}: its settings become the contract's"),
            ),
            Some(state) => compare(plan, topic, state, observed),
        }
    }
    let orphans = owned.iter().filter(|name| !names.contains(name.as_str()) && observed.topics.contains_key(*name));
    let orphans = orphans.filter(|name| !wishes.delete.contains(*name));
    plan.left.extend(orphans.map(|name| format!("topic {name}: no contract of this tree names it (--delete {name})")));
}

fn create(plan: &mut Plan, topic: &Wanted, observed: &Observed) {
    let (spec, brokers) = (&topic.spec, observed.cluster.brokers);
    let form = |name: &str| name.replace('.', "_");
    let other = observed.cluster.topics.keys().find(|other| **other != spec.name && form(other) == form(&spec.name));
    if let Some(other) = other {
        let what = format!("the topic {} cannot be made beside {other}: Kafka writes `.` as `_` in places", spec.name);
        plan.refuse(COLLIDES, what, "rename the product, or the view");
    }
    if spec.replication.is_some_and(|wanted| usize::from(wanted) > brokers) {
        let wanted = spec.replication.unwrap_or_default();
        let what =
            format!("the topic {} is to have {wanted} replicas, and the cluster has {brokers} brokers", spec.name);
        plan.refuse(TOO_FEW_BROKERS, what, "ask for fewer in the contract's `replication`, or add brokers");
    }
    plan.change(Change::CreateTopic {
        topic: spec.name.clone(),
        partitions: spec.partitions,
        replication: spec.replication,
        settings: spec.config.clone(),
        product: topic.key.clone(),
    });
}

fn compare(plan: &mut Plan, topic: &Wanted, state: &TopicState, observed: &Observed) {
    partitions(plan, topic, state, observed);
    replication(plan, topic, state);
    if state.settings.is_empty() {
        let what =
            "its settings may not be seen before a rule is there that this plan gives: the next one compares them";
        plan.left.push(format!("topic {}: {what}", topic.spec.name));
        return;
    }
    let changes = settings(topic, state);
    if !changes.is_empty() {
        let mut after = state.settings.clone();
        for change in &changes {
            match &change.to {
                Some(value) => drop(after.insert(change.setting.clone(), value.clone())),
                None => drop(after.remove(&change.setting)),
            }
        }
        let asks = loss::of(&state.settings, &after)
            .map(|what| Ask { name: topic.confirmed_by(), what: format!("of {} {what}", topic.spec.name) });
        let (topic, port) = (topic.spec.name.clone(), topic.port);
        plan.steps.push(Step { change: Change::Configure { topic, settings: changes, port }, asks });
    }
    let foreign: Vec<&String> = state
        .own
        .iter()
        .filter(|name| !topics::MANAGED.contains(&name.as_str()) && !topic.spec.config.contains_key(*name))
        .collect();
    if !foreign.is_empty() {
        let names = foreign.into_iter().map(|name| setting(name, state)).collect::<Vec<_>>().join(", ");
        plan.left.push(format!("topic {}: {names}: tuned by hand, which no contract speaks of", topic.spec.name));
    }
}

fn setting(name: &str, state: &TopicState) -> String {
    format!("{name} = {}", state.settings.get(name).map_or("unknown", String::as_str))
}

/// Settings that are not as they are wanted. Of those that the mesh keeps, what no contract asks for goes back to the default.
fn settings(topic: &Wanted, state: &TopicState) -> Vec<SettingChange> {
    let wanted = topic.spec.config.iter().map(|(setting, value)| (setting.as_str(), Some(value)));
    let unwanted = topics::MANAGED.into_iter().filter(|setting| topic.keeps(setting));
    let unwanted = unwanted.filter(|setting| !topic.spec.config.contains_key(*setting) && state.own.contains(*setting));
    let all: BTreeMap<&str, Option<&String>> = wanted.chain(unwanted.map(|setting| (setting, None))).collect();
    let differs = all.into_iter().filter(|(setting, to)| match to {
        Some(to) => !is_same(setting, state.settings.get(*setting), to),
        None => true,
    });
    differs
        .map(|(setting, to)| SettingChange {
            setting: setting.to_owned(),
            from: state.settings.get(setting).cloned(),
            to: to.cloned(),
        })
        .collect()
}

/// Lists are the same in any order.
fn is_same(setting: &str, is: Option<&String>, wanted: &str) -> bool {
    let parts = |value: &str| value.split(',').map(|part| part.trim().to_owned()).collect::<BTreeSet<_>>();
    match is {
        Some(is) if setting == "cleanup.policy" => parts(is) == parts(wanted),
        Some(is) => is == wanted,
        None => false,
    }
}

fn partitions(plan: &mut Plan, topic: &Wanted, state: &TopicState, observed: &Observed) {
    let (name, is) = (&topic.spec.name, state.partitions);
    let Some(wanted) = topic.spec.partitions.filter(|wanted| *wanted != is) else { return };
    if wanted > is {
        let moves = topic.keyed && topic.port == Port::Input;
        let what = format!("of {name} keys move to other partitions: events of one key may be read out of order");
        let asks = moves.then(|| Ask { name: topic.confirmed_by(), what });
        let change = Change::AddPartitions { topic: name.clone(), from: is, to: wanted, port: topic.port };
        plan.steps.push(Step { change, asks });
        return;
    }
    let what = format!("{is} partitions, the contract says {wanted}");
    let why = "Kafka cannot take partitions away";
    // what a contract asks for anew is a mistake of its author; what has happened to the cluster is not
    if topic.port == Port::Input && is_asked_anew(topic, observed, wanted) {
        let what = format!("the topic {name} has {what}: {why}");
        plan.refuse(FEWER_PARTITIONS, what, format!("keep `partitions: {is}`, or make a new major version"));
        return;
    }
    let mend = match topic.port {
        Port::Input => format!("`partitions: {is}` in the contract is what it can be"),
        Port::Other => "its input port has fewer, so that some stay empty, which harms nobody".to_owned(),
    };
    plan.remains.push(Remains { kind: "topic", name: name.clone(), what, why: format!("{why}; {mend}") });
}

/// Whether the contract in force asked for another number of partitions.
fn is_asked_anew(topic: &Wanted, observed: &Observed, wanted: u32) -> bool {
    let in_force = topic
        .key
        .as_deref()
        .and_then(|key| observed.published.get::<mesh_contract::AppliedProduct>(key).ok().flatten());
    in_force.is_some_and(|applied| applied.contract.partitions != Some(wanted))
}

fn replication(plan: &mut Plan, topic: &Wanted, state: &TopicState) {
    let is = state.replication;
    if let Some(wanted) = topic.spec.replication.filter(|wanted| *wanted != is) {
        plan.remains.push(Remains {
            kind: "topic",
            name: topic.spec.name.clone(),
            what: format!("{is} replicas, the contract says {wanted}"),
            why: "replicas are moved by Kafka's own kafka-reassign-partitions.sh, at a pace that you choose".to_owned(),
        });
    }
}

impl Wanted {
    /// Whether it is one of the backbone's own.
    fn is_control(&self) -> bool {
        self.spec.name.split('.').next() == Some(RESERVED_DOMAIN)
    }

    /// The name that confirms what cannot be undone.
    fn confirmed_by(&self) -> String {
        self.product.clone().unwrap_or_else(|| self.spec.name.clone())
    }
}
