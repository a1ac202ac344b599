//! The service: follows the catalogue, runs the tasks, reports lineage, stops in time.

use std::{collections::BTreeSet, sync::Arc, thread};

use mesh_client::RegistryClient;
use mesh_kafka::admin::Admin;
use mesh_runtime::Shutdown;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use crate::{
    Config, Error,
    catalogue::{self, Products},
    counts::{self, Told},
    lineage,
    lookup::Lookups,
    metrics,
    run::ToldRuns,
    task::Task,
    trouble::Troubles,
};

/// Masks the configured domains' products until the shutdown; returns once every task has ended its transaction.
///
/// # Errors
/// The configuration cannot work, `mesh.products` cannot be followed for a reason that does not pass, or a task broke.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), Error> {
    config.check()?;
    metrics::describe(config.duty);
    let registry = RegistryClient::new(&config.registry)
        .map_err(|source| Error::Registry { url: config.registry.to_string(), source })?;
    let admin = Admin::new(&config.kafka).map_err(Error::SetUp)?;
    let lookups = Lookups::new(registry, admin, config.keys.clone());
    let latch = config.readiness.latch(format!("{} catalogue", config.duty.name()));
    let (published, products) = watch::channel(Arc::new(Products::default()));
    let (told, reports) = mpsc::channel(counts::QUEUE_CAPACITY);
    let (outcome, ended) = oneshot::channel();
    let told_runs = ToldRuns::default();
    let reporter = lineage::report(&config, reports, told_runs.clone(), ended, &shutdown);
    let crew = Crew {
        config: config.clone(),
        lookups,
        troubles: Troubles::new(config.duty, &config.readiness),
        products,
        told,
        told_runs,
        shutdown: shutdown.clone(),
        domains: BTreeSet::new(),
        tasks: JoinSet::new(),
    };
    let follow = async {
        match shutdown.abandon(catalogue::follow(&config, &latch, &published)).await {
            Some(Err(error)) => Err(error),
            Some(Ok(())) | None => Ok(()),
        }
    };
    let work = async {
        let worked = crew.work().await;
        // nobody listens where lineage is not told
        let _ = outcome.send(worked.as_ref().err().map(ToString::to_string));
        worked
    };
    // the reporter ends when the crew's tasks, which hold the other ends, are gone
    let (followed, worked, reported) = tokio::join!(stop_all(&shutdown, follow), stop_all(&shutdown, work), reporter);
    followed.and(worked).and(reported)
}

/// One part that breaks takes the others down with it: there is no half-alive sidecar.
async fn stop_all(shutdown: &Shutdown, part: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let ended = part.await;
    if ended.is_err() {
        shutdown.trigger();
    }
    ended
}

/// The tasks of this process.
struct Crew {
    config: Config,
    lookups: Lookups,
    troubles: Troubles,
    products: watch::Receiver<Arc<Products>>,
    told: mpsc::Sender<Told>,
    told_runs: ToldRuns,
    shutdown: Shutdown,
    domains: BTreeSet<String>,
    tasks: JoinSet<Result<(), Error>>,
}

impl Crew {
    /// Starts tasks for each domain as its first product is seen, and waits for all of them at the end.
    async fn work(mut self) -> Result<(), Error> {
        while !self.shutdown.is_triggered() {
            self.engage()?;
            tokio::select! {
                changed = self.products.changed() => if changed.is_err() { break },
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => ended.unwrap_or_else(|_| Ok(()))?,
                () = self.shutdown.triggered() => break,
            }
        }
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap_or_else(|_| Ok(()))?;
        }
        Ok(())
    }

    fn engage(&mut self) -> Result<(), Error> {
        let products = self.products.borrow_and_update().clone();
        self.lookups.retain(|identity| products.has(identity));
        let new: Vec<String> =
            products.domains().filter(|domain| !self.domains.contains(*domain)).map(str::to_owned).collect();
        for domain in new {
            if self.domains.insert(domain.clone()) {
                (0..self.config.tasks).try_for_each(|index| self.start(&domain, index))?;
            }
        }
        Ok(())
    }

    /// Starts a task on a thread of its own, and something that waits for its end.
    fn start(&mut self, domain: &str, index: usize) -> Result<(), Error> {
        let latch = self.config.readiness.latch(format!("{} {domain} {index}", self.config.duty.name()));
        let task = Task {
            config: self.config.clone(),
            domain: domain.to_owned(),
            index,
            number: self.tasks.len(),
            products: self.products.clone(),
            lookups: self.lookups.clone(),
            troubles: self.troubles.clone(),
            told: self.told.clone(),
            told_runs: self.told_runs.clone(),
            latch,
            shutdown: self.shutdown.clone(),
        };
        let name = task.name();
        let (ended, end) = oneshot::channel();
        let body = move || {
            task.run();
            let _ = ended.send(());
        };
        let spawned = thread::Builder::new().name(format!("{}-{domain}-{index}", self.config.duty.name())).spawn(body);
        spawned.map_err(|source| Error::StartTask { task: name.clone(), source })?;
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            // a panic drops the sender without a word
            match end.await {
                Ok(()) if shutdown.is_triggered() => Ok(()),
                _ => Err(Error::TaskEnded { task: name }),
            }
        });
        Ok(())
    }
}
