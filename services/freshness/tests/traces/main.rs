//! Sixty days of traces by a clock of ours, against a truth table written by hand: nobody is paged in vain, and nobody is
//! forgotten.
#![allow(clippy::unwrap_used, missing_docs)]

mod products;
mod restarts;
mod world;

use mesh_freshness::slo::Severity::{Page, Ticket};
use products::{autumn, products};
use world::{MINUTE, Told, World, at};

/// Who is told what, from when to when, by the minute; a look is every minute. A page comes once 14.4 times 0.5 % of an hour
/// was stale: 4 min 19 s.
const TRUTH: &[(&str, &str, &str, &str)] = &[
    // facts stop on 3 March at 12:00, the last is of 11:59: stale from 12:14
    ("outage", "page", "2026-03-03T12:19Z", "2026-03-03T14:05Z"),
    // the same with a replay of old history in between
    ("replayed", "page", "2026-03-06T11:04Z", "2026-03-06T12:05Z"),
    // a fact of tomorrow does not make up for those that stop at 09:00
    ("skewed", "page", "2026-03-10T10:04Z", "2026-03-10T13:05Z"),
    // a producer whose clock is two hours ahead, which stops at 09:00: what lies ahead is not believed
    ("ahead", "page", "2026-03-12T10:04Z", "2026-03-12T11:05Z"),
    // a day that is no holiday; the last fact of the day before is of 17:50 in Berlin
    ("holidays", "page", "2026-03-11T07:25Z", "2026-03-11T09:05Z"),
    // the batch of 20 March does not come: that of 19 March, at 01:00 UTC, is too old from 03:00 on
    ("nightly", "page", "2026-03-20T03:05Z", "2026-03-21T01:05Z"),
    // the last fact of Friday is of 16:50 in Berlin, until 18:00; on Monday from 08:00, an hour earlier by UTC
    ("office", "page", "2026-03-27T16:25Z", "2026-03-27T17:00Z"),
    ("office", "page", "2026-03-30T06:05Z", "2026-03-30T08:05Z"),
    // in the night when the clocks go forward; the last fact is of 23:40
    ("night", "page", "2026-03-29T00:45Z", "2026-03-29T01:45Z"),
    // heartbeats stop on 1 April at 12:00
    ("idle", "page", "2026-04-01T13:00Z", "2026-04-01T15:05Z"),
    // the owner of orders is paged once for all that is derived from it
    ("orders", "page", "2026-03-17T11:04Z", "2026-03-17T15:05Z"),
    // offers alone
    ("offers", "page", "2026-03-24T09:00Z", "2026-03-24T12:05Z"),
    // offers first, then orders as well: each has a fault of its own
    ("offers", "page", "2026-04-02T07:00Z", "2026-04-02T16:05Z"),
    ("orders", "page", "2026-04-02T10:04Z", "2026-04-02T11:05Z"),
    // orders; when it is back, offers has an hour to follow, and does not
    ("orders", "page", "2026-04-08T11:04Z", "2026-04-08T12:05Z"),
    ("offers", "page", "2026-04-08T13:05Z", "2026-04-08T16:05Z"),
    // maintenance ends at 22:00, and the hour that is left after it at 23:00
    ("maintained", "page", "2026-04-04T23:05Z", "2026-04-04T23:35Z"),
    // it stops at 03:30 while nobody looks, from 03:00 to 05:00
    ("unwatched", "page", "2026-03-31T05:00Z", "2026-03-31T07:05Z"),
    // every six hours from 1 March, for three minutes as looks a minute apart see it, each time too short for a page: of the 1,296 s
    // that three days may have, the eighth time spends the last
    ("flapping", "ticket", "2026-03-02T18:45Z", "2026-03-11T00:47Z"),
];

/// The same of the days around 25 October, when the clocks go back.
const TRUTH_OF_AUTUMN: &[(&str, &str, &str, &str)] = &[
    // the night has nine hours, until 05:00 UTC; the last fact is of 03:20
    ("night", "page", "2026-10-25T04:25Z", "2026-10-25T05:00Z"),
    // the last fact of Friday is of 17:50 in Berlin; on Monday from 08:00, an hour later by UTC
    ("office", "page", "2026-10-26T07:25Z", "2026-10-26T09:05Z"),
];

fn truth(table: &[(&str, &str, &str, &str)]) -> Vec<Told> {
    let told = |(key, severity, from, to): &(&str, &str, &str, &str)| Told {
        key: (*key).to_owned(),
        severity: if *severity == "page" { Page } else { Ticket },
        from_ms: at(from),
        to_ms: Some(at(to)),
    };
    let mut truth: Vec<Told> = table.iter().map(told).collect();
    truth.sort();
    truth
}

/// For people.
fn shown(told: &[Told]) -> String {
    let time = |ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let line = |told: &Told| {
        let to = told.to_ms.map_or("-".to_owned(), time);
        format!("{} {} {} {to}\n", told.key, told.severity.as_str(), time(told.from_ms))
    };
    told.iter().map(line).collect()
}

#[test]
fn sixty_days_page_whom_they_must_and_nobody_else() {
    let mut world = World::new(products(), at("2026-02-15T00:00Z"));
    world.until(at("2026-03-31T03:00Z"));
    // the monitor is down for two hours
    world.pass(at("2026-03-31T05:00Z"), false);
    world.restart();
    world.until(at("2026-04-10T01:00Z"));
    // Kafka is
    world.pass(at("2026-04-10T03:00Z"), true);
    world.until(at("2026-04-16T00:00Z"));
    world.told.sort();
    // a ticket stays while slow windows burn; those that go with a page are not the table's matter
    let pages: Vec<Told> =
        world.told.iter().filter(|told| told.severity == Page || told.key == "flapping").cloned().collect();
    compare(&truth(TRUTH), &pages);
    let blamed: Vec<(&str, &str)> = world.blamed.keys().map(|(of, by)| (of.as_str(), by.as_str())).collect();
    assert_eq!(blamed, [("offers", "orders"), ("weekly_report", "orders")]);
}

#[test]
fn the_day_that_is_an_hour_longer_pages_whom_it_must_and_nobody_else() {
    let mut world = World::new(autumn(), at("2026-10-20T12:00Z"));
    world.until(at("2026-10-31T00:00Z"));
    world.told.retain(|told| told.severity == Page);
    compare(&truth(TRUTH_OF_AUTUMN), &world.told);
}

fn compare(truth: &[Told], told: &[Told]) {
    // six hours are summed by buckets of five minutes
    let ends = |told: &Told| told.to_ms.unwrap_or(i64::MAX);
    let alike = |a: &Told, b: &Told| {
        (&a.key, a.severity, a.from_ms) == (&b.key, b.severity, b.from_ms)
            && ends(a).abs_diff(ends(b)) <= 5 * MINUTE as u64
    };
    let missed: Vec<Told> = truth.iter().filter(|it| !told.iter().any(|told| alike(it, told))).cloned().collect();
    let wrong: Vec<Told> = told.iter().filter(|it| !truth.iter().any(|truth| alike(it, truth))).cloned().collect();
    assert!(missed.is_empty() && wrong.is_empty(), "missed:\n{}false:\n{}", shown(&missed), shown(&wrong));
}
