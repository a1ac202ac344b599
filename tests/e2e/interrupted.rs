//! Applies that are killed at every step, and two at once.

use crate::support::{Finished, PATIENCE, Process, Tree, World, eventually};
use mesh_kafka::admin::{Admin, Quotas};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::Runtime;

/// More steps than any apply of this test has.
const STEPS_MAX: usize = 20;
const USAGE: i32 = 2;

/// A tree of one domain of its own: a product that is there already and is changed in every way, and a new one.
fn tree(domain: &str, second: bool) -> Tree {
    let tree = Tree::examples();
    for folder in ["topics/web", "topics/upselling", "schemas/web", "schemas/upselling"] {
        std::fs::remove_dir_all(tree.root().join(folder)).expect("it is ours");
    }
    for file in ["topics/crm/customers.yaml", "schemas/crm/customer.avsc"] {
        std::fs::remove_file(tree.root().join(file)).expect("it is ours");
    }
    tree.replace("topics/crm/orders.yaml", "owner: crm", &format!("owner: {domain}"));
    tree.replace("topics/crm/domain.yaml", "domain: crm\n", &format!("domain: {domain}\n"));
    let quotas = match second {
        true => format!("User:{domain}-service: {{ produce: 2 MB/s }}"),
        false => format!(
            "User:{domain}-service: {{ produce: 1 MB/s, consume: 1 MB/s }}\n  User:{domain}-old: {{ requests: 50 % }}"
        ),
    };
    let limited = format!("{}\nquotas:\n  {quotas}\n", tree.read("topics/crm/domain.yaml"));
    tree.write("topics/crm/domain.yaml", &limited);
    tree.replace("schemas/crm/order.avsc", ", \"term\": \"crm.customer\"", "");
    tree.replace("schemas/crm/order.avsc", "  \"term\": \"crm.order\",\n", "");
    // another product for each run: an id stays what it is
    let id = |name: &str| format!("{:08x}-6c1e-4b7e-8d0a-2f9f5f3d{name}", domain.bytes().map(u64::from).sum::<u64>());
    tree.replace("topics/crm/orders.yaml", "0d4a7b52-6c1e-4b7e-8d0a-2f9f5f3d7b02", &id("0001"));
    tree.replace("topics/crm/orders.yaml", "history: 2 years", "history: 2 years\ncompatibility: backward");
    if second {
        let orders = tree.read("topics/crm/orders.yaml");
        tree.write(
            "topics/crm/refunds.yaml",
            &orders.replace("name: orders", "name: refunds").replace(&id("0001"), &id("0002")),
        );
        tree.replace("topics/crm/orders.yaml", "partitions: 4", "partitions: 6");
        tree.replace("topics/crm/orders.yaml", "history: 2 years", "history: 3 years");
        tree.replace("topics/crm/orders.yaml", "compatibility: backward", "compatibility: full_transitive");
        tree.replace(
            "topics/crm/orders.yaml",
            "access_group: analysts",
            "access_group: [{ group: analysts, view: all }]\nviews: { all: { clear: all } }",
        );
        tree.replace(
            "topics/crm/orders.yaml",
            "sensitive_columns: []",
            "sensitive_columns: [{ column: customer_id, mask: hash }]",
        );
        tree.replace(
            "schemas/crm/order.avsc",
            "{ \"name\": \"quantity\"",
            "{ \"name\": \"gift\", \"type\": \"boolean\", \"default\": false },\n    { \"name\": \"quantity\"",
        );
    }
    std::fs::rename(tree.root().join("topics/crm"), tree.root().join(format!("topics/{domain}"))).expect("it is ours");
    tree
}

/// A command on another tree than the world's.
fn mesh(world: &World, tree: &Tree, args: &[&str]) -> std::process::Command {
    let mut command = crate::support::mesh(args);
    command.args(["--bootstrap-servers", world.bootstrap(), "--registry-url", &world.registry_url]);
    command.arg("--root").arg(tree.root());
    command
}

/// What a domain's topics are like in the end, with the domain's name left out.
fn state(world: &World, domain: &str) -> BTreeMap<String, (u32, BTreeMap<String, String>)> {
    let runtime = Runtime::new().expect("threads can be started");
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    runtime.block_on(async {
        let cluster = admin.cluster().await.expect("Kafka answers");
        let own: Vec<&str> = cluster
            .topics
            .keys()
            .map(String::as_str)
            .filter(|topic| topic.starts_with(&format!("{domain}.")))
            .collect();
        let described = admin.describe(&cluster, &own).await.expect("Kafka answers");
        let plain = described.into_iter().map(|(topic, state)| {
            let own = state.settings.into_iter().filter(|(setting, _)| state.own.contains(setting)).collect();
            (topic.replacen(domain, "", 1), (state.partitions, own))
        });
        plain.collect()
    })
}

/// What the domain's principals are limited to in the end.
fn limited(world: &World, domain: &str) -> Quotas {
    let runtime = Runtime::new().expect("threads can be started");
    let admin = Admin::new(&world.settings()).expect("the settings are right");
    let quotas = runtime.block_on(admin.quotas()).expect("Kafka answers");
    quotas.into_iter().filter(|(user, _)| user.starts_with(&format!("{domain}-"))).collect()
}

/// Killed when it begins step n, for every n; the next apply finishes what is left, and the end is the same.
#[test]
fn an_apply_that_is_killed_at_any_step_is_finished_by_the_next() {
    let world = World::start();
    let confirm = |domain: &str| format!("{domain}.orders");
    let mut ends = Vec::new();
    for step in 1..=STEPS_MAX {
        let domain = format!("crm{step}");
        Finished::of(&mut mesh(&world, &tree(&domain, false), &["apply"])).expect(0);
        let changed = tree(&domain, true);
        let confirmed = confirm(&domain);
        let args = ["apply", "--confirm", &confirmed];
        let mut process = Process::start(&mut mesh(&world, &changed, &args));
        let begun = format!("step {step} of ");
        let is_reached = eventually("it begins the step, or ends", PATIENCE, || {
            if process.stderr().contains(&begun) { Some(true) } else { process.ended().map(|_| false) }
        });
        if !is_reached {
            assert_eq!(process.wait(), 0, "{}", process.stderr());
            ends.push(state(&world, &domain));
            break;
        }
        process.signal(Signal::KILL);
        process.wait();
        Finished::of(&mut mesh(&world, &changed, &args)).expect(0);
        let drift = Finished::of(&mut mesh(&world, &changed, &["drift"]));
        assert_eq!(drift.code, 0, "killed at step {step}: {}", drift.stdout);
        ends.push(state(&world, &domain));
    }
    is_on_record(&world, ends.len());
    let undisturbed = ends.last().expect("at least one");
    assert_eq!(undisturbed.len(), 7, "two products: {undisturbed:?}");
    assert!(ends.len() > 6 && ends.len() < STEPS_MAX, "only {} steps", ends.len());
    ends.iter().for_each(|end| assert_eq!(end, undisturbed));
    for domain in (1..=ends.len()).map(|step| format!("crm{step}")) {
        let wanted = Quotas::from([(format!("{domain}-service"), [("producer_byte_rate".to_owned(), 2e6)].into())]);
        assert_eq!(limited(&world, &domain), wanted);
    }
}

/// Whatever was killed when, each topic that is there was on record before, and the audit is whole.
fn is_on_record(world: &World, domains: usize) {
    let asked = world.run(["audit", "query", "--what", "topic-created", "--format", "json"]).expect(0).json_lines();
    let told: BTreeSet<String> = asked.iter().filter_map(|row| Some(row["topic"].as_str()?.to_owned())).collect();
    for domain in (1..=domains).map(|step| format!("crm{step}")) {
        let missing: Vec<String> = state(world, &domain).into_keys().map(|topic| format!("{domain}{topic}")).collect();
        assert!(missing.iter().all(|topic| told.contains(topic)), "{missing:?}: {told:?}");
    }
    let verified = world.run(["audit", "verify"]).expect(0).stdout;
    assert!(verified.ends_with("the audit is intact\n"), "{verified}");
}

/// One wins, the other waits or is told; what both want is never mixed. One that was silent for too long finds out.
#[test]
fn of_two_applies_at_once_one_wins() {
    let world = World::start();
    let (one, other) = (tree("crma", false), tree("crma", false));
    other.replace("topics/crma/orders.yaml", "history: 2 years", "history: 5 years");
    other.replace("topics/crma/orders.yaml", "One record per purchase", "The other's");
    let mut frozen = Process::start(&mut mesh(&world, &one, &["apply"]));
    eventually("the first has begun", PATIENCE, || frozen.stderr().contains("step 1 of ").then_some(()));
    frozen.signal(Signal::STOP);

    let busy = Finished::of(&mut mesh(&world, &other, &["apply", "--wait", "0"]));
    let is_told = busy.code == USAGE && busy.stderr.contains("another apply is at work");
    // where the first had ended before it was frozen, there is nobody to wait for
    assert!(is_told || busy.code == 0 || busy.stderr.contains("--confirm"), "{busy:?}");
    Finished::of(&mut mesh(&world, &other, &["apply", "--confirm", "crma.orders"])).expect(0);
    let before = state(&world, "crma");
    frozen.signal(Signal::CONT);
    let code = frozen.wait();
    assert!(code == USAGE && frozen.stderr().contains("another apply took over") || code == 0, "{}", frozen.stderr());
    Finished::of(&mut mesh(&world, &other, &["drift"])).expect(0);
    assert_eq!(state(&world, "crma"), before, "what was silent for too long changes nothing any more");

    // both at once, unharmed: both end well, and the end is what the later one wanted, whole
    let (third, fourth) = (tree("crmb", false), tree("crmb", false));
    fourth.replace("topics/crmb/orders.yaml", "history: 2 years", "history: 5 years");
    let mut together: Vec<Process> = [&third, &fourth]
        .map(|tree| Process::start(&mut mesh(&world, tree, &["apply", "--confirm", "crmb.orders"])))
        .into();
    for process in &mut together {
        assert_eq!(process.wait(), 0, "{}", process.stderr());
    }
    let drifts = [&third, &fourth].map(|tree| Finished::of(&mut mesh(&world, tree, &["drift", "--format", "json"])));
    let clean: Vec<&Finished> = drifts.iter().filter(|drift| drift.code == 0).collect();
    let report = |drift: &Finished| -> Value { serde_json::from_str(&drift.stdout).expect("one JSON object") };
    assert_eq!(clean.len(), 1, "{:?}", drifts.each_ref().map(report));
}
