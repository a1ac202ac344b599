//! Products whose facts come as they are told to, and a monitor that looks at them by a clock of ours.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mesh_contract::{OfficeHours, RefreshRate};
use mesh_freshness::assess::{Subject, assess};
use mesh_freshness::calendar::{Calendar, Span};
use mesh_freshness::judge::Sighting;
use mesh_freshness::slo::{Course, Look, Promise, Severity};

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
/// How often the monitor looks.
pub(crate) const STEP: i64 = MINUTE;
/// What is longer between two looks is a gap.
const GAP_MAX: i64 = 3 * STEP;
/// How far ahead an event may claim to be.
const TOLERANCE: i64 = MINUTE;
/// How many looks are between two states that are written though nothing changed.
const WRITTEN_EVERY: i64 = 3;

/// A moment: `2026-03-01T12:00Z`.
pub(crate) fn at(text: &str) -> i64 {
    let text = text.replace('Z', ":00Z");
    text.parse::<Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).as_millisecond()
}

/// From one moment to another.
pub(crate) fn span(from: &str, to: &str) -> Span {
    Span::new(at(from), at(to))
}

/// A product, when its facts come and when they do not.
pub(crate) struct Product {
    pub(crate) key: &'static str,
    pub(crate) promise: Promise,
    pub(crate) upstream: Vec<String>,
    /// Facts come at whole multiples of this.
    pub(crate) period_ms: i64,
    /// And only in these hours.
    pub(crate) hours: Option<Calendar>,
    /// And not then.
    pub(crate) silent: Vec<Span>,
    /// Further facts: when each gets visible, and what it says.
    pub(crate) further: Vec<(i64, Sighting)>,
    /// How much the producer's clock is ahead.
    pub(crate) skew_ms: i64,
    /// How much later than its event a fact gets visible, at most; as a pseudo-random share of it.
    pub(crate) jitter_ms: i64,
}

impl Product {
    pub(crate) fn new(key: &'static str, every: &str, period_ms: i64) -> Self {
        let promise = Promise::of(&RefreshRate::every(every.parse().unwrap()));
        let (upstream, silent, further) = (Vec::new(), Vec::new(), Vec::new());
        Self { key, promise, upstream, period_ms, hours: None, silent, further, skew_ms: 0, jitter_ms: 0 }
    }

    pub(crate) fn silent(mut self, from: &str, to: &str) -> Self {
        self.silent.push(span(from, to));
        self
    }

    pub(crate) fn of(mut self, upstream: &str) -> Self {
        self.upstream.push(upstream.to_owned());
        self
    }

    /// The hours in which facts come, whatever is promised.
    pub(crate) fn works(mut self, hours: &str) -> Self {
        self.hours = Some(Calendar::of(Some(&hours.parse::<OfficeHours>().unwrap())));
        self
    }

    /// The hours in which the promise counts.
    pub(crate) fn promises(mut self, hours: &str) -> Self {
        self.promise.calendar = Calendar::of(Some(&hours.parse::<OfficeHours>().unwrap()));
        self
    }

    /// The same, but for a day.
    pub(crate) fn promises_except(mut self, hours: &str, day: &str) -> Self {
        let office = OfficeHours { at: hours.parse().unwrap(), except: vec![day.parse().unwrap()] };
        self.promise.calendar = Calendar::of(Some(&office));
        self
    }

    pub(crate) fn maintained(mut self, from: &str, to: &str) -> Self {
        self.promise.calendar = self.promise.calendar.without(span(from, to));
        self
    }

    /// The newest believable fact that got visible since `before_ms`.
    fn newest_ms(&self, before_ms: i64, now_ms: i64) -> Option<i64> {
        let first = (before_ms - self.jitter_ms).div_euclid(self.period_ms);
        let own = (first..=now_ms.div_euclid(self.period_ms)).map(|number| {
            let event_ms = number * self.period_ms;
            let share = (number.wrapping_mul(2_654_435_761) >> 7).rem_euclid(1_000);
            let event = Sighting { event_ms: Some(event_ms + self.skew_ms), recorded_ms: Some(event_ms) };
            (event_ms, event_ms + self.jitter_ms * share / 1_000, event)
        });
        let comes = |at_ms| {
            let is_silent = self.silent.iter().any(|silence| silence.contains(at_ms));
            !is_silent && self.hours.as_ref().is_none_or(|hours| hours.is_promised(at_ms))
        };
        let own = own.filter(|(event_ms, ..)| comes(*event_ms)).map(|(_, visible_ms, event)| (visible_ms, event));
        let visible = own.chain(self.further.iter().copied());
        let new = visible.filter(|(visible_ms, _)| (before_ms + 1..=now_ms).contains(visible_ms));
        new.filter_map(|(_, event)| event.believed_ms(now_ms, TOLERANCE)).max()
    }
}

/// What somebody was told: by which product, how urgent, from when to when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) key: String,
    pub(crate) severity: Severity,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: Option<i64>,
}

/// A monitor under a clock of ours.
pub(crate) struct World {
    products: Vec<Product>,
    courses: BTreeMap<&'static str, Course>,
    newest: BTreeMap<&'static str, i64>,
    written: BTreeMap<&'static str, Course>,
    now_ms: i64,
    pub(crate) told: Vec<Told>,
    /// Who was to blame for whom: product and cause.
    pub(crate) blamed: BTreeMap<(String, String), Span>,
}

impl World {
    pub(crate) fn new(products: Vec<Product>, now_ms: i64) -> Self {
        let newest = products.iter().map(|product| (product.key, now_ms)).collect();
        let courses = products.iter().map(|product| (product.key, Course::default())).collect();
        let written = BTreeMap::new();
        Self { products, courses, newest, written, now_ms, told: Vec::new(), blamed: BTreeMap::new() }
    }

    /// Time passes and nobody looks; then somebody does. `away` if Kafka could not be reached meanwhile.
    pub(crate) fn pass(&mut self, to_ms: i64, away: bool) {
        let away = away.then_some(Span::new(self.now_ms + STEP, to_ms));
        self.look(to_ms, away);
    }

    /// Looks step by step.
    pub(crate) fn until(&mut self, to_ms: i64) {
        while self.now_ms < to_ms {
            self.look(self.now_ms + STEP, None);
        }
    }

    /// The process is killed: another goes on from what was written last.
    pub(crate) fn restart(&mut self) {
        for (key, course) in &mut self.courses {
            let written = self.written.get(key).map(|course| serde_json::to_string(course).unwrap());
            *course = written.map(|json| serde_json::from_str(&json).unwrap()).unwrap_or_default();
        }
    }

    fn look(&mut self, now_ms: i64, away: Option<Span>) {
        for product in &self.products {
            let newest_ms = self.newest.get_mut(product.key).unwrap();
            *newest_ms = (*newest_ms).max(product.newest_ms(self.now_ms, now_ms).unwrap_or(i64::MIN));
        }
        let before: BTreeMap<_, _> = self.courses.iter().map(|(key, course)| (*key, course.alerts)).collect();
        let mut subjects = BTreeMap::new();
        let courses = self.courses.iter_mut();
        let mut promises: BTreeMap<_, _> = self.products.iter().map(|product| (product.key, product)).collect();
        for (key, course) in courses {
            let product = promises.remove(key).unwrap();
            let newest_ms = Some(self.newest[key]);
            let look = Look { now_ms, newest_ms, is_partial: false, gap_max_ms: GAP_MAX, away };
            let (promise, upstream) = (&product.promise, product.upstream.clone());
            subjects.insert(*key, Subject { course, promise, look, upstream, waiting_since_ms: None });
        }
        for (key, causes) in assess(subjects, 5 * MINUTE) {
            for cause in causes {
                let blamed = self.blamed.entry((key.clone(), cause)).or_insert(Span::new(now_ms, now_ms));
                blamed.to_ms = now_ms;
            }
        }
        self.now_ms = now_ms;
        self.note(&before);
    }

    fn note(&mut self, before: &BTreeMap<&'static str, mesh_freshness::slo::Alerts>) {
        let is_due = (self.now_ms / STEP) % WRITTEN_EVERY == 0;
        for (key, course) in &self.courses {
            let alerts = course.alerts;
            for severity in Severity::ALL {
                match (before[key].since_ms(severity), alerts.since_ms(severity)) {
                    (None, Some(from_ms)) => {
                        self.told.push(Told { key: (*key).to_owned(), severity, from_ms, to_ms: None });
                    }
                    (Some(_), None) => {
                        let is_it = |told: &&mut Told| told.key == *key && told.severity == severity;
                        let told = self.told.iter_mut().rev().find(is_it);
                        told.unwrap().to_ms = Some(self.now_ms);
                    }
                    _ => {}
                }
            }
            if is_due || before[key] != alerts {
                self.written.insert(key, course.clone());
            }
        }
    }
}
