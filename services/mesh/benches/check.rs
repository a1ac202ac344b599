//! `mesh check` on a large tree: 1,000 products with five versions of each schema in git's history and a sixth in the
//! working tree, every one of which is held against the five before it, with the views of its product.
//!
//! `cargo bench -p mesh --bench check` makes the tree, runs the command on it and prints the time of the processor that
//! the command and the `git` processes it starts took, as the kernel counts it for ended children.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark ends where it cannot measure, and prints")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

const DOMAINS: usize = 20;
const PRODUCTS_EACH: usize = 50;
const VERSIONS: usize = 5;
const RUNS: u32 = 5;
/// Linux tells processes' times in hundredths of a second.
const TICKS_EACH_SECOND: f64 = 100.0;
/// The one product whose new schema breaks: what is found shows that everything was looked at.
const BROKEN: (usize, usize) = (7, 7);

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let root = folder.path();
    make(root);
    measure(root, "every product changed");
    for (path, text) in schemas(VERSIONS).into_iter().filter(|(path, _)| *path != schema_path(BROKEN)) {
        fs::write(root.join(path), text).expect("the folder is ours");
    }
    measure(root, "one product changed");
}

fn measure(root: &Path, what: &str) {
    let (before, start) = (children_seconds(), Instant::now());
    for _ in 0..RUNS {
        let output = check(root);
        let findings = String::from_utf8_lossy(&output.stdout);
        let errors: Vec<&str> = findings.lines().filter(|line| line.starts_with("schemas/")).collect();
        assert_eq!(output.status.code(), Some(1), "{findings}{}", String::from_utf8_lossy(&output.stderr));
        assert!(errors.len() == 1 && errors[0].contains("4 versions before it"), "{errors:?}");
    }
    let (processor, wall) = (children_seconds() - before, start.elapsed().as_secs_f64());
    let (runs, products) = (f64::from(RUNS), DOMAINS * PRODUCTS_EACH);
    println!(
        "{products} products, {VERSIONS} versions before each, {what}: {:.2} s of the processor, {:.2} s by the clock (mean of {RUNS} runs)",
        processor / runs,
        wall / runs,
    );
}

fn check(root: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mesh"));
    command.args(["check", "--against", "main", "--root"]).arg(root).output().expect("mesh runs")
}

/// User and system time of the children that have ended, theirs included.
fn children_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    // The second field is the name, in brackets; the fourteenth on are the times, children's after one's own.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
    let ticks = fields.split_whitespace().skip(13).take(2).map(|field| field.parse::<f64>().expect("it is a number"));
    ticks.sum::<f64>() / TICKS_EACH_SECOND
}

/// A repository with a commit for each version, and the newest version on disk alone.
fn make(root: &Path) {
    git(root, &["init", "-q", "-b", "main"], "");
    git(root, &["fast-import", "--quiet"], &history());
    for (path, text) in contracts().into_iter().chain(schemas(VERSIONS + 1)) {
        let file = root.join(path);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("the folder is ours");
        fs::write(file, text).expect("the folder is ours");
    }
}

fn git(root: &Path, arguments: &[&str], input: &str) {
    let mut git = Command::new("git");
    let mut child = git.arg("-C").arg(root).args(arguments).stdin(Stdio::piped()).spawn().expect("git is there");
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("git reads");
    assert!(child.wait().expect("it is our child").success(), "git {arguments:?}");
}

/// As `git fast-import` reads it.
fn history() -> String {
    let mut stream = String::new();
    for version in 1..=VERSIONS {
        let files = if version == 1 { contracts() } else { Vec::new() };
        let _ = write!(
            stream,
            "commit refs/heads/main\ncommitter Bench <bench@example.org> {version} +0000\ndata 1\n{version}\n"
        );
        for (path, text) in files.into_iter().chain(schemas(version)) {
            let _ = write!(stream, "M 644 inline {path}\ndata {}\n{text}\n", text.len());
        }
    }
    stream
}

fn products() -> impl Iterator<Item = (usize, usize)> {
    (0..DOMAINS).flat_map(|domain| (0..PRODUCTS_EACH).map(move |product| (domain, product)))
}

fn contracts() -> Vec<(String, String)> {
    let domain = |domain: usize| {
        let text = format!("domain: d{domain}\ndescription: A domain.\nteam: {{ name: D, contact: d@example.org }}\n");
        (format!("topics/d{domain}/domain.yaml"), text)
    };
    let contract = |(domain, product): (usize, usize)| {
        let dependency = if product == 0 { String::new() } else { format!("d{domain}.p{}", product - 1) };
        let text = format!(
            "unique_id: 00000000-0000-4000-8000-{domain:04}{product:08}\nowner: d{domain}\nname: p{product}\nversion: 1\n\
             description: A product of the benchmark.\nschema: schemas/d{domain}/p{product}.avsc\nkey: id\n\
             refresh_rate: hour\nhistory: 2 years\nsensitive_columns:\n  - {{ column: email, mask: hash }}\n\
             \x20 - {{ column: address.street, mask: redact }}\nviews:\n  support: {{ clear: [email] }}\naccess_group:\n\
             \x20 - analysts\n  - {{ group: support, view: support }}\ndependencies: [{dependency}]\n"
        );
        (format!("topics/d{domain}/p{product}.yaml"), text)
    };
    (0..DOMAINS).map(domain).chain(products().map(contract)).collect()
}

/// Each version has one field more than the one before.
fn schemas(version: usize) -> Vec<(String, String)> {
    let schema = |at: (usize, usize)| {
        let (domain, product) = at;
        let quantity = if at == BROKEN && version > VERSIONS { "string" } else { "int" };
        let mut fields = format!(
            r#"{{"name": "id", "type": "string"}}, {{"name": "email", "type": "string"}},
  {{"name": "address", "type": {{"type": "record", "name": "Address", "fields": [
    {{"name": "street", "type": "string"}}, {{"name": "city", "type": "string", "mesh.sensitive": false}}]}}}},
  {{"name": "quantity", "type": "{quantity}"}}, {{"name": "tags", "type": {{"type": "array", "items": "string"}}}},
  {{"name": "made_at", "type": {{"type": "long", "logicalType": "timestamp-millis"}}}}"#
        );
        for field in 0..8 + version {
            let _ =
                write!(fields, ",\n  {{\"name\": \"f{field}\", \"type\": [\"null\", \"long\"], \"default\": null}}");
        }
        let text = format!(r#"{{"type": "record", "name": "d{domain}.P{product}", "fields": [{fields}]}}"#);
        (schema_path(at), text)
    };
    products().map(schema).collect()
}

fn schema_path((domain, product): (usize, usize)) -> String {
    format!("schemas/d{domain}/p{product}.avsc")
}
