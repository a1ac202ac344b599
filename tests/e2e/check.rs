//! `mesh check` where contracts live: in a git repository, its hooks and its continuous integration.

use crate::support::{Finished, Tree, World, mesh, repository};
use saphyr::{LoadableYamlNode, Yaml};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const FINE: i32 = 0;
const FINDINGS: i32 = 1;
const USAGE: i32 = 2;
const UNREACHABLE: i32 = 4;
const ORDER: &str = "schemas/crm/order.avsc";
const ORDERS: &str = "topics/crm/orders.yaml";
const INT: &str = r#""quantity", "type": "int""#;
const STRING: &str = r#""quantity", "type": "string""#;

/// The example domains in a repository of their own, on a branch that has just left `main`.
pub fn project() -> Tree {
    let tree = Tree::examples();
    git(tree.root(), &["init", "--quiet", "--initial-branch=main"]).expect(FINE);
    commit(&tree, "the examples");
    git(tree.root(), &["checkout", "--quiet", "-b", "change"]).expect(FINE);
    tree
}

fn git(folder: &Path, arguments: &[&str]) -> Finished {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments);
    Finished::of(git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("PATH", path()))
}

pub fn commit(tree: &Tree, message: &str) {
    git(tree.root(), &["add", "--all"]).expect(FINE);
    git(tree.root(), &["commit", "--quiet", "--no-verify", "-m", message]).expect(FINE);
}

/// With the `mesh` under test in front.
fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_mesh"));
    let folder = binary.parent().expect("it lies in a folder").display();
    format!("{folder}:{}", std::env::var("PATH").unwrap_or_default())
}

pub fn check(tree: &Tree, arguments: &[&str]) -> Finished {
    Finished::of(mesh(["check"]).args(arguments).current_dir(tree.root()))
}

#[test]
fn a_change_is_held_against_where_it_left_the_main_branch() {
    let tree = project();
    check(&tree, &[]).expect(FINE);
    tree.replace(ORDER, INT, STRING);
    let finished = check(&tree, &["--format", "json"]).expect(FINDINGS);
    let found = finished.json_lines();
    assert_eq!((found.len(), &found[0]["rule"], &found[0]["path"]), (1, &"type-mismatch".into(), &"quantity".into()));
    let reached: Vec<&str> =
        found[0]["reaches"].as_array().expect("it is a list").iter().filter_map(|it| it["product"].as_str()).collect();
    assert_eq!(reached, ["crm.orders@1", "upselling.offers@1"]);
    commit(&tree, "committed or not is the same");
    check(&tree, &[]).expect(FINDINGS);
    check(&tree, &["--against", "HEAD"]).expect(FINE);

    let waiver = "- { rule: type-mismatch, product: crm.orders, reason: told all, owner: ada@example.org, expires: 2999-12-31 }\n";
    tree.write("topics/crm/waivers.yaml", waiver);
    let waived = check(&tree, &[]).expect(FINE);
    assert!(waived.stdout.contains("waived until 2999-12-31 by ada@example.org: told all"), "{}", waived.stdout);
    // Once on the main branch it breaks nothing any more, but the history still holds it against the next change.
    git(tree.root(), &["checkout", "--quiet", "-B", "main"]).expect(FINE);
    commit(&tree, "waive");
    assert_eq!(check(&tree, &[]).expect(FINE).stdout, "");
    tree.write("topics/crm/waivers.yaml", &waiver.replace("2999", "2001"));
    assert!(check(&tree, &[]).expect(FINDINGS).stdout.contains("waiver-expired"));
}

/// A field that is dropped in one change, and comes back as something else in the next.
#[test]
fn transitive_levels_look_at_the_whole_history() {
    let tree = project();
    git(tree.root(), &["checkout", "--quiet", "main"]).expect(FINE);
    let quantity = tree.read(ORDER).lines().find(|line| line.contains(INT)).expect("it has one").to_owned();
    tree.replace(ORDER, &format!("{quantity}\n"), "");
    commit(&tree, "without quantity");
    git(tree.root(), &["checkout", "--quiet", "-b", "back"]).expect(FINE);
    let returned = quantity.replace(INT, &format!("{STRING}, \"default\": \"\""));
    tree.replace(ORDER, "  \"fields\": [\n", &format!("  \"fields\": [\n{returned}\n"));
    let finished = check(&tree, &[]).expect(FINDINGS);
    assert!(finished.stdout.contains("type-mismatch: crm.orders@1 cannot read what "), "{}", finished.stdout);

    // A contract that never promised more than the last version lets it pass.
    git(tree.root(), &["stash", "--quiet"]).expect(FINE);
    tree.replace(ORDERS, "history:", "compatibility: backward\nhistory:");
    git(tree.root(), &["checkout", "--quiet", "-B", "main"]).expect(FINE);
    commit(&tree, "promise less");
    git(tree.root(), &["stash", "pop", "--quiet"]).expect(FINE);
    check(&tree, &[]).expect(FINE);
}

#[test]
fn the_hook_refuses_the_commit() {
    let tree = project();
    let text = std::fs::read_to_string(repository().join(".pre-commit-hooks.yaml")).expect("it is in the project");
    let hooks = Yaml::load_from_str(&text).expect("it is YAML");
    let entry = hooks[0][0]["entry"].as_str().expect("the hook has an entry");
    // pre-commit runs an entry in the repository's folder, as git does a hook.
    let hook = tree.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().expect("it is in a folder")).expect("the folder is ours");
    std::fs::write(&hook, format!("#!/bin/sh\nexec {entry}\n")).expect("the folder is ours");
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).expect("the file is ours");
    tree.replace(ORDER, INT, STRING);
    let refused = git(tree.root(), &["commit", "--quiet", "-a", "-m", "break"]);
    assert!(refused.code != 0 && refused.stderr.contains("1 error"), "{}{}", refused.stdout, refused.stderr);
    tree.replace(ORDER, STRING, INT);
    tree.replace(ORDERS, "One record per purchase.", "One record a purchase.");
    git(tree.root(), &["commit", "--quiet", "-a", "-m", "word"]).expect(FINE);
}

/// The code block behind the marker `ci-test: NAME` of docs/ci.md.
fn documented(name: &str) -> Vec<Yaml<'static>> {
    let page = std::fs::read_to_string(repository().join("docs/ci.md")).expect("it is in the project");
    let marker = format!("<!-- ci-test: {name} -->\n```yaml\n");
    let (_, rest) = page.split_once(&marker).unwrap_or_else(|| panic!("docs/ci.md has no block {name}"));
    let block: &'static str = rest.split_once("\n```").expect("the block ends").0.to_owned().leak();
    Yaml::load_from_str(block).expect("it is YAML")
}

fn shell(script: &str, folder: &Path, variables: &[(&str, &str)]) -> Finished {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(folder).env("PATH", path());
    Finished::of(bash.envs(variables.iter().copied()))
}

#[test]
fn the_workflows_of_the_documentation_refuse_a_break_and_say_so() {
    let tree = project();
    let base = git(tree.root(), &["rev-parse", "main"]).expect(FINE).stdout.trim().to_owned();
    tree.replace(ORDER, INT, STRING);
    commit(&tree, "break");

    let gitlab = documented("gitlab");
    let script = gitlab[0]["contracts"]["script"][0].as_str().expect("it has a script").to_owned();
    shell(&script, tree.root(), &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)]).expect(FINDINGS);
    let report = tree.read("mesh-check.xml");
    assert!(report.contains(r#"<failure type="type-mismatch""#), "{report}");

    // GitHub checks a pull request out as the merge that it would be.
    git(tree.root(), &["checkout", "--quiet", "main"]).expect(FINE);
    git(tree.root(), &["merge", "--quiet", "--no-ff", "-m", "merge", "change"]).expect(FINE);
    let github = documented("github");
    let steps = &github[0]["jobs"]["check"]["steps"];
    let run = |step: usize| steps[step]["run"].as_str().expect("it runs something").to_owned();
    let annotated = shell(&run(1), tree.root(), &[]).expect(FINDINGS);
    assert!(annotated.stdout.starts_with("::error file=schemas/crm/order.avsc,line="), "{}", annotated.stdout);
    shell(&run(2), tree.root(), &[("GITHUB_STEP_SUMMARY", "summary.md")]).expect(FINDINGS);
    assert!(tree.read("summary.md").contains("| type-mismatch | "));
}

#[test]
fn a_folder_and_a_revision_and_a_part_of_a_repository_are_compared_with() {
    let (tree, before) = (project(), Tree::examples());
    let folder = before.root().to_str().expect("temporary folders are UTF-8");
    check(&tree, &["--against", folder]).expect(FINE);
    tree.replace(ORDERS, "key: order_id", "key: customer_id");
    assert!(check(&tree, &["--against", folder]).expect(FINDINGS).stdout.contains("key-changed"));
    assert!(check(&tree, &["--against", "main"]).expect(FINDINGS).stdout.contains("key-changed"));
    let unknown = check(&tree, &["--against", "nowhere"]).expect(USAGE);
    assert!(unknown.stderr.contains("nowhere") && unknown.stderr.contains("hint: "), "{}", unknown.stderr);

    // The contracts may lie in a folder of a larger repository.
    let whole = tempfile::tempdir().expect("a temporary folder can be made");
    let part = whole.path().join("part");
    std::fs::create_dir(&part).expect("the folder is ours");
    for name in ["topics", "schemas"] {
        std::fs::rename(before.root().join(name), part.join(name)).expect("both are temporary folders");
    }
    git(whole.path(), &["init", "--quiet", "--initial-branch=main"]).expect(FINE);
    git(whole.path(), &["add", "--all"]).expect(FINE);
    git(whole.path(), &["commit", "--quiet", "-m", "part"]).expect(FINE);
    std::fs::remove_file(part.join("topics/upselling/offers.yaml")).expect("the file is ours");
    let finished = Finished::of(mesh(["check", "--root"]).arg(&part)).expect(FINDINGS);
    assert!(finished.stdout.contains("product-removed: upselling.offers@1"), "{}", finished.stdout);

    // Whoever annotates a pull request knows files from the repository's top.
    std::fs::write(part.join("topics/web/page_views.yaml"), "version: 1\n").expect("the folder is ours");
    let annotated = Finished::of(mesh(["check", "--format", "github", "--root"]).arg(&part)).expect(FINDINGS);
    assert!(annotated.stdout.contains("::error file=part/topics/web/page_views.yaml,line="), "{}", annotated.stdout);
    let scanned = Finished::of(mesh(["check", "--format", "sarif", "--root"]).arg(&part)).expect(FINDINGS);
    assert!(scanned.stdout.contains(r#""uri":"part/topics/web/page_views.yaml""#), "{}", scanned.stdout);
}

/// What the registry is told by the same options, and would refuse.
#[test]
fn names_that_look_sensitive_and_changes_of_meaning_are_taken_as_the_registry_takes_them() {
    let tree = project();
    let fields = "  \"fields\": [\n";
    tree.replace(
        ORDER,
        fields,
        &format!("{fields}    {{ \"name\": \"staff_number\", \"type\": \"string\", \"default\": \"\" }},\n"),
    );
    check(&tree, &[]).expect(FINE);
    let named = check(&tree, &["--sensitive-name", "staff number"]).expect(FINDINGS);
    assert!(named.stdout.contains("sensitive-unmarked: ") && named.stdout.contains("staff_number"), "{}", named.stdout);
    let by_environment =
        mesh(["check"]).current_dir(tree.root()).env("MESH_SENSITIVE_NAMES", "badge,staff number").output();
    assert_eq!(by_environment.expect("mesh runs").status.code(), Some(FINDINGS));
    check(&tree, &["--sensitive-name", "-"]).expect(USAGE);

    tree.replace(ORDER, "\"name\": \"staff_number\"", "\"name\": \"full_name\"");
    check(&tree, &[]).expect(FINDINGS);
    check(&tree, &["--sensitive-name=-full name"]).expect(FINE);

    tree.replace(ORDER, "\"name\": \"full_name\"", "\"name\": \"note\"");
    commit(&tree, "a note");
    git(tree.root(), &["checkout", "--quiet", "-B", "main"]).expect(FINE);
    git(tree.root(), &["checkout", "--quiet", "-b", "reworded"]).expect(FINE);
    tree.replace(ORDER, "\"default\": \"\"", "\"default\": \"none\"");
    assert!(check(&tree, &[]).expect(FINDINGS).stdout.contains("default-changed: "));
    assert!(check(&tree, &["--meaning", "default-changed=warn"]).expect(FINE).stdout.contains("default-changed: "));
    assert_eq!(check(&tree, &["--meaning", "default-changed=off"]).expect(FINE).stdout, "");
    check(&tree, &["--meaning", "defaults-changed=off"]).expect(USAGE);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let outside = Tree::examples();
    let alone = check(&outside, &[]).expect(FINE);
    assert!(alone.stderr.contains("nothing to compare with"), "{}", alone.stderr);
    check(&outside, &["--against", "main"]).expect(USAGE);

    let tree = project();
    let nothing = tempfile::tempdir().expect("a temporary folder can be made");
    let without_git = Finished::of(mesh(["check"]).current_dir(tree.root()).env("PATH", nothing.path())).expect(USAGE);
    assert!(without_git.stderr.contains("hint: install git"), "{}", without_git.stderr);

    let registry = check(&tree, &["--against", "registry", "--registry-url", "http://127.0.0.1:1"]).expect(UNREACHABLE);
    assert!(registry.stderr.contains("hint: "), "{}", registry.stderr);

    tree.replace(ORDERS, "hour", "day");
    commit(&tree, "second");
    let clone = nothing.path().join("clone");
    let (url, target) = (format!("file://{}", tree.root().display()), clone.to_str().expect("it is UTF-8"));
    git(tree.root(), &["clone", "--quiet", "--depth=1", "--branch=change", &url, target]).expect(FINE);
    let shallow = Finished::of(mesh(["check", "--against", "HEAD", "--root"]).arg(&clone)).expect(USAGE);
    assert!(shallow.stderr.contains("fetch-depth: 0"), "{}", shallow.stderr);
}

#[test]
fn a_registry_is_compared_with() {
    let world = World::start();
    // Nothing is registered yet: everything is new.
    world.run(["check", "--against", "registry"]).expect(FINE);
    world.run(["apply"]).expect(FINE);
    world.run(["check", "--against", "registry"]).expect(FINE);
    world.tree.replace(ORDER, INT, STRING);
    world.tree.replace("topics/crm/customers.yaml", "mask: { keep_last: 4 }", "mask: drop");
    let finished = world.run(["check", "--against", "registry"]).expect(FINDINGS);
    assert!(finished.stdout.contains("type-mismatch: crm.orders@1 cannot read what schema "), "{}", finished.stdout);
    assert!(finished.stdout.contains("view-incompatible: crm.customers@1: `phone` is dropped"), "{}", finished.stdout);
}
