//! A task's consumer and producer, from opening to closing, and what it knows in between.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_kafka::{
    sink::{self, Failure, Sink, Undelivered},
    source::{self, Batch, Change, Limits, Slot, Source},
};
use tokio::sync::watch;

use super::{
    Task,
    part::{Cause, Part},
    process::Desk,
};
use crate::{
    catalogue::Products,
    counts::{End, Inherited, Teller},
    metrics::TransactionMeters,
    run::Runs,
};

/// How long a gathering waits for a first record: how soon a task notices anything else.
const IDLE_WAIT: Duration = Duration::from_millis(50);
/// How often it is told how far partitions are behind.
const LAG_INTERVAL: Duration = Duration::from_secs(1);
/// A consumer that says the same again within this time is not worth another line.
const SAME_TROUBLE: Duration = Duration::from_secs(30);

/// Why a session ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// The consumer cannot go on.
    #[error("the consumer cannot go on")]
    Source(#[source] mesh_kafka::Error),
    /// The producer cannot go on.
    #[error("the producer cannot go on")]
    Sink(#[source] mesh_kafka::Error),
}

impl From<Failure> for SessionError {
    fn from(failure: Failure) -> Self {
        SessionError::Sink(failure.into_error())
    }
}

/// A consumer and the state that its batches change; apart, so that a batch can borrow from the consumer meanwhile.
pub(super) struct Session<'t> {
    source: Source,
    state: State<'t>,
}

/// What a task knows while its session lasts.
pub(super) struct State<'t> {
    pub(super) task: &'t Task,
    pub(super) meters: &'t TransactionMeters,
    pub(super) sink: Sink,
    pub(super) parts: Vec<Part>,
    pub(super) desk: Desk,
    pub(super) teller: Teller,
    pub(super) runs: Runs,
    /// How many records the next batch may have: fewer than configured while a culprit is looked for.
    pub(super) records_max: usize,
    /// Products that are tried alone, the last one next: the cluster may refuse their outputs.
    pub(super) suspects: Vec<u64>,
    /// Aborted transactions since the last committed one.
    pub(super) aborts: u32,
    pub(super) has_committed: bool,
    products: Arc<Products>,
    changes: watch::Receiver<Arc<Products>>,
    subscribed: Vec<String>,
    last_trouble: Option<(String, Instant)>,
    lag_told: Instant,
}

impl<'t> Session<'t> {
    /// Opens the producer first: it fences a former one, whose open transaction is then ended before we read on.
    pub(super) fn open(task: &'t Task, meters: &'t TransactionMeters) -> Result<Self, SessionError> {
        let mut options = sink::Options::new(task.name());
        options.transaction_timeout = task.config.transaction_timeout;
        let sink = Sink::open(&task.config.kafka, &options).map_err(SessionError::Sink)?;
        let options = source::Options::new(task.group());
        let source = Source::open(&task.config.kafka, &options).map_err(SessionError::Source)?;
        let state = State {
            task,
            meters,
            sink,
            parts: Vec::new(),
            desk: Desk::new(task.lookups.clone()),
            teller: Teller::new(task.told.clone()),
            runs: Runs::new(task.worker(), task.told_runs.clone(), task.config.lineage_interval.is_some()),
            records_max: task.config.batch.records_max,
            suspects: Vec::new(),
            aborts: 0,
            has_committed: false,
            products: Arc::default(),
            changes: task.products.clone(),
            subscribed: Vec::new(),
            last_trouble: None,
            lag_told: Instant::now(),
        };
        let mut session = Session { source, state };
        session.state.changes.mark_changed();
        Ok(session)
    }

    /// Whether the session did any good.
    pub(super) fn has_committed(&self) -> bool {
        self.state.has_committed
    }

    /// Works until told to stop, between two transactions.
    pub(super) fn run(&mut self) -> Result<(), SessionError> {
        let worked = self.work();
        let how = worked.as_ref().err().map_or(End::Complete, |error| End::Fail(error.to_string()));
        self.state.end_runs(&how, |_| false);
        self.state.teller.tell_now();
        worked
    }

    fn work(&mut self) -> Result<(), SessionError> {
        while !self.state.task.shutdown.is_triggered() {
            self.turn()?;
        }
        self.state.close_runs(&self.source)
    }

    fn turn(&mut self) -> Result<(), SessionError> {
        let Session { source, state } = self;
        state.follow_products(source)?;
        state.release(source)?;
        state.remask(source)?;
        let batch = source.gather(&state.limits()).map_err(SessionError::Source)?;
        state.task.latch.open();
        state.take_changes(&batch);
        state.teller.tell();
        state.tell_lag(source);
        if batch.is_empty() {
            state.sink.idle();
            return state.tell_idle(source, &batch);
        }
        state.work(source, &batch)
    }
}

impl State<'_> {
    /// Ends the open transaction so that none of it was; returns what of it could not be delivered.
    pub(super) fn abort(&mut self) -> Result<Vec<Undelivered>, Failure> {
        let aborted = self.sink.abort()?;
        if aborted.is_anew {
            // topics are of the producer that was
            self.parts.iter_mut().for_each(Part::forget_routes);
        }
        Ok(aborted.undelivered)
    }

    fn limits(&self) -> Limits {
        let batch = &self.task.config.batch;
        Limits { records_max: self.records_max, bytes_max: batch.bytes_max, linger: batch.linger, wait: IDLE_WAIT }
    }

    pub(super) fn part(&mut self, slot: Slot) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.slot == slot)
    }

    /// Puts new contracts in force, and subscribes to new products.
    fn follow_products(&mut self, source: &Source) -> Result<(), SessionError> {
        if !self.changes.has_changed().unwrap_or(false) {
            return Ok(());
        }
        self.products = self.changes.borrow_and_update().clone();
        let inputs = self.products.inputs(&self.task.domain);
        if inputs != self.subscribed {
            source.subscribe(&inputs).map_err(SessionError::Source)?;
            self.subscribed = inputs.iter().map(ToString::to_string).collect();
        }
        for index in 0..self.parts.len() {
            let changed = self.parts[index].adopt(&self.products);
            let waits_for_it = |cause: &Cause| !matches!(cause, Cause::Until(..) | Cause::Remask);
            if changed && self.parts[index].hold.as_ref().is_some_and(|hold| waits_for_it(&hold.cause)) {
                self.resume(source, index)?;
            }
        }
        self.end_runs(&End::Complete, |_| true);
        Ok(())
    }

    /// Lets go on what has waited long enough.
    fn release(&mut self, source: &Source) -> Result<(), SessionError> {
        let now = Instant::now();
        for index in 0..self.parts.len() {
            if self.parts[index].hold.is_none() {
                continue;
            }
            if self.parts[index].is_over(now) {
                self.suspects.extend(self.parts[index].refused_product());
                self.resume(source, index)?;
            } else {
                self.tell_trouble(index);
            }
        }
        Ok(())
    }

    pub(super) fn resume(&mut self, source: &Source, index: usize) -> Result<(), SessionError> {
        self.parts[index].hold = None;
        self.tell_trouble(index);
        source.resume(self.parts[index].slot).map_err(SessionError::Source)
    }

    pub(super) fn tell_trouble(&self, index: usize) {
        let part = &self.parts[index];
        let name = part.product.as_ref().map_or_else(|| part.topic.clone(), |product| product.name.clone());
        self.task.troubles.set(self.task.number, part.slot, &name, part.trouble());
    }

    fn take_changes(&mut self, batch: &Batch<'_>) {
        let before = self.parts.len();
        for change in batch.changes() {
            match change {
                Change::Gained { assigned, committed } => {
                    let mut part = Part::new(assigned, committed.as_ref());
                    part.adopt(&self.products);
                    let offset = committed.as_ref().map(|committed| committed.offset);
                    tracing::debug!(topic = &*part.topic, partition = part.partition, offset, "partition gained");
                    self.tell_inherited(&part);
                    self.parts.push(part);
                }
                Change::Revoked(slot) => self.give_up(*slot, "revoked", &End::Complete),
                Change::Lost(slot) => self.give_up(*slot, "lost", &End::Abort),
                Change::Trouble(error) => self.tell_consumer_trouble(error),
            }
        }
        if self.parts.len() != before {
            tracing::info!(task = self.task.name(), before, partitions = self.parts.len(), "partitions reassigned");
        }
    }

    fn tell_lag(&mut self, source: &Source) {
        if self.lag_told.elapsed() < LAG_INTERVAL {
            return;
        }
        self.lag_told = Instant::now();
        for part in &self.parts {
            if let (Some(lag), Some(behind)) = (&part.lag, source.behind(part.slot)) {
                lag.set(behind);
            }
        }
    }

    /// What a former owner did and may not have told.
    fn tell_inherited(&mut self, part: &Part) {
        let Some(product) = &part.product else { return };
        let (marks, revision) = part.inherited();
        for mark in marks {
            let (product, partition) = (product.clone(), part.partition);
            let is_over = mark.worker == self.task.worker();
            self.teller.inherit(Inherited { product, partition, mark: mark.clone(), revision, is_over });
        }
    }

    fn give_up(&mut self, slot: Slot, how: &str, end: &End) {
        let Some(index) = self.parts.iter().position(|part| part.slot == slot) else { return };
        self.parts[index].hold = None;
        self.tell_trouble(index);
        let part = self.parts.swap_remove(index);
        tracing::debug!(topic = &*part.topic, partition = part.partition, how, "partition given up");
        self.end_runs(end, |_| true);
    }

    fn tell_consumer_trouble(&mut self, error: &mesh_kafka::Error) {
        let text = format!("{:?}", error.kind());
        let said = self.last_trouble.as_ref();
        if said.is_some_and(|(last, at)| *last == text && at.elapsed() < SAME_TROUBLE) {
            return;
        }
        tracing::warn!(
            task = self.task.name(),
            error = error as &dyn std::error::Error,
            "the consumer meets trouble and goes on"
        );
        self.last_trouble = Some((text, Instant::now()));
    }
}
