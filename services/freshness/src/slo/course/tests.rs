#![allow(clippy::unwrap_used)]

use mesh_contract::RefreshRate;

use super::*;
use crate::slo::Severity;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const T0: i64 = 1_800_000_000_000;

fn hourly() -> Promise {
    Promise::of(&RefreshRate::every("1 hour".parse().unwrap()))
}

fn look(now_ms: i64, newest_ms: i64) -> Look {
    Look { now_ms, newest_ms: Some(newest_ms), is_partial: false, gap_max_ms: 30 * SECOND, away: None }
}

/// A product that is looked at every 10 s.
struct Watch {
    course: Course,
    promise: Promise,
    now_ms: i64,
    newest_ms: i64,
}

impl Watch {
    fn new(promise: Promise) -> Self {
        Self { course: Course::default(), promise, now_ms: T0, newest_ms: T0 }
    }

    fn see(&mut self, look: Look) {
        self.course.look(look, &self.promise);
        self.course.account(look, &self.promise, &[], 5 * MINUTE);
    }

    /// Looks until then; facts come all the time, or not at all.
    fn until(&mut self, to_ms: i64, is_alive: bool) {
        while self.now_ms < to_ms {
            self.now_ms += 10 * SECOND;
            self.newest_ms = if is_alive { self.now_ms } else { self.newest_ms };
            self.see(look(self.now_ms, self.newest_ms));
        }
    }

    fn fault_ms(&self, fault: Fault) -> i64 {
        self.course.ledger.as_ref().unwrap().sum(30 * 24 * HOUR).of(fault).round() as i64
    }

    fn pages(&self) -> bool {
        self.course.alerts.since_ms(Severity::Page).is_some()
    }
}

#[test]
fn stale_time_is_counted_to_the_millisecond_and_pages_in_time() {
    let mut watch = Watch::new(hourly());
    watch.until(T0 + HOUR, true);
    watch.until(T0 + 2 * HOUR + 259 * SECOND, false);
    assert_eq!((watch.course.state, watch.course.since_ms), (Some(State::Stale), T0 + 2 * HOUR));
    assert_eq!((watch.fault_ms(Fault::Own), watch.pages()), (260 * SECOND, true), "14.4 x 0.5 % of an hour is 259.2 s");
    watch.until(T0 + 3 * HOUR, true);
    assert!(!watch.pages());
}

#[test]
fn a_silence_of_the_monitor_proves_what_it_can() {
    let mut watch = Watch::new(hourly());
    watch.until(T0 + HOUR, true);
    // looked away for four hours; then the newest fact is half an hour old
    watch.see(look(T0 + 5 * HOUR, T0 + 4 * HOUR + 30 * MINUTE));
    assert_eq!(watch.fault_ms(Fault::Own), 0);
    assert_eq!(watch.fault_ms(Fault::Unknown), 3 * HOUR, "good for an hour since the last fact, then not known");
    // for four more; then that fact is still the newest
    watch.see(look(T0 + 9 * HOUR, T0 + 4 * HOUR + 30 * MINUTE));
    assert_eq!(watch.fault_ms(Fault::Own), 3 * HOUR + 30 * MINUTE, "stale since it was due");
    assert_eq!(watch.fault_ms(Fault::Unknown), 3 * HOUR);
    assert!(watch.pages(), "what went stale meanwhile is not forgotten");
}

#[test]
fn time_without_kafka_is_not_known_and_makes_nothing_stale() {
    let mut watch = Watch::new(hourly());
    watch.until(T0 + HOUR, true);
    watch.until(T0 + HOUR + 30 * MINUTE, false);
    let away = Some(Span::new(watch.now_ms + 10 * SECOND, i64::MAX));
    watch.now_ms = T0 + 10 * HOUR;
    watch.see(Look { away, ..look(watch.now_ms, watch.newest_ms) });
    assert_eq!(watch.course.state, Some(State::Fresh), "the rest of the hour is there to catch up");
    assert_eq!((watch.fault_ms(Fault::Own), watch.pages()), (0, false));
    assert_eq!(watch.fault_ms(Fault::Unknown), 8 * HOUR + 30 * MINUTE - 10 * SECOND);
    watch.until(T0 + 10 * HOUR + 30 * MINUTE + 20 * SECOND, false);
    assert_eq!(watch.course.state, Some(State::Stale), "who does not use it is stale");
    watch.until(T0 + 11 * HOUR, true);
    assert_eq!(watch.course.away, [], "what is over is forgotten");
}

#[test]
fn maintenance_is_excused_and_a_product_that_stays_stale_pages_after_it() {
    let mut promise = hourly();
    promise.calendar = promise.calendar.without(Span::new(T0 + HOUR, T0 + 4 * HOUR));
    let mut watch = Watch::new(promise);
    watch.until(T0 + 30 * MINUTE, true);
    watch.until(T0 + 4 * HOUR, false);
    assert_eq!((watch.course.state, watch.fault_ms(Fault::Own)), (Some(State::Fresh), 0), "its age stood still");
    assert_eq!(watch.fault_ms(Fault::Excused), 3 * HOUR);
    watch.until(T0 + 4 * HOUR + 35 * MINUTE, false);
    assert_eq!((watch.course.state, watch.pages()), (Some(State::Stale), true));
}

#[test]
fn nobody_is_paged_out_of_hours() {
    let monday = "2026-01-05T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let mut promise = hourly();
    promise.calendar = Calendar::of(Some(&"Mon-Fri 08:00-18:00 UTC".parse().unwrap()));
    let mut watch = Watch { now_ms: monday + 10 * HOUR, newest_ms: 0, course: Course::default(), promise };
    watch.until(monday + 17 * HOUR - 10 * MINUTE, true);
    watch.until(monday + 18 * HOUR - 10 * SECOND, false);
    assert!(watch.pages(), "stale since 17:50");
    watch.until(monday + 18 * HOUR, false);
    assert_eq!((watch.course.state, watch.pages()), (Some(State::Excused), false));
    watch.until(monday + 32 * HOUR + 4 * MINUTE, false);
    assert_eq!((watch.course.state, watch.pages()), (Some(State::Stale), false), "the morning's first minutes");
    watch.until(monday + 32 * HOUR + 5 * MINUTE, false);
    assert!(watch.pages());
    assert_eq!(watch.fault_ms(Fault::Own), 15 * MINUTE, "the night counts neither way");
}

#[test]
fn a_clock_that_is_set_back_takes_its_word_back() {
    let mut watch = Watch::new(hourly());
    watch.until(T0 + HOUR, true);
    watch.see(look(T0 + 48 * HOUR, T0 + HOUR));
    assert!(watch.pages(), "by the wrong clock it is stale");
    (watch.now_ms, watch.newest_ms) = (T0 + HOUR, T0 + HOUR);
    watch.until(T0 + HOUR + 6 * MINUTE, true);
    assert_eq!((watch.pages(), watch.fault_ms(Fault::Own)), (false, 0));
    watch.until(T0 + 2 * HOUR + 16 * MINUTE, false);
    assert!(watch.pages(), "and the watch goes on");
}

#[test]
fn a_product_without_facts_has_no_history() {
    let mut course = Course::default();
    let nothing = Look { newest_ms: None, ..look(T0, 0) };
    assert_eq!(course.look(nothing, &hourly()), State::Unknown);
    course.account(nothing, &hourly(), &[], 0);
    let standing = course.standing(&hourly(), T0);
    assert_eq!((course.ledger, standing.compliance, standing.budget_remaining), (None, None, 1.0));
}

#[test]
fn an_outage_is_remembered_with_its_causes() {
    let mut watch = Watch::new(hourly());
    watch.until(T0 + HOUR, true);
    watch.until(T0 + 3 * HOUR, false);
    let now = look(watch.now_ms + 10 * SECOND, watch.newest_ms);
    watch.course.look(now, &watch.promise);
    watch.course.account(now, &watch.promise, &["up".to_owned()], 0);
    watch.now_ms = now.now_ms;
    watch.until(T0 + 4 * HOUR, true);
    let outage = watch.course.outage.unwrap();
    let first_over_ms = now.now_ms + 10 * SECOND;
    assert_eq!((outage.newest_ms, outage.from_ms, outage.until_ms), (T0 + HOUR, T0 + 2 * HOUR, first_over_ms));
    assert_eq!((outage.is_open, outage.causes), (false, vec!["up".to_owned()]));
}
