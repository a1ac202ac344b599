#![allow(clippy::unwrap_used)]

use super::*;
use mesh_contract::acl::Operation;
use mesh_contract::{parse_contract, parse_domain};

const CUSTOMERS: &str = include_str!("../../../../topics/crm/customers.yaml");
const CRM: &str = include_str!("../../../../topics/crm/domain.yaml");

struct World {
    contracts: Vec<Contract>,
    domain: Domain,
    members: Members,
    nobody: BTreeSet<String>,
    found: AclTable,
    believed: Believed,
}

fn contract(text: &str) -> Contract {
    parse_contract("topics/crm/customers.yaml", text).unwrap().value
}

fn people(names: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    names.into_iter().map(|name| format!("User:{name}")).collect()
}

fn many(count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("User:u{number}")).collect()
}

fn rule(user: &str, topic: &str, operation: Operation) -> Acl {
    Acl { principal: format!("User:{user}"), resource: Resource::Topic(topic.to_owned()), operation }
}

impl World {
    /// A cluster that is as contract and directory say.
    fn new() -> Self {
        let members = [
            ("analysts", people(["ana", "bob"])),
            ("crm-support", people(["sue"])),
            ("crm-stewards", people(["stan"])),
        ];
        let members = members.map(|(group, members)| (group.to_owned(), members)).into();
        let domain = parse_domain("topics/crm/domain.yaml", CRM).unwrap().value;
        let (found, believed) = (AclTable::new(), Believed::default());
        let nobody = BTreeSet::new();
        let mut world = Self { contracts: vec![contract(CUSTOMERS)], domain, members, nobody, found, believed };
        world.look();
        world
    }

    fn facts<T>(&self, with: impl FnOnce(&Facts<'_>) -> T) -> T {
        let contracts: Vec<&Contract> = self.contracts.iter().collect();
        let Self { members, nobody, found, .. } = self;
        with(&Facts { contracts: &contracts, domains: &[&self.domain], members, nobody, found })
    }

    /// Looks, and does what follows.
    fn look(&mut self) -> Reconciliation {
        let wanted = self.facts(|facts| reconcile(facts, &self.believed, Guard::default()));
        self.found = self.found.difference(&wanted.revoke).cloned().collect();
        self.found.extend(wanted.grant.iter().cloned());
        self.believed = wanted.believed.clone();
        wanted
    }

    /// What `mesh apply` makes of the same.
    fn applied(&self) -> AclTable {
        self.facts(wanted)
    }

    fn reads(&self, user: &str) -> Vec<&str> {
        let own = self.found.iter().filter(|acl| acl.principal == format!("User:{user}"));
        own.filter(|acl| acl.operation == Operation::Read)
            .filter_map(topic)
            .filter(|t| !t.starts_with("mesh."))
            .collect()
    }
}

fn text(table: &AclTable) -> String {
    table.iter().map(|acl| format!("{acl}\n")).collect()
}

#[test]
fn a_cluster_that_is_as_it_should_be_is_left_alone() {
    let mut world = World::new();
    world.found = world.applied();
    for _ in 0..2 {
        let wanted = world.look();
        assert_eq!((text(&wanted.grant), text(&wanted.revoke)), (String::new(), String::new()));
        assert!(wanted.doubted.is_empty());
    }
}

#[test]
fn whoever_joins_reads_and_whoever_leaves_does_not() {
    let mut world = World::new();
    world.members.insert("analysts".to_owned(), people(["ana", "eve"]));
    let wanted = world.look();
    insta::assert_snapshot!(text(&wanted.grant), @r"
    User:eve may Read topic crm.customers.v1
    User:eve may Write topic mesh.lineage
    User:eve may Read topic mesh.products
    User:eve may Read group eve
    User:eve may Describe group mesh-log-reader
    User:eve may Describe group mesh-reader
    User:mesh-freshness may Describe group eve
    ");
    insta::assert_snapshot!(text(&wanted.revoke), @r"
    User:bob may Read topic crm.customers.v1
    User:bob may Write topic mesh.lineage
    User:bob may Read topic mesh.products
    User:bob may Read group bob
    User:bob may Describe group mesh-log-reader
    User:bob may Describe group mesh-reader
    User:mesh-freshness may Describe group bob
    ");
    assert_eq!(world.reads("eve"), ["crm.customers.v1"]);
}

#[test]
fn whoever_leaves_one_of_two_groups_keeps_what_the_other_gives() {
    let mut world = World::new();
    world.members.insert("crm-support".to_owned(), people(["sue", "bob"]));
    world.look();
    world.members.insert("analysts".to_owned(), people(["ana"]));
    world.look();
    assert_eq!(world.reads("bob"), ["crm.customers.v1.support"]);
    assert!(world.found.contains(&rule("bob", "mesh.products", Operation::Read)));
}

#[test]
fn somebody_who_left_while_nobody_looked_is_found_at_the_first_look() {
    let mut world = World::new();
    world.believed = Believed::default();
    world.members.insert("analysts".to_owned(), people(["ana"]));
    let wanted = world.look();
    assert_eq!(text(&wanted.revoke), "User:bob may Read topic crm.customers.v1\n");
}

#[test]
fn an_empty_group_or_one_that_is_gone_is_not_believed_and_gives_nothing() {
    for (answer, code) in [(Some(BTreeSet::new()), "empty"), (None, "unknown")] {
        // as at the first look, so at every other
        for believed in [World::new().believed, Believed::default()] {
            let mut world = World { believed, ..World::new() };
            match &answer {
                Some(members) => _ = world.members.insert("analysts".to_owned(), members.clone()),
                None => _ = world.members.remove("analysts"),
            }
            for _ in 0..2 {
                let wanted = world.look();
                assert_eq!(wanted.doubted["analysts"].code(), code);
                assert_eq!((text(&wanted.grant), text(&wanted.revoke)), (String::new(), String::new()));
            }
            world.members.insert("analysts".to_owned(), people(["ana"]));
            assert_eq!(world.look().doubted.len(), 0);
            assert_eq!((world.reads("ana"), world.reads("bob")), (vec!["crm.customers.v1"], vec![]));
        }
    }
}

#[test]
fn a_group_that_nobody_reads_by_may_be_empty() {
    let mut world = World::new();
    world.found.retain(|acl| acl.principal != "User:sue");
    world.members.insert("crm-support".to_owned(), BTreeSet::new());
    assert!(world.look().doubted.is_empty());
}

#[test]
fn a_group_that_is_empty_on_purpose_shuts_out_its_last_member_and_no_other_group_does() {
    let mut world = World::new();
    world.members.insert("crm-support".to_owned(), BTreeSet::new());
    world.members.insert("crm-stewards".to_owned(), BTreeSet::new());
    world.nobody.insert("crm-support".to_owned());
    let wanted = world.look();
    assert_eq!(wanted.doubted.keys().collect::<Vec<_>>(), ["crm-stewards"]);
    assert_eq!((world.reads("sue").len(), world.reads("stan").is_empty()), (0, false));
}

#[test]
fn many_who_leave_at_once_stay_and_a_few_go() {
    let mut world = World::new();
    world.members.insert("analysts".to_owned(), many(20));
    world.look();
    world.members.insert("analysts".to_owned(), many(9).into_iter().chain(people(["eve"])).collect());
    let wanted = world.look();
    assert_eq!(wanted.doubted["analysts"], Doubt::Shrunk { lost: 11, of: 20 });
    assert_eq!((text(&wanted.grant), text(&wanted.revoke)), (String::new(), String::new()));
    world.members.insert("analysts".to_owned(), many(10));
    assert_eq!(world.look().doubted.len(), 0);
    // five may always go
    world.members.insert("analysts".to_owned(), many(5));
    assert_eq!(world.look().doubted.len(), 0);
    assert_eq!((world.reads("u4"), world.reads("u5")), (vec!["crm.customers.v1"], vec![]));
}

#[test]
fn only_what_lets_people_read_a_products_views_is_taken_back() {
    let mut world = World::new();
    let foreign = [
        rule("eve", "crm.customers.v10", Operation::Read),
        rule("eve", "crm2.customers.v1", Operation::Read),
        rule("eve", "crm.customers.v1.in", Operation::Read),
        rule("eve", "crm.customers.v1", Operation::Write),
        rule("tool", "mesh.products", Operation::Read),
    ];
    world.found.extend(foreign.clone());
    world.found.insert(rule("eve", "crm.customers.v1", Operation::Read));
    world.found.insert(rule("eve", "crm.customers.v1.quarantine", Operation::Read));
    let wanted = world.look();
    insta::assert_snapshot!(text(&wanted.revoke), @r"
    User:eve may Read topic crm.customers.v1
    User:eve may Read topic crm.customers.v1.quarantine
    ");
    assert!(foreign.iter().all(|acl| world.found.contains(acl)));
}

#[test]
fn a_contract_that_withdraws_a_view_is_believed_however_many_read_it() {
    let mut world = World::new();
    world.members.insert("analysts".to_owned(), many(20));
    world.look();
    world.contracts = vec![contract(&CUSTOMERS.replace("  - { group: analysts }", "  - { group: others }"))];
    let wanted = world.look();
    assert!(wanted.doubted.is_empty(), "{:?}", wanted.doubted);
    assert_eq!(world.reads("u3"), [""; 0]);
}

proptest::proptest! {
    /// Whoever is no member and no part of the backbone reads nothing, unless the answer is doubted; and a second look changes
    /// nothing.
    #[test]
    fn it_comes_to_rest_after_one_look(now in proptest::collection::btree_set(0_usize..12, 0..12), before in 0_usize..12) {
        let mut world = World::new();
        world.members.insert("analysts".to_owned(), many(before));
        world.look();
        let members: BTreeSet<String> = now.iter().map(|number| format!("User:u{number}")).collect();
        world.members.insert("analysts".to_owned(), members.clone());
        let first = world.look();
        let second = world.look();
        proptest::prop_assert!(second.grant.is_empty() && second.revoke.is_empty());
        proptest::prop_assert_eq!(first.doubted.keys().collect::<Vec<_>>(), second.doubted.keys().collect::<Vec<_>>());
        if first.doubted.is_empty() {
            for number in 0..12 {
                let is_member = members.contains(&format!("User:u{number}"));
                proptest::prop_assert_eq!(world.reads(&format!("u{number}")).len(), usize::from(is_member));
            }
        }
    }
}
