//! A world: a Kafka of its own, a registry, a working tree, keys.

use super::process::{Process, mesh};
use super::{Finished, PATIENCE, Tree, eventually};
use mesh_kafka::Settings;
use mesh_kafka::admin::Admin;
use mesh_kafka::embedded::{EmbeddedKafka, Options};
use mesh_runtime::keys::FileKeys;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Kafka, registry and a working tree; all of it ends with the world.
pub struct World {
    /// The registry's address.
    pub registry_url: String,
    /// The working tree.
    pub tree: Tree,
    bootstrap: String,
    _registry: Process,
    folder: TempDir,
    kafka: Option<EmbeddedKafka>,
    runtime: Runtime,
}

impl World {
    /// Starts a world with the example contracts, not yet applied.
    pub fn start() -> Self {
        Self::start_on(Options::default())
    }

    /// The same on a Kafka that is started in some other way.
    pub fn start_on(kafka: Options) -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let kafka = runtime.block_on(EmbeddedKafka::start(kafka)).expect("the embedded Kafka starts");
        let bootstrap = kafka.bootstrap_servers();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        FileKeys::generate(&folder.path().join("keys.json")).expect("the folder is ours");
        let (registry, registry_url) = start_registry(&bootstrap);
        let world = Self {
            registry_url,
            tree: Tree::examples(),
            bootstrap,
            _registry: registry,
            folder,
            kafka: Some(kafka),
            runtime,
        };
        world.registry_answers();
        world
    }

    /// Starts a world and applies the example contracts.
    pub fn applied() -> Self {
        Self::applied_on(Options::default())
    }

    /// The same on a Kafka that is started in some other way.
    pub fn applied_on(kafka: Options) -> Self {
        let world = Self::start_on(kafka);
        world.run(["apply"]).expect(0);
        world
    }

    /// Stops Kafka, which was started on this folder, and starts it again with what it had and where it was.
    pub fn restart_kafka(&mut self, data: &Path) {
        let kafka = self.kafka.take().expect("it is there until the drop");
        let port = self.bootstrap.rsplit(':').next().and_then(|port| port.parse().ok());
        let options = Options { data: Some(data.to_owned()), port, ..Options::default() };
        let restarted = async {
            kafka.stop().await;
            EmbeddedKafka::start(options).await
        };
        self.kafka = Some(self.runtime.block_on(restarted).expect("the embedded Kafka starts"));
    }

    /// Kafka's address.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// How to reach Kafka.
    pub fn settings(&self) -> Settings {
        self.kafka().settings()
    }

    /// The file of keys.
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    /// A folder for the test's own files.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A `mesh` command line that knows this world.
    pub fn mesh<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = mesh(args);
        command.args(["--bootstrap-servers", self.bootstrap(), "--registry-url", &self.registry_url]);
        command.arg("--root").arg(self.tree.root()).arg("--keys").arg(self.keys());
        command
    }

    /// Waits until the registry has read its log: clients try again for a second, a busy machine may take longer.
    fn registry_answers(&self) {
        let url = format!("{}/subjects", self.registry_url);
        eventually("the registry answers", PATIENCE, || {
            let asked = self.runtime.block_on(reqwest::get(&url)).ok()?;
            asked.status().is_success().then_some(())
        });
    }

    /// Runs a `mesh` command to its end.
    pub fn run<const N: usize>(&self, args: [&str; N]) -> Finished {
        Finished::of(&mut self.mesh(args))
    }

    /// The sum over a topic's partitions of end minus start offset: an upper bound of its records.
    pub fn extent(&self, topic: &str) -> i64 {
        let admin = Admin::new(&self.settings()).expect("the settings are right");
        let ends = self.runtime.block_on(admin.end_offsets(&[topic])).expect("Kafka answers");
        ends.values().sum()
    }

    fn kafka(&self) -> &EmbeddedKafka {
        self.kafka.as_ref().expect("it is there until the drop")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(kafka) = self.kafka.take() {
            self.runtime.block_on(kafka.stop());
        }
    }
}

fn start_registry(bootstrap: &str) -> (Process, String) {
    let mut command = mesh(["run", "registry", "--format", "json", "--bootstrap-servers", bootstrap]);
    let mut registry = Process::start(&mut command);
    let line = registry.line("the registry says where it listens", |line| line.contains("registry_url"));
    let said: serde_json::Value = serde_json::from_str(&line).expect("one JSON object a line");
    let url = said["registry_url"].as_str().expect("an address").to_owned();
    (registry, url)
}
