//! Who to be at Kafka: client settings from a file, from `-X`, and secrets from the environment. None is taken from the command
//! line, which every user of the machine can see.

use crate::cli::Global;
use crate::failure::Failure;
use mesh_kafka::{Settings, properties};
use mesh_runtime::private_file::{self, OTHERS, PrivateFileError};
use std::collections::BTreeMap;
use std::path::Path;

/// No file of client settings is larger; certificates may stand in it.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Where the environment keeps what is secret or another machine's, and what it is in librdkafka's words.
const VARIABLES: [(&str, &str); 5] = [
    ("MESH_KAFKA_CA", "ssl.ca.location"),
    ("MESH_KAFKA_USERNAME", "sasl.username"),
    ("MESH_KAFKA_PASSWORD", "sasl.password"),
    ("MESH_KAFKA_KEY_PASSWORD", "ssl.key.password"),
    ("MESH_KAFKA_CLIENT_SECRET", "sasl.oauthbearer.client.secret"),
];
/// Files whose content is a secret.
const SECRET_FILES: [&str; 2] = ["ssl.key.location", "sasl.oauthbearer.client.secret.location"];

/// Client settings as given, `bootstrap.servers` among them where the file names it. What is nearer wins: `-X` over the
/// environment over the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KafkaLogin(BTreeMap<String, String>);

impl KafkaLogin {
    /// What the shared options and the environment say; `running` is the file of a running `mesh up`.
    ///
    /// # Errors
    /// A file cannot be used, or a secret would be seen.
    pub fn of(global: &Global, running: Option<&Path>) -> Result<Self, Failure> {
        let mut given = match global.kafka_config.as_deref().or(running) {
            Some(file) => read(file)?,
            None => BTreeMap::new(),
        };
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        given.extend(VARIABLES.into_iter().filter_map(|(name, setting)| Some((setting.to_owned(), variable(name)?))));
        for (setting, value) in &global.kafka_option {
            refuse_visible(setting)?;
            given.insert(setting.clone(), value.clone());
        }
        for setting in SECRET_FILES {
            owned(setting, given.get(setting))?;
        }
        Settings::new("").with_all(given.clone()).check().map_err(|error| {
            Failure::usage("cannot tell who to be at Kafka")
                .because(error)
                .hint("docs/operations.md shows such settings, under \"Who to be\"")
        })?;
        Ok(Self(given))
    }

    /// The bootstrap servers that the file names.
    pub fn bootstrap_servers(&self) -> Option<&str> {
        self.0.get("bootstrap.servers").map(String::as_str)
    }

    /// The settings of a client of these servers.
    pub fn settings(self, bootstrap_servers: &str) -> Settings {
        Settings::new(bootstrap_servers).with_all(self.0)
    }
}

/// The client settings of a file, which others may not read if there are secrets in it.
fn read(file: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let unusable = |error: PrivateFileError| {
        Failure::usage("cannot use the file of --kafka-config")
            .because(error)
            .hint("it holds client settings as librdkafka or Java's clients spell them, one key=value a line")
    };
    let text = private_file::read(file, 0, FILE_BYTES_MAX).map_err(unusable)?;
    let settings = properties::parse(&text).map_err(|error| {
        Failure::usage(format!("cannot use the client settings of {}", file.display())).because(error)
    })?;
    if settings.keys().any(|setting| Settings::is_secret(setting)) {
        private_file::read(file, OTHERS, FILE_BYTES_MAX).map_err(unusable)?;
    }
    Ok(settings)
}

/// A secret that others may read is none.
fn owned(setting: &str, file: Option<&String>) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    private_file::read(Path::new(file), OTHERS, FILE_BYTES_MAX)
        .map(drop)
        .map_err(|error| Failure::usage(format!("cannot use the file of {setting}")).because(error))
}

fn refuse_visible(setting: &str) -> Result<(), Failure> {
    if !Settings::is_secret(setting) {
        return Ok(());
    }
    Err(Failure::usage(format!("-X {setting}=… would be seen by every user of this machine"))
        .hint("put it into a file of --kafka-config, or set MESH_KAFKA_PASSWORD (MESH_KAFKA_KEY_PASSWORD for a key's, MESH_KAFKA_CLIENT_SECRET for a \
                token's)"))
}
