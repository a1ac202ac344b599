//! Clients in Python, from a virtual environment made once in the target folder.

use super::process::Finished;
use super::tree::repository;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

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
        let mut command = Command::new(&self.interpreter);
        command.arg(repository().join("tests/python").join(script)).args(args);
        Finished::given(&mut command, input).expect(0)
    }
}

fn prepare() -> PathBuf {
    let requirements = repository().join("tests/python/requirements.txt");
    let folder = target().join("python");
    fs::create_dir_all(&folder).expect("the target folder is ours");
    // Test binaries run side by side: the first makes the environment, the others wait for it.
    let lock = File::create(folder.join("lock")).expect("the target folder is ours");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("locks work here");
    let wanted = fs::read_to_string(&requirements).expect("it is in the project");
    let installed = folder.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return interpreter(&folder);
    }
    let environment = folder.join("venv");
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
    succeed(Command::new(interpreter(&folder)).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements));
    fs::write(&installed, wanted).expect("the target folder is ours");
    interpreter(&folder)
}

fn interpreter(folder: &Path) -> PathBuf {
    folder.join("venv/bin/python")
}

/// The folder that cargo builds into.
fn target() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_mesh"));
    binary.ancestors().nth(2).expect("target/<profile>/mesh").to_owned()
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("python3 with venv and pip is needed: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
