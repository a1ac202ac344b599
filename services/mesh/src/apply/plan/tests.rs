#![allow(clippy::unwrap_used)]
mod quotas;

use super::*;
use crate::apply::Wanted;
use crate::apply::observed::SubjectState;
use crate::apply::{schemas, topics as wanted_topics};
use mesh_avro::sensitivity::SensitiveNames;
use mesh_contract::{AppliedProduct, acl, domain_key};
use mesh_kafka::admin::{Rights, TopicState};
use std::path::Path;

fn examples() -> WorkingTree {
    WorkingTree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &SensitiveNames::default()).unwrap()
}

/// A cluster without anything.
fn empty() -> Observed {
    let mut observed = Observed { cluster_id: "id".into(), record_bytes: 1_048_588, ..Observed::default() };
    observed.cluster.brokers = 1;
    observed.allowed = mesh_contract::acl::Operation::ALL.into();
    observed
}

fn plan(tree: &WorkingTree, observed: &mut Observed, wishes: &Wishes) -> Plan {
    let subjects = schemas::subjects(&tree.products);
    let scope = Scope::new(wanted_topics::names(tree), &subjects, None, &wishes.delete);
    let topics = observed.topics.keys().cloned();
    observed.allowed_on = topics.map(|topic| (topic, mesh_contract::acl::Operation::ALL.into())).collect();
    for subject in &subjects {
        observed.subjects.entry(subject.name.clone()).or_default();
    }
    Plan::of(tree, &subjects, &scope, observed, wishes)
}

fn plain(tree: &WorkingTree, observed: &mut Observed) -> Plan {
    plan(tree, observed, &Wishes { bootstrap: "a:9092".into(), ..Wishes::default() })
}

/// What Kafka and the registry would make of it.
fn carry_out(observed: &mut Observed, plan: &Plan) {
    for step in &plan.steps {
        match step.change.clone() {
            Change::CreateTopic { topic, partitions, settings, .. } => {
                let own = settings.keys().cloned().collect();
                let mut state = TopicState { partitions: partitions.unwrap_or(3), replication: 1, settings, own };
                state.settings.entry("max.message.bytes".into()).or_insert("1048588".into());
                observed.cluster.topics.insert(topic.clone(), (state.partitions, 1));
                observed.topics.insert(topic, state);
            }
            Change::AddPartitions { topic, to, .. } => observed.topics.get_mut(&topic).unwrap().partitions = to,
            Change::Configure { topic, settings, .. } => {
                let state = observed.topics.get_mut(&topic).unwrap();
                for SettingChange { setting, to, .. } in settings {
                    match to {
                        Some(value) => drop((state.own.insert(setting.clone()), state.settings.insert(setting, value))),
                        None => drop((state.own.remove(&setting), state.settings.remove(&setting))),
                    }
                }
            }
            Change::SetLevel { subject, to, .. } => observed.subjects.get_mut(&subject).unwrap().level = Some(to),
            Change::Register { subject, .. } => {
                let state: &mut SubjectState = observed.subjects.get_mut(&subject).unwrap();
                let version = state.versions.last().map_or(1, |last| last + 1);
                state.versions.push(version);
                state.wanted = Some((version, version));
            }
            Change::PublishDomain { domain } => put(observed, &domain_key(&domain.domain), &domain),
            Change::NameCluster { key, cluster } => put(observed, &key, &cluster),
            Change::PublishProduct { product, .. } => put(observed, &product.key(), &product),
            Change::DeleteTopic { topic } => drop(observed.topics.remove(&topic)),
            Change::Limit { principal, limits } | Change::Release { principal, limits } => {
                let state = observed.quotas.entry(principal).or_default();
                for LimitChange { limit, to, .. } in limits {
                    match to {
                        Some(value) => drop(state.insert(limit, value)),
                        None => drop(state.remove(&limit)),
                    }
                }
                observed.quotas.retain(|_, limits| !limits.is_empty());
            }
            Change::Revoke { .. } | Change::Grant { .. } => {}
        }
    }
}

fn put(observed: &mut Observed, key: &str, value: &impl serde::Serialize) {
    observed.published.put(key, Some(&serde_json::to_vec(value).unwrap()));
}

/// A cluster that is what the examples say.
fn applied(tree: &WorkingTree) -> Observed {
    let mut observed = empty();
    let first = plain(tree, &mut observed);
    carry_out(&mut observed, &first);
    observed
}

fn rows(plan: &Plan) -> Vec<String> {
    let rows = plan.steps.iter().map(|step| step.change.row());
    rows.map(|row| format!("{} {} {}: {}", row.action, row.kind, row.name, row.details.join(", "))).collect()
}

fn rules(plan: &Plan) -> Vec<&'static str> {
    plan.refused.iter().map(|refusal| refusal.rule).collect()
}

#[test]
fn the_first_plan_is_in_a_safe_order_and_the_second_is_empty() {
    let (tree, mut observed) = (examples(), empty());
    let first = plain(&tree, &mut observed);
    assert_eq!(rules(&first), [""; 0]);
    let kinds: Vec<(u8, String)> = first.steps.iter().map(|step| (step.change.stage(), step.change.words(1))).collect();
    assert!(kinds.is_sorted_by_key(|(stage, _)| *stage));
    assert!(kinds.last().unwrap().1.contains("new product"), "products come last: {kinds:?}");
    carry_out(&mut observed, &first);
    let second = plain(&tree, &mut observed);
    assert_eq!((rows(&second), second.is_drift()), (Vec::new(), false), "{:?}", second.remains);
}

#[test]
fn what_was_changed_by_hand_is_changed_back_and_nothing_else() {
    let tree = examples();
    let mut observed = applied(&tree);
    let topic = observed.topics.get_mut("crm.customers.v1").unwrap();
    topic.settings.insert("cleanup.policy".into(), "delete".into());
    topic.settings.insert("segment.bytes".into(), "1".into());
    topic.own.extend(["segment.bytes".to_owned(), "message.timestamp.type".to_owned()]);
    topic.settings.insert("message.timestamp.type".into(), "LogAppendTime".into());
    let plan = plain(&tree, &mut observed);
    assert_eq!(
        rows(&plan),
        [
            "change topic crm.customers.v1: cleanup.policy: delete -> compact,delete, message.timestamp.type: LogAppendTime -> \
          the cluster's default"
        ]
    );
    assert!(plan.left[0].contains("segment.bytes = 1"), "{:?}", plan.left);
    let topic = observed.topics.get_mut("crm.customers.v1").unwrap();
    topic.settings.insert("cleanup.policy".into(), "delete,compact".into());
    assert_eq!(rows(&plain(&tree, &mut observed)).len(), 1, "a list is the same in any order");
}

#[test]
fn what_loses_history_asks_by_the_products_name() {
    let mut tree = examples();
    let mut observed = applied(&tree);
    let orders = tree.products.iter_mut().find(|product| product.contract.value.name == "page_views").unwrap();
    orders.contract.value.history = "1 day".parse().unwrap();
    let plan = plain(&tree, &mut observed);
    let asks: Vec<(&str, &str)> = plan
        .steps
        .iter()
        .filter_map(|step| Some((step.asks.as_ref()?.name.as_str(), step.asks.as_ref()?.what.as_str())))
        .collect();
    assert_eq!(asks.len(), 2, "{asks:?}");
    assert!(
        asks.iter().all(|(name, what)| *name == "web.page_views" && what.contains("older than 1 days")),
        "{asks:?}"
    );
}

#[test]
fn a_topic_that_the_mesh_has_not_made_is_not_taken() {
    let (tree, mut observed) = (examples(), empty());
    let state = TopicState { partitions: 2, replication: 1, ..TopicState::default() };
    for name in ["crm.orders.v1.in", "crm_orders_v1"] {
        observed.cluster.topics.insert(name.to_owned(), (2, 1));
    }
    observed.topics.insert("crm.orders.v1.in".to_owned(), state);
    let refused = plain(&tree, &mut observed);
    assert_eq!(rules(&refused), ["topic-taken", "topic-collides"]);
    let wishes = Wishes { adopt: ["crm.orders.v1.in".to_owned()].into(), ..Wishes::default() };
    assert_eq!(rules(&plan(&tree, &mut observed, &wishes)), ["topic-collides"]);
    // what an apply that was killed has claimed is its own
    let key = draft_key(&tree, "orders");
    put(&mut observed, &crate::apply::observed::claim_key(&key), &["crm.orders.v1.in"]);
    assert_eq!(rules(&plain(&tree, &mut observed)), ["topic-collides"]);
}

fn draft_key(tree: &WorkingTree, name: &str) -> String {
    let contract = &tree.products.iter().find(|product| product.contract.value.name == name).unwrap().contract.value;
    format!("{}/{}", contract.unique_id, contract.version)
}

#[test]
fn partitions_are_never_taken_away() {
    let mut tree = examples();
    let mut observed = applied(&tree);
    // by hand: nobody asked for it, and it remains
    observed.topics.get_mut("crm.customers.v1.in").unwrap().partitions = 6;
    let grown = plain(&tree, &mut observed);
    assert_eq!((rules(&grown).len(), grown.remains.len()), (0, 1), "{:?}", grown.remains);
    assert_eq!(rows(&grown).len(), 4, "views and quarantine follow their input port: {:?}", rows(&grown));
    carry_out(&mut observed, &grown);
    let customers = |tree: &mut WorkingTree| {
        tree.products.iter().position(|product| product.contract.value.name == "customers").unwrap()
    };
    let index = customers(&mut tree);
    tree.products[index].contract.value.partitions = Some(6);
    let told = plain(&tree, &mut observed);
    assert!(told.remains.is_empty() && rows(&told).len() == 1, "{:?}", rows(&told));
    carry_out(&mut observed, &told);
    // by its author: refused before anything is changed
    tree.products[index].contract.value.partitions = Some(5);
    assert_eq!(rules(&plain(&tree, &mut observed)), ["partitions-fewer"]);
    tree.products[index].contract.value.partitions = Some(8);
    let more = plain(&tree, &mut observed);
    assert_eq!(more.steps.iter().filter(|step| step.asks.is_some()).count(), 1, "keys move");
    let topics: Vec<&str> = more.steps.iter().filter_map(|step| step.change.topic()).collect();
    assert_eq!(topics.last(), Some(&"crm.customers.v1.in"), "outputs have room before their input has");
}

#[test]
fn revisions_never_go_back() {
    let tree = examples();
    let mut observed = applied(&tree);
    let key = draft_key(&tree, "orders");
    let mut second: AppliedProduct = observed.published.get(&key).unwrap().unwrap();
    second.revision = 2;
    second.contract.description.push('!');
    put(&mut observed, &key, &second);
    let back = plain(&tree, &mut observed);
    assert_eq!(rows(&back), ["publish product crm.orders@1: revision 3"]);
    observed.published.put(&key, None);
    assert_eq!(rows(&plain(&tree, &mut observed)), ["publish product crm.orders@1: revision 3"], "taken away by hand");
    observed.published.put(&key, Some(b"{\"revision\":9,\"new\":true}"));
    assert!(rules(&plain(&tree, &mut observed)).contains(&"catalogue-unreadable"));
}

#[test]
fn deletions_are_named_and_each_reason_against_them_is_told() {
    let tree = examples();
    let mut observed = applied(&tree);
    let old = "crm.customers.v1.old";
    for name in [old, "foreign"] {
        observed.topics.insert(name.to_owned(), TopicState::default());
        observed.cluster.topics.insert(name.to_owned(), (1, 1));
    }
    // an earlier revision had such a view
    let key = draft_key(&tree, "customers");
    let mut earlier: AppliedProduct = observed.published.get(&key).unwrap().unwrap();
    let view = earlier.contract.views["support"].clone();
    earlier.contract.views.insert("old".into(), view);
    put(&mut observed, &format!("{key}/1"), &earlier);
    assert!(plain(&tree, &mut observed).left.iter().any(|left| left.contains(old)));

    let names = [old, "foreign", "crm.orders.v1", "mesh.products", "gone"].map(str::to_owned);
    let wishes = Wishes { delete: names.into(), is_pinned: true, bootstrap: "a:9092".into(), ..Wishes::default() };
    let refused = plan(&tree, &mut observed, &wishes);
    let why: Vec<&str> = refused.refused.iter().map(|refusal| refusal.what.as_str()).collect();
    insta::assert_snapshot!(why.join("\n"), @r"
    the topic crm.orders.v1 is not deleted: a contract of this tree asks for it
    the topic foreign is not deleted: the mesh has not made it
    the topic mesh.products is not deleted: it is the backbone's own
    ");
    assert_eq!(rows(&refused), [format!("delete topic {old}: ")]);
    let only = Wishes { delete: [old.to_owned()].into(), is_pinned: false, ..wishes };
    observed.read = [(old.to_owned(), vec!["group ana subscribes to it (1 members)".to_owned()])].into();
    let refused = plan(&tree, &mut observed, &only);
    assert_eq!((rows(&refused).len(), refused.refused.len()), (0, 1));
    assert!(refused.refused[0].what.contains("ana") && refused.refused[0].what.contains("not certain"));
}

#[test]
fn what_one_may_not_do_is_told_before() {
    let (tree, mut observed) = (examples(), empty());
    observed.allowed.clear();
    let refused = plain(&tree, &mut observed);
    assert_eq!(rules(&refused), ["not-allowed"]);
    assert!(refused.refused[0].what.starts_with("this client may not Create the cluster"), "{:?}", refused.refused);
}

/// What is gained, a line each.
fn gained(plan: &Plan) -> String {
    plan.gains.iter().map(|gain| format!("{gain}\n")).collect()
}

/// Analysts may read everything in clear.
fn opened(tree: &mut WorkingTree) {
    let customers = tree.products.iter_mut().find(|product| product.contract.value.name == "customers").unwrap();
    let grants = &mut customers.contract.value.access_group;
    grants.iter_mut().find(|grant| grant.group == "analysts").unwrap().view = "stewards".into();
}

#[test]
fn who_gains_sight_by_a_contract_is_told_by_group_where_rules_are_left_alone() {
    let mut tree = examples();
    let mut observed = applied(&tree);
    assert_eq!(gained(&plain(&tree, &mut observed)), "");
    opened(&mut tree);
    insta::assert_snapshot!(gained(&plain(&tree, &mut observed)));
}

#[test]
fn who_gains_sight_is_told_by_name_where_rules_are_kept() {
    let mut tree = examples();
    let mut observed = applied(&tree);
    let members = |people: &[&str]| {
        let people = people.iter().map(|name| format!("User:{name}")).collect();
        acl::Members::from([("analysts".to_owned(), people)])
    };
    let wanted =
        |tree: &WorkingTree, members: Option<&acl::Members>| Wanted::of(tree, members, &acl::Sidecars::default());
    let (was, more) = (members(&["ana"]), members(&["ana", "bob"]));
    observed.rights = Some(Rights { table: wanted(&tree, Some(&was)).table, ..Rights::default() });
    let subjects = schemas::subjects(&tree.products);
    let plan = |tree: &WorkingTree, wanted: &Wanted| {
        let scope = Scope::new(wanted_topics::names(tree), &subjects, Some(wanted), &BTreeSet::new());
        Plan::of(tree, &subjects, &scope, &observed, &Wishes::default())
    };
    assert_eq!(gained(&plan(&tree, &wanted(&tree, Some(&was)))), "", "nothing changes");
    assert_eq!(gained(&plan(&tree, &wanted(&tree, Some(&members(&[]))))), "", "what is lost is no gain");
    let hired = gained(&plan(&tree, &wanted(&tree, Some(&more))));
    assert!(hired.contains("User:bob sees email of crm.customers@1") && !hired.contains("User:ana"), "{hired}");
    opened(&mut tree);
    let unknown = gained(&plan(&tree, &wanted(&tree, None)));
    assert_eq!(unknown, "", "who is in which group is not known, and no rule changes");
    insta::assert_snapshot!(gained(&plan(&tree, &wanted(&tree, Some(&was)))));
}
