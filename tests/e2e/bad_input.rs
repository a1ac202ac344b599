//! What goes wrong says so, with its exit code, and leaves nothing running.

use crate::support::{Finished, Process, Tree, World, eventually, mesh, processes_naming};
use rustix::process::Signal;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

/// A port that nobody listens on, and never will: it is reserved.
const NOBODY: &str = "127.0.0.1:1";
const FINDINGS: i32 = 1;
const USAGE: i32 = 2;
const UNREACHABLE: i32 = 4;
const INTERRUPTED: i32 = 130;
const SOON: Duration = Duration::from_secs(30);

fn check(tree: &Tree) -> Finished {
    Finished::of(mesh(["check", "--root"]).arg(tree.root()))
}

#[test]
fn the_examples_have_no_findings() {
    let finished = check(&Tree::examples()).expect(0);
    assert_eq!(finished.stdout, "");
}

#[test]
fn an_unknown_key_a_missing_column_and_an_unknown_unit_are_found_at_once() {
    let tree = Tree::examples();
    tree.replace("topics/crm/customers.yaml", "history: latest ", "histroy: latest ");
    tree.replace("topics/crm/customers.yaml", "column: phone,  ", "column: telephone,");
    tree.replace("topics/crm/orders.yaml", "history: 2 years", "history: 2 fortnights");
    let finished = check(&tree).expect(FINDINGS);
    insta::assert_snapshot!(finished.stdout);
}

#[test]
fn every_command_says_that_kafka_is_down() {
    let tree = Tree::examples();
    let root = tree.root().to_str().expect("temporary folders are UTF-8");
    let commands: [&[&str]; 8] = [
        &["up"],
        &["apply", "--registry-url", "http://127.0.0.1:1"],
        &["run", "registry"],
        &["products"],
        &["status"],
        &["lineage", "crm.customers"],
        &["publish", "crm.customers", "--registry-url", "http://127.0.0.1:1"],
        &["subscribe", "crm.customers", "--registry-url", "http://127.0.0.1:1"],
    ];
    for command in commands {
        let finished = Finished::of(mesh(command).args(["--root", root, "--bootstrap-servers", NOBODY]));
        assert_eq!(finished.code, UNREACHABLE, "{command:?}: {}", finished.stderr);
        assert!(
            finished.stderr.contains(NOBODY) && finished.stderr.contains("hint: "),
            "{command:?}: {}",
            finished.stderr
        );
    }
}

#[test]
fn apply_says_that_the_registry_is_down() {
    let world = World::start();
    let mut command = mesh(["apply", "--bootstrap-servers", world.bootstrap(), "--registry-url", "http://127.0.0.1:1"]);
    let finished = Finished::of(command.arg("--root").arg(world.tree.root())).expect(UNREACHABLE);
    assert!(finished.stderr.contains("registry") && finished.stderr.contains("hint: "), "{}", finished.stderr);
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_left_running() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    for option in ["--kafka-port", "--registry-port", "--http-port"] {
        let (tree, data) = (Tree::examples(), tempfile::tempdir().expect("a temporary folder can be made"));
        let finished = Finished::of(up(&tree, data.path()).args([option, &port])).expect(USAGE);
        assert!(finished.stderr.contains(&port) && finished.stderr.contains("hint: "), "{option}: {}", finished.stderr);
        assert_eq!(processes_naming(data.path()), []);
    }
}

#[test]
fn a_missing_java_and_a_missing_maven_are_named() {
    let nothing = tempfile::tempdir().expect("a temporary folder can be made");
    let tree = Tree::examples();
    let mut command = up(&tree, nothing.path());
    let finished = Finished::of(command.env("PATH", nothing.path()).env_remove("JAVA_HOME")).expect(USAGE);
    assert!(finished.stderr.contains("java") && finished.stderr.contains("hint: install a JDK"), "{}", finished.stderr);
}

#[test]
fn ctrl_c_in_every_phase_leaves_nothing_running() {
    for delay in [0, 300, 900, 1_800, 2_700, 3_600, 5_000] {
        let (tree, data) = (Tree::examples(), tempfile::tempdir().expect("a temporary folder can be made"));
        let mut process = Process::start(&mut up(&tree, data.path()));
        std::thread::park_timeout(Duration::from_millis(delay));
        process.signal(Signal::INT);
        let code = process.wait();
        assert!([0, INTERRUPTED].contains(&code), "after {delay} ms: {code}: {}", process.stderr());
        assert_eq!(processes_naming(data.path()), [], "after {delay} ms");
        assert!(!tree.root().join(".mesh/up.json").exists(), "after {delay} ms");
    }
}

#[test]
fn kill_9_of_mesh_takes_kafka_with_it() {
    let (tree, data) = (Tree::examples(), tempfile::tempdir().expect("a temporary folder can be made"));
    let mut process = Process::start(up(&tree, data.path()).args(["--format", "json"]));
    process.line("it is up", |line| line.contains("bootstrap_servers"));
    assert_ne!(processes_naming(data.path()), [], "Kafka's command line names its data folder");
    process.kill();
    eventually("Kafka ends", SOON, || {
        let others: Vec<_> = processes_naming(data.path()).into_iter().filter(|(id, _)| *id != process.id()).collect();
        others.is_empty().then_some(())
    });
}

fn up(tree: &Tree, data: &Path) -> std::process::Command {
    let mut command = mesh(["up", "--root"]);
    command.arg(tree.root()).arg("--data").arg(data);
    command
}
