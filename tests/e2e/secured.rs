//! A registry with a certificate and users: real processes that are let in, and others that are not.

use crate::accounted::{VIEWS, publish_good};
use crate::clients::assert_conversations;
use crate::support::{Finished, PATIENCE, Process, World, eventually, mesh};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// A registry behind TLS that asks who one is, beside the world's own.
struct Secured {
    world: World,
    registry: Process,
    url: String,
    authority: PathBuf,
    /// The operator's token, which may do everything, as the registry's replicas do.
    operator: String,
}

impl Secured {
    fn start() -> Self {
        let world = World::start();
        let authority = private(&world, "other.crt", "");
        let (certificate, key) = certificate(&world, "tls");
        let operator = add(&world, &["operator", "--write", "*"]);
        let mut command = mesh(["run", "registry", "--format", "json", "--bootstrap-servers", world.bootstrap()]);
        command.arg("--tls-certificate").arg(&certificate).arg("--tls-key").arg(key);
        command.arg("--access").arg(access(&world)).arg("--registry-ca").arg(&certificate);
        let mut registry = Process::start(command.env("MESH_REGISTRY_TOKEN", &operator));
        let line = registry.line("the registry says where it listens", |line| line.contains("registry_url"));
        let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
        let url = said["registry_url"].as_str().expect("an address").to_owned();
        assert!(said["http_url"].as_str().is_some_and(|url| url.starts_with("https://")), "{said}");
        fs::copy(&certificate, &authority).expect("the folder is ours");
        Self { world, registry, url, authority, operator }
    }

    /// A command line that goes to this registry and trusts its certificate.
    fn mesh<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = mesh(args);
        command.args(["--bootstrap-servers", self.world.bootstrap(), "--registry-url", &self.url]);
        command.arg("--root").arg(self.world.tree.root()).arg("--keys").arg(self.world.keys());
        command.arg("--registry-ca").arg(&self.authority);
        command
    }
}

fn access(world: &World) -> PathBuf {
    world.scratch("access.json")
}

/// Adds a user; their token, or nothing if a password is given.
fn add(world: &World, args: &[&str]) -> String {
    let mut command = mesh(["credentials", "add"]);
    let added = Finished::of(command.args(args).arg("--access").arg(access(world))).expect(0);
    added.stdout.trim().to_owned()
}

fn private(world: &World, name: &str, text: &str) -> PathBuf {
    let path = world.scratch(name);
    fs::write(&path, text).expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path
}

/// A certificate for loopback that is its own authority, and its key.
pub(super) fn certificate(world: &World, name: &str) -> (PathBuf, PathBuf) {
    let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate can be made");
    let key = issued.signing_key.serialize_pem();
    (private(world, &format!("{name}.crt"), &issued.cert.pem()), private(world, &format!("{name}.key"), &key))
}

#[test]
fn commands_and_sidecars_are_let_in_over_https_as_who_they_are() {
    let mut secured = Secured::start();
    let world = &secured.world;

    // nobody, nobody known, somebody who may not: each is told, and nothing is applied
    let nobody = Finished::of(&mut secured.mesh(["apply"])).expect(2);
    assert!(nobody.stderr.contains("--registry-credentials"), "{}", nobody.stderr);
    Finished::of(secured.mesh(["apply"]).env("MESH_REGISTRY_TOKEN", "mesh_made_up")).expect(2);
    let analyst = add(world, &["analyst", "--read", "*"]);
    // the registry follows the file: a new user is let in without a restart
    let check = ["check", "--against", "registry"];
    eventually("the new user is let in", PATIENCE, || {
        let checked = Finished::of(secured.mesh(check).env("MESH_REGISTRY_TOKEN", &analyst));
        (checked.code == 0).then_some(())
    });
    Finished::of(secured.mesh(["apply"]).env("MESH_REGISTRY_TOKEN", &analyst)).expect(2);

    // another authority, or none: a clear message, and nothing is sent
    let (stranger, _) = certificate(world, "stranger");
    let mut command = mesh(check);
    command.args(["--registry-url", &secured.url, "--root"]).arg(world.tree.root());
    let untrusted = Finished::of(command.env("MESH_REGISTRY_TOKEN", &secured.operator)).expect(4);
    assert!(untrusted.stderr.contains("--registry-ca"), "{}", untrusted.stderr);
    let untrusted = Finished::of(command.arg("--registry-ca").arg(stranger)).expect(4);
    assert!(untrusted.stderr.contains("certificate"), "{}", untrusted.stderr);

    // the operator, by password from a file: everything is applied, and a sidecar masks
    let mut command = mesh(["credentials", "add", "platform", "--write", "*", "--password"]);
    Finished::given(command.arg("--access").arg(access(world)), "correct horse\n").expect(0);
    let credentials = private(world, "credentials.json", r#"{"user": "platform", "password": "correct horse"}"#);
    eventually("the platform is let in", PATIENCE, || {
        let mut command = secured.mesh(["apply"]);
        let applied = Finished::of(command.arg("--registry-credentials").arg(&credentials));
        (applied.code == 0).then_some(())
    });
    let mut masking = secured.mesh(["run", "masking", "--domain", "crm", "--format", "json"]);
    let mut masking = Process::start(masking.arg("--registry-credentials").arg(&credentials));
    masking.line("the sidecar runs", |line| line.contains("http_url"));
    publish_good(world, 0..10);
    eventually("the sidecar masks", PATIENCE, || (world.extent(VIEWS[0].1) > 0).then_some(()));

    // no secret is in a log, nor where every user of the machine can see it
    let cmdline = fs::read_to_string(format!("/proc/{}/cmdline", secured.registry.id())).expect("it runs");
    secured.registry.signal(rustix::process::Signal::TERM);
    assert_eq!(secured.registry.wait(), 0);
    for text in [secured.registry.stderr(), secured.registry.stdout(), cmdline] {
        for secret in [secured.operator.as_str(), "correct horse", &analyst] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn what_cannot_be_served_or_would_be_seen_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the file is ours");
        path
    };
    let run = |option: &str, path: &PathBuf| {
        let mut command = mesh(["run", "registry", "--bootstrap-servers", "127.0.0.1:1"]);
        Finished::of(command.arg(option).arg(path)).expect(2).stderr
    };
    assert!(run("--access", &file("open.json", r#"{"users": []}"#, 0o644)).contains("chmod 600"));
    let wrong = run("--access", &file("wrong.json", r#"{"users": [{"name": "a", "password": "hunter2"}]}"#, 0o600));
    assert!(wrong.contains("Argon2id") || wrong.contains("PHC"), "{wrong}");
    assert!(!wrong.contains("hunter2"), "{wrong}");
    assert!(run("--tls-certificate", &file("tls.crt", "", 0o600)).contains("--tls-key"));

    let mut command = mesh(["apply", "--bootstrap-servers", "127.0.0.1:1"]);
    let seen = Finished::of(command.args(["--registry-url", "https://crm:hunter2@127.0.0.1:1"])).expect(2).stderr;
    assert!(seen.contains("every user of this machine can see") && !seen.contains("hunter2"), "{seen}");
    let mut help = mesh(["run", "--help"]);
    help.env("MESH_REGISTRY_URL", "https://crm:hunter2@127.0.0.1:1").env("MESH_REGISTRY_TOKEN", "hunter2");
    assert!(!Finished::of(&mut help).expect(0).stdout.contains("hunter2"));
}

#[test]
fn users_are_added_listed_and_removed_and_their_secrets_are_shown_once() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("access.json");
    let run = |args: &[&str], input: &str, code: i32| {
        let mut command = mesh(["credentials"]);
        Finished::given(command.args(args).arg("--access").arg(&file), input).expect(code)
    };
    let token = run(&["add", "ci", "--read", "*", "--write", "crm."], "", 0).stdout;
    assert!(token.starts_with("mesh_") && token.lines().count() == 1, "{token}");
    assert_eq!(run(&["add", "app", "--read", "crm.", "--password"], "correct horse\n", 0).stdout, "");
    assert!(run(&["add", "app", "--password"], "\n", 2).stderr.contains("empty"));
    let refused = run(&["add", "broad", "--read", "crm*"], "", 2);
    assert!(refused.stderr.contains("a prefix is written without"), "{}", refused.stderr);

    let listed = run(&["list"], "", 0).stdout;
    assert_eq!(listed, "ci: token; reads *; writes crm.\napp: password; reads crm.; writes nothing\n");
    let kept = fs::read_to_string(&file).expect("the file is ours");
    assert!(!kept.contains(token.trim()) && !kept.contains("correct horse"), "{kept}");
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);

    run(&["remove", "ci"], "", 0);
    run(&["remove", "ci"], "", 2);
    let left = run(&["list", "--format", "json"], "", 0).json_lines();
    assert_eq!(left, [serde_json::json!({"user": "app", "secrets": ["password"], "read": ["crm."], "write": []})]);
}

#[test]
fn real_clients_are_let_in_over_https_with_a_password() {
    let secured = Secured::start();
    let world = &secured.world;
    let mut command = mesh(["credentials", "add", "clients", "--write", "*", "--password"]);
    Finished::given(command.arg("--access").arg(access(world)), "correct horse\n").expect(0);
    let credentials = private(world, "credentials.json", r#"{"user": "clients", "password": "correct horse"}"#);
    eventually("the clients are let in", PATIENCE, || {
        let mut command = secured.mesh(["check", "--against", "registry"]);
        let checked = Finished::of(command.arg("--registry-credentials").arg(&credentials));
        (checked.code == 0).then_some(())
    });
    let authority = secured.authority.to_str().expect("temporary folders are UTF-8");
    assert_conversations(&[&secured.url, authority, "clients:correct horse"]);
}
