//! A secured Kafka: what each principal may do with each topic, tried with real clients, equals what was written down by hand; and
//! who is not let in is told why.

mod authority;
mod fed;
mod issuer;
mod least;
mod ports;
mod quotas;
mod refused;
mod tampered;
mod tokens;

use crate::support::{Finished, PATIENCE, Process, Python, Tree, eventually, mesh};
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::embedded::{EmbeddedKafka, Options, User};
use mesh_kafka::properties;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const GROUPS: &str = "analysts: [User:ana, User:upselling-offers]\ncampaigns: [User:carl]\ncrm-support: [User:sue]\n\
                      crm-stewards: [User:stan]\n";
/// Topics that no contract names, with names like those that some do.
const NEIGHBOURS: [&str; 5] = [
    "crm.customers.v10",
    "crm.customers.v10.in",
    "crm2.customers.v1",
    "crm2.customers.v1.in",
    "crm.customers.v1.other",
];

/// `mesh up --secure` on a tree of its own.
struct Up {
    process: Process,
    tree: Tree,
    data: TempDir,
    said: Value,
}

impl Up {
    fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// The same with more options.
    fn start_with(more: impl FnOnce(&mut Command)) -> Self {
        Self::start_on(Tree::examples(), more)
    }

    /// The same on another tree.
    fn start_on(tree: Tree, more: impl FnOnce(&mut Command)) -> Self {
        tree.write("groups.yaml", GROUPS);
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = mesh(["up", "--secure", "--format", "json", "--data"]);
        command.arg(data.path()).arg("--root").arg(tree.root());
        more(&mut command);
        let mut process = Process::start(&mut command);
        let line = process.line("the backbone says where it is", |line| line.contains("registry_url"));
        let said = serde_json::from_str(&line).expect("one JSON object a line");
        Self { process, tree, data, said }
    }

    fn client(&self, user: &str) -> PathBuf {
        self.data.path().join("secure/clients").join(format!("{user}.properties"))
    }

    /// A command in this tree, which finds the backbone by itself.
    fn mesh<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = mesh(args);
        command.arg("--root").arg(self.tree.root());
        command
    }

    /// The same as one of the users.
    fn mesh_as<const N: usize>(&self, user: &str, args: [&str; N]) -> Command {
        let mut command = self.mesh(args);
        command.arg("--kafka-config").arg(self.client(user)).args(["--registry-url", text(&self.said["registry_url"])]);
        command
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is text")
}

/// What a principal may do with each topic.
type Matrix = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// `user: topic operation operation, topic operation`, as written by hand.
fn by_hand() -> Matrix {
    let lines = include_str!("secure/matrix.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut matrix = Matrix::new();
    for line in lines {
        let mut words = line.split_whitespace().map(str::to_owned);
        let (user, topic) = (words.next().expect("a user"), words.next().expect("a topic"));
        let before = matrix.entry(user).or_default().insert(topic, words.collect());
        assert!(before.is_none(), "{line}: twice");
    }
    matrix
}

/// Every principal, every topic, every operation. The services are stopped before: it writes what no service could read.
#[test]
fn each_principal_may_do_what_was_written_down_by_hand_and_nothing_else() {
    let mut up = Up::start();
    let users: Vec<String> = up.said["clients"].as_object().expect("files by user").keys().cloned().collect();
    // who may do it applies again, without a difference: it is what it was
    let again = Finished::of(&mut up.mesh_as("mesh-apply", ["apply"])).expect(0);
    assert!(again.stdout.contains("nothing to change"), "{}", again.stdout);
    let denied = Finished::of(&mut up.mesh_as("crm-service", ["apply"])).expect(4);
    assert!(
        denied.stderr.contains("cannot change who may do what") && denied.stderr.contains("hint:"),
        "{}",
        denied.stderr
    );
    let seen = Finished::of(&mut up.mesh(["products", "--format", "json"])).expect(0);
    assert_eq!(seen.json_lines().len(), 4, "the operator is found without being named");
    who_was_denied_is_on_record(&up);
    up.process.signal(rustix::process::Signal::TERM);
    assert_eq!(up.process.wait(), 0, "{}", up.process.stderr());
    no_secret_is_seen(&up, &users);

    // the same Kafka without the services
    let runtime = Runtime::new().expect("threads can be started");
    let options = Options { data: Some(up.data.path().to_owned()), secured: true, ..Options::default() };
    let kafka = runtime.block_on(EmbeddedKafka::start(options)).expect("it starts on its data");
    let names: Vec<&str> = users.iter().map(String::as_str).chain(["stranger"]).collect();
    let clients = runtime.block_on(kafka.add_users(&names)).expect("they are users");
    let topics = runtime.block_on(topics(&kafka));
    assert_eq!(matrix(&clients, &topics), by_hand());
    runtime.block_on(least::each_rule_is_needed(&kafka, &clients, "crm"));
    runtime.block_on(kafka.stop());
}

/// The broker's authoriser says whom it has denied what, and so does the audit, in which all is as it was written.
fn who_was_denied_is_on_record(up: &Up) {
    let read = ["subscribe", "crm.customers", "--view", "stewards", "--until-end"];
    Finished::of(&mut up.mesh_as("carl", read)).expect(4);
    let asked = ["audit", "query", "--what", "access-denied", "--principal", "carl", "--format", "json"];
    let denied = eventually("the denial is on record", PATIENCE, || {
        let found = Finished::of(&mut up.mesh(asked)).expect(0).json_lines();
        found.into_iter().find(|denial| denial["resource"] == "topic crm.customers.v1.stewards")
    });
    assert_eq!(
        (&denied["principal"], &denied["host"]),
        (&Value::from("User:carl"), &Value::from("127.0.0.1")),
        "{denied}"
    );
    assert!(denied["count"].as_u64() > Some(0), "{denied}");
    let verified = Finished::of(&mut up.mesh(["audit", "verify"])).expect(0);
    assert!(verified.stdout.ends_with("the audit is intact\n"), "{}", verified.stdout);
}

/// All topics but Kafka's own, with some that no contract names.
async fn topics(kafka: &EmbeddedKafka) -> Vec<String> {
    let admin = Admin::new(&kafka.settings()).expect("the settings are right");
    admin.create_topics(&NEIGHBOURS.map(TopicSpec::new)).await.expect("the operator may");
    let names = admin.topic_names().await.expect("the operator may");
    names.into_iter().filter(|name| !name.starts_with("__")).collect()
}

/// What each may do: those that may do nothing have no line.
fn matrix(clients: &[User], topics: &[String]) -> Matrix {
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let tried = clients.iter().map(|user| {
        let file = user.file.to_str().expect("temporary folders are UTF-8");
        let found = Python::environment().run("rights.py", &[&[file], topics.as_slice()].concat(), "");
        let allowed: BTreeMap<String, BTreeSet<String>> = serde_json::from_str(&found.stdout).expect("one JSON object");
        (user.name.clone(), allowed.into_iter().filter(|(_, operations)| !operations.is_empty()).collect())
    });
    tried.filter(|(_, allowed): &(String, BTreeMap<_, _>)| !allowed.is_empty()).collect()
}

/// No password is in what was said or written to a log, and nobody else can read the files that hold them.
fn no_secret_is_seen(up: &Up, users: &[String]) {
    use std::os::unix::fs::PermissionsExt as _;
    let log = fs::read_to_string(up.data.path().join("kafka.log")).expect("Kafka has a log");
    let said = [up.process.stdout(), up.process.stderr(), log];
    for user in users {
        let file = up.client(user);
        let mode = fs::metadata(&file).expect("each user has a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        let password = password(&file);
        assert!(said.iter().all(|text| !text.contains(&password)), "the password of {user} is shown");
    }
}

fn password(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("the file is ours");
    properties::parse(&text).expect("it is well-formed").remove("sasl.password").expect("there is one")
}

fn order(number: usize) -> String {
    let times = r#""ordered_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z""#;
    format!(
        "{{\"order_id\": \"o-{number}\", \"customer_id\": \"c-1\", \"quantity\": 1, \"amount\": \"12.50\", {times}}}\n"
    )
}

/// A producer publishes, a member of a group reads its view and no other, each as itself.
#[test]
fn producers_and_readers_take_part_as_themselves() {
    let up = Up::start();
    let orders: String = (0..3).map(order).collect();
    let mut publish = up.mesh_as("crm-service", ["publish", "crm.orders"]);
    Finished::given(&mut publish, &orders).expect(0);
    let mut refused = up.mesh_as("web-tracker", ["publish", "crm.orders"]);
    let refused = Finished::given(&mut refused, &orders);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    let read = eventually("an analyst reads the orders", PATIENCE, || {
        let read = Finished::of(&mut up.mesh_as("ana", ["subscribe", "crm.orders", "--until-end"])).expect(0);
        (read.stdout.lines().count() == 3).then_some(read)
    });
    assert!(read.stdout.contains("order_id"), "{}", read.stdout);
    let denied =
        Finished::of(&mut up.mesh_as("ana", ["subscribe", "crm.customers", "--view", "stewards", "--until-end"]));
    assert_eq!(denied.code, 4, "{}", denied.stderr);
    assert!(
        denied.stderr.contains("crm.customers.v1.stewards") && denied.stderr.contains("hint:"),
        "{}",
        denied.stderr
    );
}
