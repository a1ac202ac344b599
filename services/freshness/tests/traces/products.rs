//! The products of the sixty days, and what befalls them.

use mesh_freshness::judge::Sighting;

use super::world::{DAY, HOUR, MINUTE, Product, at};

/// All of them. Kafka cannot be reached on 10 April from 01:00 to 03:00, and facts come again from 03:10 on.
pub(crate) fn products() -> Vec<Product> {
    let all = [single(), hourly(), derived()].into_iter().flatten();
    all.map(without_kafka).collect()
}

/// What producers could not send comes as soon as they can.
fn without_kafka(mut product: Product) -> Product {
    let last_ms = at("2026-04-10T03:00Z") / product.period_ms * product.period_ms;
    let backlog = Sighting { event_ms: Some(last_ms), recorded_ms: Some(last_ms) };
    if product.hours.is_none() {
        product.further.push((at("2026-04-10T03:10Z"), backlog));
    }
    product.silent("2026-04-10T01:00Z", "2026-04-10T03:10Z")
}

/// Products to which one thing happens, or nothing.
fn single() -> Vec<Product> {
    let bursty = Product { jitter_ms: 5 * MINUTE, ..Product::new("bursty", "1 hour", 50 * MINUTE) };
    let jittery = Product { jitter_ms: 40 * MINUTE, ..Product::new("jittery", "1 hour", 17 * MINUTE) };
    let history = |from: i64| {
        (0..60).map(move |n| {
            let old =
                Sighting { event_ms: Some(at("2024-01-01T00:00Z") + n * DAY), recorded_ms: Some(from + n * MINUTE) };
            (from + n * MINUTE, old)
        })
    };
    let further = history(at("2026-03-05T00:00Z")).chain(history(at("2026-03-06T10:15Z"))).collect();
    let replayed = Product { further, ..Product::new("replayed", "1 hour", MINUTE) };
    let tomorrow = Sighting { event_ms: Some(at("2026-03-11T09:00Z")), recorded_ms: Some(at("2026-03-10T08:59Z")) };
    let further = vec![(at("2026-03-10T08:59Z"), tomorrow)];
    let skewed = Product { further, skew_ms: 45_000, ..Product::new("skewed", "1 hour", MINUTE) };
    let idle = Product::new("idle", "1 hour", 5 * MINUTE);
    vec![
        Product::new("steady", "1 hour", MINUTE),
        Product { skew_ms: 2 * HOUR, ..Product::new("ahead", "1 hour", MINUTE) }
            .silent("2026-03-12T09:00Z", "2026-03-12T11:00Z"),
        // facts seem eleven minutes old, and twenty-nine at the most
        Product { skew_ms: -10 * MINUTE, ..Product::new("behind", "30 minutes", MINUTE) }
            .silent("2026-03-13T12:00Z", "2026-03-13T12:19Z"),
        bursty,
        jittery,
        Product::new("outage", "15 minutes", MINUTE).silent("2026-03-03T12:00Z", "2026-03-03T14:00Z"),
        replayed.silent("2026-03-06T10:00Z", "2026-03-06T12:00Z"),
        skewed.silent("2026-03-10T09:00Z", "2026-03-10T13:00Z"),
        idle.silent("2026-04-01T12:00Z", "2026-04-01T15:00Z"),
        Product::new("unwatched", "1 hour", MINUTE).silent("2026-03-31T03:30Z", "2026-03-31T07:00Z"),
        flapping(),
    ]
}

/// Products with hours, batches and maintenance.
fn hourly() -> Vec<Product> {
    let office = "Mon-Fri 08:00-18:00 Europe/Berlin";
    let weekend = "Sat,Sun 00:00-24:00 America/New_York";
    let night = "Mon-Sun 22:00-06:00 Europe/Berlin";
    vec![
        Product::new("nightly", "26 hours", HOUR)
            .works("Mon-Sun 01:30-02:30 Europe/Berlin")
            .silent("2026-03-20T00:00Z", "2026-03-20T12:00Z"),
        Product::new("office", "30 minutes", 10 * MINUTE)
            .promises(office)
            .works(office)
            .silent("2026-03-27T16:00Z", "2026-03-30T08:00Z"),
        Product::new("holidays", "30 minutes", 10 * MINUTE)
            .promises_except(office, "2026-03-04")
            .works(office)
            .silent("2026-03-04T00:00Z", "2026-03-05T00:00Z")
            .silent("2026-03-11T00:00Z", "2026-03-11T09:00Z"),
        Product::new("weekends", "2 hours", HOUR).promises(weekend).works(weekend),
        Product::new("night", "1 hour", 20 * MINUTE)
            .promises(night)
            .works(night)
            .silent("2026-03-28T23:50Z", "2026-03-29T01:35Z"),
        Product::new("maintained", "1 hour", MINUTE)
            .maintained("2026-03-21T20:00Z", "2026-03-22T00:00Z")
            .silent("2026-03-21T20:10Z", "2026-03-22T00:20Z")
            .maintained("2026-04-04T20:00Z", "2026-04-04T22:00Z")
            .silent("2026-04-04T20:10Z", "2026-04-04T23:30Z"),
    ]
}

/// Products with hours around 25 October.
pub(crate) fn autumn() -> Vec<Product> {
    let office = "Mon-Fri 08:00-18:00 Europe/Berlin";
    let night = "Mon-Sun 22:00-06:00 Europe/Berlin";
    vec![
        Product::new("nightly", "26 hours", HOUR).works("Mon-Sun 01:30-02:30 Europe/Berlin"),
        Product::new("office", "30 minutes", 10 * MINUTE)
            .promises(office)
            .works(office)
            .silent("2026-10-26T00:00Z", "2026-10-26T09:00Z"),
        Product::new("night", "1 hour", 20 * MINUTE)
            .promises(night)
            .works(night)
            .silent("2026-10-25T03:30Z", "2026-10-25T05:10Z"),
    ]
}

/// `orders`, what is derived from it, and what from that.
fn derived() -> Vec<Product> {
    vec![
        Product::new("orders", "1 hour", MINUTE)
            .silent("2026-03-17T10:00Z", "2026-03-17T15:00Z")
            .silent("2026-04-02T09:00Z", "2026-04-02T11:00Z")
            .silent("2026-04-08T10:00Z", "2026-04-08T12:00Z"),
        Product::new("offers", "1 hour", 5 * MINUTE)
            .of("orders")
            .silent("2026-03-17T10:00Z", "2026-03-17T15:20Z")
            .silent("2026-03-24T08:00Z", "2026-03-24T12:00Z")
            .silent("2026-04-02T06:00Z", "2026-04-02T16:00Z")
            .silent("2026-04-08T10:00Z", "2026-04-08T16:00Z"),
        Product::new("weekly_report", "3 hours", 30 * MINUTE)
            .of("offers")
            .silent("2026-03-17T10:10Z", "2026-03-17T15:50Z"),
    ]
}

/// Stale for four minutes every six hours, for ten days.
fn flapping() -> Product {
    let mut product = Product::new("flapping", "15 minutes", MINUTE);
    for number in 0..40 {
        let from_ms = at("2026-03-01T00:30Z") + number * 6 * HOUR;
        product.silent.push(mesh_freshness::calendar::Span::new(from_ms, from_ms + 18 * MINUTE));
    }
    product
}
