//! What every command may ask for: the working tree's root, where Kafka and the registry are, the keys.

use crate::cli::{AnyFormat, Format, Global, LogFormat};
use crate::failure::Failure;
use crate::kafka_login::KafkaLogin;
use crate::keys::KeyStore;
use crate::{keys, login};
use mesh_avro::keys::KeyRing;
use mesh_client::registry::{Endpoint, Login};
use mesh_kafka::Settings;
use mesh_runtime::keys::{EnvKeys, SealedFile};
use mesh_runtime::telemetry;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What services log unless told otherwise. librdkafka's own lines repeat what the services say better.
const SERVICE_LOG: &str = "info,mesh_kafka::librdkafka=error";
/// What other commands log unless told otherwise.
const COMMAND_LOG: &str = "error,mesh_kafka::librdkafka=off";

/// The shared options, resolved on demand.
#[derive(Debug)]
pub struct Context {
    global: Global,
    running: Option<Running>,
}

/// The addresses of a running `mesh up`, kept in `<root>/.mesh/up.json` while it runs, so that commands find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The process that wrote it.
    pub pid: u32,
    /// Kafka's bootstrap servers.
    pub bootstrap_servers: String,
    /// The operator's client settings, where that Kafka asks who one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka_config: Option<PathBuf>,
    /// The registry's address.
    pub registry_url: String,
    /// The admin and lineage address.
    pub http_url: String,
    /// The file of key material.
    pub keys_file: PathBuf,
}

impl Running {
    /// Where it is kept.
    pub fn file(root: &Path) -> PathBuf {
        root.join(".mesh").join("up.json")
    }

    fn read(root: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(Self::file(root)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

impl Context {
    /// The context of one command.
    pub fn new(global: Global) -> Self {
        let mut context = Self { global, running: None };
        context.running = context.root().ok().and_then(|root| Running::read(&root));
        context
    }

    /// What the data on standard output looks like, of a command that has only two forms.
    pub fn format(&self) -> Format {
        if self.global.format == AnyFormat::Json { Format::Json } else { Format::Text }
    }

    /// What the data on standard output looks like, of a command that has more forms.
    pub fn any_format(&self) -> AnyFormat {
        self.global.format
    }

    /// The folder that holds `topics/`: `--root`, or the nearest ancestor of the working directory.
    ///
    /// # Errors
    /// There is none.
    pub fn root(&self) -> Result<PathBuf, Failure> {
        match &self.global.root {
            Some(root) => given_root(root),
            None => nearest_root(),
        }
    }

    /// The folder that holds `topics/`, or is to hold it: without one, the working directory.
    ///
    /// # Errors
    /// There is no working directory.
    pub fn root_or_here(&self) -> Result<PathBuf, Failure> {
        match &self.global.root {
            Some(root) => Ok(root.clone()),
            None => nearest_root().or_else(|_| {
                std::env::current_dir()
                    .map_err(|error| Failure::usage("cannot tell the working directory").because(error))
            }),
        }
    }

    /// Whether a cluster was named: by flag, environment, or the file of client settings.
    ///
    /// # Errors
    /// That file cannot be used.
    pub fn given_kafka(&self) -> Result<Option<Settings>, Failure> {
        let login = KafkaLogin::of(&self.global, None)?;
        let servers = self.global.bootstrap_servers.as_deref().or(login.bootstrap_servers()).map(str::to_owned);
        Ok(servers.map(|servers| login.settings(&servers)))
    }

    /// Kafka: the given bootstrap servers, or those of the running `mesh up`, as whom one is to be there.
    ///
    /// # Errors
    /// No Kafka is named, or who to be cannot be told.
    pub fn kafka(&self) -> Result<Settings, Failure> {
        if let Some(given) = self.given_kafka()? {
            return Ok(given);
        }
        let running = self.running.as_ref().ok_or_else(|| {
            Failure::usage("no Kafka is named and no `mesh up` runs in this working tree")
                .hint("start `mesh up` in another terminal, or give --bootstrap-servers")
        })?;
        let login = KafkaLogin::of(&self.global, running.kafka_config.as_deref())?;
        Ok(login.settings(&running.bootstrap_servers))
    }

    /// The registry that was named by flag or environment, if any.
    pub fn given_registry_url(&self) -> Option<&str> {
        self.global.registry_url.as_deref()
    }

    /// The registry: the given address, or that of the running `mesh up`.
    ///
    /// # Errors
    /// Neither is there.
    pub fn registry_url(&self) -> Result<String, Failure> {
        let running = self.running.as_ref().map(|running| running.registry_url.clone());
        self.global.registry_url.clone().or(running).ok_or_else(|| {
            Failure::usage("no schema registry is named and no `mesh up` runs in this working tree")
                .hint("start `mesh up` in another terminal, or give --registry-url")
        })
    }

    /// The registry as [`registry_url`](Self::registry_url) has it, with how to be let in.
    ///
    /// # Errors
    /// No registry is named, or what lets one in cannot be used.
    pub fn registry(&self) -> Result<Endpoint, Failure> {
        Ok(Endpoint::new(self.registry_url()?).with_login(self.registry_login()?))
    }

    /// How to be let in at registries: the given authority, and the given credentials.
    ///
    /// # Errors
    /// They cannot be read, are not in the expected form, or could be seen by others.
    pub fn registry_login(&self) -> Result<Login, Failure> {
        login::of(&self.global)
    }

    /// The file of key material that was given by flag or environment, if any.
    pub fn given_keys_file(&self) -> Option<PathBuf> {
        self.global.keys.clone()
    }

    /// The `mesh up` of this working tree, if it runs on this cluster.
    pub fn running_on(&self, bootstrap_servers: &str) -> Option<&Running> {
        self.running.as_ref().filter(|running| running.bootstrap_servers == bootstrap_servers)
    }

    /// The file of key material: the given one, or that of the running `mesh up`.
    pub fn keys_file(&self) -> Option<PathBuf> {
        let running = self.running.as_ref().map(|running| running.keys_file.clone());
        self.global.keys.clone().or(running)
    }

    /// Whether keys are given: by file, in Vault, or in the environment.
    pub fn gives_keys(&self) -> bool {
        self.global.keys.is_some() || self.global.vault_keys.is_some() || EnvKeys::present()
    }

    /// Whether there are keys: given ones, or those of the running `mesh up`.
    pub fn has_keys(&self) -> bool {
        self.gives_keys() || self.keys_file().is_some()
    }

    /// The keys: of the given file, of Vault, of `MESH_KEYS`, or of the running `mesh up`. They are there when this returns, and are
    /// followed as they are rotated.
    ///
    /// # Errors
    /// There are none, or they cannot be used.
    pub fn keys(&self) -> Result<Arc<dyn KeyRing>, Failure> {
        keys::of(&self.global, self.keys_file(), keys::Patience::Now)
    }

    /// A key file that Vault seals and opens.
    ///
    /// # Errors
    /// It is not known how to reach Vault, or who to be there.
    pub fn sealed_keys(&self, file: &Path) -> Result<SealedFile, Failure> {
        keys::sealed_file(&self.global, file)
    }

    /// Where keys can be changed: a key file, sealed or in clear, or Vault.
    ///
    /// # Errors
    /// There are none, or they cannot be changed there.
    pub fn key_store(&self) -> Result<KeyStore, Failure> {
        KeyStore::of(&self.global, self.keys_file())
    }

    /// As [`keys`](Self::keys), for a service, which waits for Vault as long as it takes.
    ///
    /// # Errors
    /// There are none, or they cannot be used.
    pub fn service_keys(&self) -> Result<Arc<dyn KeyRing>, Failure> {
        keys::of(&self.global, self.keys_file(), keys::Patience::Service)
    }

    /// Which log events go where; services talk more than other commands.
    pub fn start_logging(&self, service: bool) -> Result<(), Failure> {
        let filter = self.global.log.as_deref().unwrap_or(if service { SERVICE_LOG } else { COMMAND_LOG });
        let format = match self.global.log_format {
            LogFormat::Text => telemetry::Format::Text,
            LogFormat::Json => telemetry::Format::Json,
        };
        telemetry::init(format, filter).map_err(|error| Failure::usage("cannot start logging").because(error))
    }
}

fn given_root(root: &Path) -> Result<PathBuf, Failure> {
    if root.join("topics").is_dir() {
        return Ok(root.to_owned());
    }
    Err(Failure::usage(format!("--root {} holds no folder topics/", root.display()))
        .hint("name the folder that holds topics/ and schemas/"))
}

fn nearest_root() -> Result<PathBuf, Failure> {
    let here =
        std::env::current_dir().map_err(|error| Failure::usage("cannot tell the working directory").because(error))?;
    here.ancestors().find(|folder| folder.join("topics").is_dir()).map(Path::to_owned).ok_or_else(|| {
        Failure::usage(format!("neither {} nor a folder above it holds topics/", here.display()))
            .hint("change into the working tree of the contracts, or give --root")
    })
}
