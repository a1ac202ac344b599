//! The README's first product works literally.

use crate::support::{Finished, Process, repository};
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_first_product_of_the_readme_works_as_written() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let made = Finished::of(&mut shell(&block("make"), folder.path())).expect(0);
    assert_eq!(made.stdout, "");

    let product = folder.path().join("shop");
    let mut up = Process::start(&mut shell(&format!("exec {}", block("up").trim()), &product));
    up.line("it is up", |line| line.starts_with("products"));

    let used = Finished::of(&mut shell(&block("use"), &product)).expect(0);
    assert!(!used.stdout.contains("ada@example.org"), "{}", used.stdout);
    let record = used.stdout.lines().find(|line| line.starts_with('{')).expect("the view's record is JSON");
    let seen: serde_json::Value = serde_json::from_str(record).expect("the view's record is JSON");
    assert_eq!((&seen["key"], &seen["value"]["text"]), (&"r1".into(), &"Lovely.".into()));
    assert!(used.stdout.contains("shop.reviews"), "{}", used.stdout);
}

/// The code block behind the marker `readme-test: NAME`.
fn block(name: &str) -> String {
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("it is in the project");
    let marker = format!("<!-- readme-test: {name} -->\n```sh\n");
    let (_, rest) = readme.split_once(&marker).unwrap_or_else(|| panic!("README.md has no block {name}"));
    rest.split_once("\n```").expect("the block ends").0.to_owned()
}

fn shell(script: &str, folder: &Path) -> Command {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_mesh"));
    let programs = binary.parent().expect("it lies in a folder");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(folder).env("PATH", path);
    command
}
