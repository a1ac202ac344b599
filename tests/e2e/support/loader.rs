//! The library that Docker Compose reads its files with, as a program.

use super::environment::{Environment, succeed};
use super::process::Finished;
use super::tree::repository;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// `tests/compose`: compose files in, JSON out.
pub struct Loader;

impl Loader {
    /// Its command line, without the files.
    pub fn command() -> Command {
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        Command::new(PROGRAM.get_or_init(build))
    }

    /// Its answer, which must be a good one.
    pub fn run(command: &mut Command) -> String {
        Finished::of(command).expect(0).stdout
    }
}

fn build() -> PathBuf {
    let environment = Environment::lock("compose");
    let program = environment.folder().join("compose");
    let mut build = Command::new("go");
    build.args(["build", "-buildvcs=false", "-mod=readonly", "-o"]).arg(&program).arg(".").env("GOTOOLCHAIN", "auto");
    succeed(build.current_dir(repository().join("tests/compose")), "go 1.21 or newer");
    program
}
