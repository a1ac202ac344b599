#![allow(clippy::unwrap_used)]

use mesh_contract::RefreshRate;

use super::*;
use crate::slo::{Alerts, Outage};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const NOW: i64 = 1_800_000_000_000;

/// A product of the mesh.
struct Product {
    key: &'static str,
    course: Course,
    promise: Promise,
    upstream: Vec<String>,
    waiting_since_ms: Option<i64>,
}

/// An hourly product whose newest fact is so old; one that was as old, but recovered, if so.
fn product(key: &'static str, upstream: &[&str], age_ms: i64, recovered_ms: Option<i64>) -> Product {
    let mut promise = Promise::of(&RefreshRate::every("1 hour".parse().unwrap()));
    promise.objective.share = 0.995;
    let newest_ms = NOW - age_ms;
    let is_stale = age_ms > HOUR && recovered_ms.is_none();
    let outage = Outage {
        newest_ms,
        from_ms: newest_ms + HOUR,
        until_ms: recovered_ms.map_or(NOW, |ago_ms| NOW - ago_ms),
        is_open: is_stale,
        causes: Vec::new(),
    };
    let course = Course {
        state: Some(if is_stale { State::Stale } else { State::Fresh }),
        since_ms: if is_stale { newest_ms + HOUR } else { NOW },
        outage: (age_ms > HOUR).then_some(outage),
        ..Course::default()
    };
    let upstream = upstream.iter().map(|key| (*key).to_owned()).collect();
    Product { key, course, promise, upstream, waiting_since_ms: None }
}

fn blamed(products: &[Product]) -> Vec<(String, Vec<String>)> {
    let mut cases = BTreeMap::new();
    for Product { key, course, promise, upstream, waiting_since_ms } in products {
        let case = Case { course, promise, upstream, waiting_since_ms: *waiting_since_ms };
        cases.insert(*key, case);
    }
    causes(&cases, NOW).into_iter().collect()
}

fn by(key: &str, cause: &str) -> (String, Vec<String>) {
    (key.to_owned(), vec![cause.to_owned()])
}

#[test]
fn what_upstream_lacks_is_upstreams_fault() {
    let orders = product("orders", &[], 2 * HOUR, None);
    let offers = product("offers", &["orders"], 2 * HOUR - MINUTE, None);
    assert_eq!(blamed(&[orders, offers]), [by("offers", "orders")]);
}

#[test]
fn who_is_fresh_is_to_blame_for_nothing() {
    let offers = product("offers", &["orders", "nowhere"], 2 * HOUR, None);
    assert_eq!(blamed(&[product("orders", &[], MINUTE, None), offers]), []);
}

#[test]
fn blame_is_followed_to_where_it_ends() {
    let chain = [
        product("a", &[], 3 * HOUR, None),
        product("b", &["a"], 3 * HOUR, None),
        product("c", &["b", "x"], 3 * HOUR, None),
        product("x", &[], 3 * HOUR, None),
        product("y", &[], MINUTE, None),
    ];
    let both = ("c".to_owned(), vec!["a".to_owned(), "x".to_owned()]);
    assert_eq!(blamed(&chain), [by("b", "a"), both]);
}

#[test]
fn who_was_stale_long_before_is_at_fault_itself() {
    let orders = || product("orders", &[], 2 * HOUR, None);
    assert_eq!(
        blamed(&[orders(), product("offers", &["orders"], 3 * HOUR, None)]),
        [by("offers", "orders")],
        "a period"
    );
    assert_eq!(blamed(&[orders(), product("offers", &["orders"], 3 * HOUR + 1, None)]), []);
}

#[test]
fn whose_own_facts_wait_is_at_fault_itself() {
    let orders = product("orders", &[], 2 * HOUR, None);
    let offers = |since_ms| {
        let offers = product("offers", &["orders"], 2 * HOUR, None);
        Product { waiting_since_ms: Some(since_ms), ..offers }
    };
    let products = [orders, offers(NOW - 90 * MINUTE)];
    assert_eq!(blamed(&products), [], "since before it was stale");
    let [orders, _] = products;
    assert_eq!(blamed(&[orders, offers(NOW - MINUTE)]), [by("offers", "orders")], "what is in flight says nothing");
}

#[test]
fn who_was_paged_keeps_the_page() {
    let mut offers = product("offers", &["orders"], 2 * HOUR, None);
    offers.course.alerts = Alerts { page_since_ms: Some(NOW - MINUTE), ticket_since_ms: None };
    assert_eq!(blamed(&[product("orders", &[], 2 * HOUR, None), offers]), []);
}

#[test]
fn after_the_recovery_there_is_a_refresh_period_of_grace() {
    let offers = || product("offers", &["orders"], 5 * HOUR, None);
    let orders = |ago_ms| product("orders", &[], 5 * HOUR, Some(ago_ms));
    assert_eq!(blamed(&[orders(HOUR), offers()]), [by("offers", "orders")]);
    assert_eq!(blamed(&[orders(HOUR + 1), offers()]), []);
}

#[test]
fn an_outage_explains_no_more_than_it_delayed() {
    let mut short = product("orders", &[], 70 * MINUTE, Some(0));
    let outage = short.course.outage.as_mut().unwrap();
    (outage.newest_ms, outage.from_ms, outage.until_ms) = (NOW - 300 * MINUTE, NOW - 240 * MINUTE, NOW - 200 * MINUTE);
    let mut offers = product("offers", &["orders"], 61 * MINUTE, None);
    offers.promise.every = "1 day".parse().unwrap();
    assert_eq!(blamed(&[short, offers]), [], "three hours after an outage of a hundred minutes");
}

#[test]
fn a_recovered_products_own_excuse_is_remembered() {
    let mut middle = product("middle", &["root"], 5 * HOUR, Some(MINUTE));
    middle.course.outage.as_mut().unwrap().causes = vec!["root".to_owned()];
    let offers = product("offers", &["middle"], 5 * HOUR, None);
    assert_eq!(blamed(&[middle, offers, product("root", &[], MINUTE, None)]), [by("offers", "root")]);
}

#[test]
fn planned_maintenance_upstream_is_a_cause_too() {
    let mut orders = product("orders", &[], 2 * HOUR, None);
    orders.course.state = Some(State::Fresh);
    assert_eq!(blamed(&[orders, product("offers", &["orders"], 2 * HOUR, None)]), [by("offers", "orders")]);
}

#[test]
fn in_a_circle_somebody_is_left_to_blame() {
    let circle = [
        product("a", &["c", "a"], 2 * HOUR, None),
        product("b", &["a"], 2 * HOUR, None),
        product("c", &["b"], 2 * HOUR, None),
        product("d", &["b"], 2 * HOUR, None),
    ];
    let blamed = blamed(&circle);
    assert_eq!(blamed, [by("a", "b"), by("c", "b"), by("d", "b")]);
}
