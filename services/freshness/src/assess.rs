//! From looks to verdicts: the state of every product, who is to blame, and what became of its promise. Pure: the clock is
//! handed in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mesh_contract::ProductRef;

use crate::Config;
use crate::blame::{self, Case};
use crate::report::ProductReport;
use crate::slo::Look;
use crate::watched::Watched;

/// When products are looked at, and under what circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When.
    pub(crate) now_ms: i64,
    /// Longer than this after the last look, and of the time between only what is proven counts.
    pub(crate) gap_max_ms: i64,
    /// Since when Kafka could not be reached, if it could not since the last look.
    pub(crate) away_since_ms: Option<i64>,
    /// For how long a product must have been fresh again for its page to end.
    pub(crate) settle_ms: i64,
}

/// A look that is later than this many intervals is a gap.
const GAP_INTERVALS: u32 = 3;
/// What is shorter is no gap.
const GAP_MIN: Duration = Duration::from_secs(30);

impl Moment {
    /// Now.
    pub(crate) fn now(config: &Config, away_since_ms: Option<i64>) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self {
            now_ms: Timestamp::now().as_millisecond(),
            gap_max_ms: ms((config.interval * GAP_INTERVALS).max(GAP_MIN)),
            away_since_ms,
            settle_ms: ms(config.page_settles_after),
        }
    }
}

/// The report of every product, by key.
pub(crate) fn assess(watched: &mut BTreeMap<String, Watched>, moment: Moment) -> BTreeMap<String, ProductReport> {
    let mut looks: BTreeMap<String, Look> = BTreeMap::new();
    for (key, watched) in watched.iter_mut() {
        let look = watched.look(moment);
        watched.course.look(look, &watched.promise);
        looks.insert(key.clone(), look);
    }
    let causes = blame(watched, moment.now_ms);
    let names: BTreeMap<&String, Vec<String>> =
        causes.iter().map(|(key, causes)| (key, names(causes, watched))).collect();
    let report = |(key, watched): (&String, &mut Watched)| {
        let causes = causes.get(key).map_or(&[][..], Vec::as_slice);
        let standing = watched.course.account(looks[key], &watched.promise, causes, moment.settle_ms);
        let blamed = names.get(key).cloned().unwrap_or_default();
        (key.clone(), ProductReport { slo: Some(standing), blamed, ..watched.evaluate(moment.now_ms) })
    };
    watched.iter_mut().map(report).collect()
}

/// As people name products.
fn names(keys: &[String], watched: &BTreeMap<String, Watched>) -> Vec<String> {
    let contracts = keys.iter().filter_map(|key| watched.get(key)).map(|watched| &watched.product.contract);
    contracts.map(|contract| format!("{}@{}", contract.product(), contract.version)).collect()
}

/// Who is to blame for what is stale.
fn blame(watched: &BTreeMap<String, Watched>, now_ms: i64) -> BTreeMap<String, Vec<String>> {
    let is_late = |watched: &Watched| watched.course.outage.as_ref().is_some_and(|outage| outage.is_open);
    if !watched.values().any(is_late) {
        return BTreeMap::new();
    }
    let majors = majors(watched);
    let upstream = |watched: &Watched| {
        let dependencies = watched.product.contract.dependencies.iter();
        dependencies.filter_map(|asked| newest(asked, &majors)).collect::<Vec<String>>()
    };
    let upstream: Vec<Vec<String>> = watched.values().map(upstream).collect();
    let mut cases = BTreeMap::new();
    for ((key, Watched { course, promise, .. }), upstream) in watched.iter().zip(&upstream) {
        cases.insert(key.as_str(), Case { course, promise, upstream, waiting_since_ms: None });
    }
    blame::causes(&cases, now_ms)
}

/// The keys of each product's major versions.
type Majors<'a> = BTreeMap<(&'a str, &'a str), BTreeMap<u32, &'a String>>;

fn majors(watched: &BTreeMap<String, Watched>) -> Majors<'_> {
    let mut majors = Majors::new();
    for (key, watched) in watched {
        let contract = &watched.product.contract;
        let product = majors.entry((&contract.owner, &contract.name)).or_default();
        product.insert(contract.version, key);
    }
    majors
}

/// The key of a product; of its newest major version, if none is named.
fn newest(asked: &ProductRef, majors: &Majors<'_>) -> Option<String> {
    let product = majors.get(&(asked.product.domain.as_str(), asked.product.name.as_str()))?;
    let found = match asked.major {
        Some(major) => product.get(&major),
        None => product.last_key_value().map(|(_, key)| key),
    };
    found.map(|key| (*key).clone())
}
