//! What the sidecars stand on: a Kafka, a registry and a Vault, each behind a road; a domain's tree; keys that Vault has sealed.

use crate::road::Road;
use crate::support::{Finished, PATIENCE, Process, VAULT_TOKEN, Vault, eventually, mesh};
use crate::workload::{DOMAIN, PRODUCTS, Revision, SCHEMA_FILE, contract, schema};
use mesh_avro::keys::RootKeys;
use mesh_kafka::Settings;
use mesh_kafka::embedded::{EmbeddedKafka, Options, Proxied};
use mesh_runtime::keys::{KeySource, SealedFile, VaultAccess, VaultLogin};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The exit code of a command that could not reach Kafka or the registry.
const UNREACHABLE: i32 = 4;
/// The exit code of `mesh apply` where differences are left: here the writer's newer schemas, which no contract ever had.
const DRIFT: i32 = 3;

/// Kafka and the registry, as they are while nothing is away.
pub struct Stage {
    pub kafka_road: Road,
    pub registry_road: Road,
    pub vault_road: Road,
    vault: Vault,
    folder: TempDir,
    options: Options,
    kafka: Option<EmbeddedKafka>,
    registry_port: u16,
    registry: Option<Process>,
    /// What registries that are gone have said.
    said: Vec<String>,
}

impl Stage {
    /// Starts Kafka and the registry, and applies the contracts.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (port, proxied_port, registry_port) = (free_port(), free_port(), free_port());
        let (kafka_road, registry_road) = (Road::to(proxied_port).await, Road::to(registry_port).await);
        let vault = Vault::start("");
        let vault_road = Road::to(vault.port).await;
        let options = Options {
            data: Some(folder.path().join("kafka")),
            port: Some(port),
            proxied: Some(Proxied { port: proxied_port, advertised: kafka_road.port }),
            ..Options::default()
        };
        let mut stage = Self {
            kafka_road,
            registry_road,
            vault_road,
            vault,
            folder,
            options,
            kafka: None,
            registry_port,
            registry: None,
            said: Vec::new(),
        };
        Finished::of(stage.keys_command("generate").args(["--transit", "transit/mesh-roots"])).expect(0);
        stage.start_kafka().await;
        stage.start_registry();
        stage.apply(Revision::First);
        stage
    }

    /// Applies a revision of the contracts, as soon as the registry has read its log.
    pub fn apply(&self, revision: Revision) {
        self.write_tree(revision);
        let apply = || Finished::of(self.mesh(["apply"]).arg("--root").arg(self.folder.path()));
        let answered = || Some(apply()).filter(|applied| applied.code != UNREACHABLE);
        let applied = eventually("the registry answers", PATIENCE, answered);
        if applied.code != DRIFT {
            applied.expect(0);
        }
    }

    fn write_tree(&self, revision: Revision) {
        let root = self.folder.path();
        for folder in [format!("topics/{DOMAIN}"), format!("schemas/{DOMAIN}")] {
            fs::create_dir_all(root.join(folder)).expect("the folder is ours");
        }
        let write = |file: &str, text: &str| fs::write(root.join(file), text).expect("the folder is ours");
        write(&format!("topics/{DOMAIN}/domain.yaml"), include_str!("tree/domain.yaml"));
        write(SCHEMA_FILE, &schema(0).to_string());
        for product in PRODUCTS {
            write(&format!("topics/{DOMAIN}/{product}.yaml"), &contract(product, revision));
        }
    }

    pub async fn start_kafka(&mut self) {
        self.kafka = Some(EmbeddedKafka::start(self.options.clone()).await.expect("the embedded Kafka starts"));
    }

    pub async fn stop_kafka(&mut self) {
        if let Some(kafka) = self.kafka.take() {
            kafka.stop().await;
        }
    }

    /// Kills the broker: nothing is flushed, nobody is told.
    pub fn kill_kafka(&mut self) {
        let Some(kafka) = self.kafka.take() else { return };
        let pid = i32::try_from(kafka.pid()).ok().and_then(Pid::from_raw).expect("it runs");
        kill_process(pid, Signal::KILL).expect("it is there and ours");
    }

    pub fn start_registry(&mut self) {
        let port = self.registry_port.to_string();
        let mut command = mesh(["run", "registry", "--format", "json", "--registry-port", &port]);
        let mut registry = Process::start(command.args(["--bootstrap-servers", &self.bootstrap()]));
        registry.line("the registry says where it listens", |line| line.contains("registry_url"));
        self.registry = Some(registry);
    }

    pub fn kill_registry(&mut self) {
        if let Some(mut registry) = self.registry.take() {
            registry.kill();
            self.said.push(registry.stderr());
        }
    }

    /// Kafka's address, straight.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.options.port.expect("it is given"))
    }

    /// How to reach Kafka, straight.
    pub fn settings(&self) -> Settings {
        Settings::new(self.bootstrap())
    }

    pub fn registry_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.registry_port)
    }

    /// Adds a root to the keys: from now on, as soon as a sidecar hears of it, it masks with another one.
    pub fn rotate_keys(&self) {
        Finished::of(&mut self.keys_command("rotate")).expect(0);
    }

    /// `mesh keys`, straight to Vault.
    fn keys_command(&self, command: &str) -> Command {
        let mut keys = mesh(["keys", command, "--keys"]);
        keys.arg(self.keys()).envs([("VAULT_ADDR", self.vault.address().as_str()), ("VAULT_TOKEN", VAULT_TOKEN)]);
        keys
    }

    /// The roots as they are now.
    pub async fn roots(&self) -> RootKeys {
        let (address, login) = (self.vault.address(), VaultLogin::token(VAULT_TOKEN.to_owned()));
        let access = VaultAccess { address, login, namespace: None, authority: None };
        let mut file = SealedFile::new(&self.keys(), &access).expect("it can be used");
        file.load().await.expect("Vault opens it")
    }

    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    /// Where the keys are while they are away.
    pub fn hidden_keys(&self) -> PathBuf {
        self.folder.path().join("hidden.json")
    }

    /// Kafka's own folder.
    pub fn kafka_data(&self) -> PathBuf {
        self.folder.path().join("kafka/data")
    }

    /// A `mesh` command line with keys, straight to Kafka and the registry.
    fn mesh<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = mesh(args);
        command.args(["--bootstrap-servers", &self.bootstrap(), "--registry-url", &self.registry_url()]);
        command.arg("--keys").arg(self.keys());
        command.envs([("VAULT_ADDR", self.vault.address().as_str()), ("VAULT_TOKEN", VAULT_TOKEN)]);
        command
    }

    /// A sidecar's command line: to Kafka, the registry and Vault by the roads.
    pub fn sidecar(&self, replica: &str) -> Command {
        let mut command = mesh(["run", "masking", "--domain", DOMAIN, "--format", "json", "--replica", replica]);
        command.args(["--bootstrap-servers", &format!("127.0.0.1:{}", self.kafka_road.port)]);
        command.args(["--registry-url", &format!("http://127.0.0.1:{}", self.registry_road.port)]);
        command.arg("--keys").arg(self.keys()).env("VAULT_TOKEN", VAULT_TOKEN);
        command.env("VAULT_ADDR", format!("http://127.0.0.1:{}", self.vault_road.port));
        // Small transactions and short sessions, so that faults hit the middle of the work, and often.
        command.args(["--batch-records", "200", "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000"]);
        command
    }

    /// Registers a schema for a product's input port; returns its id.
    pub async fn register(&self, subject: &str, schema: &Value) -> u32 {
        let url = format!("{}/subjects/{subject}/versions", self.registry_url());
        let body = json!({ "schema": schema.to_string() });
        let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("the registry answers");
        let answer: Value = answer.json().await.expect("the registry speaks JSON");
        let id = answer["id"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        u32::try_from(id).expect("ids are of 32 bits")
    }

    /// What every registry has said so far.
    pub fn logs(&self) -> Vec<String> {
        self.said.iter().cloned().chain(self.registry.as_ref().map(Process::stderr)).collect()
    }

    /// Stops everything.
    pub async fn stop(mut self) {
        self.kill_registry();
        self.stop_kafka().await;
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.expect("a port is free").port()
}

/// Reads what an address of a sidecar serves; none if nobody answers.
pub async fn page(url: &str) -> Option<String> {
    reqwest::get(url).await.ok()?.text().await.ok()
}
