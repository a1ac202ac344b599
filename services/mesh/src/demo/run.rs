//! The whole of it, from the first broker to the last topic searched.

use super::canary::Aviary;
use super::cast::{Cast, DOMAINS, PRODUCTS, missing_products};
use super::failed;
use super::hunt::Mark;
use super::play::{FirstAct, SecondAct, first_act, now_ms, second_act};
use super::progress::Progress;
use super::publish::Stage;
use super::story::Story;
use super::verdict::{Evidence, checks};
use super::world::World;
use crate::apply::{self, OnRecord, RightsOptions};
use crate::audit;
use crate::context::Context;
use crate::failure::Failure;
use crate::lineage_options::LineageOptions;
use crate::platform::{AuditOptions, Cluster, MaskingOptions, Plan, Principals, RegistryOptions, Service, Services};
use crate::tree::WorkingTree;
use mesh_avro::keys::KeyRing;
use mesh_avro::sensitivity::SensitiveNames;
use mesh_client::RegistryClient;
use mesh_client::registry::Endpoint;
use mesh_contract::acl::Part;
use mesh_contract::{Contract, Topics};
use mesh_kafka::Settings;
use mesh_kafka::admin::Admin;
use mesh_kafka::embedded::Options;
use mesh_runtime::Shutdown;
use mesh_runtime::access::Access;
use mesh_runtime::keys::ThrowAwayKeys;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long the services may take to be ready.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// How often freshness is judged: the demo does not wait long for it.
const FRESHNESS_INTERVAL: Duration = Duration::from_secs(1);

/// What a run ended with.
pub struct Ended {
    pub story: Story,
    /// The lineage events that it saw, as they were written.
    pub lineage_events: Vec<String>,
}

/// Runs the demo on the named cluster, or on an embedded one.
///
/// # Errors
/// It could not be run to its end, or was interrupted.
pub async fn run(context: &Context, secured: bool, shutdown: &Shutdown) -> Result<Ended, Failure> {
    let started = Instant::now();
    let progress = Progress::start();
    let root = context.root()?;
    expect_examples(&root)?;
    let embedded = context.given_kafka()?.is_none();
    let secured = secured && embedded;
    progress.phase(if embedded { "starting Kafka (its first start fetches it)" } else { "looking for Kafka" });
    let world = tokio::task::spawn_blocking(|| World::read(now_ms()));
    let start = Cluster::start(context, Options { secured, ..Options::default() });
    let mut cluster = shutdown.abandon(start).await.ok_or_else(interrupted)??;
    let outcome = async {
        let world = world.await.map_err(|error| Failure::internal("cannot make the events").because(error))?;
        let world = world.map_err(failed::data)?;
        let demo = Demo { context, root, shutdown, progress: &progress, world };
        demo.perform(&mut cluster).await
    }
    .await;
    progress.phase("stopping Kafka");
    cluster.stop().await;
    progress.end();
    let mut ended = outcome?;
    ended.story.cluster = match (embedded, secured) {
        (true, true) => "an embedded Kafka, secured",
        (true, false) => "an embedded Kafka",
        (false, _) => "your Kafka",
    }
    .to_owned();
    ended.story.seconds = started.elapsed().as_secs_f64();
    Ok(ended)
}

/// What is wrong with the contracts is said before anything is started.
fn expect_examples(root: &Path) -> Result<(), Failure> {
    let tree = WorkingTree::read(root, &SensitiveNames::default())?.sound()?;
    let names: Vec<String> = tree.products.iter().map(|product| product.contract.value.product().to_string()).collect();
    let missing: Vec<&str> = PRODUCTS.into_iter().filter(|product| !names.iter().any(|name| name == product)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(missing_products(&missing))
}

fn interrupted() -> Failure {
    Failure::interrupted("the demo was interrupted")
}

struct Demo<'a> {
    context: &'a Context,
    root: PathBuf,
    shutdown: &'a Shutdown,
    progress: &'a Progress,
    world: World,
}

impl Demo<'_> {
    async fn perform(&self, cluster: &mut Cluster) -> Result<Ended, Failure> {
        let kafka = self.principals(cluster).await?;
        let mut aviary = Aviary::new(Uuid::new_v4());
        let (stage, mark, first) = tokio::select! {
            failure = cluster.died() => return Err(failure),
            first = self.with_services(&kafka, &mut aviary) => first?,
        };
        let second = second_act(&stage, &mark, &aviary, &first, self.progress);
        let second = tokio::select! {
            failure = cluster.died() => return Err(failure),
            second = self.shutdown.abandon(second) => second.ok_or_else(interrupted)??,
        };
        Ok(conclude(&stage.cast, first, second))
    }

    /// The first act, with the services around it. They are stopped in order, so that they have said all they know.
    async fn with_services(&self, kafka: &Principals, aviary: &mut Aviary) -> Result<(Stage, Mark, FirstAct), Failure> {
        self.progress.phase("starting the services");
        let mark = self.mark(kafka.operator()).await?;
        apply::control_topics(kafka.part(&Part::Apply)).await?;
        let mut services = Services::start(&self.plan(kafka)?, self.shutdown.child()).await?;
        let registry = services.registry().cloned().map_or_else(|| self.context.registry(), Ok)?;
        let readiness = services.readiness();
        let act = async {
            let ready = tokio::time::timeout(READY_DEADLINE, readiness.ready()).await;
            ready.map_err(|_| not_ready(&readiness.missing().into_keys().collect::<Vec<_>>()))?;
            let stage = self.set(kafka, registry).await?;
            let first = first_act(&stage, &mark, &self.world, aviary, self.progress).await?;
            Ok((stage, first))
        };
        let outcome = tokio::select! {
            failure = services.ended() => Err(failure),
            outcome = act => outcome,
            () = self.shutdown.triggered() => Err(interrupted()),
        };
        self.progress.phase("stopping the services");
        let stopped = services.stop().await;
        let (stage, first) = outcome?;
        stopped?;
        Ok((stage, mark, first))
    }

    /// As whom each part speaks: on a secured Kafka each as itself, while the cast is the operator.
    async fn principals(&self, cluster: &Cluster) -> Result<Principals, Failure> {
        let tree = WorkingTree::read(&self.root, &SensitiveNames::default())?.sound()?;
        let wanted = rights(true).wanted(&tree, &self.root)?;
        Principals::of(cluster, Some(&tree), wanted.as_ref()).await
    }

    async fn mark(&self, kafka: &Settings) -> Result<Mark, Failure> {
        let failed = failed::kafka("see where every topic ends");
        Mark::now(&Admin::new(kafka).map_err(&failed)?).await.map_err(&failed)
    }

    /// Applies the contracts, and looks who plays.
    async fn set(&self, kafka: &Principals, endpoint: Endpoint) -> Result<Stage, Failure> {
        self.progress.phase("applying the contracts");
        // on somebody's cluster who may do what is theirs to say
        let rights = rights(!kafka.files.is_empty());
        let (names, lineage) = (SensitiveNames::default(), LineageOptions::default());
        let on_record =
            OnRecord { seals: audit::seals(self.context, kafka.operator())?, reason: Some("mesh demo".to_owned()) };
        apply::tree(&self.root, &names, kafka.part(&Part::Apply), &endpoint, &lineage, &rights, &on_record).await?;
        let registry = RegistryClient::new(&endpoint).map_err(failed::registry("speak to the registry"))?;
        let kafka = kafka.operator().clone();
        let cast = Cast::read(&kafka).await?;
        Ok(Stage { kafka, endpoint, registry, cast })
    }

    /// All services, for the example's domains alone: on somebody's cluster nothing else is touched. A registry that is
    /// named, or that of a `mesh up` on the same cluster, is used instead of one's own.
    fn plan(&self, kafka: &Principals) -> Result<Plan, Failure> {
        let neighbour = self.context.running_on(kafka.operator().bootstrap());
        let registry_url = self.context.given_registry_url().map(str::to_owned);
        let registry_url = registry_url.or_else(|| neighbour.map(|running| running.registry_url.clone()));
        let login = self.context.registry_login()?;
        let mut services = Service::ALL.to_vec();
        services.retain(|service| *service != Service::Registry || registry_url.is_none());
        Ok(Plan {
            services: services.into_iter().collect(),
            kafka: kafka.clone(),
            listen: "127.0.0.1".to_owned(),
            registry_port: 0,
            http_port: 0,
            registry: registry_url.map(|url| Endpoint::new(url).with_login(login.clone())),
            login,
            tls: None,
            access: Access::unrestricted(),
            registry_rules: RegistryOptions::default(),
            domains: DOMAINS.map(str::to_owned).into(),
            masking: masking(),
            freshness_interval: FRESHNESS_INTERVAL,
            freshness_settle: FRESHNESS_INTERVAL,
            webhooks: Vec::new(),
            followed: None,
            audit: AuditOptions::default(),
            keys: Some(self.keys(neighbour.is_some())?),
            // keys that are thrown away vouch for nothing
            seals: audit::seals(self.context, kafka.operator())?,
        })
    }

    /// The given keys, or those of a `mesh up` on the same cluster, whose sidecar masks some of the partitions; else some
    /// that are thrown away.
    fn keys(&self, has_neighbour: bool) -> Result<Arc<dyn KeyRing>, Failure> {
        if has_neighbour || self.context.gives_keys() {
            return self.context.keys();
        }
        let keys = ThrowAwayKeys::generate();
        let keys = keys.map_err(|error| Failure::internal("cannot make keys for the demo").because(error))?;
        Ok(Arc::new(keys))
    }
}

/// The rules of a cluster of one's own; others' are left as they are.
fn rights(own_cluster: bool) -> RightsOptions {
    let rights = RightsOptions { own_cluster, leave_access: !own_cluster, ..RightsOptions::default() };
    rights.with_sidecar(&masking())
}

/// A replica of its own name, so that it fences nobody's sidecar on an existing cluster.
fn masking() -> MaskingOptions {
    MaskingOptions { replica: "demo".to_owned(), ..MaskingOptions::default() }
}

fn not_ready(missing: &[String]) -> Failure {
    Failure::internal(format!("the services were not ready in time: {} missing", missing.join(", ")))
}

/// The story of both acts.
fn conclude(cast: &Cast, first: FirstAct, second: SecondAct) -> Ended {
    let topics: Vec<Topics> = cast.contracts().map(Contract::topics).collect();
    let evidence = Evidence {
        settled: first.settled,
        bad: first.published.bad.len() as u64,
        quarantined: &second.quarantined,
        refused: first.refused.len(),
        freshness: &first.freshness,
        joined: &first.joined,
        lineage: &second.lineage,
        topics: &topics,
        hunt: &second.hunt,
    };
    let story = Story {
        checks: checks(&evidence),
        cluster: String::new(),
        publications: first.published.publications,
        views: first.seen.views,
        same_customer: first.seen.same_customer,
        joined: first.joined,
        quarantined: second.quarantined,
        refused: first.refused,
        freshness: first.freshness,
        lineage: second.lineage,
        hunt: second.hunt,
        seconds: 0.0,
    };
    Ended { story, lineage_events: second.lineage_events }
}
