//! The loop: follow the products, read what moved, judge, tell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use mesh_client::catalogue::{Catalogue, Change};
use mesh_client::heartbeat::Heartbeat;
use mesh_contract::AppliedProduct;
use mesh_contract::topic::{FRESHNESS_TOPIC, HEARTBEATS_TOPIC, PRODUCTS_TOPIC};
use mesh_kafka::log::{FencedLogWriter, LogReader};
use mesh_kafka::{ErrorKind, OutgoingRecord, Record};
use mesh_runtime::Latch;

use crate::away::Away;
use crate::book::Book;
use crate::lineage::Teller;
use crate::look::{Looker, Target};
use crate::moment::Moment;
use crate::report::ProductReport;
use crate::watched::Watched;
use crate::{Config, Error, look, maintenance, metrics};

/// How many states are written in one transaction.
const STATES_MAX: usize = 500;
/// How often to look for a topic that is not there yet, or a cluster that is away.
const RETRY: Duration = Duration::from_secs(1);

/// The one that evaluates.
pub(crate) struct Monitor<'c> {
    config: &'c Config,
    looker: Looker,
    book: Book,
    out: FencedLogWriter,
    products: LogReader,
    catalogue: Catalogue,
    heartbeats: LogReader,
    lineage: Option<Teller>,
    /// By key on `mesh.products`.
    watched: BTreeMap<String, Watched>,
    /// What the last process knew, until the product is watched.
    restored: BTreeMap<String, ProductReport>,
    /// Products whose state is to be deleted.
    gone: BTreeSet<String>,
}

impl<'c> Monitor<'c> {
    /// One that goes on from what was written, and writes on.
    pub(crate) async fn open(
        config: &'c Config,
        latch: &Latch,
        mut book: Book,
        out: FencedLogWriter,
    ) -> Result<Self, Error> {
        let products = open(config, PRODUCTS_TOPIC, latch).await?;
        let heartbeats = open(config, HEARTBEATS_TOPIC, latch).await?;
        Ok(Self {
            config,
            looker: Looker::new(&config.kafka, config.subscribers_every)?,
            restored: book.hand_over(),
            book,
            out,
            products,
            catalogue: Catalogue::default(),
            heartbeats,
            lineage: config.tells_lineage.then(|| Teller::open(&config.kafka)).transpose()?,
            watched: BTreeMap::new(),
            gone: BTreeSet::new(),
        })
    }

    /// Evaluates for ever. What a cluster that is away keeps from being known is not known: ages go on growing from what
    /// was seen last, nothing is told of it, and the next evaluation tries again.
    pub(crate) async fn watch(&mut self, latch: &Latch, away: &mut Away) -> Result<(), Error> {
        let mut ticks = tokio::time::interval(self.config.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let moment = Moment::now(self.config, away.span());
            match self.evaluate(moment).await {
                Ok(()) => {
                    away.is_accounted_for();
                    latch.open();
                }
                Err(error) if error.is_retriable() => {
                    away.begins_at(moment.now_ms);
                    metrics::evaluation_failed();
                    self.age(moment.now_ms);
                    latch.close("Kafka cannot be reached");
                    tracing::warn!(error = &error as &dyn std::error::Error, "freshness was not evaluated, retrying");
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn evaluate(&mut self, moment: Moment) -> Result<(), Error> {
        let (now_ms, started) = (moment.now_ms, Instant::now());
        self.follow().await?;
        self.look(now_ms, started).await?;
        self.plan();
        let mut reports = moment.reports(&mut self.watched);
        self.excuse(&mut reports, now_ms);
        self.tell(reports, now_ms).await?;
        self.tell_lineage(now_ms).await;
        self.forget().await?;
        metrics::evaluated(now_ms, self.watched.len());
        Ok(())
    }

    async fn follow(&mut self) -> Result<(), Error> {
        let mut changes = Vec::new();
        let catalogue = &mut self.catalogue;
        let read = self.products.read_to_end(|record| changes.push(catalogue.take(&record))).await;
        let read = read.and_then(|()| self.products.rest());
        // what was read before a failure is not read again
        changes.into_iter().for_each(|change| self.take(change));
        read.map_err(|source| Error::ReadLog { topic: PRODUCTS_TOPIC, source })?;
        // of what is still restored nothing is applied any more
        self.gone.extend(std::mem::take(&mut self.restored).into_keys());
        let watched = &mut self.watched;
        let read = self.heartbeats.read_to_end(|record| hear(watched, &record)).await;
        let read = read.and_then(|()| self.heartbeats.rest());
        read.map_err(|source| Error::ReadLog { topic: HEARTBEATS_TOPIC, source })?;
        self.book.catch_up().await
    }

    /// What every product promises, given the maintenance that is planned.
    fn plan(&mut self) {
        for watched in self.watched.values_mut() {
            let contract = &watched.product.contract;
            let domain = self.catalogue.domain(&contract.owner).map(|domain| &**domain);
            watched.promise = maintenance::promise(contract, domain, self.book.planned());
        }
    }

    /// Says which products are in maintenance.
    fn excuse(&self, reports: &mut BTreeMap<String, ProductReport>, now_ms: i64) {
        for (key, report) in reports {
            let Some(watched) = self.watched.get(key) else { continue };
            let contract = &watched.product.contract;
            let domain = self.catalogue.domain(&contract.owner).map(|domain| &**domain);
            report.maintenance = maintenance::now(contract, domain, self.book.planned(), now_ms);
        }
    }

    /// Tells lineage which output ports have become fresh or stale.
    async fn tell_lineage(&mut self, now_ms: i64) {
        if let Some(lineage) = &mut self.lineage {
            let reports = self.watched.values().filter_map(|watched| watched.told.as_ref());
            lineage.tell(&self.catalogue, reports, now_ms).await;
        }
    }

    /// Deletes the states of products that are gone.
    async fn forget(&mut self) -> Result<(), Error> {
        let records = self.gone.iter().map(|key| OutgoingRecord::to(FRESHNESS_TOPIC).key(key.clone()));
        let written = self.out.append_all(records.collect()).await;
        written.map_err(|source| Error::WriteStates { products: self.gone.len(), source })?;
        self.gone.clear();
        Ok(())
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Product(product) => self.watch_product((*product).clone()),
            Change::ProductGone(product) => {
                let watched = self.watched.remove(&product.key());
                metrics::report(watched.and_then(|watched| watched.told).as_ref(), None);
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

    /// Looks at what moved.
    async fn look(&mut self, now_ms: i64, started: Instant) -> Result<(), Error> {
        let tolerance_ms = i64::try_from(self.config.future_tolerance.as_millis()).unwrap_or(i64::MAX);
        let mut targets: Vec<Target<'_>> = self.watched.values_mut().map(Watched::target).collect();
        self.looker.look(&mut targets, look::Moment { now_ms, started, tolerance_ms }).await?;
        metrics::looked(started.elapsed().as_secs_f64());
        Ok(())
    }

    /// Nothing can be seen: by metrics ages go on growing.
    fn age(&mut self, now_ms: i64) {
        for watched in self.watched.values_mut() {
            if let Some(aged) = watched.aged(now_ms) {
                metrics::report(watched.told.as_ref(), Some(&aged));
                watched.told = Some(aged);
            }
        }
    }

    /// Tells of every product by metrics, and on the topic where there is news or the last word is old: all at once.
    async fn tell(&mut self, reports: BTreeMap<String, ProductReport>, now_ms: i64) -> Result<(), Error> {
        let publish_every_ms = i64::try_from(self.config.publish_every.as_millis()).unwrap_or(i64::MAX);
        let mut due = Vec::new();
        for (key, report) in reports {
            let Some(watched) = self.watched.get_mut(&key) else { continue };
            metrics::report(watched.told.as_ref(), Some(&report));
            if watched.is_news(&report) || watched.is_due(now_ms, publish_every_ms) {
                due.push((key, report.clone()));
            }
            watched.told = Some(report);
        }
        for some in due.chunks(STATES_MAX) {
            let records = some.iter().map(|(key, report)| record(key, report));
            let written = self.out.append_all(records.collect()).await;
            written.map_err(|source| Error::WriteStates { products: due.len(), source })?;
        }
        for (key, report) in due {
            let Some(watched) = self.watched.get_mut(&key) else { continue };
            if let Some(before) = watched.change_to(&report) {
                log_change(&report, before);
            }
            watched.published_at_ms = Some(now_ms);
            watched.last = Some(report);
        }
        Ok(())
    }
}

/// What a replica does not evaluate any more it does not tell.
impl Drop for Monitor<'_> {
    fn drop(&mut self) {
        self.watched.values().for_each(|watched| metrics::report(watched.told.as_ref(), None));
    }
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

/// Opens a log, waiting until there is one.
pub(crate) async fn open(config: &Config, topic: &'static str, latch: &Latch) -> Result<LogReader, Error> {
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

/// A heartbeat of a product that is not watched says nothing.
fn hear(watched: &mut BTreeMap<String, Watched>, record: &Record) {
    let heartbeat = record.value.as_ref().and_then(|value| serde_json::from_slice::<Heartbeat>(value).ok());
    let key = record.key.as_ref().and_then(|key| std::str::from_utf8(key).ok());
    let (Some(heartbeat), Some(key)) = (heartbeat, key) else { return };
    let product = key.rsplit_once('/').and_then(|(product, _)| watched.get_mut(product));
    if let Some(product) = product {
        product.sight.hear(heartbeat);
    }
}
