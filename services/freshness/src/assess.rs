//! From looks to verdicts: the state of every product, who is to blame, and what became of its promise. Pure: the clock is
//! handed in.

use std::collections::BTreeMap;

use crate::blame::{self, Case};
use crate::slo::{Course, Look, Promise};

/// A product at a moment.
#[derive(Debug)]
pub struct Subject<'a> {
    /// What is remembered of it; goes on with the look.
    pub course: &'a mut Course,
    /// What it promises.
    pub promise: &'a Promise,
    /// What is seen of it.
    pub look: Look,
    /// The products that it is derived from, by key.
    pub upstream: Vec<String>,
    /// Since when the oldest record of its input port has been waiting for its sidecar, if one is.
    pub waiting_since_ms: Option<i64>,
}

/// Takes a look at all products in. Who is to blame upstream, by key, of those that are stale and not to blame themselves. A product must have been fresh again for `settle_ms` for its page to end
/// while its budget still burns.
pub fn assess(subjects: BTreeMap<&str, Subject<'_>>, settle_ms: i64) -> BTreeMap<String, Vec<String>> {
    let mut subjects = subjects;
    subjects.values_mut().for_each(|subject| _ = subject.course.look(subject.look, subject.promise));
    let causes = blame(&subjects);
    for (key, Subject { course, promise, look, .. }) in subjects {
        let causes = causes.get(key).map_or(&[][..], Vec::as_slice);
        course.account(look, promise, causes, settle_ms);
    }
    causes
}

/// Who is to blame for what is stale.
fn blame(subjects: &BTreeMap<&str, Subject<'_>>) -> BTreeMap<String, Vec<String>> {
    let now_ms = subjects.values().map(|subject| subject.look.now_ms).max().unwrap_or(0);
    let is_late = |subject: &Subject<'_>| subject.course.outage.as_ref().is_some_and(|outage| outage.is_open);
    if !subjects.values().any(is_late) {
        return BTreeMap::new();
    }
    let mut cases = BTreeMap::new();
    for (key, Subject { course, promise, upstream, waiting_since_ms, .. }) in subjects {
        cases.insert(*key, Case { course, promise, upstream, waiting_since_ms: *waiting_since_ms });
    }
    blame::causes(&cases, now_ms)
}
