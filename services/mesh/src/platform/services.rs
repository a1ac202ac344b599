//! Running services: started together, watched, stopped together. One that dies takes the process down.

use super::plan::{Plan, Service};
use crate::failure::Failure;
use mesh_client::registry::Endpoint;
use mesh_contract::acl::Part;
use mesh_kafka::ErrorKind;
use mesh_registry::Registry;
use mesh_runtime::{AdminServer, Readiness, Shutdown, recorder};
use std::error::Error;
use std::time::Duration;
use tokio::task::JoinSet;

/// A product's freshness is written at least every so many evaluations, though nothing changed.
const WRITTEN_EVERY_INTERVALS: u32 = 3;

type Ended = (&'static str, Result<(), Box<dyn Error + Send + Sync>>);

/// Running services.
pub struct Services {
    /// Where a registry that was started listens.
    pub registry_url: Option<String>,
    /// The registry that was started or named.
    registry: Option<Endpoint>,
    /// Where `/livez`, `/readyz`, `/metrics` and lineage are served.
    pub http_url: String,
    readiness: Readiness,
    shutdown: Shutdown,
    tasks: JoinSet<Ended>,
}

impl Services {
    /// Starts the services of a plan. They are not ready yet.
    ///
    /// # Errors
    /// A port is taken, or something that a service needs was not given.
    pub async fn start(plan: &Plan, shutdown: Shutdown) -> Result<Self, Failure> {
        let recorder = recorder::install().map_err(|error| Failure::internal("cannot count metrics").because(error))?;
        let readiness = Readiness::default();
        let admin = AdminServer::bind(&plan.address(plan.http_port), readiness.clone(), recorder).await;
        let admin = admin.map_err(|error| port_taken("--http-port", error))?;
        let admin = admin.with_tls(plan.tls.clone()).with_access(plan.access.clone());
        let mut services = Self {
            registry_url: None,
            registry: plan.registry.clone(),
            http_url: admin.url(),
            readiness,
            shutdown,
            tasks: JoinSet::new(),
        };
        services.start_registry(plan).await?;
        services.start_masking(plan)?;
        services.start_feed(plan)?;
        services.start_freshness(plan);
        services.start_access(plan);
        services.start_audit(plan);
        services.start_lineage(plan, admin);
        Ok(services)
    }

    async fn start_registry(&mut self, plan: &Plan) -> Result<(), Failure> {
        if !plan.has(Service::Registry) {
            return Ok(());
        }
        let mut config =
            mesh_registry::Config::new(plan.address(plan.registry_port), plan.kafka.part(&Part::Registry).clone());
        config.readiness = self.readiness.clone();
        config.rules = plan.registry_rules.rules()?;
        config.seals.clone_from(&plan.seals);
        config.tls.clone_from(&plan.tls);
        config.access = plan.access.clone();
        config.peers = plan.login.clone();
        config.advertise.clone_from(&plan.registry_rules.registry_advertise);
        let registry = Registry::bind(config).await.map_err(|error| port_taken("--registry-port", error))?;
        self.registry = Some(Endpoint::new(registry.url()).with_login(plan.login.clone()));
        self.registry_url = Some(registry.url());
        self.spawn(Service::Registry.name(), registry.serve(self.shutdown.clone()));
        Ok(())
    }

    /// The registry that a service cannot be without.
    fn registry_of(&self, service: Service) -> Result<&Endpoint, Failure> {
        self.registry.as_ref().ok_or_else(|| {
            Failure::usage(format!("{} needs a schema registry, and none is named or started", service.name()))
                .hint("give --registry-url, or run the registry too")
        })
    }

    fn start_masking(&mut self, plan: &Plan) -> Result<(), Failure> {
        if !plan.has(Service::Masking) {
            return Ok(());
        }
        let registry = self.registry_of(Service::Masking)?;
        for mut config in plan.masking(registry)? {
            config.readiness = self.readiness.clone();
            self.spawn(Service::Masking.name(), mesh_masking::run(config, self.shutdown.clone()));
        }
        Ok(())
    }

    fn start_feed(&mut self, plan: &Plan) -> Result<(), Failure> {
        if !plan.has(Service::Feed) {
            return Ok(());
        }
        let registry = self.registry_of(Service::Feed)?;
        for mut config in plan.feeds(registry)? {
            config.readiness = self.readiness.clone();
            self.spawn(Service::Feed.name(), mesh_masking::run(config, self.shutdown.clone()));
        }
        Ok(())
    }

    fn start_freshness(&mut self, plan: &Plan) {
        if plan.has(Service::Freshness) {
            let mut config = mesh_freshness::Config::new(plan.kafka.part(&Part::Freshness).clone());
            config.readiness = self.readiness.clone();
            config.interval = plan.freshness_interval;
            config.page_settles_after = plan.freshness_settle;
            config.webhooks.clone_from(&plan.webhooks);
            config.tells_lineage = plan.masking.lineage.is_on();
            config.publish_every = plan.freshness_interval * WRITTEN_EVERY_INTERVALS;
            self.spawn(Service::Freshness.name(), mesh_freshness::run(config, self.shutdown.clone()));
        }
    }

    fn start_access(&mut self, plan: &Plan) {
        if let Some(followed) = plan.followed.as_ref().filter(|_| plan.has(Service::Access)) {
            let mut config = followed.config(plan.kafka.part(&Part::Access));
            config.seals.clone_from(&plan.seals);
            config.readiness = self.readiness.clone();
            self.spawn(Service::Access.name(), mesh_access::run(config, self.shutdown.clone()));
        }
    }

    fn start_audit(&mut self, plan: &Plan) {
        if plan.has(Service::Audit) {
            let mut config = mesh_auditor::Config::new(plan.kafka.part(&Part::Audit).clone());
            config.readiness = self.readiness.clone();
            config.keys.clone_from(&plan.seals);
            config.authorizer_log.clone_from(&plan.audit.authorizer_log);
            config.interval = plan.audit.audit_interval.map_or(config.interval, Duration::from_secs);
            self.spawn(Service::Audit.name(), mesh_auditor::run(config, self.shutdown.clone()));
        }
    }

    /// Lineage is served beside the probes, on the same port.
    fn start_lineage(&mut self, plan: &Plan, mut admin: AdminServer) {
        if plan.has(Service::Lineage) {
            let state = mesh_lineage::State::default();
            admin = admin.merge(mesh_lineage::routes(state.clone()));
            let config = mesh_lineage::Config {
                kafka: plan.kafka.part(&Part::Lineage).clone(),
                readiness: self.readiness.clone(),
                state,
            };
            self.spawn(Service::Lineage.name(), mesh_lineage::run(config, self.shutdown.clone()));
        }
        self.spawn("http", admin.serve(self.shutdown.clone()));
    }

    fn spawn<E>(&mut self, name: &'static str, service: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: Error + Send + Sync + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let ended = shutdown.drain(service).await.unwrap_or_else(|| {
                tracing::error!(service = name, "service did not stop within its grace period");
                Ok(())
            });
            (name, ended.map_err(Into::into))
        });
    }

    /// The registry that was started or named, and how to be let in.
    pub fn registry(&self) -> Option<&Endpoint> {
        self.registry.as_ref()
    }

    /// Whether every service is ready.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Resolves when a service ends though nobody asked it to.
    pub async fn ended(&mut self) -> Failure {
        match self.tasks.join_next().await {
            Some(Ok((name, Err(error)))) => failed(name, error),
            Some(Ok((name, Ok(())))) => Failure::internal(format!("{name} ended without being told to")),
            Some(Err(error)) => Failure::internal("a service broke").because(error),
            None => Failure::internal("no service is running"),
        }
    }

    /// Tells every service to stop and waits for it, at most the grace period each.
    ///
    /// # Errors
    /// A service failed while it stopped.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.shutdown.trigger();
        let mut outcome = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let failed = |error: Box<dyn Error + Send + Sync>, name: &str| {
                Failure::internal(format!("{name} failed while it stopped")).because(error)
            };
            let result = match ended {
                Ok((name, result)) => result.map_err(|error| failed(error, name)),
                Err(error) => Err(failed(error.into(), "a service")),
            };
            outcome = outcome.and(result);
        }
        outcome
    }
}

/// What a service's own failure means: one that Kafka does not allow what it needs is no defect.
fn failed(name: &str, error: Box<dyn Error + Send + Sync>) -> Failure {
    match kafkas_word(&*error) {
        Some(ErrorKind::Unauthorised) => {
            Failure::unreachable(format!("{name} may not do at Kafka what it has to")).because(error).hint(
                "`mesh secure admit` allows the backbone what it needs, before its registry is there; `mesh apply` does after",
            )
        }
        _ => Failure::internal(format!("{name} failed")).because(error),
    }
}

/// What Kafka said, if it is Kafka that a failure comes from.
fn kafkas_word(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let own = error.downcast_ref().map(mesh_kafka::Error::kind);
    own.or_else(|| error.source().and_then(kafkas_word))
}

fn port_taken(option: &str, error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
    Failure::usage(format!("cannot listen on the port of {option}"))
        .because(error)
        .hint(format!("choose another port with {option}, or none for a free one"))
}
