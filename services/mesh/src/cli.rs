//! The command line: one variant a command, and the options that all commands share.

use crate::commands;
use clap::{Parser, Subcommand, ValueEnum};
use mesh_runtime::keys::LoginMethod;
use std::path::PathBuf;

/// The streaming backbone of a data mesh: products on Kafka, governed by contracts.
#[derive(Debug, Parser)]
#[command(name = "mesh", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

/// What a command's data looks like on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// Every form that some command's data has. Each command has text and json; what else, [`Command::has`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum AnyFormat {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
    /// Annotations of a pull request on GitHub (check)
    Github,
    /// SARIF, for code scanning (check)
    Sarif,
    /// JUnit's XML, for test reports (check)
    Junit,
    /// Markdown, for comments (check, access)
    Markdown,
    /// A graph for Graphviz (lineage)
    Dot,
    /// A graph for Mermaid (lineage)
    Mermaid,
}

/// What the logs on standard error look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// One line of text an event.
    #[default]
    Text,
    /// One JSON object an event.
    Json,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// The folder that holds `topics/` and `schemas/` [default: the nearest ancestor that holds `topics/`]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub root: Option<PathBuf>,
    /// Kafka's bootstrap servers, host:port[,host:port...] [default: those of the running `mesh up`]
    #[arg(
        long,
        global = true,
        env = "MESH_BOOTSTRAP_SERVERS",
        value_name = "SERVERS",
        help_heading = "Global options"
    )]
    pub bootstrap_servers: Option<String>,
    /// The schema registry's address, http://host:port or https://host:port [default: that of the running `mesh up`]
    #[arg(
        long,
        global = true,
        env = "MESH_REGISTRY_URL",
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Global options"
    )]
    pub registry_url: Option<String>,
    /// The authority whose certificates registries have, in PEM [default: those that the system trusts]
    #[arg(long, global = true, env = "MESH_REGISTRY_CA", value_name = "FILE", help_heading = "Global options")]
    pub registry_ca: Option<PathBuf>,
    /// Who to be at registries: {"user": …, "password": …} or {"token": …} in a file of one's own; or set
    /// MESH_REGISTRY_TOKEN, or MESH_REGISTRY_USER and MESH_REGISTRY_PASSWORD
    #[arg(
        long,
        global = true,
        env = "MESH_REGISTRY_CREDENTIALS",
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub registry_credentials: Option<PathBuf>,
    /// Client settings of Kafka, one key=value a line, as librdkafka or Java's clients spell them: security.protocol,
    /// ssl.ca.location, sasl.mechanism, ...; readable by its owner alone if there is a secret in it. MESH_KAFKA_USERNAME,
    /// MESH_KAFKA_PASSWORD and MESH_KAFKA_CA (ssl.ca.location) win over it
    #[arg(long, global = true, env = "MESH_KAFKA_CONFIG", value_name = "FILE", help_heading = "Global options")]
    pub kafka_config: Option<PathBuf>,
    /// A further librdkafka client setting, such as security.protocol=SSL; may be repeated
    #[arg(short = 'X', global = true, value_name = "KEY=VALUE", help_heading = "Global options", value_parser = key_value)]
    pub kafka_option: Vec<(String, String)>,
    /// The file of key material, readable by its owner alone; one that is sealed needs the Vault that opens it, as --vault-keys does
    /// [default: that of the running `mesh up`]
    #[arg(long, global = true, env = "MESH_KEYS_FILE", value_name = "FILE", help_heading = "Global options")]
    pub keys: Option<PathBuf>,
    /// Key material in Vault or OpenBao: a secret of a KV engine (version 2), such as secret/mesh/roots. VAULT_ADDR, VAULT_CACERT
    /// and VAULT_NAMESPACE say where; VAULT_TOKEN, --vault-token-file or --vault-login who to be
    #[arg(
        long,
        global = true,
        env = "MESH_VAULT_KEYS",
        value_name = "MOUNT/PATH",
        conflicts_with = "keys",
        help_heading = "Global options"
    )]
    pub vault_keys: Option<String>,
    /// Log in to Vault: kubernetes:ROLE with the pod's own token, or approle:ROLE_ID; METHOD@MOUNT:… where it is mounted elsewhere
    #[arg(long, global = true, env = "MESH_VAULT_LOGIN", value_name = "METHOD:ROLE", help_heading = "Global options")]
    pub vault_login: Option<LoginMethod>,
    /// A file that holds the token for Vault, or what --vault-login proves the role by, readable by its owner alone; read anew each time
    #[arg(long, global = true, env = "MESH_VAULT_TOKEN_FILE", value_name = "FILE", help_heading = "Global options")]
    pub vault_token_file: Option<PathBuf>,
    /// What the data on standard output looks like
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Global options")]
    pub format: AnyFormat,
    /// Which log events go to standard error, as in RUST_LOG [default: info for services, warn for other commands]
    #[arg(long, global = true, env = "MESH_LOG", value_name = "FILTER", help_heading = "Global options")]
    pub log: Option<String>,
    /// What the log events look like
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Global options")]
    pub log_format: LogFormat,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as security.protocol=SSL")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything in one process, on the embedded Kafka unless --bootstrap-servers is given
    Up(commands::up::Args),
    /// The three example domains on real data, end to end, with a report of what was seen
    Demo(commands::demo::Args),
    /// The named services, each a sidecar: registry, masking, feed, freshness, lineage, audit, access
    Run(commands::run::Args),
    /// Check the contracts and schemas of the working tree; for CI
    Check(commands::check::Args),
    /// What `mesh apply` would change, and what speaks against it; changes nothing
    Plan(commands::plan::Args),
    /// Whether the cluster is what the contracts say: exit code 3 if not
    Drift(commands::plan::DriftArgs),
    /// Make the topics, schemas, access rules and contracts of the cluster what the working tree says
    Apply(commands::apply::Args),
    /// Begin a data product: a contract and a schema that `mesh check` accepts
    New(commands::new::Args),
    /// Contracts for topics and subjects that exist, and for products whose contracts were lost
    Import(commands::import::Args),
    /// End a deprecated version of a product, once nobody reads it
    Retire(commands::retire::Args),
    /// Who may really read and write what, and what is not as contracts say
    Access(commands::access::Args),
    /// Schemas: compatibility
    Schema(commands::schema::Args),
    /// Show records as a view would show them, without Kafka
    Mask(commands::mask::Args),
    /// Publish change events from a file or standard input
    Publish(commands::publish::Args),
    /// A view's change events, to standard output
    Subscribe(commands::subscribe::Args),
    /// The catalogue of products
    Products(commands::products::Args),
    /// Freshness: is every product as fresh as its contract promises
    Status(commands::status::Args),
    /// Freshness rules for Prometheus
    Freshness(commands::freshness::Args),
    /// A producer's word that it is alive and has nothing new: idle is not stale
    Heartbeat(commands::heartbeat::Args),
    /// Where a product comes from and who uses it
    Lineage(commands::lineage::Args),
    /// What was refused, and why
    Quarantine(commands::quarantine::Args),
    /// Who did what, when and why; what was masked by which rules; whether the record of it is intact
    Audit(commands::audit::Args),
    /// The root secrets that all keys are derived from: make, rotate, list
    Keys(commands::keys::Args),
    /// Destroy one person's keys: what was encrypted about them can be read by nobody any more
    Forget(commands::forget::Args),
    /// Empty a product's views and make them anew: after a stricter rule, or another key
    Remask(commands::remask::Args),
    /// Who may read and write what over HTTP: users, passwords and tokens in an access file
    Credentials(commands::credentials::Args),
    /// Secure a Kafka and its backbone: certificates, users and tokens made in a folder; who is let in before anything else runs
    Secure(commands::secure::Args),
}

impl Command {
    /// Whether the command's data has this form.
    pub fn has(&self, format: AnyFormat) -> bool {
        use AnyFormat::{Dot, Github, Json, Junit, Markdown, Mermaid, Sarif, Text};
        match format {
            Text | Json => true,
            Github | Sarif | Junit => matches!(self, Self::Check(_)),
            Markdown => {
                matches!(self, Self::Access(_) | Self::Check(_) | Self::Import(_) | Self::Plan(_) | Self::Drift(_))
            }
            Dot | Mermaid => matches!(self, Self::Lineage(_)),
        }
    }
}
