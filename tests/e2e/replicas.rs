//! Replicas of the sidecar that freeze past their session and come back, while others have taken over.

use crate::accounted::{INPUT, VIEWS, assert_view_is_the_input_masked, publish_good, read};
use crate::support::{PATIENCE, Process, World, eventually};
use rustix::process::Signal;
use std::collections::BTreeMap;

const ROUNDS: usize = 3;
const ROUND: usize = 4_000;

#[test]
fn a_replica_that_slept_past_its_session_doubles_nothing() {
    let world = World::applied();
    publish_good(&world, 0..ROUND);
    let sleeper = replica(&world, "sleeper");
    eventually("the sleeper writes", PATIENCE, || (world.extent(VIEWS[0].1) > 0).then_some(()));
    let _other = replica(&world, "other");
    let mut published = ROUND;
    for _ in 0..ROUNDS {
        publish_good(&world, published..published + ROUND / 2);
        // frozen in the middle of whatever it does, until the other has done all there was to do
        sleeper.signal(Signal::STOP);
        publish_good(&world, published + ROUND / 2..published + ROUND);
        published += ROUND;
        eventually("the other takes over", PATIENCE, || is_through(&world, published).then_some(()));
        sleeper.signal(Signal::CONT);
    }
    publish_good(&world, published..published + ROUND);
    eventually("both go on", PATIENCE, || is_through(&world, published + ROUND).then_some(()));

    let input = read(&world, INPUT);
    assert_eq!(input.len(), published + ROUND);
    for (view, topic) in VIEWS {
        assert_view_is_the_input_masked(&world, &input, &BTreeMap::new(), view, topic);
    }
}

fn replica(world: &World, name: &str) -> Process {
    let mut command = world.mesh(["run", "masking", "--domain", "crm", "--batch-records", "300", "--replica", name]);
    Process::start(command.args(["-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000"]))
}

/// Whether every view holds as many records as were published.
fn is_through(world: &World, published: usize) -> bool {
    VIEWS.iter().all(|(_, topic)| {
        let extent = usize::try_from(world.extent(topic)).unwrap_or(0);
        // transaction markers make the extent larger than the count: it only says when counting is worth it
        extent >= published && read(world, topic).len() >= published
    })
}
