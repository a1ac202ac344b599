//! Who is in which group is followed: a real OpenLDAP, a real secured Kafka, real clients.

use crate::support::{Finished, PATIENCE, Process, Python, Slapd, Tree, eventually, group, mesh, person};
use mesh_contract::acl::{Acl, Operation, Resource};
use mesh_kafka::Settings;
use mesh_kafka::admin::{Admin, TopicSpec};
use mesh_kafka::properties;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const VIEW: &str = "crm.customers.v1";
/// Topics whose names begin as the view's does, or whose domain's name does.
const NEIGHBOURS: [&str; 3] = ["crm.customers.v10", "crm.customers.v1.other", "crm2.customers.v1"];

/// A directory, and a secured backbone that follows it every second.
struct World {
    slapd: Slapd,
    up: Process,
    said: Value,
    data: TempDir,
    runtime: Runtime,
    _tree: Tree,
}

impl World {
    /// `ana` is an analyst, `bob` one by a team in the group, `eve` in no group that reads the view.
    fn start() -> Self {
        let people = ["ana", "bob", "eve", "sue", "stan"].map(person).concat();
        let groups = [
            group("analysts", &["ana"], &["team"]),
            group("team", &["bob"], &["analysts"]),
            group("campaigns", &["eve"], &[]),
            group("crm-support", &["sue"], &[]),
            group("crm-stewards", &["stan"], &[]),
        ];
        let slapd = Slapd::start(&format!("{people}{}", groups.concat()));
        let tree = Tree::examples();
        let settings = slapd.settings(&slapd.tls_url(), "timeout_seconds: 5\n");
        let may_be_empty = "groups: { may_be_empty: [crm-support], base";
        tree.write("groups.yaml", &settings.replace("groups: { base", may_be_empty));
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = mesh(["up", "--secure", "--format", "json", "--access-interval", "1", "--data"]);
        let mut up = Process::start(command.arg(data.path()).arg("--root").arg(tree.root()));
        let line = up.line("the backbone says where it is", |line| line.contains("registry_url"));
        let said = serde_json::from_str(&line).expect("one JSON object a line");
        Self { slapd, up, said, data, runtime: Runtime::new().expect("threads can be started"), _tree: tree }
    }

    fn client(&self, user: &str) -> PathBuf {
        self.data.path().join("secure/clients").join(format!("{user}.properties"))
    }

    /// Kafka as the operator sees it.
    fn operator(&self) -> Admin {
        let file = self.said["kafka_config"].as_str().expect("a file");
        let given = properties::parse(&std::fs::read_to_string(file).expect("it is ours")).expect("it is well-formed");
        let bootstrap = self.said["bootstrap_servers"].as_str().expect("an address");
        Admin::new(&Settings::new(bootstrap).with_all(given)).expect("the settings are right")
    }

    /// What a user may do with the view and its neighbours, tried by a client of their own: those that they may do nothing with are
    /// not there.
    fn tried(&self, user: &str) -> BTreeMap<String, Vec<String>> {
        let file = self.client(user);
        let args = [&[file.to_str().expect("temporary folders are UTF-8"), VIEW], NEIGHBOURS.as_slice()].concat();
        let found = Python::environment().run("rights.py", &args, "");
        let mut tried: BTreeMap<String, Vec<String>> = serde_json::from_str(&found.stdout).expect("one JSON object");
        tried.retain(|_, operations| !operations.is_empty());
        tried
    }

    fn reads(&self, user: &str) -> bool {
        let may_read = |tried: &BTreeMap<String, Vec<String>>| {
            tried.get(VIEW).is_some_and(|operations| operations.iter().any(|operation| operation == "read"))
        };
        let tried = self.tried(user);
        assert!(tried.keys().all(|topic| topic == VIEW), "{user} may do more than is granted: {tried:?}");
        may_read(&tried)
    }

    fn eventually_reads(&self, user: &str, reads: bool) {
        eventually(&format!("{user} reads the view: {reads}"), PATIENCE, || {
            let tried = self.tried(user);
            if tried.contains_key(VIEW) == reads { Ok(()) } else { Err(tried) }
        });
    }

    /// Replaces a group's members.
    fn set(&self, name: &str, members: &[&str], groups: &[&str]) {
        let entry = group(name, members, groups);
        let values = entry.lines().filter(|line| line.starts_with("member: "));
        let values: String = values.map(|line| format!("{line}\n")).collect();
        let dn = entry.lines().next().expect("an entry has a name");
        self.slapd.modify(&format!("{dn}\nchangetype: modify\nreplace: member\n{values}"));
    }

    /// Waits for a metric, given with its labels, to be as wanted.
    fn eventually_metric(&self, metric: &str, wanted: impl Fn(Option<f64>) -> bool) -> Option<f64> {
        let url = format!("{}/metrics", self.said["http_url"].as_str().expect("an address"));
        eventually(metric, PATIENCE, || {
            let text = self.runtime.block_on(async { reqwest::get(&url).await?.text().await });
            let text = text.map_err(|error| error.to_string())?;
            let line = text.lines().find_map(|line| line.strip_prefix(metric)?.trim().parse().ok());
            if wanted(line) { Ok(line) } else { Err(format!("{metric} is {line:?}")) }
        })
    }

    /// Waits until the directory was asked anew, without a failure.
    fn eventually_synced_again(&self) {
        let metric = "mesh_access_synced_timestamp_seconds";
        let before = self.eventually_metric(metric, |value| value.is_some());
        self.eventually_metric(metric, |value| value > before);
    }
}

#[test]
fn members_of_the_directory_read_until_they_are_removed_and_no_doubtful_answer_shuts_anybody_out() {
    let mut world = World::start();
    world.runtime.block_on(world.operator().create_topics(&NEIGHBOURS.map(TopicSpec::new))).expect("the operator may");
    // who is in a group within the group reads, too, and nothing whose name is only like the view's
    assert_eq!((world.reads("ana"), world.reads("bob"), world.reads("eve")), (true, true, false));

    // one comes, one goes
    world.set("team", &["eve"], &["analysts"]);
    world.eventually_reads("eve", true);
    world.eventually_reads("bob", false);

    // what nobody's contract asks for is taken back on the view, and on nothing else
    let rule = |topic: &str| Acl {
        principal: "User:bob".to_owned(),
        resource: Resource::Topic(topic.to_owned()),
        operation: Operation::Read,
    };
    let foreign = [rule(VIEW), rule(NEIGHBOURS[0])].into();
    // it may be taken back before the operator has seen it
    let _ = world.runtime.block_on(world.operator().grant(&foreign));
    let taken_back = "User:bob may Read topic crm.customers.v1";
    eventually("the view is closed again", PATIENCE, || {
        let log = world.up.stderr();
        let lines = log.lines().filter(|line| line.contains("access taken back"));
        let times = lines.filter(|line| line.trim_end_matches('"').ends_with(taken_back)).count();
        if times == 2 { Ok(()) } else { Err(log) }
    });
    let tried = world.tried("bob");
    assert!(tried.keys().eq([NEIGHBOURS[0]]), "{tried:?}");

    // an empty group is not believed: the alert's metric tells, everybody goes on
    let nobody = world
        .eventually_metric("mesh_access_doubted_groups{group=\"analysts\",reason=\"empty\"}", |value| value.is_none());
    assert_eq!(nobody, None);
    world.set("analysts", &["gone"], &[]);
    world.eventually_metric("mesh_access_doubted_groups{group=\"analysts\",reason=\"empty\"}", |value| {
        value == Some(1.0)
    });
    world.eventually_synced_again();
    assert_eq!((world.reads("ana"), world.reads("eve")), (true, true));

    // but of a group that may be empty it is: its last member reads no longer
    world.set("crm-support", &["gone"], &[]);
    eventually("the last member of a group that may be empty is shut out", PATIENCE, || {
        let log = world.up.stderr();
        let taken_back = "User:sue may Read topic crm.customers.v1.support";
        if log.contains(taken_back) { Ok(()) } else { Err(log) }
    });

    // the directory is gone: nothing changes, and the failures are counted
    let failures = "mesh_access_failed_rounds_total{reason=\"directory\"}";
    world.eventually_metric(failures, |value| value == Some(0.0));
    world.slapd.stop();
    world.eventually_metric(failures, |value| value >= Some(2.0));
    assert_eq!((world.reads("ana"), world.reads("eve")), (true, true));

    // and back, with fewer members: what was doubted is over, who left while it was away is shut out
    world.slapd.start_again();
    world.set("analysts", &["ana"], &[]);
    world.eventually_metric("mesh_access_doubted_groups{group=\"analysts\",reason=\"empty\"}", |value| value.is_none());
    world.eventually_reads("eve", false);
    assert!(world.reads("ana"));
    let log = world.up.stderr();
    assert!(log.contains("access taken back") && !log.contains("correct-horse"), "{log}");
}

/// The service on its own, as its own principal; and what is wrong with a directory is said at the start.
#[test]
fn a_directory_that_cannot_be_used_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("directory.yaml");
    std::fs::write(&file, "url: ldap://ldap.example.org\ngroups: { base: g }\nusers: { base: p }\n")
        .expect("it is ours");
    let mut command = mesh(["run", "access", "--bootstrap-servers", "127.0.0.1:1", "--groups"]);
    let refused = Finished::of(command.arg(&file));
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("in clear") && refused.stderr.contains("hint:"), "{}", refused.stderr);
    let missing = Finished::of(&mut mesh(["run", "access", "--bootstrap-servers", "127.0.0.1:1"]));
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    assert!(missing.stderr.contains("--groups"), "{}", missing.stderr);
}
