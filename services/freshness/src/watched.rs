//! One product under watch: what was seen of its output ports, and what follows from it. Pure: offsets, times and the
//! clock are handed in.

use mesh_contract::{AppliedProduct, Deprecation};

use crate::judge::{self, State};
use crate::look::Target;
use crate::moment::Moment;
use crate::report::{ProductReport, ViewReport};
use crate::seen::{Seen, ViewSeen};
use crate::sight::Sight;
use crate::slo::{Course, Look, Promise};

/// One product under watch.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) product: AppliedProduct,
    /// What is seen of it.
    pub(crate) sight: Sight,
    /// What was told by metrics last.
    pub(crate) told: Option<ProductReport>,
    /// What was written last, or restored.
    pub(crate) last: Option<ProductReport>,
    /// What became of its promise.
    pub(crate) course: Course,
    /// What it promises.
    pub(crate) promise: Promise,
    /// When it was last written.
    pub(crate) published_at_ms: Option<i64>,
}

impl Watched {
    /// A product, with what the last process knew of it.
    pub(crate) fn new(product: AppliedProduct, last: Option<ProductReport>) -> Self {
        let seen = last.as_ref().map(ProductReport::seen).unwrap_or_default();
        let sight = Sight::new(&product.contract, &seen);
        let course = last.as_ref().map(ProductReport::remembered).unwrap_or_default();
        let promise = Promise::of(&product.contract.refresh_rate);
        Self { product, sight, told: None, last, course, promise, published_at_ms: None }
    }

    /// The same product under a newer revision of its contract.
    pub(crate) fn renew(&mut self, product: AppliedProduct) {
        self.sight.renew(&product.contract);
        self.promise = Promise::of(&product.contract.refresh_rate);
        self.product = product;
    }

    /// What to look at.
    pub(crate) fn target(&mut self) -> Target<'_> {
        Target { owner: &self.product.contract.owner, sight: &mut self.sight }
    }

    /// The product's state now.
    pub(crate) fn evaluate(&self, now_ms: i64) -> ProductReport {
        let every = self.product.contract.refresh_rate.every;
        let seen = self.sight.seen();
        let views: Vec<ViewReport> = seen.views.iter().map(|view| self.evaluate_view(&seen, view, now_ms)).collect();
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
            heartbeat_ms: seen.heartbeat_ms,
            looked_at_ms: seen.looked_at_ms,
            input: seen.input,
            views,
            slo: None,
            alerts: self.course.alerts,
            blamed: Vec::new(),
            maintenance: None,
            ends_at_ms: self.product.contract.deprecated.as_ref().map(Deprecation::ends_ms),
            course: self.course.clone(),
        }
    }

    /// A look at it: the newest fact or heartbeat that every view has.
    pub(crate) fn look(&self, moment: Moment) -> Look {
        let newest = || self.sight.newest_ms();
        Look {
            now_ms: moment.now_ms,
            newest_ms: newest().flatten().min(),
            is_partial: newest().any(|newest_ms| newest_ms.is_none()),
            gap_max_ms: moment.gap_max_ms,
            away: moment.away,
        }
    }

    fn evaluate_view(&self, seen: &Seen, view: &ViewSeen, now_ms: i64) -> ViewReport {
        let newest_ms = view.newest_ms();
        let calendar = self.course.calendar(&self.promise);
        let verdict = judge::judge(newest_ms.max(seen.heartbeat_ms), self.promise.every, &calendar, now_ms);
        ViewReport {
            view: view.view.clone(),
            topic: view.topic.clone(),
            state: verdict.state,
            newest_ms,
            age_seconds: verdict.age_ms.and_then(|age_ms| u64::try_from(age_ms / 1_000).ok()),
            partitions: view.partitions.clone(),
            source_delay_ms: view.source_delay_ms(),
            delivery_delay_ms: seen.delivery_delay_ms(view, now_ms),
            subscribers: view.subscribers.clone(),
        }
    }

    /// The state before this evaluation, if it was another.
    pub(crate) fn change_to(&self, report: &ProductReport) -> Option<Option<State>> {
        let before = self.last.as_ref().map(|last| last.state);
        (before != Some(report.state)).then_some(before)
    }

    /// Whether its last word is so old that it has to be said again.
    pub(crate) fn is_due(&self, now_ms: i64, every_ms: i64) -> bool {
        self.published_at_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) >= every_ms)
    }

    /// What was told last, at another moment: ages go on growing while nothing can be seen.
    pub(crate) fn aged(&self, now_ms: i64) -> Option<ProductReport> {
        let mut report = self.told.clone()?;
        let seen = self.sight.seen();
        for (view, known) in report.views.iter_mut().zip(&seen.views) {
            let aged = self.evaluate_view(&seen, known, now_ms);
            (view.age_seconds, view.delivery_delay_ms) = (aged.age_seconds, aged.delivery_delay_ms);
        }
        Some(report)
    }

    /// Whether something begins or ends that a restart must not forget, or that others act on.
    pub(crate) fn is_news(&self, report: &ProductReport) -> bool {
        let told = |report: &ProductReport| (report.state, report.alerts, report.blamed.clone());
        self.last.as_ref().map(told) != Some(told(report))
    }
}

#[cfg(test)]
mod tests;
