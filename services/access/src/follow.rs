//! Round after round: asks, compares, changes.

use mesh_audit::{Event, Who};
use mesh_client::CatalogueError;
use mesh_client::catalogue::{Catalogue, Follower};
use mesh_contract::{Contract, Domain};
use mesh_kafka::admin::Admin;
use mesh_runtime::Latch;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::reconcile::{self, Believed, Doubt, Facts, Reconciliation, reconcile};
use crate::{Config, Error, metrics};

/// How long a cluster without contracts is left alone before it is asked again.
const NOT_THERE: Duration = Duration::from_secs(2);
/// Contracts are applied several at once: so long the rest of them is waited for.
const SETTLES_AFTER: Duration = Duration::from_millis(200);

pub(crate) async fn serve(config: &Config, latch: &Latch) -> Result<(), Error> {
    metrics::start(config.interval);
    let admin = Admin::new(&config.kafka).map_err(Error::SetUp)?;
    let mut products = open(config, latch).await?;
    let mut rounds = Rounds { config, admin, believed: Believed::default(), doubted: BTreeMap::new() };
    let mut ticks = interval(config.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = products.next() => {
                changed.map_err(Error::ReadCatalogue)?;
                sleep(SETTLES_AFTER).await;
            }
        }
        let outcome = match products.catch_up().await {
            Ok(()) => {
                latch.open();
                rounds.round(products.catalogue()).await
            }
            Err(error) => Err(Error::ReadCatalogue(error)),
        };
        match outcome {
            Ok(()) => metrics::synced(),
            Err(error) => {
                metrics::failed(&error);
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "access was not looked at, and stays as it is"
                );
            }
        }
    }
}

/// The contracts; waits for a first one to be applied.
async fn open(config: &Config, latch: &Latch) -> Result<Follower, Error> {
    loop {
        match Follower::open(&config.kafka).await {
            Ok(follower) => return Ok(follower),
            Err(CatalogueError::NotThere) => latch.close("no contract has been applied"),
            Err(CatalogueError::Read(error)) if error.is_retriable() => latch.close("Kafka cannot be reached"),
            Err(error) => return Err(Error::ReadCatalogue(error)),
        }
        sleep(NOT_THERE).await;
    }
}

/// What goes from one round to the next.
struct Rounds<'a> {
    config: &'a Config,
    admin: Admin,
    believed: Believed,
    doubted: BTreeMap<String, Doubt>,
}

impl Rounds<'_> {
    /// Makes the members' rules what contracts and directory say.
    async fn round(&mut self, catalogue: &Catalogue) -> Result<(), Error> {
        let products = catalogue.products();
        let contracts: Vec<&Contract> = products.iter().map(|product| &product.contract).collect();
        let domains: Vec<&Domain> = catalogue.domains().map(|domain| &**domain).collect();
        let groups = reconcile::groups(&contracts);
        if groups.is_empty() {
            return Ok(());
        }
        let directory = &self.config.directory;
        let asked = directory.members(&groups).await;
        let answer = asked.map_err(|source| Error::AskDirectory { directory: directory.name(), source })?;
        metrics::left_out(answer.left_out);
        if answer.is_void() {
            return Err(Error::EmptyAnswer { directory: directory.name() });
        }
        let Some(rights) = self.admin.rights().await.map_err(Error::ReadRules)? else {
            tracing::debug!("this Kafka asks nobody who they are: there are no rules to keep");
            return Ok(());
        };
        let (members, nobody) = (&answer.members, &answer.nobody);
        let facts = Facts { contracts: &contracts, domains: &domains, members, nobody, found: &rights.table };
        let wanted = reconcile(&facts, &self.believed, self.config.guard);
        self.change(&wanted).await?;
        self.doubt(&wanted.doubted);
        self.believed = wanted.believed;
        Ok(())
    }

    /// First what is taken back, whatever else fails; then all of it is written down, and only what is on record is granted.
    async fn change(&self, wanted: &Reconciliation) -> Result<(), Error> {
        let revoked = self.admin.revoke(&wanted.revoke).await;
        revoked.map_err(|source| Error::Revoke { count: wanted.revoke.len(), source })?;
        wanted.revoke.iter().for_each(|acl| tracing::info!(rule = %acl, "access taken back"));
        metrics::changed(0, wanted.revoke.len());
        let told = mesh_audit::tell(&self.config.kafka, self.config.seals.clone(), &self.events(wanted)).await;
        told.map_err(Error::Tell)?;
        let granted = self.admin.grant(&wanted.grant).await;
        granted.map_err(|source| Error::Grant { count: wanted.grant.len(), source })?;
        wanted.grant.iter().for_each(|acl| tracing::info!(rule = %acl, "access granted"));
        metrics::changed(wanted.grant.len(), 0);
        Ok(())
    }

    /// What `mesh.audit` is told: what was taken back and is granted, and which groups are newly doubted.
    fn events(&self, wanted: &Reconciliation) -> Vec<Event> {
        let who = Who::here(&self.config.kafka, "mesh run access");
        let of = |kind: &str| Event::new(kind, &who).with("directory", self.config.directory.name());
        let why = "contracts and groups";
        let revoked =
            wanted.revoke.iter().map(|acl| of("access-revoked").with("rule", acl.to_string()).with("why", why));
        let granted =
            wanted.grant.iter().map(|acl| of("access-granted").with("rule", acl.to_string()).with("why", why));
        let is_new = |(group, doubt): &(&String, &Doubt)| self.doubted.get(*group) != Some(*doubt);
        let doubted = wanted.doubted.iter().filter(is_new);
        let doubted =
            doubted.map(|(group, doubt)| of("group-doubted").with("group", group).with("why", doubt.to_string()));
        revoked.chain(granted).chain(doubted).collect()
    }

    /// Tells of groups whose answer is not believed, when that begins and when it ends.
    fn doubt(&mut self, now: &BTreeMap<String, Doubt>) {
        for (group, doubt) in now.iter().filter(|(group, doubt)| self.doubted.get(*group) != Some(doubt)) {
            tracing::error!(group, why = %doubt, "a group's members are not believed: whoever reads by it goes on");
        }
        for group in self.doubted.keys().filter(|group| !now.contains_key(*group)) {
            tracing::info!(group, "a group's members are believed again");
        }
        metrics::doubted(&self.doubted, now);
        self.doubted.clone_from(now);
    }
}
