//! What lineage costs the sidecar: CPU per record with it and without, in turns. For a release binary, and asked for:
//! `MESH_LINEAGE_COST_RECORDS=400000 MESH_TEST_BINARY=target/release/mesh cargo test -p mesh --test e2e lineage_cost -- --nocapture`

use crate::accounted::{VIEWS, publish_good};
use crate::support::{PATIENCE, Process, World, eventually, mesh};

const LINEAGE_TOPIC: &str = "mesh.lineage";
const NEVER: &str = "0";
/// Told nothing; and told every second, thirty times as often as by default.
const INTERVALS: [&str; 2] = [NEVER, "1"];
const TURNS: usize = 5;

#[test]
fn lineage_cost_is_measured_where_it_is_asked_for() {
    let Some(records) = std::env::var("MESH_LINEAGE_COST_RECORDS").ok().and_then(|text| text.parse().ok()) else {
        eprintln!("skipped: MESH_LINEAGE_COST_RECORDS does not say how many records to measure with");
        return;
    };
    let mut found = INTERVALS.map(|_| Vec::new());
    for turn in 0..TURNS {
        for (interval, found) in INTERVALS.iter().zip(&mut found) {
            let micros = cpu_micros_of_a_record(records, interval);
            eprintln!("turn {turn}, --lineage-interval {interval}: {micros:.3} µs of CPU a record");
            found.push(micros);
        }
    }
    let spreads = found.each_ref().map(|found| {
        let bounds = found.iter().fold((f64::MAX, f64::MIN), |(least, most), it| (it.min(least), it.max(most)));
        format!("{:.3} to {:.3}", bounds.0, bounds.1)
    });
    eprintln!("from the least to the most: {} without, {} with lineage", spreads[0], spreads[1]);
    let [without, with] = found.map(median);
    eprintln!("medians: {without:.3} without, {with:.3} with lineage: {:+.2} %", (with / without - 1.0) * 100.0);
}

/// User and system time of the sidecar, a record. Its start, and that of telling lineage, is over before it is measured: a
/// quarter of the records is through by then, and told of.
fn cpu_micros_of_a_record(records: usize, interval: &str) -> f64 {
    let world = World::applied();
    let told = world.extent(LINEAGE_TOPIC);
    let mut command = mesh(["run", "masking", "--domain", "crm", "--lineage-interval", interval]);
    command.args(["--bootstrap-servers", world.bootstrap(), "--registry-url", &world.registry_url]);
    let sidecar = Process::start(command.arg("--keys").arg(world.keys()));
    publish_good(&world, 0..records / 4);
    reached(&world, &sidecar, records / 4);
    if interval != NEVER {
        eventually("lineage is told", PATIENCE, || (world.extent(LINEAGE_TOPIC) > told).then_some(()));
    }
    let from = reached(&world, &sidecar, records / 4);
    publish_good(&world, records / 4..records);
    let to = reached(&world, &sidecar, records);
    (to.0 - from.0) * 1e6 / (to.1 - from.1)
}

/// The sidecar's CPU time in seconds, and how far the view is, once it is that far.
fn reached(world: &World, sidecar: &Process, records: usize) -> (f64, f64) {
    let extent = eventually("the view grows", PATIENCE, || {
        let extent = world.extent(VIEWS[0].1);
        (extent >= i64::try_from(records).expect("it is small")).then_some(extent)
    });
    (cpu_seconds(sidecar.id()), extent as f64)
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // the name, in brackets, may hold anything
    let (_, fields) = stat.rsplit_once(") ").expect("the name ends");
    let ticks: f64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
    ticks / 100.0
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
