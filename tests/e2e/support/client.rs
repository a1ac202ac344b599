//! Clients in other languages, each with the same programs: `registry`, `write_input`, `read_view`.

use super::environment::{Environment, succeed};
use super::process::Finished;
use super::python::Python;
use super::tree::repository;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// A language with a client of Kafka and one of the registry.
#[derive(Clone, Copy, Debug)]
pub enum Client {
    /// `confluent-kafka`.
    Python,
    /// `franz-go` and its `pkg/sr`.
    Go,
    /// `kafkajs` and `@confluentinc/schemaregistry`.
    Node,
}

impl Client {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Python, Self::Go, Self::Node];

    /// Runs one of the programs to its end, which must be a good one.
    pub fn run(self, program: &str, args: &[&str], input: &str) -> Finished {
        Finished::given(self.command(program).args(args), input).expect(0)
    }

    fn command(self, program: &str) -> Command {
        static GO: OnceLock<PathBuf> = OnceLock::new();
        static NODE: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Self::Python => Python::environment().command(&format!("{program}.py")),
            Self::Go => {
                let mut command = Command::new(GO.get_or_init(build_go));
                command.arg(program);
                command
            }
            Self::Node => {
                let modules = NODE.get_or_init(install_node);
                let mut command = Command::new("node");
                command.arg(repository().join("tests/node").join(program)).env("NODE_PATH", modules);
                command
            }
        }
    }
}

/// The program built from `tests/go`; another Go than `go.mod` wants fetches the right one itself.
fn build_go() -> PathBuf {
    let environment = Environment::lock("go");
    let program = environment.folder().join("clients");
    let mut build = Command::new("go");
    build.args(["build", "-buildvcs=false", "-mod=readonly", "-o"]).arg(&program).arg(".").env("GOTOOLCHAIN", "auto");
    succeed(build.current_dir(repository().join("tests/go")), "go 1.21 or newer");
    program
}

/// The modules of `tests/node/package-lock.json`. No module's own script runs: none is needed.
fn install_node() -> PathBuf {
    let source = repository().join("tests/node");
    let environment = Environment::lock("node");
    environment.install(&source.join("package-lock.json"), || {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(source.join(file), environment.folder().join(file)).expect("the target folder is ours");
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        succeed(install.current_dir(environment.folder()), "node 20 or newer with npm");
    });
    environment.folder().join("node_modules")
}
