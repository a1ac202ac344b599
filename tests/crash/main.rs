//! The crash suite: whatever goes wrong, nothing is lost, nothing doubled, nothing shown.
//!
//! Real sidecars, a real Kafka, a real registry, roads between them that can be cut; a steady load; faults drawn from a
//! seed, one on top of the other; in the middle of it, stricter contracts and another key. `MESH_CRASH_FAULTS` says how many (50), `MESH_TEST_SEED` which; both are printed.
//! And a soak, of as many seconds as `MESH_SOAK_SECONDS` says (60).

#![allow(unreachable_pub, reason = "a test binary has no outside: pub is for the other modules")]

mod dice;
mod fault;
mod fleet;
mod hunt;
mod ledger;
mod load;
mod road;
mod soak;
mod stage;
mod support;
mod workload;

use dice::Dice;
use fault::{Fault, Hold, Kind};
use fleet::Fleet;
use load::{Load, SchemaIds, input};
use mesh_kafka::admin::Admin;
use stage::Stage;
use std::collections::BTreeMap;
use std::io::Write;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};
use workload::{DOMAIN, PRODUCTS, Revision, SCHEMAS, schema};

const FAULTS: usize = 50;
const REPLICAS: [&str; 4] = ["a", "b", "c", "d"];
/// Records a second, of each product.
const LOAD: u64 = 150;
/// Between two beginnings of faults, in milliseconds.
const GAP: std::ops::Range<u64> = 1_000..5_000;
const TICK: Duration = Duration::from_millis(100);
/// Metrics are read once in so many ticks.
const READ_EVERY: u32 = 50;
/// How long the replicas may take to be through once nothing goes wrong any more.
const CATCH_UP: Duration = Duration::from_secs(120);

/// Each of these tests wants the machine for itself.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_doubled_or_shown_whatever_goes_wrong() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
    let seed = setting("MESH_TEST_SEED").unwrap_or(now.as_secs());
    let faults = setting("MESH_CRASH_FAULTS").unwrap_or(FAULTS);
    tell(&format!("crash suite: MESH_TEST_SEED={seed} MESH_CRASH_FAULTS={faults}"));
    let mut dice = Dice::new(seed);
    let mut stage = Stage::start().await;
    let ids = register(&stage).await;
    let mut fleet = Fleet::new(&REPLICAS);
    REPLICAS[..3].iter().for_each(|name| fleet.start(&stage, name));
    let load = Load::start(&stage.settings(), ids, LOAD);

    let kinds = fault::deal(&mut dice, faults);
    let before = stage.roots().await;
    let started = Instant::now();
    rage(kinds, &mut stage, &mut fleet, &load, &mut dice).await;
    let sent = load.stop().await;
    tell(&format!("{faults} faults in {:.0} s, {sent} records of each product", started.elapsed().as_secs_f64()));
    let caught_up = catch_up(&stage, &mut fleet).await;
    tell(&format!("caught up {caught_up:.1} s after the last fault; {}", account(&fleet, faults)));

    for name in fleet.running() {
        fleet.retire(name);
    }
    let after = stage.roots().await;
    for (product, ids) in PRODUCTS.iter().zip(&ids) {
        ledger::settle(&stage.settings(), [&before, &after], product, ids, sent).await;
    }
    hunt::search_topics(&stage.settings()).await;
    hunt::search_said(&[fleet.everything_said(), stage.logs()].concat());
    stage.stop_kafka().await;
    hunt::search_files(&stage.kafka_data());
    stage.stop().await;
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Past the test harness, which keeps what is printed until a test fails: a run's seed is always told.
fn tell(text: &str) {
    // nobody is left to be told of a terminal that is gone
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The ids of every schema that will be written with.
async fn register(stage: &Stage) -> [SchemaIds; PRODUCTS.len()] {
    let mut ids = [[0; SCHEMAS]; PRODUCTS.len()];
    for (product, ids) in PRODUCTS.iter().zip(&mut ids) {
        for (version, id) in ids.iter_mut().enumerate() {
            *id = stage.register(&format!("{}-value", input(product)), &schema(version)).await;
        }
    }
    ids
}

/// Lets the faults happen, each for its time, as many at once as do not take hold of the same thing.
async fn rage(kinds: Vec<Kind>, stage: &mut Stage, fleet: &mut Fleet, load: &Load, dice: &mut Dice) {
    let (total, started) = (kinds.len(), Instant::now());
    let mut waiting = kinds;
    let mut active: Vec<(Instant, Fault)> = Vec::new();
    let mut next = Instant::now() + Duration::from_secs(3);
    let mut ticks = 0;
    let (mut is_revised, mut is_rotated) = (false, false);
    while !(waiting.is_empty() && active.is_empty() && is_revised && is_rotated) {
        while let Some(due) = due(&active) {
            active.swap_remove(due).1.end(stage, fleet).await;
        }
        let free = |kind: &Kind| active.iter().all(|(_, other)| other.kind.hold() != kind.hold());
        // in the middle, as soon as nobody is away who has to take it
        let can_revise = waiting.len() <= total / 2 && free(&Kind::BrokerRestart) && free(&Kind::RegistryCrash);
        if !is_revised && can_revise {
            stage.apply(Revision::Second);
            is_revised = true;
            tell(&format!("{:6.1} s  revision 2 of the contracts", started.elapsed().as_secs_f64()));
        }
        // while Vault is away, if that can be: whoever has not heard of it goes on with what it has
        let can_rotate = waiting.len() <= total * 2 / 3 && active.iter().all(|(_, other)| other.kind != Kind::KeysAway);
        let is_vault_away = active.iter().any(|(_, other)| other.kind.hold() == Hold::Keys);
        if !is_rotated && can_rotate && (is_vault_away || waiting.len() <= total / 3) {
            stage.rotate_keys();
            is_rotated = true;
            tell(&format!("{:6.1} s  version 2 of the keys", started.elapsed().as_secs_f64()));
        }
        if let Some(place) = waiting.iter().position(free).filter(|_| Instant::now() >= next) {
            let fault = Fault::draw(waiting.remove(place), dice, fleet);
            let count = total - waiting.len();
            tell(&format!("{:6.1} s  {count:3}/{total}  {fault}", started.elapsed().as_secs_f64()));
            fault.begin(stage, fleet, load, dice).await;
            active.push((Instant::now() + fault.lasts, fault));
            next = Instant::now() + Duration::from_millis(dice.within(GAP));
        }
        fleet.tend(stage);
        ticks += 1;
        if u32::is_multiple_of(ticks, READ_EVERY) {
            fleet.read_metrics().await;
        }
        tokio::time::sleep(TICK).await;
    }
}

/// A fault whose time is up. A registry comes back only where there is a broker to come back to.
fn due(active: &[(Instant, Fault)]) -> Option<usize> {
    let is_broker_away = active.iter().any(|(_, fault)| matches!(fault.kind, Kind::BrokerRestart | Kind::BrokerCrash));
    let must_wait = |fault: &Fault| fault.kind == Kind::RegistryCrash && is_broker_away;
    active.iter().position(|(end, fault)| Instant::now() >= *end && !must_wait(fault))
}

/// Waits until everything is processed; how many seconds that took.
async fn catch_up(stage: &Stage, fleet: &mut Fleet) -> f64 {
    let started = Instant::now();
    let admin = Admin::new(&stage.settings()).expect("the settings are right");
    let inputs = PRODUCTS.map(input);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    loop {
        fleet.tend(stage);
        let ends = admin.end_offsets(&inputs).await;
        let done = admin.committed(&format!("mesh.masking.{DOMAIN}"), &inputs).await;
        // a broker that is as busy as the sidecars are may answer late
        let left = ends.and_then(|ends| {
            let done = done?;
            let left = ends.iter().map(|(of, end)| (of.to_string(), end - done.get(of).copied().unwrap_or(0)));
            Ok(left.filter(|(_, left)| *left != 0).collect::<BTreeMap<_, _>>())
        });
        if left.as_ref().is_ok_and(BTreeMap::is_empty) {
            break;
        }
        assert!(
            started.elapsed() < CATCH_UP,
            "not through within {CATCH_UP:?}, records left: {left:?}\n{}",
            fleet.tails()
        );
        tokio::time::sleep(TICK).await;
    }
    fleet.read_metrics().await;
    started.elapsed().as_secs_f64()
}

/// How many lines hold all of this.
fn said_lines(fleet: &Fleet, words: &[&str]) -> usize {
    let said = fleet.everything_said();
    said.iter().flat_map(|text| text.lines()).filter(|line| words.iter().all(|word| line.contains(word))).count()
}

/// What the faults have done to the sidecars, by their own word: a storm that nobody notices shows nothing.
fn account(fleet: &Fleet, faults: usize) -> String {
    let said = fleet.everything_said().concat();
    let count = |what: &str| said.matches(what).count();
    let (aborted, anew) = (count("transaction aborted"), count("task starts anew"));
    let (moved, held) = (count("partitions reassigned"), count("partitions are held"));
    let for_keys = said_lines(fleet, &["partitions are held", "keys-unavailable"]);
    // a few may meet nothing that is under way
    assert!(
        faults < FAULTS || (moved > 0 && aborted + anew > 0),
        "the faults were not noticed: {moved} reassignments, {aborted} transactions aborted, {anew} tasks started anew, in {} bytes \
         that were said by {} processes\n{}",
        said.len(),
        fleet.starts,
        fleet.tails()
    );
    format!(
        "{} starts of processes, {anew} of tasks, {moved} reassignments, {aborted} transactions aborted, \
         {held} holds, {for_keys} of them for keys",
        fleet.starts
    )
}
