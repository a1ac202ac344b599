//! `mesh up`: everything in one process, on the embedded Kafka unless a cluster is named.

use super::run::{GRACE, Serving};
use crate::apply::{self, OnRecord, RightsOptions};
use crate::cli::Format;
use crate::context::{Context, Running};
use crate::failure::{Exit, Failure};
use crate::keys::followed;
use crate::output;
use crate::platform::{
    AccessOptions, AuditOptions, Cluster, Followed, MaskingOptions, Plan, Principals, RegistryOptions, Service,
    Services,
};
use crate::tree::WorkingTree;
use mesh_avro::keys::KeyRing;
use mesh_client::registry::Endpoint;
use mesh_contract::acl::Part;
use mesh_kafka::embedded::Options;
use mesh_runtime::keys::FileKeys;
use mesh_runtime::{Readiness, Shutdown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the embedded Kafka keeps its data, and the backbone its keys [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The embedded Kafka's port [default: a free one]
    #[arg(long, value_name = "PORT", conflicts_with = "bootstrap_servers")]
    kafka_port: Option<u16>,
    /// A Kafka that asks who one is: SCRAM over TLS, nothing allowed but what the contracts say. Users, their passwords and
    /// certificates are made on the spot, in the folder `secure` of --data
    #[arg(long, conflicts_with_all = ["bootstrap_servers", "leave_access"])]
    secure: bool,
    /// Leave the contracts of the working tree unapplied
    #[arg(long)]
    no_apply: bool,
    #[command(flatten)]
    serving: Serving,
    #[command(flatten)]
    masking: MaskingOptions,
    #[command(flatten)]
    registry: RegistryOptions,
    #[command(flatten)]
    rights: RightsOptions,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    audit: AuditOptions,
}

pub async fn run(mut args: Args, context: &Context) -> Result<Exit, Failure> {
    args.rights = args.rights.with_sidecar(&args.masking);
    args.rights.own_cluster = args.secure;
    let shutdown =
        Shutdown::on_signals(GRACE).map_err(|error| Failure::internal("cannot listen to signals").because(error))?;
    let secured = args.secure;
    let options = Options { data: args.data.clone(), port: args.kafka_port, secured, ..Options::default() };
    let Some(cluster) = shutdown.abandon(Cluster::start(context, options)).await.transpose()? else {
        return Ok(Exit::Fine);
    };
    let mut cluster = cluster;
    let outcome = serve(args, context, &mut cluster, &shutdown).await;
    cluster.stop().await;
    outcome.map(|()| Exit::Fine)
}

async fn serve(args: Args, context: &Context, cluster: &mut Cluster, shutdown: &Shutdown) -> Result<(), Failure> {
    let home = Home::of(args.data.as_deref(), context)?;
    let kafka = principals(&args, context, cluster).await?;
    let mut plan = plan(&args, context, &home, kafka)?;
    plan.audit.authorizer_log = plan.audit.authorizer_log.or_else(|| cluster.authorizer_log());
    apply::control_topics(plan.kafka.part(&Part::Apply)).await?;
    let mut services = Services::start(&plan, shutdown.child()).await?;
    // Told to stop, services end: that is looked at first, lest their end be taken for a failure.
    let outcome = tokio::select! {
        biased;
        () = shutdown.triggered() => Ok(()),
        failure = cluster.died() => Err(failure),
        outcome = work(&args, context, &home, &plan, &mut services) => outcome,
    };
    let stopped = services.stop().await;
    outcome.and(stopped)
}

/// As whom each part speaks: on a secured Kafka of its own, each as itself, with users for whoever the contracts name.
async fn principals(args: &Args, context: &Context, cluster: &Cluster) -> Result<Principals, Failure> {
    let Ok(root) = context.root() else { return Principals::of(cluster, None, None).await };
    let tree = WorkingTree::read(&root, &args.registry.schemas.names.names()?)?.sound()?;
    let wanted = args.rights.wanted(&tree, &root)?;
    Principals::of(cluster, Some(&tree), wanted.as_ref()).await
}

fn plan(args: &Args, context: &Context, home: &Home, kafka: Principals) -> Result<Plan, Failure> {
    let keys = home.keys(context)?;
    Ok(Plan {
        services: Service::ALL.into(),
        kafka,
        listen: args.serving.listen.clone(),
        registry_port: args.serving.registry_port,
        http_port: args.serving.http_port,
        registry: None,
        login: context.registry_login()?,
        tls: args.serving.tls()?,
        access: args.serving.access()?,
        domains: Vec::new(),
        registry_rules: args.registry.clone(),
        masking: args.masking.clone(),
        freshness_interval: Duration::from_secs(args.serving.freshness_interval),
        freshness_settle: Duration::from_secs(args.serving.freshness_settle),
        webhooks: args.serving.webhooks()?,
        followed: directory(args, context)?,
        audit: args.audit.clone(),
        seals: Some(Arc::clone(&keys)),
        keys: Some(keys),
    })
}

/// The directory that is followed: on a Kafka that asks who one is, if one is given.
fn directory(args: &Args, context: &Context) -> Result<Option<Followed>, Failure> {
    let keeps_rules = args.secure || context.given_kafka()?.is_some();
    let root = context.root().ok().filter(|_| keeps_rules && !args.rights.leave_access);
    let directory = root.map(|root| args.rights.directory(&root)).transpose()?.flatten();
    Ok(directory.map(|directory| Followed { directory, options: args.access.clone() }))
}

/// Applies the contracts, says where everything is, and goes on until a service ends.
async fn work(
    args: &Args,
    context: &Context,
    home: &Home,
    plan: &Plan,
    services: &mut Services,
) -> Result<(), Failure> {
    let running = Running {
        pid: std::process::id(),
        bootstrap_servers: plan.kafka.operator().bootstrap().to_owned(),
        kafka_config: plan.kafka.operator_file.clone(),
        registry_url: services.registry_url.clone().unwrap_or_default(),
        http_url: services.http_url.clone(),
        keys_file: home.keys_file.clone(),
    };
    let readiness = services.readiness();
    let products = tokio::select! {
        products = prepare(args, context, plan, services.registry().cloned(), &readiness) => products?,
        failure = services.ended() => return Err(failure),
    };
    let _announced = Announced::new(context, &running)?;
    announce(&running, &plan.kafka, &products, context.format())?;
    Err(services.ended().await)
}

/// Waits until the services are ready, then applies the contracts; the names of the products.
async fn prepare(
    args: &Args,
    context: &Context,
    plan: &Plan,
    registry: Option<Endpoint>,
    readiness: &Readiness,
) -> Result<Vec<String>, Failure> {
    readiness.ready().await;
    if args.no_apply {
        return Ok(Vec::new());
    }
    let names = args.registry.schemas.names.names()?;
    let registry = registry.map_or_else(|| context.registry(), Ok)?;
    let kafka = plan.kafka.part(&Part::Apply);
    let on_record = OnRecord { seals: plan.seals.clone(), reason: None };
    apply::tree(&context.root()?, &names, kafka, registry, &plan.masking.lineage, &args.rights, &on_record).await
}

fn announce(running: &Running, kafka: &Principals, products: &[String], format: Format) -> Result<(), Failure> {
    let clients = kafka.folder();
    let lines = match format {
        Format::Json => {
            let mut value = serde_json::to_value(running).unwrap_or_default();
            value["products"] = products.into();
            if !kafka.files.is_empty() {
                value["clients"] = serde_json::json!(kafka.files);
            }
            vec![value.to_string()]
        }
        Format::Text => vec![
            format!("kafka      {}", running.bootstrap_servers),
            format!("registry   {}", running.registry_url),
            format!("http       {}  /readyz /metrics /api/v1/lineage", running.http_url),
            format!("products   {}", products.join(", ")),
        ]
        .into_iter()
        .chain(clients.map(|folder| format!("clients    {}/<user>.properties: {}", folder.display(), users(kafka))))
        .collect(),
    };
    for line in lines {
        let _reader = output::data(&line)?;
    }
    if format == Format::Text {
        output::talk("ready; Ctrl-C stops it, and another terminal in this working tree needs no addresses");
    }
    Ok(())
}

fn users(kafka: &Principals) -> String {
    kafka.files.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Where this backbone keeps its keys: with its data, else in the working tree's `.mesh`, else in a temporary folder.
struct Home {
    keys_file: PathBuf,
    given: bool,
    _temporary: Option<TempDir>,
}

impl Home {
    fn of(data: Option<&Path>, context: &Context) -> Result<Self, Failure> {
        if let Some(keys_file) = context.given_keys_file() {
            return Ok(Self { keys_file, given: true, _temporary: None });
        }
        if let Some(folder) = data.map(Path::to_owned).or_else(|| context.root().ok().map(|root| root.join(".mesh"))) {
            std::fs::create_dir_all(&folder).map_err(|error| no_folder(&folder, error))?;
            return Ok(Self { keys_file: folder.join("keys.json"), given: false, _temporary: None });
        }
        let folder = TempDir::new().map_err(|error| no_folder(&std::env::temp_dir(), error))?;
        Ok(Self { keys_file: folder.path().join("keys.json"), given: false, _temporary: Some(folder) })
    }

    /// The given keys; else those of its own file, which is made if it is not there.
    fn keys(&self, context: &Context) -> Result<Arc<dyn KeyRing>, Failure> {
        if self.given || context.gives_keys() {
            return context.service_keys();
        }
        match FileKeys::open_or_generate(&self.keys_file) {
            Ok(keys) => followed(keys.path()),
            Err(error) => Err(Failure::usage("cannot keep keys").because(error)),
        }
    }
}

fn no_folder(folder: &Path, error: std::io::Error) -> Failure {
    Failure::usage(format!("cannot make the folder {}", folder.display()))
        .because(error)
        .hint("choose another with --data")
}

/// The file that tells other commands where this backbone is; gone with it.
struct Announced {
    file: Option<PathBuf>,
}

impl Announced {
    fn new(context: &Context, running: &Running) -> Result<Self, Failure> {
        let Ok(root) = context.root() else { return Ok(Self { file: None }) };
        let file = Running::file(&root);
        let failed = |error| Failure::internal(format!("cannot write {}", file.display())).because(error);
        std::fs::create_dir_all(root.join(".mesh")).map_err(failed)?;
        let text = serde_json::to_string_pretty(running)
            .map_err(|error| Failure::internal("cannot write the addresses as JSON").because(error))?;
        std::fs::write(&file, text).map_err(failed)?;
        Ok(Self { file: Some(file) })
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // Another `mesh up` of this tree may have replaced it, or somebody cleaned up: neither is this one's to mend.
        let _ = self.file.as_deref().map(std::fs::remove_file);
    }
}
