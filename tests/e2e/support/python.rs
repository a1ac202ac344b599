//! Clients in Python, from a virtual environment made once in the target folder.

use super::environment::{Environment, succeed};
use super::process::Finished;
use super::tree::repository;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

const NEEDED: &str = "python3 with venv and pip";

/// The virtual environment with the packages of `tests/python/requirements.txt`.
pub struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// The environment; made by the first test that asks.
    pub fn environment() -> &'static Self {
        static ENVIRONMENT: OnceLock<Python> = OnceLock::new();
        ENVIRONMENT.get_or_init(|| Self { interpreter: prepare() })
    }

    /// Runs one of `tests/python/` to its end, which must be a good one.
    pub fn run(&self, script: &str, args: &[&str], input: &str) -> Finished {
        Finished::given(self.command(script).args(args), input).expect(0)
    }

    /// One of `tests/python/`, to be run.
    pub fn command(&self, script: &str) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.arg(repository().join("tests/python").join(script));
        command
    }
}

fn prepare() -> PathBuf {
    let requirements = repository().join("tests/python/requirements.txt");
    let environment = Environment::lock("python");
    let folder = environment.folder().join("venv");
    let interpreter = folder.join("bin/python");
    environment.install(&requirements, || {
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), NEEDED);
        let mut install = Command::new(&interpreter);
        succeed(install.args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements), NEEDED);
    });
    interpreter
}
