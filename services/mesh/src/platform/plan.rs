//! Which services to start, and how.

use super::{Followed, Principals};
use crate::failure::Failure;
use crate::lineage_options::LineageOptions;
use crate::schema_rules::SchemaRules;
use clap::{Args, ValueEnum};
use mesh_avro::keys::KeyRing;
use mesh_client::registry::{Endpoint, Login};
use mesh_freshness::webhook;
use mesh_kafka::Settings;
use mesh_masking::{BatchLimits, Duty, TRANSACTION_TIMEOUT_MAX};
use mesh_runtime::Tls;
use mesh_runtime::access::Access;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The services of the backbone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Service {
    /// The schema registry
    Registry,
    /// The masking sidecar
    Masking,
    /// What feeds one version of a product from another
    Feed,
    /// The freshness monitor
    Freshness,
    /// The lineage service
    Lineage,
    /// The audit's notary, and whom a broker has denied what
    Audit,
    /// Who is in which group: Kafka's access rules, as the directory says
    Access,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Registry, Self::Masking, Self::Feed, Self::Freshness, Self::Lineage, Self::Audit, Self::Access];

    /// As on the command line and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Masking => "masking",
            Self::Feed => "feed",
            Self::Freshness => "freshness",
            Self::Lineage => "lineage",
            Self::Audit => "audit",
            Self::Access => "access",
        }
    }
}

/// What can be set of the masking sidecar.
#[derive(Debug, Clone, Args)]
pub struct MaskingOptions {
    /// This process's name among the sidecar's replicas; two that share a name fence each other
    #[arg(long, default_value = "0", value_name = "NAME")]
    pub replica: String,
    /// Threads for each domain
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub tasks: usize,
    /// The most records of one transaction
    #[arg(long, default_value_t = Self::default().batch_records, value_name = "N")]
    pub batch_records: usize,
    /// About how many bytes of keys and values a transaction has at most
    #[arg(long, default_value_t = Self::default().batch_bytes, value_name = "BYTES")]
    pub batch_bytes: usize,
    /// How long a transaction waits for more records: latency against throughput
    #[arg(long, default_value_t = Self::default().batch_linger, value_name = "MILLISECONDS")]
    pub batch_linger: u64,
    /// How long a transaction may stay open before the cluster ends it, and so how long a dead replica holds readers back
    #[arg(long, default_value_t = Self::default().transaction_timeout, value_name = "SECONDS", value_parser = transaction_timeout())]
    pub transaction_timeout: u64,
    /// How often lineage is told what moves; 0 never
    #[arg(long, default_value_t = LINEAGE_SECONDS, value_name = "SECONDS")]
    pub lineage_interval: u64,
    /// Where lineage is told.
    #[command(flatten)]
    pub lineage: LineageOptions,
}

/// How often lineage is told what moves.
const LINEAGE_SECONDS: u64 = 30;

fn transaction_timeout() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=TRANSACTION_TIMEOUT_MAX.as_secs())
}

impl Default for MaskingOptions {
    fn default() -> Self {
        let batch = BatchLimits::default();
        Self {
            replica: "0".to_owned(),
            tasks: 1,
            batch_records: batch.records_max,
            batch_bytes: batch.bytes_max,
            batch_linger: batch.linger.as_millis() as u64,
            transaction_timeout: TRANSACTION_TIMEOUT_MAX.as_secs(),
            lineage_interval: LINEAGE_SECONDS,
            lineage: LineageOptions::default(),
        }
    }
}

/// What can be set of the registry.
#[derive(Debug, Clone, Default, Args)]
pub struct RegistryOptions {
    /// Where the registry's other replicas reach this one, as http://host:port or https://host:port [default: where it
    /// listens, if that is one address]
    #[arg(long, value_name = "URL", env = "MESH_REGISTRY_ADVERTISE")]
    pub registry_advertise: Option<String>,
    /// What it asks of the schemas of products.
    #[command(flatten)]
    pub schemas: SchemaRules,
}

impl RegistryOptions {
    /// The registry's rules.
    ///
    /// # Errors
    /// A name is none.
    pub fn rules(&self) -> Result<mesh_registry::Rules, Failure> {
        Ok(mesh_registry::Rules { meaning: self.schemas.severities(), sensitive_names: self.schemas.names.names()? })
    }
}

/// What can be set of the audit's notary.
#[derive(Debug, Clone, Default, Args)]
pub struct AuditOptions {
    /// The log of a broker's authoriser (Kafka's kafka-authorizer.log), on this machine: whom it has denied what goes on record
    #[arg(long, value_name = "FILE", env = "MESH_AUTHORIZER_LOG")]
    pub authorizer_log: Option<PathBuf>,
    /// How often denials go on record, and the notary's word on the audit so far [default: 15]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub audit_interval: Option<u64>,
}

/// Which services to start, and how.
pub struct Plan {
    /// Which.
    pub services: BTreeSet<Service>,
    /// The cluster they stand on, and as whom each speaks to it.
    pub kafka: Principals,
    /// The address that HTTP is served on: loopback unless told.
    pub listen: String,
    /// The registry's port; 0 takes a free one.
    pub registry_port: u16,
    /// The port of `/livez`, `/readyz`, `/metrics` and lineage; 0 takes a free one.
    pub http_port: u16,
    /// Where the registry is, if it is not one of the services.
    pub registry: Option<Endpoint>,
    /// How this process is let in at registries: at its own, and at that one's replicas.
    pub login: Login,
    /// The certificate that HTTP is served with; none: plain HTTP.
    pub tls: Option<Tls>,
    /// Who may do what over HTTP.
    pub access: Access,
    /// What the registry asks of the schemas of products.
    pub registry_rules: RegistryOptions,
    /// The domains whose products are masked; none: all.
    pub domains: Vec<String>,
    /// Masking's options.
    pub masking: MaskingOptions,
    /// How often freshness is judged.
    pub freshness_interval: Duration,
    /// How long a product has to be fresh again before the page for it ends.
    pub freshness_settle: Duration,
    /// Who is told of changes of freshness.
    pub webhooks: Vec<webhook::Target>,
    /// Who is in which group; without a directory there is nothing to follow.
    pub followed: Option<Followed>,
    /// How the audit is followed.
    pub audit: AuditOptions,
    /// Where keys come from; masking cannot do without.
    pub keys: Option<Arc<dyn KeyRing>>,
    /// What seals what services put on record; none: it is not sealed.
    pub seals: Option<Arc<dyn KeyRing>>,
}

impl Plan {
    /// Whether a service is to be started.
    pub fn has(&self, service: Service) -> bool {
        self.services.contains(&service)
    }

    /// The address for a port.
    pub fn address(&self, port: u16) -> String {
        format!("{}:{port}", self.listen)
    }

    /// The configuration of the masking sidecars, given where the registry is: one for each domain that has a principal of its
    /// own, else one for all.
    ///
    /// # Errors
    /// There are no keys.
    pub fn masking(&self, registry: &Endpoint) -> Result<Vec<mesh_masking::Config>, Failure> {
        self.sidecars(Duty::Mask, registry)
    }

    /// The same of what feeds versions from others. Where each part speaks as itself there are none but of domains that have such
    /// versions.
    ///
    /// # Errors
    /// There are no keys.
    pub fn feeds(&self, registry: &Endpoint) -> Result<Vec<mesh_masking::Config>, Failure> {
        self.sidecars(Duty::Feed, registry)
    }

    fn sidecars(&self, duty: Duty, registry: &Endpoint) -> Result<Vec<mesh_masking::Config>, Failure> {
        if self.kafka.sidecars(Duty::Mask).next().is_none() {
            return Ok(vec![self.sidecar(duty, registry, self.domains.clone(), self.kafka.operator())?]);
        }
        let serves = |domain: &str| self.domains.is_empty() || self.domains.iter().any(|it| it == domain);
        let own = self.kafka.sidecars(duty).filter(|(domain, _)| serves(domain));
        own.map(|(domain, kafka)| self.sidecar(duty, registry, vec![domain.to_owned()], kafka)).collect()
    }

    fn sidecar(
        &self,
        duty: Duty,
        registry: &Endpoint,
        domains: Vec<String>,
        kafka: &Settings,
    ) -> Result<mesh_masking::Config, Failure> {
        let no_keys = || Failure::usage(format!("{} has no keys", duty.name())).hint("give --keys FILE");
        let keys = self.keys.clone().ok_or_else(no_keys)?;
        let mut config = mesh_masking::Config::new(kafka.clone(), registry, keys);
        config.duty = duty;
        config.domains = domains;
        config.replica.clone_from(&self.masking.replica);
        config.tasks = self.masking.tasks;
        config.batch.records_max = self.masking.batch_records;
        config.batch.bytes_max = self.masking.batch_bytes;
        config.transaction_timeout = Duration::from_secs(self.masking.transaction_timeout);
        config.batch.linger = Duration::from_millis(self.masking.batch_linger);
        let tells = self.masking.lineage.is_on() && self.masking.lineage_interval > 0;
        config.lineage_interval = tells.then(|| Duration::from_secs(self.masking.lineage_interval));
        config.lineage_backend = self.masking.lineage.http()?;
        Ok(config)
    }
}
