//! The loop: follow the products, read what moved, judge, tell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mesh_client::catalogue::{Catalogue, Change};
use mesh_client::heartbeat::{Heartbeat, sidecar_group};
use mesh_contract::AppliedProduct;
use mesh_contract::topic::{FRESHNESS_TOPIC, HEARTBEATS_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::admin::Admin;
use mesh_kafka::log::{LogReader, LogWriter};
use mesh_kafka::{ErrorKind, Offsets, OutgoingRecord, Record};
use mesh_runtime::Latch;

use crate::moment::Moment;
use crate::report::{self, ProductReport};
use crate::watched::Watched;
use crate::{Config, Error, metrics, tail};

/// How often to look for a topic that is not there yet, or a cluster that is away.
const RETRY: Duration = Duration::from_secs(1);

/// Evaluates for ever. What a cluster that is away keeps from being known is not known: ages go on growing from what
/// was seen last, nothing is told of it, and the next evaluation tries again.
pub(crate) async fn watch(config: &Config, latch: &Latch) -> Result<(), Error> {
    let mut monitor = Monitor::open(config, latch).await?;
    let mut ticks = tokio::time::interval(config.interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut away_since_ms = None;
    loop {
        ticks.tick().await;
        let moment = Moment::now(config, away_since_ms);
        match monitor.evaluate(moment).await {
            Ok(()) => {
                away_since_ms = None;
                latch.open();
            }
            Err(error) if error.is_retriable() => {
                away_since_ms.get_or_insert(moment.now_ms);
                metrics::evaluation_failed();
                latch.close("Kafka cannot be reached");
                tracing::warn!(error = &error as &dyn std::error::Error, "freshness was not evaluated, retrying");
            }
            Err(error) => return Err(error),
        }
    }
}

struct Monitor<'c> {
    config: &'c Config,
    admin: Admin,
    out: LogWriter,
    products: LogReader,
    catalogue: Catalogue,
    heartbeats: LogReader,
    /// By key on `mesh.products`.
    watched: BTreeMap<String, Watched>,
    /// What the last process knew, until the product is watched.
    restored: BTreeMap<String, ProductReport>,
    /// Products whose state is to be deleted.
    gone: BTreeSet<String>,
}

impl<'c> Monitor<'c> {
    async fn open(config: &'c Config, latch: &Latch) -> Result<Self, Error> {
        let products = open(config, PRODUCTS_TOPIC, latch).await?;
        let heartbeats = open(config, HEARTBEATS_TOPIC, latch).await?;
        Ok(Self {
            config,
            admin: Admin::new(&config.kafka).map_err(Error::SetUp)?,
            out: LogWriter::new(&config.kafka).map_err(Error::SetUp)?,
            products,
            catalogue: Catalogue::default(),
            heartbeats,
            watched: BTreeMap::new(),
            restored: restore(config).await?,
            gone: BTreeSet::new(),
        })
    }

    async fn evaluate(&mut self, moment: Moment) -> Result<(), Error> {
        let now_ms = moment.now_ms;
        self.follow().await?;
        self.look(now_ms).await?;
        self.prove_heartbeats(now_ms).await?;
        for (key, report) in moment.reports(&mut self.watched) {
            self.tell(&key, report, now_ms).await?;
        }
        while let Some(key) = self.gone.first().cloned() {
            let written = self.out.append(OutgoingRecord::to(FRESHNESS_TOPIC).key(key.clone())).await;
            written.map_err(|source| Error::WriteState { product: key.clone(), source })?;
            self.gone.remove(&key);
        }
        metrics::evaluated(now_ms, self.watched.len());
        Ok(())
    }

    async fn follow(&mut self) -> Result<(), Error> {
        let mut changes = Vec::new();
        let catalogue = &mut self.catalogue;
        let read = self.products.read_to_end(|record| changes.push(catalogue.take(&record))).await;
        // what was read before a failure is not read again
        changes.into_iter().for_each(|change| self.take(change));
        read.map_err(|source| Error::ReadLog { topic: PRODUCTS_TOPIC, source })?;
        // of what is still restored nothing is applied any more
        self.gone.extend(std::mem::take(&mut self.restored).into_keys());
        let watched = &mut self.watched;
        let read = self.heartbeats.read_to_end(|record| hear(watched, &record)).await;
        read.map_err(|source| Error::ReadLog { topic: HEARTBEATS_TOPIC, source })
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Product(product) => self.watch_product((*product).clone()),
            Change::ProductGone(product) => {
                let watched = self.watched.remove(&product.key());
                metrics::report(watched.and_then(|watched| watched.last).as_ref(), None);
                self.gone.insert(product.key());
            }
            Change::Domain(_) | Change::DomainGone(_) | Change::Nothing => {}
        }
    }

    fn watch_product(&mut self, product: AppliedProduct) {
        let key = product.key();
        self.gone.remove(&key);
        match self.watched.get_mut(&key) {
            Some(watched) => watched.renew(product),
            None => {
                let last = self.restored.remove(&key);
                self.watched.insert(key, Watched::new(product, last));
            }
        }
    }

    /// Reads the tails of the partitions whose ends moved.
    async fn look(&mut self, now_ms: i64) -> Result<(), Error> {
        let topics = self.watched.values().flat_map(|watched| watched.views.iter().map(|view| view.topic.clone()));
        let topics: BTreeSet<String> = topics.collect();
        let ends = ends(&self.admin, &topics).await?;
        let tolerance_ms = i64::try_from(self.config.future_tolerance.as_millis()).unwrap_or(i64::MAX);
        for watched in self.watched.values_mut() {
            let has_event_time = watched.product.contract.refresh_rate.event_time.is_some();
            let believe = |record: &Record| tail::sighting(record, has_event_time).believed_ms(now_ms, tolerance_ms);
            for view in &mut watched.views {
                let unseen = view.unseen(&ends);
                if unseen.is_empty() {
                    continue;
                }
                let found = match tail::newest(&self.config.kafka, &view.topic, &unseen, believe).await {
                    Ok(found) => found,
                    Err(error) if is_of_change(&error) => continue,
                    Err(source) => return Err(Error::ReadTail { topic: view.topic.clone(), source }),
                };
                metrics::tails_read(unseen.len());
                unseen.into_iter().for_each(|it| view.observe(it, found.get(&it.partition).copied().flatten()));
            }
        }
        Ok(())
    }

    /// Asks how far the sidecars have come, only where a heartbeat waits for it.
    async fn prove_heartbeats(&mut self, now_ms: i64) -> Result<(), Error> {
        for watched in self.watched.values_mut().filter(|watched| watched.has_unproven_heartbeats()) {
            let group = sidecar_group(&watched.product.contract.owner);
            let input = watched.product.contract.topics().input;
            match self.admin.committed(&group, &[&input]).await {
                Ok(committed) => watched.prove_heartbeats(&committed, now_ms),
                Err(error) if error.kind() == ErrorKind::UnknownTopic => {}
                Err(source) => return Err(Error::AskCommitted { group, source }),
            }
        }
        Ok(())
    }

    async fn tell(&mut self, key: &str, report: ProductReport, now_ms: i64) -> Result<(), Error> {
        let Some(watched) = self.watched.get_mut(key) else { return Ok(()) };
        let change = watched.change_to(&report);
        let publish_every_ms = i64::try_from(self.config.publish_every.as_millis()).unwrap_or(i64::MAX);
        let is_due = watched.published_at_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) >= publish_every_ms);
        if !watched.is_news(&report) && !is_due {
            metrics::report(watched.last.as_ref(), Some(&report));
            return Ok(());
        }
        let failed = |source| Error::WriteState { product: report.product.clone(), source };
        self.out.append(record(key, &report)).await.map_err(failed)?;
        if let Some(before) = change {
            log_change(&report, before);
        }
        metrics::report(watched.last.as_ref(), Some(&report));
        watched.published_at_ms = Some(now_ms);
        watched.last = Some(report);
        Ok(())
    }
}

/// A topic that was deleted, made anew or cut off while it was looked at: the next evaluation sees what it is then.
fn is_of_change(error: &mesh_kafka::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnknownTopic | ErrorKind::OffsetOutOfRange)
}

fn record(key: &str, report: &ProductReport) -> OutgoingRecord {
    let value = serde_json::to_vec(report).expect("a report is strings and numbers");
    OutgoingRecord::to(FRESHNESS_TOPIC).key(key.to_owned()).value(value)
}

fn log_change(report: &ProductReport, before: Option<crate::State>) {
    let before = before.map_or_else(|| "none".to_owned(), |state| state.to_string());
    let (product, version, state) = (&report.product, report.version, report.state);
    let age_seconds = report.age_seconds();
    if state == crate::State::Stale {
        tracing::warn!(product, version, %state, before, age_seconds, promise = report.promise, owner = report.owner, "product is stale");
    } else {
        tracing::info!(product, version, %state, before, age_seconds, "product changed its freshness");
    }
}

/// Where these topics end; those that do not exist yet are left out.
async fn ends(admin: &Admin, topics: &BTreeSet<String>) -> Result<Offsets, Error> {
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    match admin.end_offsets(&names).await {
        Ok(ends) => return Ok(ends),
        Err(error) if error.kind() == ErrorKind::UnknownTopic => {}
        Err(error) => return Err(Error::AskEnds(error)),
    }
    let mut all = Offsets::new();
    for name in names {
        match admin.end_offsets(&[name]).await {
            Ok(ends) => all.extend(ends),
            Err(error) if error.kind() == ErrorKind::UnknownTopic => {
                tracing::debug!(topic = name, "output port is not there yet")
            }
            Err(error) => return Err(Error::AskEnds(error)),
        }
    }
    Ok(all)
}

async fn open(config: &Config, topic: &'static str, latch: &Latch) -> Result<LogReader, Error> {
    loop {
        match LogReader::open(&config.kafka, topic).await {
            Ok(log) => return Ok(log),
            Err(error) if error.kind() == ErrorKind::UnknownTopic => {
                latch.close(&format!("waiting for {topic}: nothing was applied yet"));
            }
            Err(error) if error.is_retriable() => {
                latch.close("waiting for Kafka");
                tracing::warn!(topic, %error, "freshness cannot reach Kafka, retrying");
            }
            Err(source) => return Err(Error::ReadLog { topic, source }),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn restore(config: &Config) -> Result<BTreeMap<String, ProductReport>, Error> {
    loop {
        match report::read(&config.kafka).await {
            Err(error) if error.is_retriable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "freshness cannot reach Kafka, retrying");
                tokio::time::sleep(RETRY).await;
            }
            result => return result,
        }
    }
}

/// A heartbeat of a product that is not watched says nothing.
fn hear(watched: &mut BTreeMap<String, Watched>, record: &Record) {
    let heartbeat = record.value.as_ref().and_then(|value| serde_json::from_slice::<Heartbeat>(value).ok());
    let key = record.key.as_ref().and_then(|key| std::str::from_utf8(key).ok());
    let (Some(heartbeat), Some(key)) = (heartbeat, key) else { return };
    let product = key.rsplit_once('/').and_then(|(product, _)| watched.get_mut(product));
    if let Some(product) = product {
        product.hear(heartbeat);
    }
}
