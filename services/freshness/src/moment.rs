//! When products are looked at, and the reports that follow.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mesh_contract::ProductRef;

use crate::Config;
use crate::assess::{Subject, assess};
use crate::calendar::Span;
use crate::report::ProductReport;
use crate::slo::Look;
use crate::watched::Watched;

/// A look that is later than this many intervals is a gap.
const GAP_INTERVALS: u32 = 3;
/// What is shorter is no gap.
const GAP_MIN: Duration = Duration::from_secs(30);

/// When products are looked at, and under what circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When.
    pub(crate) now_ms: i64,
    /// Longer than this after the last look, and of the time between only what is proven counts.
    pub(crate) gap_max_ms: i64,
    /// When Kafka could not be reached, if it could not since the last look.
    pub(crate) away: Option<Span>,
    /// For how long a product must have been fresh again for its page to end.
    pub(crate) settle_ms: i64,
}

impl Moment {
    /// Now.
    pub(crate) fn now(config: &Config, away: Option<Span>) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self {
            now_ms: Timestamp::now().as_millisecond(),
            gap_max_ms: ms((config.interval * GAP_INTERVALS).max(GAP_MIN)),
            away,
            settle_ms: ms(config.page_settles_after),
        }
    }

    /// What follows from what is seen of every product at this moment, by key.
    pub(crate) fn reports(self, watched: &mut BTreeMap<String, Watched>) -> BTreeMap<String, ProductReport> {
        let upstream = upstream(watched);
        let looks: Vec<Look> = watched.values().map(|watched| watched.look(self)).collect();
        let mut subjects = BTreeMap::new();
        for (((key, watched), look), upstream) in watched.iter_mut().zip(looks).zip(upstream) {
            let Watched { course, promise, sight, .. } = watched;
            let waiting_since_ms = sight.waiting_since_ms();
            subjects.insert(key.as_str(), Subject { course, promise, look, upstream, waiting_since_ms });
        }
        let causes = assess(subjects, self.settle_ms);
        let report = |(key, product): (&String, &Watched)| {
            let blamed = causes.get(key).map(|causes| names(causes, watched)).unwrap_or_default();
            let slo = Some(product.course.standing(&product.promise, self.now_ms));
            (key.clone(), ProductReport { slo, blamed, ..product.evaluate(self.now_ms) })
        };
        watched.iter().map(report).collect()
    }
}

/// As people name products.
fn names(keys: &[String], watched: &BTreeMap<String, Watched>) -> Vec<String> {
    let contracts = keys.iter().filter_map(|key| watched.get(key)).map(|watched| &watched.product.contract);
    contracts.map(|contract| format!("{}@{}", contract.product(), contract.version)).collect()
}

/// The keys of the products that each is derived from.
fn upstream(watched: &BTreeMap<String, Watched>) -> Vec<Vec<String>> {
    let mut majors = Majors::new();
    for (key, watched) in watched {
        let contract = &watched.product.contract;
        let product = majors.entry((&contract.owner, &contract.name)).or_default();
        product.insert(contract.version, key);
    }
    let upstream = |watched: &Watched| {
        let dependencies = watched.product.contract.dependencies.iter();
        dependencies.filter_map(|asked| newest(asked, &majors)).collect()
    };
    watched.values().map(upstream).collect()
}

/// The keys of each product's major versions.
type Majors<'a> = BTreeMap<(&'a str, &'a str), BTreeMap<u32, &'a String>>;

/// The key of a product; of its newest major version, if none is named.
fn newest(asked: &ProductRef, majors: &Majors<'_>) -> Option<String> {
    let product = majors.get(&(asked.product.domain.as_str(), asked.product.name.as_str()))?;
    let found = match asked.major {
        Some(major) => product.get(&major),
        None => product.last_key_value().map(|(_, key)| key),
    };
    found.map(|key| (*key).clone())
}
