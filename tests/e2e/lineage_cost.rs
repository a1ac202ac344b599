//! What lineage costs the sidecar: CPU per record without it, told as often as by default, and told every second, in turns.
//! For a release binary, and asked for:
//! `MESH_LINEAGE_COST_RECORDS=600000 MESH_TEST_BINARY=target/release/mesh cargo test -p mesh --test e2e lineage_cost -- --nocapture`

use crate::accounted::{VIEWS, publish_good};
use crate::support::{PATIENCE, Process, World, eventually};
use rustix::process::Signal;
use std::collections::BTreeMap;

const LINEAGE_TOPIC: &str = "mesh.lineage";
const NEVER: &str = "0";
/// Told nothing; told as often as by default; and thirty times as often.
const INTERVALS: [&str; 3] = [NEVER, "30", "1"];
/// Each begins with another interval, so that none is always the first.
const TURNS: usize = 9;
/// Of a turn's records, the share that a sidecar is let start on before it is looked at.
const START_SHARE: usize = 3;

#[test]
fn lineage_cost_is_measured_where_it_is_asked_for() {
    let Some(records) = std::env::var("MESH_LINEAGE_COST_RECORDS").ok().and_then(|text| text.parse().ok()) else {
        eprintln!("skipped: MESH_LINEAGE_COST_RECORDS does not say how many records to measure with");
        return;
    };
    let world = World::applied();
    let mut found = INTERVALS.map(|_| Vec::new());
    for turn in 0..TURNS {
        for place in 0..INTERVALS.len() {
            let which = (turn + place) % INTERVALS.len();
            let cost = Cost::of_a_record(&world, records, INTERVALS[which]);
            eprintln!("turn {turn}, --lineage-interval {}: {cost}", INTERVALS[which]);
            found[which].push(cost);
        }
    }
    for (interval, costs) in INTERVALS.iter().zip(&found) {
        eprintln!("--lineage-interval {interval}: median {}", Cost::median(costs));
    }
    for (interval, costs) in INTERVALS.iter().zip(&found).skip(1) {
        let pairs = found[0].iter().zip(costs).map(|(without, with)| (with.micros / without.micros - 1.0) * 100.0);
        let mut pairs: Vec<f64> = pairs.collect();
        pairs.sort_by(f64::total_cmp);
        let (least, middle, most) = (pairs[0], pairs[pairs.len() / 2], pairs[pairs.len() - 1]);
        let medians = Cost::median(costs).micros / Cost::median(&found[0]).micros * 100.0 - 100.0;
        eprintln!(
            "--lineage-interval {interval} beside {NEVER}: medians {medians:+.2} %; of turns {middle:+.2} % ({least:+.2} to {most:+.2})"
        );
    }
}

/// CPU time of the sidecar in microseconds a record, and of it by the names of its threads.
struct Cost {
    micros: f64,
    threads: BTreeMap<String, f64>,
}

impl Cost {
    /// Of a backlog that a sidecar is started on. Its start, and that of telling lineage, is over before it is measured.
    fn of_a_record(world: &World, records: usize, interval: &str) -> Self {
        let (done, told) = (world.extent(VIEWS[0].1), world.extent(LINEAGE_TOPIC));
        publish_good(world, 0..records);
        let mut sidecar =
            Process::start(&mut world.mesh(["run", "masking", "--domain", "crm", "--lineage-interval", interval]));
        let reached = |records: usize| {
            let enough = done + i64::try_from(records).expect("it is small");
            eventually("the view grows", PATIENCE, || {
                let extent = world.extent(VIEWS[0].1);
                (extent >= enough).then(|| (threads(sidecar.id()), extent))
            })
        };
        reached(records / START_SHARE);
        if interval != NEVER {
            eventually("lineage is told", PATIENCE, || (world.extent(LINEAGE_TOPIC) > told).then_some(()));
        }
        let (from, to) = (reached(records / START_SHARE), reached(records));
        sidecar.signal(Signal::TERM);
        assert_eq!(sidecar.wait(), 0, "{}", sidecar.stderr());
        Self::between(&from, &to)
    }

    fn between((from, first): &(Threads, i64), (to, last): &(Threads, i64)) -> Self {
        let moved = (last - first) as f64;
        let mut threads = BTreeMap::new();
        for (id, (name, nanos)) in to {
            let before = from.get(id).map_or(0, |(_, nanos)| *nanos);
            *threads.entry(name.clone()).or_default() += (nanos - before) as f64 / 1e3 / moved;
        }
        Self { micros: threads.values().sum(), threads }
    }

    fn median(costs: &[Self]) -> Self {
        let threads = costs.iter().flat_map(|cost| cost.threads.keys());
        let of = |name: &str| median(costs.iter().map(|cost| cost.threads.get(name).copied().unwrap_or(0.0)).collect());
        let threads = threads.map(|name| (name.clone(), of(name))).collect();
        Self { micros: median(costs.iter().map(|cost| cost.micros).collect()), threads }
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} µs a record", self.micros)?;
        self.threads.iter().try_for_each(|(name, micros)| write!(f, "; {name} {micros:.4}"))
    }
}

/// The name of each thread and the nanoseconds it has run, by id.
type Threads = BTreeMap<String, (String, u64)>;

fn threads(pid: u32) -> Threads {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let thread = |task: std::io::Result<std::fs::DirEntry>| {
        let folder = task.ok()?.path();
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
        let nanos = read("schedstat")?.split(' ').next()?.parse().ok()?;
        Some((folder.file_name()?.to_str()?.to_owned(), (read("comm")?.trim().to_owned(), nanos)))
    };
    tasks.filter_map(thread).collect()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
