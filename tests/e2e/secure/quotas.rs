//! What principals may take of a cluster: as the domains say, whoever has changed it by hand, and nobody else's.

use super::Up;
use crate::support::{Finished, PATIENCE, eventually};
use mesh_contract::acl::{Acl, AclTable, Operation, Resource};
use mesh_kafka::admin::{Admin, QuotaChanges, Quotas};
use mesh_kafka::{Settings, properties};
use serde_json::Value;
use std::fs;
use tokio::runtime::Runtime;

const DOMAIN: &str = "topics/crm/domain.yaml";
const QUOTAS: &str =
    "\nquotas:\n  User:crm-service: { produce: 10 MB/s, requests: 50 % }\n  User:ana: { consume: 512 KiB/s }\n";
const DRIFT: i32 = 3;

/// By user: quotas.
fn quotas(users: &[(&str, &[(&str, f64)])]) -> Quotas {
    let all = |quotas: &[(&str, f64)]| quotas.iter().map(|(quota, value)| ((*quota).to_owned(), *value)).collect();
    users.iter().map(|(user, quotas)| ((*user).to_owned(), all(quotas))).collect()
}

/// Somebody else, with rights to do anything.
struct Hand {
    runtime: Runtime,
    admin: Admin,
}

impl Hand {
    fn of(up: &Up) -> Self {
        let text = fs::read_to_string(up.client("mesh-operator")).expect("the file is ours");
        let given = properties::parse(&text).expect("they are client settings");
        let settings = Settings::new(given["bootstrap.servers"].clone()).with_all(given);
        let admin = Admin::new(&settings).expect("the settings are right");
        Self { runtime: Runtime::new().expect("threads can be started"), admin }
    }

    fn sees(&self) -> Quotas {
        self.runtime.block_on(self.admin.quotas()).expect("the operator may")
    }

    fn sets(&self, user: &str, quota: &str, to: Option<f64>) {
        let changes = QuotaChanges::from([(user.to_owned(), [(quota.to_owned(), to)].into())]);
        self.runtime.block_on(self.admin.change_quotas(&changes)).expect("the operator may");
    }
}

/// The changes that are told, a line each, without how often spaces stand between.
fn told(finished: &Finished) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let changes = finished.stdout.lines().map(words).filter(|line| line.contains(" quota ") || line.contains(" rule "));
    changes.collect()
}

/// A command as `User:mesh-apply`.
fn run<const N: usize>(up: &Up, args: [&str; N]) -> Finished {
    Finished::of(&mut up.mesh_as("mesh-apply", args))
}

/// Whoever may see everything else is told what it takes to see quotas.
fn cannot_look_without_the_right(up: &Up, hand: &Hand) {
    let (principal, resource) = ("User:mesh-plan".to_owned(), Resource::Cluster);
    let right = AclTable::from([Acl { principal, resource, operation: Operation::DescribeConfigs }]);
    let looks = || Finished::of(&mut up.mesh_as("mesh-plan", ["drift"]));
    hand.runtime.block_on(hand.admin.revoke(&right)).expect("the operator may");
    eventually("quotas may not be seen", PATIENCE, || {
        let blind = looks();
        let is_told = blind.stderr.contains("cannot look at client quotas") && blind.stderr.contains("DescribeConfigs");
        if blind.code == 4 && is_told { Ok(()) } else { Err(blind.stderr) }
    });
    hand.runtime.block_on(hand.admin.grant(&right)).expect("the operator may");
    eventually("quotas may be seen again", PATIENCE, || {
        let sees = looks();
        if sees.code == DRIFT { Ok(()) } else { Err(sees.stderr) }
    });
}

#[test]
fn quotas_are_as_the_domains_say_and_others_are_left_alone() {
    let up = Up::start();
    let (hand, before) = (Hand::of(&up), up.tree.read(DOMAIN));
    hand.sets("bob", "producer_byte_rate", Some(7.0));
    let bobs: (&str, &[(&str, f64)]) = ("bob", &[("producer_byte_rate", 7.0)]);

    // what is to be done, done as it was saved; who applies gives itself the right that it takes
    up.tree.write(DOMAIN, &format!("{before}{QUOTAS}"));
    let plan = up.data.path().join("plan.json");
    cannot_look_without_the_right(&up, &hand);
    let drift = run(&up, ["drift"]).expect(DRIFT);
    let changes = [
        "grant rule User:mesh-apply may AlterConfigs the cluster",
        "change quota User:ana: consume: none -> 512 KiB/s",
        "change quota User:crm-service: produce: none -> 10 MB/s, requests: none -> 50 %",
    ];
    assert_eq!(told(&drift), changes, "{}", drift.stdout);
    let plan = plan.to_str().expect("temporary folders are UTF-8");
    run(&up, ["plan", "--out", plan]).expect(0);
    run(&up, ["apply", plan]).expect(0);
    let wanted = quotas(&[
        bobs,
        ("ana", &[("consumer_byte_rate", 524_288.0)]),
        ("crm-service", &[("producer_byte_rate", 10_000_000.0), ("request_percentage", 50.0)]),
    ]);
    assert_eq!(hand.sees(), wanted);
    let again = run(&up, ["apply"]).expect(0);
    assert!(again.stdout.contains("nothing to change"), "{}", again.stdout);
    run(&up, ["apply", plan]).expect(0);

    // damage: changed, taken away, added to; and somebody else's
    hand.sets("crm-service", "producer_byte_rate", Some(5.0));
    hand.sets("crm-service", "request_percentage", None);
    hand.sets("ana", "producer_byte_rate", Some(1.0));
    let moved = run(&up, ["apply", plan]).expect(2);
    assert!(moved.stderr.contains("quota User:crm-service: produce was"), "{}", moved.stderr);
    let drift = run(&up, ["drift", "--format", "json"]).expect(DRIFT);
    let drift: Value = serde_json::from_str(&drift.stdout).expect("it is JSON");
    let changes: Vec<String> = drift["changes"].as_array().expect("changes").iter().map(Value::to_string).collect();
    assert_eq!(
        changes,
        [
            r#"{"action":"change","kind":"quota","name":"User:ana","details":["produce: 1 B/s -> none"]}"#,
            r#"{"action":"change","kind":"quota","name":"User:crm-service","details":["produce: 5 B/s -> 10 MB/s","requests: none -> 50 %"]}"#,
        ]
    );
    run(&up, ["apply"]).expect(0);
    assert_eq!(hand.sees(), wanted);

    // somebody else's is asked for first, and what no domain says any more is taken back
    up.tree.write(DOMAIN, &format!("{before}\nquotas:\n  User:bob: {{ produce: 1 MB/s }}\n"));
    let taken = run(&up, ["apply"]).expect(1);
    assert!(taken.stderr.contains("quota-taken") && taken.stderr.contains("produce 7 B/s"), "{}", taken.stderr);
    assert_eq!(hand.sees(), wanted, "nothing was changed");
    run(&up, ["apply", "--adopt", "User:bob"]).expect(0);
    assert_eq!(hand.sees(), quotas(&[("bob", &[("producer_byte_rate", 1_000_000.0)])]));
    up.tree.write(DOMAIN, &before);
    let gone = run(&up, ["apply"]).expect(0);
    assert_eq!(told(&gone), ["delete quota User:bob: produce: 1 MB/s -> none"]);
    assert_eq!(hand.sees(), Quotas::new());
    let again = run(&up, ["apply"]).expect(0);
    assert!(again.stdout.contains("nothing to change"), "{}", again.stdout);
    on_record(&up);
}

/// Each change of a quota, and who made it.
fn on_record(up: &Up) {
    let told = run(up, ["audit", "query", "--what", "quota-changed", "--format", "json"]).expect(0).json_lines();
    let quotas: Vec<&str> = told.iter().filter_map(|event| event["quota"].as_str()).collect();
    let (ana, service, bob) = ("User:ana", "User:crm-service", "User:bob");
    // set, set once more by the same plan, mended, and taken back; then somebody else's is taken over, and taken back
    assert_eq!(quotas, [ana, service, ana, service, ana, service, ana, service, bob, bob], "{told:?}");
    assert!(told.iter().all(|event| event["who"]["principal"] == "User:mesh-apply"), "{told:?}");
}
