//! `mesh run SERVICE...`: the named services, until SIGTERM or Ctrl-C.

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::groups;
use crate::output;
use crate::platform::{
    AccessOptions, AuditOptions, Followed, MaskingOptions, Plan, Principals, RegistryOptions, Service, Services,
    answers,
};
use mesh_freshness::webhook;
use mesh_runtime::access::Access;
use mesh_runtime::{Shutdown, Tls, TlsFiles};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// How long services may take over what is in flight.
pub const GRACE: Duration = Duration::from_secs(15);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services to run in this process
    #[arg(required = true, value_enum, value_name = "SERVICE")]
    services: Vec<Service>,
    /// Mask, or feed, the products of this domain only; may be repeated
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<String>,
    #[command(flatten)]
    serving: Serving,
    #[command(flatten)]
    masking: MaskingOptions,
    #[command(flatten)]
    registry: RegistryOptions,
    /// Who is in which access group: a file of groups, or of the settings of an LDAP directory, see docs/operations.md
    #[arg(long, value_name = "FILE", env = "MESH_GROUPS", required_if_eq("services", "access"))]
    groups: Option<PathBuf>,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    audit: AuditOptions,
}

/// Where HTTP is served, and how often freshness is judged.
#[derive(Debug, clap::Args)]
pub struct Serving {
    /// The address to serve HTTP on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub listen: String,
    /// The schema registry's port; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub registry_port: u16,
    /// The port of /livez, /readyz, /metrics and lineage; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub http_port: u16,
    /// How often freshness is judged
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub freshness_interval: u64,
    /// How long a product has to be fresh again before the page for it ends
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub freshness_settle: u64,
    /// Who is told when a product's freshness changes: a file of webhook targets, see docs/operations.md; others must not be
    /// able to read it
    #[arg(long, value_name = "FILE", env = "MESH_WEBHOOKS_FILE")]
    pub webhooks: Option<PathBuf>,
    /// The certificate that HTTP is served with, in PEM, followed by those that lead to its authority; taken anew when it
    /// changes
    #[arg(long, value_name = "FILE", env = "MESH_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key, in PEM, which others may not read
    #[arg(long, value_name = "FILE", env = "MESH_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Who may read and write what over HTTP: a file of `mesh credentials` [default: anybody everything]
    #[arg(long, value_name = "FILE", env = "MESH_ACCESS_FILE")]
    pub access: Option<PathBuf>,
}

impl Serving {
    /// The certificate to serve with, if one is given.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn tls(&self) -> Result<Option<Tls>, Failure> {
        let files = self.tls_certificate.clone().zip(self.tls_key.clone());
        let tls = files.map(|(certificate, key)| Tls::open(TlsFiles { certificate, key })).transpose();
        tls.map_err(|error| {
            Failure::usage("cannot serve HTTPS")
                .because(error)
                .hint("give the certificate's chain with --tls-certificate and its key with --tls-key, both in PEM")
        })
    }

    /// Who is told of changes of freshness over HTTP.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn webhooks(&self) -> Result<Vec<webhook::Target>, Failure> {
        let targets = self.webhooks.as_deref().map(webhook::read).transpose();
        targets.map(Option::unwrap_or_default).map_err(|error| {
            Failure::usage("cannot tell webhooks of freshness")
                .because(error)
                .hint("docs/operations.md shows such a file, under Freshness")
        })
    }

    /// Who may do what.
    ///
    /// # Errors
    /// The access file cannot be used.
    pub fn access(&self) -> Result<Access, Failure> {
        let Some(file) = &self.access else { return Ok(Access::unrestricted()) };
        Access::open(file).map_err(|error| {
            Failure::usage("cannot tell who may do what").because(error).hint("`mesh credentials` writes such a file")
        })
    }
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let shutdown =
        Shutdown::on_signals(GRACE).map_err(|error| Failure::internal("cannot listen to signals").because(error))?;
    let plan = plan(args, context)?;
    if shutdown.abandon(answers(plan.kafka.operator())).await.transpose()?.is_none() {
        return Ok(Exit::Fine);
    }
    let mut services = Services::start(&plan, shutdown.child()).await?;
    announce(&services, context.format())?;
    // Told to stop, services end: that is looked at first, lest their end be taken for a failure.
    let failed = tokio::select! {
        biased;
        () = shutdown.triggered() => Ok(()),
        failure = services.ended() => Err(failure),
    };
    let stopped = services.stop().await;
    failed.and(stopped).map(|()| Exit::Fine)
}

fn plan(args: Args, context: &Context) -> Result<Plan, Failure> {
    let services = args.services.into_iter().collect::<std::collections::BTreeSet<_>>();
    // what masks, and what feeds
    let masking = [Service::Masking, Service::Feed].iter().any(|service| services.contains(service));
    let own_registry = services.contains(&Service::Registry);
    let webhooks = args.serving.webhooks()?;
    let file = args.groups.as_deref().filter(|_| services.contains(&Service::Access));
    let directory = file.map(groups::open).transpose()?;
    let options = args.access;
    // others do without, but what they put on record is not sealed then
    let keys = (masking || context.gives_keys()).then(|| context.service_keys()).transpose()?;
    Ok(Plan {
        kafka: Principals::one(context.kafka()?),
        registry: if masking && !own_registry { Some(context.registry()?) } else { None },
        login: context.registry_login()?,
        tls: args.serving.tls()?,
        access: args.serving.access()?,
        seals: keys.clone(),
        keys,
        services,
        listen: args.serving.listen,
        registry_port: args.serving.registry_port,
        http_port: args.serving.http_port,
        domains: args.domain,
        registry_rules: args.registry,
        masking: args.masking,
        freshness_interval: Duration::from_secs(args.serving.freshness_interval),
        freshness_settle: Duration::from_secs(args.serving.freshness_settle),
        webhooks,
        audit: args.audit,
        followed: directory.map(|directory| Followed { directory, options }),
    })
}

/// Says where the services listen: to people on standard error, to machines as one line of JSON.
fn announce(services: &Services, format: Format) -> Result<(), Failure> {
    let Services { registry_url, http_url, .. } = services;
    match format {
        Format::Json => {
            let _reader = output::json(&json!({ "registry_url": registry_url, "http_url": http_url }))?;
        }
        Format::Text => {
            registry_url.iter().for_each(|url| output::talk(&format!("registry  {url}")));
            output::talk(&format!("http      {http_url}  /livez /readyz /metrics"));
        }
    }
    Ok(())
}
