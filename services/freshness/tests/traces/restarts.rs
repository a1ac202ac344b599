//! A process that is killed at any moment gives the same verdicts as one that lives on.

use proptest::prelude::*;

use super::shown;
use super::world::{MINUTE, Product, Told, World, at};

fn world() -> World {
    let products = vec![
        Product::new("orders", "15 minutes", MINUTE).silent("2026-03-01T02:00Z", "2026-03-01T04:00Z"),
        Product::new("offers", "15 minutes", MINUTE).of("orders").silent("2026-03-01T02:00Z", "2026-03-01T05:00Z"),
        Product::new("views", "1 hour", MINUTE)
            .maintained("2026-03-01T03:00Z", "2026-03-01T04:00Z")
            .silent("2026-03-01T03:10Z", "2026-03-01T06:00Z"),
    ];
    World::new(products, at("2026-03-01T00:00Z"))
}

/// What is told if the process is killed after so many minutes, again and again.
fn told(kills: &[i64]) -> Vec<Told> {
    let mut world = world();
    for minutes in kills {
        world.until(at("2026-03-01T00:00Z") + minutes * MINUTE);
        world.restart();
    }
    world.until(at("2026-03-01T08:00Z"));
    world.told.retain(|told| told.severity == mesh_freshness::slo::Severity::Page);
    world.told
}

#[test]
fn without_a_restart_three_are_paged() {
    assert_eq!(
        shown(&told(&[])),
        "orders page 2026-03-01T02:19:00Z 2026-03-01T04:05:00Z\n\
         offers page 2026-03-01T04:20:00Z 2026-03-01T05:05:00Z\n\
         views page 2026-03-01T05:05:00Z 2026-03-01T06:05:00Z\n"
    );
}

#[test]
fn an_outage_that_ends_right_after_a_restart_gives_those_downstream_as_long_to_follow() {
    // orders is back at 04:00; what was written last is of 03:57
    assert_eq!(shown(&told(&[239])), shown(&told(&[])));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_restart_at_any_moment_tells_the_same(kills in prop::collection::vec(1..480_i64, 1..6)) {
        let mut kills = kills;
        kills.sort_unstable();
        prop_assert_eq!(shown(&told(&kills)), shown(&told(&[])));
    }
}
