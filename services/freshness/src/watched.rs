//! One product under watch: what was seen of its output ports, and what follows from it. Pure: offsets, times and the
//! clock are handed in.

use std::collections::BTreeMap;

use mesh_client::heartbeat::Heartbeat;
use mesh_contract::AppliedProduct;
use mesh_kafka::Offsets;

use crate::judge::{self, State};
use crate::moment::Moment;
use crate::report::{PartitionReport, ProductReport, ViewReport};
use crate::slo::{Course, Look, Promise};

/// How many heartbeats may wait for the sidecar to catch up.
const HEARTBEATS_WAITING_MAX: usize = 8;

/// One product under watch.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) product: AppliedProduct,
    pub(crate) views: Vec<View>,
    heartbeats: Vec<Heartbeat>,
    heartbeat_ms: Option<i64>,
    /// What was evaluated last, or restored.
    pub(crate) last: Option<ProductReport>,
    /// What became of its promise.
    pub(crate) course: Course,
    /// What it promises.
    pub(crate) promise: Promise,
    /// When it was last written.
    pub(crate) published_at_ms: Option<i64>,
}

/// An output port under watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    name: String,
    pub(crate) topic: String,
    partitions: BTreeMap<i32, Seen>,
}

/// What was seen of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    end_offset: i64,
    newest_ms: Option<i64>,
}

/// A part of a partition that was not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unseen {
    pub(crate) partition: i32,
    /// The first offset not looked at.
    pub(crate) from: i64,
    /// The offset after the last.
    pub(crate) end: i64,
}

impl Watched {
    /// A product, with what the last process knew of it.
    pub(crate) fn new(product: AppliedProduct, last: Option<ProductReport>) -> Self {
        let topics = product.contract.topics().views;
        let views = topics.into_iter().map(|(name, topic)| View::new(name, topic, last.as_ref())).collect();
        let heartbeat_ms = last.as_ref().and_then(|last| last.heartbeat_ms);
        let course = last.as_ref().map(ProductReport::remembered).unwrap_or_default();
        let promise = Promise::of(&product.contract.refresh_rate);
        let heartbeats = Vec::new();
        Self { product, views, heartbeats, heartbeat_ms, last, course, promise, published_at_ms: None }
    }

    /// The same product under a newer revision of its contract.
    pub(crate) fn renew(&mut self, product: AppliedProduct) {
        let views = product.contract.topics().views.into_iter().map(|(name, topic)| {
            let known = self.views.iter().find(|view| view.topic == topic).cloned();
            known.unwrap_or_else(|| View::new(name, topic, None))
        });
        self.views = views.collect();
        self.promise = Promise::of(&product.contract.refresh_rate);
        self.product = product;
    }

    /// A producer's heartbeat; it waits until it is proven.
    pub(crate) fn hear(&mut self, heartbeat: Heartbeat) {
        if self.heartbeats.len() >= HEARTBEATS_WAITING_MAX {
            // the newest gives way: the older ones are nearer to their proof
            self.heartbeats.pop();
        }
        self.heartbeats.push(heartbeat);
    }

    /// Whether committed offsets are wanted.
    pub(crate) fn has_unproven_heartbeats(&self) -> bool {
        !self.heartbeats.is_empty()
    }

    /// Takes in how far the sidecar has come.
    pub(crate) fn prove_heartbeats(&mut self, committed: &Offsets, now_ms: i64) {
        let input = self.product.contract.topics().input;
        let proven_ms = &mut self.heartbeat_ms;
        self.heartbeats.retain(|heartbeat| {
            let is_proven = heartbeat.is_reached(committed, &input);
            if is_proven {
                *proven_ms = (*proven_ms).max(Some(heartbeat.at_ms.min(now_ms)));
            }
            !is_proven
        });
    }

    /// The product's state now.
    pub(crate) fn evaluate(&self, now_ms: i64) -> ProductReport {
        let every = self.product.contract.refresh_rate.every;
        let views: Vec<ViewReport> = self.views.iter().map(|view| self.evaluate_view(view, now_ms)).collect();
        let state = judge::worst(views.iter().map(|view| view.state));
        let unchanged_since_ms = self.course.state.filter(|known| *known == state).map(|_| self.course.since_ms);
        ProductReport {
            product: self.product.contract.product().to_string(),
            version: self.product.contract.version,
            owner: self.product.contract.owner.clone(),
            promise: every.to_string(),
            promise_seconds: every.seconds(),
            state,
            since_ms: unchanged_since_ms.unwrap_or(now_ms),
            evaluated_at_ms: now_ms,
            heartbeat_ms: self.heartbeat_ms,
            views,
            slo: None,
            alerts: self.course.alerts,
            blamed: Vec::new(),
            maintenance: None,
            course: self.course.clone(),
        }
    }

    /// A look at it: the newest fact or heartbeat that every view has.
    pub(crate) fn look(&self, moment: Moment) -> Look {
        let newest = || self.views.iter().map(|view| view.newest_ms().max(self.heartbeat_ms));
        Look {
            now_ms: moment.now_ms,
            newest_ms: newest().flatten().min(),
            is_partial: newest().any(|newest_ms| newest_ms.is_none()),
            gap_max_ms: moment.gap_max_ms,
            away_since_ms: moment.away_since_ms,
        }
    }

    fn evaluate_view(&self, view: &View, now_ms: i64) -> ViewReport {
        let newest_ms = view.newest_ms();
        let calendar = self.course.calendar(&self.promise);
        let verdict = judge::judge(newest_ms.max(self.heartbeat_ms), self.promise.every, &calendar, now_ms);
        ViewReport {
            view: view.name.clone(),
            topic: view.topic.clone(),
            state: verdict.state,
            newest_ms,
            age_seconds: verdict.age_ms.and_then(|age_ms| u64::try_from(age_ms / 1_000).ok()),
            partitions: view.report(),
        }
    }

    /// The state before this evaluation, if it was another.
    pub(crate) fn change_to(&self, report: &ProductReport) -> Option<Option<State>> {
        let before = self.last.as_ref().map(|last| last.state);
        (before != Some(report.state)).then_some(before)
    }

    /// Whether something begins or ends that a restart must not forget, or that others act on.
    pub(crate) fn is_news(&self, report: &ProductReport) -> bool {
        let told = |report: &ProductReport| (report.state, report.alerts, report.blamed.clone());
        self.last.as_ref().map(told) != Some(told(report))
    }
}

impl View {
    fn new(name: String, topic: String, last: Option<&ProductReport>) -> Self {
        let known = last.and_then(|last| last.views.iter().find(|view| view.topic == topic));
        let partitions = known.into_iter().flat_map(|view| &view.partitions);
        let seen = |it: &PartitionReport| (it.partition, Seen { end_offset: it.end_offset, newest_ms: it.newest_ms });
        Self { partitions: partitions.map(seen).collect(), name, topic }
    }

    /// What is new, given where the partitions end now. A topic that was made anew is forgotten first.
    pub(crate) fn unseen(&mut self, ends: &Offsets) -> Vec<Unseen> {
        let own = ends.iter().filter(|(at, _)| at.topic == self.topic);
        let unseen = own.filter_map(|(at, end)| {
            let known = self.partitions.get(&at.partition).map_or(0, |seen| seen.end_offset);
            if *end < known {
                self.partitions.remove(&at.partition);
            }
            let from = if *end < known { 0 } else { known };
            (*end != from).then_some(Unseen { partition: at.partition, from, end: *end })
        });
        unseen.collect()
    }

    /// What was found in an unseen part. Older facts, back-dated or out of order, make nothing older.
    pub(crate) fn observe(&mut self, unseen: Unseen, newest_ms: Option<i64>) {
        let new = Seen { end_offset: unseen.end, newest_ms: None };
        let seen = self.partitions.entry(unseen.partition).or_insert(new);
        seen.end_offset = unseen.end;
        seen.newest_ms = seen.newest_ms.max(newest_ms);
    }

    fn newest_ms(&self) -> Option<i64> {
        self.partitions.values().filter_map(|seen| seen.newest_ms).max()
    }

    fn report(&self) -> Vec<PartitionReport> {
        let report = |(partition, seen): (&i32, &Seen)| PartitionReport {
            partition: *partition,
            end_offset: seen.end_offset,
            newest_ms: seen.newest_ms,
        };
        self.partitions.iter().map(report).collect()
    }
}

#[cfg(test)]
mod tests;
